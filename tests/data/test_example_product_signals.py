"""What the example product shows: every metric that alerts and dashboards ask of it, and traces that its logs name."""

import re
from collections.abc import Iterable
from contextlib import ExitStack

from components.observability.dashboards import DASHBOARDS
from components.workload.alerts import SERVICE_ALERTS, WORKER_ALERTS
from tests.data.example_product import Process, Start, eventually
from tests.data.receiver import Receiver

PAGES = {"services", "workers"}
"""Dashboards of what the product measures."""
PROBE = "probe_"
"""Asked of the product from outside, by the exporter of probes."""
GIVEN = {"namespace", "job"}
"""Labels that Prometheus adds."""
WORDS = {"by", "on", "or", "and", "unless", "vector"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def asked(queries: Iterable[str]) -> dict[str, set[str]]:
    """Metric -> labels that the queries use of it. All labels of a query are taken to be of each of its metrics."""
    found: dict[str, set[str]] = {}
    for query in queries:
        bare = re.sub(r'"[^"]*"|\[[^]]*\]', "", query)
        lists = re.findall(r"\b(?:by|on) \(([^)]*)\)|\{([^}]*)\}", bare)
        labels = {label for pair in lists for part in pair for label in re.findall(r"[a-z_]+", part)} - GIVEN
        bare = re.sub(r"\b(?:by|on) \([^)]*\)|\{[^}]*\}", "", bare)
        # What an opening bracket follows is a function.
        names = set(re.findall(r"\b[a-z][a-z0-9_]*\b(?!\s*\()", bare)) - WORDS
        for name in names:
            if not name.startswith(PROBE):
                found.setdefault(name, set()).update(labels)
    return found


def wanted() -> dict[str, set[str]]:
    queries = [alert["expr"] for alert in (*SERVICE_ALERTS, *WORKER_ALERTS)]
    pages = [page for page in DASHBOARDS if page.uid in PAGES]
    assert len(pages) == len(PAGES)
    return asked([*queries, *(query for page in pages for chart in page.charts for query in chart.queries.values())])


def test_the_metrics_that_rules_and_dashboards_ask_for_are_found_in_them() -> None:
    found = wanted()
    assert found["http_request_duration_seconds_count"] == {"status", "method", "route"}
    assert found["queue_jobs_total"] == {"queue", "result"}
    assert {"engine_last_tick_timestamp_seconds", "llm_tokens_today", "llm_tokens_daily_limit"} <= found.keys()
    assert all("_" in name for name in found), found


def test_every_metric_and_label_that_is_asked_for_is_there(start: Start) -> None:
    with ExitStack() as held:
        api, worker = held.enter_context(start("api")), held.enter_context(start("worker"))
        others = [held.enter_context(start("engine", TICK_SECONDS="1")), held.enter_context(start("scheduler"))]
        assert api.order(0) == 202
        eventually("the order and the digest to be mailed", lambda: worker.messages().count("mailed") == 2)
        eventually("two ticks", lambda: others[0].messages().count("tick") > 1)
        scraped = "\n".join(process.get("/metrics")[1] for process in (api, worker, *others))
    samples = re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", scraped, re.MULTILINE)
    shown: dict[str, set[str]] = {}
    for name, labels in samples:
        shown.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    missing = {name: labels for name, labels in wanted().items() if name not in shown or labels - shown[name]}
    assert missing == {}


def test_calls_of_the_model_are_counted_and_end_with_the_budget(start: Start) -> None:
    with start("engine", TICK_SECONDS="0.2", LLM_TOKENS_DAILY_LIMIT="40") as engine:
        eventually("the budget to be spent", lambda: "failed" in engine.messages())
        assert 0 < engine.messages().count("tick") < 4
        assert "tokens of 40 are spent today" in engine.log.read_text()
        assert all("No model was asked" in line["advice"] for line in engine.lines() if line["message"] == "tick")
        spent = value(engine, "llm_tokens_today")
        assert spent >= 40
        assert value(engine, "llm_tokens_daily_limit") == 40
        ticked = value(engine, "engine_last_tick_timestamp_seconds")
    # A restart gives nothing back.
    with start("engine", TICK_SECONDS="0.2", LLM_TOKENS_DAILY_LIMIT="40") as again:
        eventually("a tick to fail", lambda: "failed" in again.messages())
        assert value(again, "llm_tokens_today") == spent
        assert value(again, "engine_last_tick_timestamp_seconds") == 0 < ticked


def value(process: Process, metric: str) -> float:
    (found,) = re.findall(rf"^{metric} (\S+)$", process.get("/metrics")[1], re.MULTILINE)
    return float(found)


def sending_to(receiver: Receiver) -> dict[str, str]:
    """As the platform sets it."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiver.address}"}


def test_a_request_and_its_job_are_one_trace_which_their_logs_name(start: Start, receiver: Receiver) -> None:
    with (
        start("api", OTEL_SERVICE_NAME="api", **sending_to(receiver)) as api,
        start("worker", OTEL_SERVICE_NAME="email-worker", **sending_to(receiver)) as worker,
    ):
        assert api.order(0, traceparent=TRACEPARENT) == 202
        assert api.get("/liveness")[0] == 200
        eventually("the job", lambda: "mailed" in worker.messages())
        for process in (api, worker):
            process.stop()
            assert process.process.wait(10) == 0
        for process, message in ((api, "ordered"), (worker, "mailing"), (worker, "mailed")):
            (line,) = [line for line in process.lines() if line["message"] == message]
            assert line["trace_id"] == TRACE, message
        assert "trace_id" not in api.lines()[-1]
    sent = receiver.bodies("/v1/traces")
    assert sent.count(bytes.fromhex(TRACE)) == 2
    for text in (b"POST /orders", b"mail", b"api", b"email-worker"):
        assert text in sent, text
    assert b"liveness" not in sent


def test_without_a_collector_nothing_is_sent_and_logs_name_the_trace_all_the_same(
    start: Start, receiver: Receiver
) -> None:
    with start("api") as api:
        assert api.order(0, traceparent=TRACEPARENT) == 202
        assert api.order(0) == 202
        api.stop()
        assert api.process.wait(5) == 0
        first, second = [line["trace_id"] for line in api.lines() if line["message"] == "ordered"]
        assert first == TRACE
        assert re.fullmatch("[0-9a-f]{32}", second)
        assert second != first
        assert {line["level"] for line in api.lines()} == {"info"}
    assert receiver.received == []


def test_a_collector_that_is_away_holds_nothing_up(start: Start) -> None:
    with start("api", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1") as api:
        assert api.order(0) == 202
        api.stop()
        assert api.process.wait(10) == 0
        assert any("opentelemetry" in line["logger"] for line in api.lines()), "it says what it could not send"
