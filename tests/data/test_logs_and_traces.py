"""Logs and traces, on the genuine Loki, Tempo and Alloy: what goes in is found again, and stands in the bucket."""

import json
import re
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.observability.telemetry_alerts import TELEMETRY
from devcluster import checks
from stacks.environment import load
from stacks.render import render
from tests.conftest import ROOT
from tests.data.telemetry_servers import KEYS, Telemetry, get, post, telemetry, until

CHECKS: dict[str, tuple[str, list[str]]] = {
    "loki": ("loki.yaml", ["-config.expand-env=true", "-verify-config", "-config.file={}"]),
    "tempo": ("tempo.yaml", ["-config.expand-env=true", "-config.verify=true", "-config.file={}"]),
    "alloy": ("config.alloy", ["validate", "{}"]),
}
MISSPELT = {
    "loki": ("retention_enabled", "retention_enable"),
    "tempo": ("block_retention", "block_retentoin"),
    "alloy": ("forward_to", "forwards_to"),
}
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def deployed(stack: str) -> dict[str, str]:
    """The configuration files in the environment's rendering."""
    files: dict[str, str] = {}
    for each in render(load(ROOT, stack)):
        if each.kind == "ConfigMap" and each.name in CHECKS:
            files |= each.manifest["data"]
    return files


def check(tool: str, folder: Path, content: str) -> subprocess.CompletedProcess[str]:
    name, arguments = CHECKS[tool]
    file = folder / name
    file.write_text(content)
    command = [str(checks.ensure(tool, print)), *(each.format(file) for each in arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=KEYS, check=False)


@pytest.mark.parametrize("stack", ["staging", "prod"])
@pytest.mark.parametrize("tool", CHECKS)
def test_each_finds_no_fault_in_its_configuration(tool: str, stack: str, tmp_path: Path) -> None:
    done = check(tool, tmp_path, deployed(stack)[CHECKS[tool][0]])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", CHECKS)
def test_each_refuses_a_misspelt_key(tool: str, tmp_path: Path) -> None:
    content = deployed("staging")[CHECKS[tool][0]]
    right, wrong = MISSPELT[tool]
    assert right in content
    done = check(tool, tmp_path, content.replace(right, wrong, 1))
    assert done.returncode != 0
    assert wrong in done.stdout + done.stderr


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    with telemetry(tmp_path_factory.mktemp("telemetry"), deployed("staging")) as running:
        yield running


def lines(servers: Telemetry, query: str) -> list[dict[str, Any]]:
    """The streams that a LogQL query finds in the last hour."""
    url = f"{servers.loki}/loki/api/v1/query_range?{urllib.parse.urlencode({'query': query})}"
    status, body = get(url)
    assert status == 200, body
    return json.loads(body)["data"]["result"]


def test_a_line_is_found_by_service_and_by_trace(servers: Telemetry) -> None:
    line = json.dumps({"level": "error", "message": "out of stock", "trace_id": TRACE})
    servers.log(line, "a line that is no JSON")
    (stream,) = until("the line", 30, lambda: lines(servers, f'{{service_name="api"}} | trace_id="{TRACE}"'))
    labels = stream["stream"]
    assert {key: labels[key] for key in ("namespace", "service_name", "level", "environment", "pod")} == {
        "namespace": "shop-staging",
        "service_name": "api",
        "level": "error",
        "environment": "staging",
        "pod": "api-1",
    }
    assert [value for _, value in stream["values"]] == [line]
    assert until("the other line", 30, lambda: lines(servers, '{service_name="api"} |= "no JSON"'))


def test_what_there_are_too_many_of_is_no_label(servers: Telemetry) -> None:
    servers.log(json.dumps({"level": "info", "trace_id": TRACE}))
    until("the line", 30, lambda: lines(servers, '{level="info"}'))
    _, body = get(f"{servers.loki}/loki/api/v1/labels")
    assert {"namespace", "service_name", "level"} <= set(json.loads(body)["data"])
    assert not {"pod", "trace_id"} & set(json.loads(body)["data"])


def test_a_span_is_found_by_its_trace(servers: Telemetry) -> None:
    now = time.time_ns()
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "POST /orders",
        "kind": 2,
        "startTimeUnixNano": str(now - 10**6),
        "endTimeUnixNano": str(now),
    }
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "api"}}]}
    spans = {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}
    assert post(f"{servers.otlp[0]}/v1/traces", spans) == 200
    found = until("the trace", 30, lambda: body if (body := trace(servers)) and "POST /orders" in body else None)
    assert '"stringValue":"api"' in found.replace(" ", "")


def trace(servers: Telemetry) -> str | None:
    status, body = get(f"{servers.tempo}/api/traces/{TRACE}")
    return body if status == 200 else None


def test_a_log_record_over_otlp_is_found_under_the_same_labels(servers: Telemetry) -> None:
    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "over OTLP"}, "traceId": TRACE}
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "engine-worker"}}]}
    logs = {"resourceLogs": [{"resource": service, "scopeLogs": [{"logRecords": [record]}]}]}
    assert post(f"{servers.otlp[0]}/v1/logs", logs) == 200
    query = f'{{service_name="engine-worker"}} | trace_id="{TRACE}"'
    (stream,) = until("the record", 30, lambda: lines(servers, query))
    assert [value for _, value in stream["values"]] == ["over OTLP"]


def test_logs_and_traces_reach_their_buckets(servers: Telemetry) -> None:
    test_a_span_is_found_by_its_trace(servers)
    servers.log("to be kept")
    until("the line", 30, lambda: lines(servers, '{service_name="api"} |= "to be kept"'))
    post(f"{servers.loki}/flush")
    get(f"{servers.tempo}/flush")
    for bucket, content in (("shop-staging-logs", "fake/"), ("shop-staging-traces", "meta.json")):
        until(bucket, 60, lambda bucket=bucket, content=content: content in get(f"{servers.store}/{bucket}")[1])


EVENTS_ONLY = {
    "loki_process_dropped_lines_by_label_total",
    "loki_discarded_samples_total",
    "loki_write_dropped_entries_total",
    "otelcol_exporter_send_failed_spans_total",
}
"""Series that are there only once something was lost; found in the programs themselves instead."""


def test_every_metric_of_the_alerts_is_one_the_programs_have(servers: Telemetry) -> None:
    there = "".join(get(f"{url}/metrics")[1] for url in (servers.loki, servers.tempo, servers.alloy))
    known = set(re.findall(r"^# TYPE (\S+)", there, re.MULTILINE))
    text = " ".join(alert["expr"] for alert in TELEMETRY)
    used = set(re.findall(r"\b(?:loki|tempo|tempodb|alloy|otelcol|process)_\w+", text))
    assert used
    assert used - known <= EVENTS_ONLY


def test_every_page_that_the_probes_ask_for_is_there(servers: Telemetry) -> None:
    urls = {"loki": servers.loki, "tempo": servers.tempo, "alloy": servers.alloy}
    asked = [
        (each.name, probe["httpGet"]["path"])
        for each in render(load(ROOT, "staging"))
        if each.kind == "StatefulSet" and each.name in urls
        for container in each.manifest["spec"]["template"]["spec"]["containers"]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe")
        if "httpGet" in (probe := container[kind])
    ]
    assert {name for name, _ in asked} == urls.keys()
    assert {(name, path): get(urls[name] + path)[0] for name, path in asked} == dict.fromkeys(asked, 200)
