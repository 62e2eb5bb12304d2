"""Alerts on logs, on the genuine Loki, which evaluates them, and Alertmanager, which is told: cases and near misses."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from components.observability.alert import URGENT
from components.observability.log_alerts import LOG_ALERTS
from tests.data.dashboard_servers import alertmanager
from tests.data.telemetry_servers import Pod, Telemetry, get, telemetry, until
from tests.data.test_logs_and_traces import deployed


class Case(NamedTuple):
    """What is logged."""

    trips: list[str]
    near_misses: list[list[str]]
    """Each by a service of its own."""


def line(level: str, message: str = "refused", **fields: str) -> str:
    return json.dumps({"level": level, "message": message, **fields})


TRACEBACK = "Traceback (most recent call last):"
CASES = {
    "LogErrorsMany": Case(
        [line("error")] * 10 + [line("info")] * 80,
        [
            [line("error")] * 9,
            [line("error")] * 10 + [line("info")] * 90,
            [line("warning", "an error, but no error")] * 20,
        ],
    ),
    "ProcessCrashed": Case(
        [TRACEBACK, '  File "/app/shop/worker.py", line 12, in work', "KeyError: 'order'"],
        [[line("error", exception=f"{TRACEBACK}\\n  File …")], [f"see {TRACEBACK}"]],
    ),
    "SecretInLogs": Case(
        [line("warning", "cannot connect to postgresql://app:hunter2@postgres-main-rw:5432/app")],
        [
            [line("warning", "cannot connect to postgresql://app:***@postgres-main-rw:5432/app")],
            [line("info", "asked https://api.example:8443/orders for anna@shop.example")],
        ],
    ),
}


def service(name: str, near_miss: int | None = None) -> str:
    return name.lower() if near_miss is None else f"{name.lower()}-not-{near_miss}"


PODS = {
    f"{name}-1": Pod("shop-staging", name)
    for alert, case in CASES.items()
    for name in (service(alert), *(service(alert, number) for number in range(len(case.near_misses))))
}


EXPECTED = {(alert, service(alert)) for alert in CASES}


class Told(NamedTuple):
    """The servers, and where Alertmanager answers."""

    servers: Telemetry
    alertmanager: str

    def alerts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """By name and service."""
        found = json.loads(get(f"{self.alertmanager}/api/v2/alerts")[1])
        return {(each["labels"]["alertname"], each["labels"]["service"]): each for each in found}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("telemetry")
    files = deployed("staging")
    # Else the test would take as long as the trouble must last.
    files["rules.yaml"] = files["rules.yaml"].replace("for: 5m", "for: 2s")
    beside = folder / "alertmanager"
    beside.mkdir()
    with alertmanager(beside) as told, telemetry(folder, files, PODS, alertmanager=told) as servers:
        for alert, case in CASES.items():
            servers.log(*case.trips, pod=f"{service(alert)}-1")
            for number, lines in enumerate(case.near_misses):
                servers.log(*lines, pod=f"{service(alert, number)}-1")
        running = Told(servers, told)
        until("all alerts", 60, lambda: running.alerts().keys() >= EXPECTED)
        yield running


def test_every_alert_has_a_case_and_a_near_miss() -> None:
    assert [alert["name"] for alert in LOG_ALERTS] == list(CASES)
    assert all(case.near_misses for case in CASES.values())


def test_none_is_escalated_since_prometheus_knows_nothing_of_them() -> None:
    assert not [alert["name"] for alert in LOG_ALERTS if alert["severity"] in URGENT]


def test_each_is_told_and_none_a_step_short_of_that(told: Told) -> None:
    # Long enough for any other that would fire.
    time.sleep(5)
    assert told.alerts().keys() == EXPECTED


def test_what_is_told_has_all_that_a_person_needs(told: Told) -> None:
    for (name, service), alert in told.alerts().items():
        labels, notes = alert["labels"], alert["annotations"]
        assert labels["environment"] == "staging"
        assert labels["owner"] == "platform"
        assert labels["severity"] == "P2"
        assert labels["namespace"] == "shop-staging"
        assert service in notes["summary"]
        assert "{{" not in notes["summary"] + notes["description"]
        assert notes["runbook_url"].endswith(f"/{name}.md")
        assert notes["dashboard_url"].endswith(f"/d/logs?var-service={service}")


def test_loki_refuses_no_rule(told: Told) -> None:
    """Loki takes no notice of a rule file with a fault, and says so in its log alone."""
    status, body = get(f"{told.servers.loki}/loki/api/v1/rules")
    assert status == 200, body
    groups = [group for each in yaml.safe_load(body).values() for group in each]
    assert [rule["alert"] for group in groups for rule in group["rules"]] == list(CASES)


def test_the_metrics_of_the_alert_about_them_are_there(told: Told) -> None:
    shown = get(f"{told.servers.loki}/metrics")[1]
    for metric in ("rule_evaluation_failures_total", "notifications_alertmanagers_discovered"):
        assert f"loki_prometheus_{metric}" in shown
