"""Which traces are kept, on the genuine Alloy, two of it, and Tempo: those with an error and slow ones, each whole."""

import secrets
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from stacks.environment import from_config
from stacks.render import render
from stacks.yaml_file import read_yaml
from tests.conftest import ROOT
from tests.data.telemetry_servers import Telemetry, get, post, telemetry, until


class Span(NamedTuple):
    """One, of a new trace unless that is given."""

    service: str = "api"
    seconds: float = 0.01
    status: int = 0
    """0 is unset, 2 an error."""

    def sent(self, otlp: str, trace: str) -> None:
        end = time.time_ns()
        span = {
            "traceId": trace,
            "spanId": secrets.token_hex(8),
            "name": f"of {self.service}",
            "kind": 2,
            "startTimeUnixNano": str(end - int(self.seconds * 1e9)),
            "endTimeUnixNano": str(end),
            "status": {"code": self.status},
        }
        service = {"attributes": [{"key": "service.name", "value": {"stringValue": self.service}}]}
        spans = {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}
        assert post(f"{otlp}/v1/traces", spans) == 200


ORDINARY, FAILED = Span(), Span(status=2)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    """None of the ordinary traces is kept."""
    config: dict[str, Any] = read_yaml(ROOT / "Pulumi.staging.yaml")["config"]
    config["mainstay:observability"]["traces"]["share"] = 0
    files: dict[str, str] = {}
    for each in render(from_config(config, "staging")):
        if each.kind == "ConfigMap" and each.name in ("loki", "tempo", "alloy"):
            files |= each.manifest["data"]
    with telemetry(tmp_path_factory.mktemp("telemetry"), files, replicas=2) as running:
        yield running


def sent(servers: Telemetry, *spans: Span) -> str:
    """A trace whose spans come to the replicas in turn."""
    trace = secrets.token_hex(16)
    for number, span in enumerate(spans):
        span.sent(servers.otlp[number % len(servers.otlp)], trace)
    return trace


def spans_of(servers: Telemetry, trace: str) -> int:
    """How many Tempo has."""
    status, body = get(f"{servers.tempo}/api/traces/{trace}")
    return body.count('"spanId"') if status == 200 else 0


def kept(servers: Telemetry, traces: list[str]) -> list[int]:
    """How many spans of each are kept, once all that came before are decided."""
    last = [sent(servers, FAILED) for _ in range(8)]
    until("what came last", 30, lambda: all(spans_of(servers, trace) for trace in last))
    time.sleep(1)
    return [spans_of(servers, trace) for trace in traces]


def test_a_trace_with_an_error_is_kept_whole_though_its_spans_come_to_different_replicas(servers: Telemetry) -> None:
    # As many as it takes for each replica to have some.
    traces = [sent(servers, ORDINARY, Span("email-worker"), Span("web"), FAILED) for _ in range(12)]
    assert kept(servers, traces) == [4] * 12


def test_ordinary_traces_are_not_kept_where_their_share_is_none(servers: Telemetry) -> None:
    assert kept(servers, [sent(servers, ORDINARY, Span("web")) for _ in range(50)]) == [0] * 50


@pytest.mark.parametrize(
    ("service", "in_time", "slow"),
    [
        ("api", 0.49, 0.51),  # promises half a second
        ("email-worker", 59, 61),  # promises a minute
        ("web", 0.99, 1.01),  # promises no time
    ],
)
def test_slow_is_what_breaks_a_promise(servers: Telemetry, service: str, in_time: float, slow: float) -> None:
    traces = [sent(servers, ORDINARY, Span(service, seconds)) for seconds in (in_time, slow)]
    assert kept(servers, traces) == [0, 2]


def test_a_job_that_waited_makes_no_trace_slow(servers: Telemetry) -> None:
    """The whole trace lasts longer than anything in it."""
    trace = secrets.token_hex(16)
    ORDINARY.sent(servers.otlp[0], trace)
    time.sleep(1.2)
    Span("email-worker").sent(servers.otlp[1], trace)
    assert kept(servers, [trace]) == [0]


def test_what_comes_after_the_decision_shares_it(servers: Telemetry) -> None:
    traces = [sent(servers, FAILED), sent(servers, ORDINARY)]
    assert kept(servers, traces) == [1, 0]
    for trace in traces:
        Span("email-worker").sent(servers.otlp[1], trace)
    assert kept(servers, traces) == [2, 0]
