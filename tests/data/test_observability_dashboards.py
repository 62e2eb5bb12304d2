"""Dashboards, as Grafana would read them: Prometheus and Loki answer every query, and every link leads somewhere."""

import itertools
import json
import re
import subprocess
import time
import urllib.parse
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import images
from components.observability.alert import Severity
from components.observability.dashboards import (
    DASHBOARDS,
    LOGS,
    METRICS,
    TRACES,
    Chart,
    Dashboard,
    Logs,
    Stat,
    Table,
    document,
)
from components.observability.grafana import DATA_SOURCES
from components.slo.indicators import Ratio
from components.slo.promise import Promise
from components.slo.rules import rules
from devcluster import checks
from tests.conftest import ROOT
from tests.data.dashboard_listing import PICKED, listing
from tests.data.dashboard_servers import Prometheus, alertmanager, filled, prometheus
from tests.data.metrics_known import KNOWN, LIVE, READ
from tests.data.telemetry_servers import Telemetry, get, post, telemetry, until
from tests.data.test_logs_and_traces import deployed

PAGES: dict[str, dict[str, Any]] = {page.uid: json.loads(document(page)) for page in DASHBOARDS}
OWN = re.compile(r"\$(?:__rate_interval|__range|__interval)|\$\{__data\.fields\.\w+\}")
"""Grafana's variables, which no page declares."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[Telemetry]:
    with telemetry(tmp_path_factory.mktemp("telemetry"), deployed("staging")) as running:
        yield running


def queries(page: Dashboard) -> list[str]:
    return [filled(query, page.variables, PICKED) for chart in page.charts for query in chart.queries.values()]


def test_promtool_finds_no_fault_in_any_query(tmp_path: Path) -> None:
    found = [query for page in DASHBOARDS for query in queries(page)]
    group = {"name": "queries", "rules": [{"record": f"query:{i}", "expr": query} for i, query in enumerate(found)]}
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [group]}))
    command = [checks.ensure("promtool", print), "check", "rules", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.uid)
def test_every_metric_is_known_or_recorded(server: Prometheus, page: Dashboard) -> None:
    used = set[str]().union(*(server.metrics(query) for query in queries(page)))
    offered = {variable.metric for variable in page.variables}
    assert used
    assert (used | offered) - KNOWN - recorded() == set()


def recorded() -> set[str]:
    """What the rules of SLOs record."""
    slo = Promise(0.995, 30, Severity.P0, "platform", 1).of(
        "api", "availability", "It answers.", Ratio('up{job="api"}', bad='up{job="api",code="500"}'), None
    )
    groups = rules([slo], "https://runbooks.example")
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def test_the_servers_show_the_metrics_that_are_known_of_them(
    server: Prometheus, servers: Telemetry, tmp_path: Path
) -> None:
    trace = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "GET",
        "kind": 2,
        "startTimeUnixNano": str(time.time_ns()),
        "endTimeUnixNano": str(time.time_ns()),
    }
    assert post(f"{servers.otlp[0]}/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [trace]}]}]}) == 200
    servers.log('{"level": "info", "message": "started"}')
    urls = {"prometheus": server.url, "loki": servers.loki, "tempo": servers.tempo, "alloy": servers.alloy}
    with alertmanager(tmp_path) as urls["alertmanager"]:
        assert urls.keys() == LIVE.keys()
        for name, url in urls.items():
            # Some are there from the first span or line on.
            until(f"{sorted(LIVE[name])} at {name}", 30, lambda name=name, url=url: LIVE[name] <= shown(url))


def shown(url: str) -> set[str]:
    return set(re.findall(r"^(\w+)[{ ]", get(f"{url}/metrics")[1], re.MULTILINE))


def test_no_panel_is_empty_and_the_page_in_docs_is_current(server: Prometheus) -> None:
    """An empty panel is an error of `listing`."""
    assert (ROOT / "docs" / "dashboards.md").read_text() == listing(server), (
        "run `python -m tests.data.dashboard_listing > docs/dashboards.md` and look at what has changed"
    )


@pytest.mark.parametrize(
    "image",
    [
        images.ALLOY,
        images.BLACKBOX_EXPORTER,
        images.KEYCLOAK,
        images.KUBE_STATE_METRICS,
        images.LOKI,
        images.REDIS_EXPORTER,
    ],
)
def test_what_was_read_is_of_the_versions_that_run(image: str) -> None:
    name, _, version = image.rpartition("/")[2].partition(":")
    release = f"{name} {version.removeprefix('v')},".replace("_", "-")
    found = [where for where in READ if where.lower().replace("_", "-").startswith(release)]
    assert found, f"look the metrics of {image} up again, then renew tests/data/metrics_known.py"


def test_loki_answers_the_queries_for_logs(servers: Telemetry) -> None:
    """A JSON line and a plain one of a failure are found, others are not."""
    panels = [(page, panel) for page in DASHBOARDS for panel in page.panels if isinstance(panel, Logs)]
    assert panels
    lines = ['{"level": "error", "message": "refused"}', "12:00 ERROR broken", '{"level": "info", "message": "fine"}']
    servers.log(*lines)
    for page, panel in panels:
        query = filled(panel.query, page.variables, {"service": "api"})
        until(panel.title, 30, lambda query=query: sorted(answered(servers, query)) == sorted(lines[:2]))


def answered(servers: Telemetry, query: str) -> list[str]:
    """The lines that a LogQL query finds in the last hour."""
    status, body = get(f"{servers.loki}/loki/api/v1/query_range?{urllib.parse.urlencode({'query': query})}")
    assert status == 200, f"{query}\n{body}"
    return [line for stream in json.loads(body)["data"]["result"] for _, line in stream["values"]]


def test_addresses_are_unique() -> None:
    assert len(PAGES) == len(DASHBOARDS)


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.uid)
def test_every_variable_is_declared_and_used(page: Dashboard) -> None:
    text = OWN.sub("", document(page))
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert used == {variable.name for variable in page.variables}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_link_leads_to_a_page_and_hands_on_what_that_asks_for(page: dict[str, Any]) -> None:
    for uid, variable in re.findall(r"/d/([\w-]+)(?:\?var-(\w+)=)?", json.dumps(page)):
        assert uid in PAGES, f"{page['uid']} leads to {uid}"
        offered = {each["name"] for each in PAGES[uid]["templating"].get("list", [])}
        assert not variable or variable in offered, f"{page['uid']} hands {variable} to {uid}"


def test_a_row_of_the_fleet_leads_to_its_detail() -> None:
    assert "/d/slo-detail?var-slo=${__data.fields.slo}" in json.dumps(PAGES["slo-fleet"])


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.uid)
def test_every_value_has_a_unit_and_every_panel_a_source(page: Dashboard) -> None:
    sources = {each["uid"] for each in DATA_SOURCES}
    for panel, drawn in zip(page.panels, PAGES[page.uid]["panels"], strict=True):
        expected = LOGS if isinstance(panel, Logs) else METRICS
        assert drawn["datasource"]["uid"] == expected, panel.title
        assert expected in sources
        match panel:
            case Chart() | Stat():
                assert drawn["fieldConfig"]["defaults"]["unit"], panel.title
            case Table():
                assert panel.units.keys() == panel.queries.keys(), panel.title
                assert panel.first[0] in panel.queries, panel.title
                assert panel.colours.keys() <= panel.queries.keys(), panel.title
            case Logs():
                pass


def test_exemplars_lead_to_traces() -> None:
    with_exemplars = [t["expr"] for p in PAGES.values() for panel in p["panels"] for t in exemplars(panel)]
    assert with_exemplars
    assert all("_bucket" in query for query in with_exemplars)
    metrics = next(each for each in DATA_SOURCES if each["uid"] == METRICS)
    (destination,) = metrics["jsonData"]["exemplarTraceIdDestinations"]
    assert destination == {"name": "trace_id", "datasourceUid": TRACES}


def exemplars(panel: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for target in panel["targets"] if target.get("exemplar")]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_no_panel_covers_another_or_leaves_the_page(page: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in page["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, f"{one} covers {other}"
