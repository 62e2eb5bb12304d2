"""An alert as plain data, and the Prometheus rules made of alerts.

One definition makes the rule, the runbook page it links to, and what the tests know of it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NotRequired, TypedDict


class Severity(StrEnum):
    """How soon a person must act (REQUIREMENTS S3)."""

    P0 = "P0"
    """At once, at any hour: users are without the product, or data is being lost."""
    P1 = "P1"
    """Within 15 minutes, at any hour."""
    P2 = "P2"
    """Within 2 hours, in working time."""
    P3 = "P3"
    """On the next business day."""


URGENT = (Severity.P0, Severity.P1)
"""What somebody is woken for; the rest is never escalated."""


class Alert(TypedDict):
    """What a component wants to be watched for."""

    name: str
    """Name of the alert, unique in the environment, e.g. `RedisDown`; the runbook page is named after it."""
    expr: str
    """PromQL that yields a series for each thing in trouble. It holds no name of an environment."""
    language: NotRequired[str]
    """`logql` where Loki evaluates it and not Prometheus. Default: `promql`."""
    for_: str
    """How long the trouble must last, e.g. `5m`; `0m` is at once."""
    severity: Severity
    """How soon a person must act."""
    service: NotRequired[str]
    """Who is in trouble, e.g. `{{ $labels.queue }}`. Default: the `job` of the series."""
    owner: NotRequired[str]
    """Who answers for it. Default: the owner of the environment's alerts."""
    summary: str
    """One sentence for the person who is called; `{{ $labels.job }}` and `{{ $value }}` are filled in."""
    description: str
    """One sentence more: the value that was met, its bound, and since when or where."""
    dashboard: str
    """Uid of the dashboard that shows it, with variables where it has some, e.g. `services`."""
    runbook: str
    """What that person does: Markdown, the sections of the runbook page that `runbook.SECTIONS` names."""


class Recording(TypedDict):
    """A series that Prometheus makes: what no exporter shows."""

    record: str
    """Name of the series."""
    expr: str
    """PromQL that yields its values."""
    labels: Mapping[str, str]
    """What it is about, as the labels of other series say it: `namespace`, `job`."""


class Level(TypedDict):
    """Who is told of an urgent alert that nobody has silenced or mended in time."""

    name: str
    """Name of the level, e.g. `tech-lead`: the value of the label `escalation`, and the receiver's name."""
    after: str
    """How long the alert must have been firing, e.g. `15m`."""
    email: NotRequired[Sequence[str]]
    """Addresses that get an e-mail. Default: none; then the level has a key or URL among the contacts."""


def rule_groups(
    groups: Mapping[str, Sequence[Alert]],
    owner: str,
    runbooks: str,
    dashboards: str | None = None,
    escalation: Sequence[Level] = (),
) -> list[dict[str, Any]]:
    """Prometheus' rule groups, one a key.

    `owner`: who answers for the alerts. `runbooks`: URL the pages are below. `dashboards`: URL of Grafana, without
    which no alert has a link to a dashboard. `escalation`: who is told of what still fires.
    """
    return [
        {
            "name": name,
            "rules": [each for alert in alerts for each in rules(alert, owner, runbooks, dashboards, escalation)],
        }
        for name, alerts in groups.items()
    ]


def rules(
    alert: Alert, owner: str, runbooks: str, dashboards: str | None = None, escalation: Sequence[Level] = ()
) -> list[dict[str, Any]]:
    """The alert's rule, and one more for each level of the escalation where the alert is urgent."""
    links = {"runbook_url": f"{runbooks.rstrip('/')}/{alert['name']}.md"}
    if dashboards:
        links["dashboard_url"] = f"{dashboards.rstrip('/')}/d/{alert['dashboard']}"
    first = {
        "alert": alert["name"],
        "expr": alert["expr"],
        "for": alert["for_"],
        "labels": {
            "severity": str(alert["severity"]),
            "owner": alert.get("owner", owner),
            "service": alert.get("service", "{{ $labels.job }}"),
        },
        "annotations": {"summary": alert["summary"], "description": alert["description"], **links},
    }
    levels = escalation if alert["severity"] in URGENT else ()
    return [first, *(_escalated(alert, level, links) for level in levels)]


def _escalated(alert: Alert, level: Level, links: Mapping[str, str]) -> dict[str, Any]:
    """The same alert, older: its own labels and name, so that a silence of it holds for this one too."""
    name, severity = alert["name"], str(alert["severity"])
    first = f'alertname="{name}",severity="{severity}",alertstate="firing",escalation=""'
    return {
        "alert": name,
        "expr": f"max without (alertstate) (ALERTS{{{first}}})",
        "for": level["after"],
        "labels": {"severity": severity, "escalation": level["name"]},
        "annotations": {
            "summary": f"{name} of {{{{ $labels.service }}}} has fired for {level['after']} and is not silenced.",
            "description": (
                f"Severity {{{{ $labels.severity }}}}, owner {{{{ $labels.owner }}}}: nobody has mended or "
                f"acknowledged it within {level['after']}."
            ),
            **links,
        },
    }
