"""What is told and what is held back, on a running genuine Alertmanager with the generated configuration."""

import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from components.observability.alert import Level
from components.observability.routing import CONTACTS, Maintenance, configuration
from devcluster import checks

CHAIN: list[Level] = [{"name": "tech-lead", "after": "15m"}]
CONTACT_FILES = ("heartbeat_url", "webhook_url", "tech-lead-webhook_url")
MOUNTED = f"/etc/alertmanager/secrets/{CONTACTS}"

Labels = dict[str, str]


class Sink(http.server.BaseHTTPRequestHandler):
    """Keeps what Alertmanager posts: path -> labels of the alerts."""

    received: ClassVar[list[tuple[str, Labels]]] = []

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.extend((self.path, each["labels"]) for each in message["alerts"] if each["status"] == "firing")
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Alertmanager:
    """A running server, reached through its API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (our own server)
            self.url + path, data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content) if content else None

    def alert(self, *alerts: Labels) -> None:
        self.ask("/api/v2/alerts", [{"labels": labels, "annotations": {"summary": "It is so."}} for labels in alerts])

    def silence(self, labels: Labels) -> None:
        matchers = [{"name": key, "value": value, "isRegex": False, "isEqual": True} for key, value in labels.items()]
        now = time.time()
        stamps = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each)) for each in (now - 1, now + 3600)]
        body = {"matchers": matchers, "startsAt": stamps[0], "endsAt": stamps[1], "createdBy": "a", "comment": "seen"}
        self.ask("/api/v2/silences", body)

    def states(self) -> dict[tuple[str, str], str]:
        """(alertname, service or escalation) -> state, once none is unprocessed."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.ask("/api/v2/alerts")
            if all(each["status"]["state"] != "unprocessed" for each in found):
                return {key(each["labels"]): each["status"]["state"] for each in found}
            time.sleep(0.2)
        raise AssertionError("alerts stay unprocessed")


def key(labels: Labels) -> tuple[str, str]:
    return labels["alertname"], labels.get("escalation") or labels.get("slo") or labels.get("service", "")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def sink() -> Generator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@pytest.fixture
def alertmanager(tmp_path: Path, request: pytest.FixtureRequest) -> Generator[Alertmanager]:
    """Its parameter, where there is one: planned maintenance."""
    Sink.received.clear()
    with sink() as told:
        contacts = tmp_path / "contacts"
        contacts.mkdir()
        for name in CONTACT_FILES:
            (contacts / name).write_text(f"{told}/{name}")
        config = yaml.safe_load(
            configuration(
                CONTACT_FILES, "staging", escalation=CHAIN, maintenance=getattr(request, "param", ())
            ).replace(MOUNTED, str(contacts))
        )
        # The waits alone are shorter, so that the test need not take a minute.
        for route in (config["route"], *config["route"]["routes"]):
            route["group_wait"] = "1s"
        file = tmp_path / "alertmanager.yaml"
        file.write_text(yaml.safe_dump(config))
        port = free_port()
        command = [
            str(checks.ensure("alertmanager", print)),
            f"--config.file={file}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                server = Alertmanager(f"http://127.0.0.1:{port}")
                wait_until_ready(server, process, tmp_path / "log")
                yield server
            finally:
                process.terminate()


def wait_until_ready(server: Alertmanager, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        try:
            server.ask("/api/v2/status")
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


def told(count: int) -> set[tuple[str, tuple[str, str]]]:
    """What came to the sink: (path, alert), once there are so many, and half a group's wait later still."""
    deadline = time.monotonic() + 15
    while len(Sink.received) < count and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1.5)
    return {(path, key(labels)) for path, labels in Sink.received}


def test_the_lesser_degree_of_the_same_trouble_is_held_back_and_nothing_else(alertmanager: Alertmanager) -> None:
    api = {"namespace": "n", "job": "api", "service": "api"}
    web = {"namespace": "n", "job": "web", "service": "web"}
    alertmanager.alert(
        {"alertname": "ServiceVerySlow", "severity": "P1", **api},
        {"alertname": "WorkloadGone", "severity": "P0", "namespace": "n", "workload": "api", "service": "api"},
        {"alertname": "VolumeAlmostFull", "severity": "P0", "namespace": "n", "persistentvolumeclaim": "v-0"},
    )
    alertmanager.alert(
        {"alertname": "ServiceSlow", "severity": "P2", **api},
        {"alertname": "ServiceSlow", "severity": "P2", **web},
        {"alertname": "WorkloadIncomplete", "severity": "P2", "namespace": "n", "workload": "api", "service": "api"},
        {"alertname": "VolumeFilling", "severity": "P2", "namespace": "n", "persistentvolumeclaim": "v-1"},
    )
    came = told(5)
    assert alertmanager.states() == {
        ("ServiceVerySlow", "api"): "active",
        ("WorkloadGone", "api"): "active",
        ("VolumeAlmostFull", ""): "active",
        ("ServiceSlow", "api"): "suppressed",
        ("ServiceSlow", "web"): "active",
        ("WorkloadIncomplete", "api"): "suppressed",
        ("VolumeFilling", ""): "active",
    }
    assert came == {
        ("/webhook_url", ("ServiceVerySlow", "api")),
        ("/webhook_url", ("WorkloadGone", "api")),
        ("/webhook_url", ("VolumeAlmostFull", "")),
        ("/webhook_url", ("ServiceSlow", "web")),
        ("/webhook_url", ("VolumeFilling", "")),
    }


def test_an_objective_silences_only_its_own_slower_burn(alertmanager: Alertmanager) -> None:
    """Others ship an inhibition by namespace and alert name, by which one objective silences all others."""
    alertmanager.alert({"alertname": "SLOBurnsFast", "severity": "P1", "service": "api", "slo": "api-availability"})
    slow = {"alertname": "SLOBurnsSlowly", "severity": "P2", "service": "api"}
    alertmanager.alert(*({**slow, "slo": name} for name in ("api-availability", "api-latency")))
    came = told(2)
    assert alertmanager.states() == {
        ("SLOBurnsFast", "api-availability"): "active",
        ("SLOBurnsSlowly", "api-availability"): "suppressed",
        ("SLOBurnsSlowly", "api-latency"): "active",
    }
    assert {alert for _, alert in came} == {
        ("SLOBurnsFast", "api-availability"),
        ("SLOBurnsSlowly", "api-latency"),
    }


def test_a_silence_of_an_alert_holds_for_its_escalation(alertmanager: Alertmanager) -> None:
    redis = {"alertname": "RedisDown", "severity": "P0", "job": "redis-queue", "service": "redis-queue"}
    postgres = {"alertname": "PostgresDown", "severity": "P0", "job": "postgres-main", "service": "postgres-main"}
    alertmanager.silence(redis)
    alertmanager.alert(*({**labels, "escalation": "tech-lead"} for labels in (redis, postgres)), redis, postgres)
    assert told(2) == {
        ("/webhook_url", ("PostgresDown", "postgres-main")),
        ("/tech-lead-webhook_url", ("PostgresDown", "tech-lead")),
    }
    assert alertmanager.states()["RedisDown", "tech-lead"] == "suppressed"


def test_the_gateway_is_silent_where_the_service_itself_tells(alertmanager: Alertmanager) -> None:
    alertmanager.alert({"alertname": "ServiceErrorRateHigh", "severity": "P0", "job": "api", "service": "api"})
    alertmanager.alert({"alertname": "WorkloadGone", "severity": "P0", "workload": "hooks", "service": "hooks"})
    gateway = {"severity": "P0", "namespace": "n"}
    alertmanager.alert(
        *({"alertname": "GatewayErrors", **gateway, "route": name, "service": name} for name in ("api", "web")),
        *(
            {"alertname": "GatewayNoHealthyUpstream", **gateway, "route": name, "service": name}
            for name in ("hooks", "web")
        ),
    )
    assert told(4) == {
        ("/webhook_url", ("ServiceErrorRateHigh", "api")),
        ("/webhook_url", ("WorkloadGone", "hooks")),
        ("/webhook_url", ("GatewayErrors", "web")),
        ("/webhook_url", ("GatewayNoHealthyUpstream", "web")),
    }


def test_a_node_that_is_down_silences_its_kubelet_and_no_other_target(alertmanager: Alertmanager) -> None:
    alertmanager.alert({"alertname": "NodeNotReady", "severity": "P2", "node": "w-1", "service": "w-1"})
    down = {"alertname": "TargetDown", "severity": "P2"}
    alertmanager.alert(
        {**down, "job": "kubelet", "node": "w-1", "service": "kubelet"},
        {**down, "job": "kubelet", "node": "w-2", "service": "kubelet-2"},
        {**down, "job": "api", "service": "api"},
    )
    assert told(3) == {
        ("/webhook_url", ("NodeNotReady", "w-1")),
        ("/webhook_url", ("TargetDown", "kubelet-2")),
        ("/webhook_url", ("TargetDown", "api")),
    }


def today_and_tomorrow() -> list[Maintenance]:
    """All of both, so that no midnight ends it while the test runs."""
    days = [datetime.now(UTC) + timedelta(days=more) for more in (0, 1)]
    return [
        {"day": days[0].strftime("%A").lower(), "start": "00:00", "end": "24:00"},
        {"day": days[1].date().isoformat(), "start": "00:00", "end": "24:00"},
    ]


@pytest.mark.parametrize("alertmanager", [today_and_tomorrow()], indirect=True, ids=["maintenance"])
def test_during_maintenance_what_can_wait_waits_and_what_cannot_is_told(alertmanager: Alertmanager) -> None:
    alertmanager.alert(
        {"alertname": "RedisDown", "severity": "P0", "service": "redis"},
        {"alertname": "RedisMemoryHigh", "severity": "P1", "service": "redis"},
        {"alertname": "QueueDeep", "severity": "P2", "service": "mail"},
        {"alertname": "SpansLost", "severity": "P3", "service": "alloy"},
    )
    assert told(2) == {("/webhook_url", ("RedisDown", "redis")), ("/webhook_url", ("RedisMemoryHigh", "redis"))}


def test_the_heartbeat_goes_to_the_outside_and_to_nobody_else(alertmanager: Alertmanager) -> None:
    alertmanager.alert({"alertname": "Watchdog", "severity": "P3", "service": "alertmanager"})
    assert told(1) == {("/heartbeat_url", ("Watchdog", "alertmanager"))}
