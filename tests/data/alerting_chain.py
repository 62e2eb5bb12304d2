"""The genuine Prometheus and Alertmanager as processes on loopback, and a webhook that keeps what it is told."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from components.observability.routing import configuration
from components.slo.objective import Slo
from components.slo.rules import rules
from devcluster import checks
from tests.data.fast_clock import faster_routes, faster_rules
from tests.data.telemetry_servers import free_port, get, until


@dataclass
class Told:
    """One alert as it arrived, and when (`time.monotonic`)."""

    at: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass
class Chain:
    """The running chain."""

    prometheus: str
    told: list[Told] = field(default_factory=list[Told])

    def of_slos(self, labels: dict[str, str] | None = None, since: float = 0, status: str = "") -> list[Told]:
        """What was told of SLOs."""
        return [
            each
            for each in self.told
            if each.at >= since
            and each.labels["alertname"].startswith("SLO")
            and status in ("", each.status)
            and (labels or {}).items() <= each.labels.items()
        ]

    def arrival(self, status: str, since: float, seconds: float, labels: dict[str, str]) -> Told:
        """The first such message after `since`; fails after `seconds`."""

        def found() -> Told | None:
            return next(
                (
                    each
                    for each in self.told
                    if each.at >= since and each.status == status and labels.items() <= each.labels.items()
                ),
                None,
            )

        return until(f"{status} {labels}, told were {[each.labels for each in self.told]}", seconds, found)


@contextmanager
def _running(folder: Path, name: str, *arguments: str) -> Generator[None]:
    with (folder / f"{name}.log").open("w") as output:
        process = subprocess.Popen([checks.ensure(name, print), *arguments], stdout=output, stderr=output)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _webhook(told: list[Told]) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            now = time.monotonic()
            told.extend(Told(now, each["status"], each["labels"], each["annotations"]) for each in content["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with _serving(Handler) as url:
        yield url


@contextmanager
def metrics(text: Callable[[], str]) -> Generator[str]:
    """Host and port where what `text` gives at that moment is to be scraped, at any path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text().encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with _serving(Handler) as url:
        yield url


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chain(folder: Path, slos: Sequence[Slo], targets: dict[str, int], desired: str) -> Generator[Chain]:
    """Prometheus with the SLOs' rules, Alertmanager with the routes that are deployed, both on the fast clock.

    `targets`: job -> port of its metrics; `desired`: what kube-state-metrics would say, as text.
    """
    told: list[Told] = []
    prometheus_at, alertmanager_at = free_port(), free_port()
    with ExitStack() as stack:
        sink = stack.enter_context(_webhook(told))
        state = stack.enter_context(metrics(lambda: desired))
        contacts = {"heartbeat_url": "", "webhook_url": ""}
        routes = faster_routes(configuration(contacts, "staging"))
        for contact in contacts:
            (folder / contact).write_text(f"http://{sink}/{contact}")
        routes = routes.replace("/etc/alertmanager/secrets/alertmanager-contacts/", f"{folder}/")
        (folder / "alertmanager.yaml").write_text(routes)
        groups = faster_rules(rules(slos, "https://git.example/runbooks"))
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
        addresses = {job: f"127.0.0.1:{port}" for job, port in targets.items()} | {"kube-state-metrics": state}
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_at}"]}]}]},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in addresses.items()
            ],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        stack.enter_context(
            _running(
                folder,
                "alertmanager",
                f"--config.file={folder}/alertmanager.yaml",
                f"--storage.path={folder}/alertmanager",
                f"--web.listen-address=127.0.0.1:{alertmanager_at}",
                "--cluster.listen-address=",
            )
        )
        stack.enter_context(
            _running(
                folder,
                "prometheus",
                f"--config.file={folder}/prometheus.yaml",
                f"--storage.tsdb.path={folder}/prometheus",
                f"--web.listen-address=127.0.0.1:{prometheus_at}",
            )
        )
        url = f"http://127.0.0.1:{prometheus_at}"
        until(f"Prometheus (log: {folder}/prometheus.log)", 30, lambda: get(f"{url}/-/ready")[0] == 200)
        yield Chain(url, told)
