"""Dashboards, as Grafana would read them: every query parses (genuine promtool), no panel covers another."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.dashboards import DASHBOARDS, document
from components.observability.dashboards.model import METRICS
from devcluster import checks

PAGES: list[dict[str, Any]] = [json.loads(document(page)) for page in DASHBOARDS]


def test_every_query_parses(tmp_path: Path) -> None:
    queries = [target["expr"] for page in PAGES for panel in page["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"query:{index}", "expr": query.replace("$__rate_interval", "2m")}
        for index, query in enumerate(queries)
    ]
    assert rules
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    command = [checks.ensure("promtool", print), "check", "rules", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_addresses_are_unique() -> None:
    assert len({page["uid"] for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["uid"])
def test_panels_have_a_unit_and_the_provisioned_source_and_cover_no_other(page: dict[str, Any]) -> None:
    for panel in page["panels"]:
        assert panel["datasource"]["uid"] == METRICS, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
    places = [panel["gridPos"] for panel in page["panels"]]
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, f"{one} covers {other}"
