"""Rule liveness-not-readiness: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.health.liveness_not_readiness import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, patch, resource, workload

POD = "spec.template.spec"
LIVENESS = f"{POD}.containers.0.livenessProbe"
SAME = "container main: livenessProbe asks the same as readinessProbe, so that who is not ready is restarted"
PATH = "container main: livenessProbe.httpGet.path is one that looks at dependencies"
EXEC = "container main: livenessProbe.exec asks another host"


def http(path: str | None = "/live", port: object = "http", **more: object) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port, **more}, "periodSeconds": 10}


def command(*words: Any) -> dict[str, Any]:
    return {"exec": {"command": list(words)}}


def probed(liveness: Any, readiness: Any = None, kind: str = "Deployment") -> Resource:
    container = {
        "name": "main",
        "ports": [{"name": "metrics", "containerPort": 9000}, {"name": "http", "containerPort": 8000}],
        "livenessProbe": liveness,
        "readinessProbe": readiness or http("/ready"),
    }
    return workload(kind, pod={"containers": [container]})


def verdict(subject: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, subject).values()
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Rollout"])
def test_every_serving_kind_is_judged(kind: str) -> None:
    assert verdict(probed(http(), kind=kind)) == (Outcome.PASS, "")
    assert verdict(probed(http("/ready"), kind=kind))[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("liveness", "readiness"),
    [
        (http("/health"), http("/health")),
        (http("/health"), {**http("/health"), "failureThreshold": 9}),
        (http("/health", 8000), http("/health", "http")),
        (http(None), http("/")),
        ({"tcpSocket": {"port": "http"}}, {"tcpSocket": {"port": 8000}}),
        ({"grpc": {"port": 1}}, {"grpc": {"port": 1, "service": ""}}),
        (command("check", "a"), command("check", "a")),
    ],
)
def test_the_same_question_fails(liveness: Any, readiness: Any) -> None:
    assert verdict(probed(liveness, readiness)) == (Outcome.FAIL, SAME)


@pytest.mark.parametrize(
    ("liveness", "readiness"),
    [
        (http("/health"), http("/healthy")),
        (http("/health", 8000), http("/health", 9000)),
        (http("/health"), http("/health", host="127.0.0.1")),
        (http("/health", "metrics"), http("/health")),
        ({"tcpSocket": {"port": 1}}, {"tcpSocket": {"port": 1, "host": "127.0.0.1"}}),
        ({"tcpSocket": {"port": "http"}}, http("/")),
        ({"tcpSocket": {"port": "http"}}, {"tcpSocket": {"port": 9000}}),
        ({"tcpSocket": {"port": 1}}, {"grpc": {"port": 1}}),
        ({"grpc": {"port": 1, "service": "live"}}, {"grpc": {"port": 1}}),
        ({"grpc": {"port": 1}}, {"grpc": {"port": 2}}),
        (command("check", "alive"), command("check", "ready")),
        (command(), command()),
        (None, http("/ready")),
        ({}, {"periodSeconds": 1}),
    ],
)
def test_another_question_passes(liveness: Any, readiness: Any) -> None:
    assert verdict(probed(liveness, readiness)) == (Outcome.PASS, "")


def test_without_readiness_there_is_nothing_to_compare() -> None:
    assert verdict(changed(probed(http("/health")), f"{POD}.containers.0.readinessProbe", GONE)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "path",
    ["/readyz", "/api/READINESS", "/health/ready", "/health?db=1", "/q/health", "/actuator/health/", "/check/database"],
)
def test_a_path_that_looks_at_dependencies_fails(path: str) -> None:
    assert verdict(probed(http(path))) == (Outcome.FAIL, PATH)


@pytest.mark.parametrize("path", ["/already", "/health/live", "/actuator/health/liveness", "/dbase", "/", ""])
def test_a_path_of_the_process_alone_passes(path: str) -> None:
    assert verdict(probed(http(path))) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "word",
    [
        *("ready", "readyz", "readiness", "dependencies", "dependency", "deps"),
        *("database", "db", "upstream", "upstreams"),
    ],
)
def test_every_word_for_dependencies_counts(word: str) -> None:
    assert verdict(probed(http(f"/check/{word}"), http("/"))) == (Outcome.FAIL, PATH)


@pytest.mark.parametrize("program", ["nc", "ncat", "netcat", "telnet", "ping"])
def test_every_program_that_takes_a_host_first_counts(program: str) -> None:
    assert verdict(probed(command(program, "redis"))) == (Outcome.FAIL, EXEC)
    assert verdict(probed(command(program, "localhost"))) == (Outcome.PASS, "")


def test_another_host_fails() -> None:
    expected = "container main: livenessProbe.{}.host is another host"
    assert verdict(probed(http(host="postgres"))) == (Outcome.FAIL, expected.format("httpGet"))
    assert verdict(probed({"tcpSocket": {"port": 1, "host": "10.0.0.9"}})) == (
        Outcome.FAIL,
        expected.format("tcpSocket"),
    )
    assert verdict(probed(http(host="127.0.0.1"))) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "words",
    [
        ("pg_isready", "-h", "postgres"),
        ("sh", "-c", "redis-cli -h redis-queue ping | grep PONG"),
        ("pg_isready", "--host=postgres", "-q"),
        ("pg_isready", "-h", "$PGHOST"),
        ("curl", "-f", "http://api:8000/health"),
        ("sh", "-c", "wget -qO- https://user:word@shop.example/x && true"),
        ("curl", "redis://[fd00::1]:6379"),
        ("nc", "-z", "-w", "1", "redis", "6379"),
        ("/bin/nc", "redis", "6379"),
        ("bash", "-c", "echo > /dev/tcp/redis/6379"),
        ("grpc_health_probe", "-addr=api:50051"),
        ("check", "'", "--server", "api"),
        ("sh", "-c", "true;ping api"),
        (SECRET, "-h", "postgres"),
    ],
)
def test_a_command_that_asks_another_host_fails(words: tuple[Any, ...]) -> None:
    assert verdict(probed(command(*words))) == (Outcome.FAIL, EXEC)


@pytest.mark.parametrize(
    "words",
    [
        ("pg_isready", "-h", "localhost"),
        ("pg_isready", "-h", "/var/run/postgresql"),
        ("pg_isready", "-h"),
        ("redis-cli", "-h", "127.0.0.1", "ping"),
        ("sh", "-c", "redis-cli -h localhost|grep PONG"),
        ("sh", "-c", "redis-cli -h localhost;true"),
        ("sh", "-c", "redis-cli -h localhost&&true"),
        ("redis-cli", "-h", "$(hostname)", "ping"),
        ("redis-cli", "-h", "$POD_IP", "ping"),
        ("redis-cli", "-h", "${HOSTNAME}", "ping"),
        ("curl", "-f", "-H", "Host: shop.example", "http://localhost:8000/health"),
        ("curl", "http://[::1]:8000/"),
        ("curl", "http://user@127.0.0.1/"),
        ("grpc_health_probe", "-addr=[::1]:50051"),
        ("grpc_health_probe", "-addr=:50051"),
        ("check", "--host", "::1"),
        ("nc", "-z", "-w", "1", "localhost", "6379"),
        ("bash", "-c", "echo > /dev/tcp/localhost/6379"),
        ("cat", "/run/alive"),
        ("sh", "-c", "test $(( $(date +%s) - $(stat -c %Y /run/beat) )) -lt 30"),
        ("check", "'"),
    ],
)
def test_a_command_that_stays_with_the_pod_passes(words: tuple[Any, ...]) -> None:
    assert verdict(probed(command(*words))) == (Outcome.PASS, "")


def test_nothing_of_a_command_is_quoted() -> None:
    _, reasons = verdict(probed(command("psql", "postgres://user:hunter2@db/app")))
    assert reasons == EXEC


def test_sidecars_count_and_init_containers_do_not() -> None:
    log = {"name": "log", "livenessProbe": http("/ready", 1), "readinessProbe": http("/ready", 1)}
    pod = {"containers": [{"name": "main"}], "initContainers": [{**log, "restartPolicy": "Always"}]}
    assert "init container log: livenessProbe asks the same" in verdict(workload(pod=pod))[1]
    assert verdict(workload(pod={**pod, "initContainers": [log]})) == (Outcome.PASS, "")


def test_what_ends_by_itself_is_not_applicable() -> None:
    for subject in (workload("Job"), workload("CronJob")):
        assert verdict(subject) == (
            Outcome.NOT_APPLICABLE,
            "its pods end by themselves, and have no use for a liveness probe",
        )


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("subject", "path"),
    [
        (probed(http()), "spec"),
        (probed(http()), f"{POD}.containers"),
        (probed(http()), LIVENESS),
        (probed(http()), f"{LIVENESS}.httpGet"),
        (probed(http()), f"{LIVENESS}.httpGet.path"),
        (probed(http()), f"{POD}.containers.0.readinessProbe.httpGet.path"),
        (probed(http("/x", 1), http("/x")), f"{POD}.containers.0.ports"),
        (probed(http("/x", 1), http("/x")), f"{POD}.containers.0.ports.1.containerPort"),
        (probed(command("check", "x")), f"{LIVENESS}.exec.command"),
        (probed(command("check", "x")), f"{LIVENESS}.exec.command.1"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(subject: Resource, path: str, marker: object) -> None:
    assert verdict(changed(subject, path, marker))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    unknown = changed(probed(http("/ready")), f"{POD}.containers.0.readinessProbe", UNKNOWN)
    assert verdict(unknown) == (Outcome.FAIL, PATH)


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    assert verdict(patch(workload()))[0] is Outcome.INCONCLUSIVE
    assert verdict(patch(probed(http("/ready"))))[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("Worker"), resource("Cluster")) == {}
