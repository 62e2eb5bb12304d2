"""An alert as plain data, and the Prometheus rules made of alerts.

One definition makes the rule, the runbook page it links to, and what the tests know of it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypedDict


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


class Alert(TypedDict):
    """What a component wants to be watched for."""

    name: str
    """Name of the alert, unique in the environment, e.g. `RedisDown`; the runbook page is named after it."""
    expr: str
    """PromQL that yields a series for each thing in trouble. It holds no name of an environment."""
    for_: str
    """How long the trouble must last, e.g. `5m`; `0m` is at once."""
    severity: Severity
    """How soon a person must act."""
    summary: str
    """One sentence for the person who is called; `{{ $labels.job }}` and `{{ $value }}` are filled in."""
    runbook: str
    """What that person does: Markdown, the body of the runbook page."""


def rule_groups(groups: Mapping[str, Sequence[Alert]], owner: str, runbooks: str) -> list[dict[str, Any]]:
    """Prometheus' rule groups, one a key. `owner`: who answers for the alerts. `runbooks`: URL the pages are below."""
    return [
        {"name": name, "rules": [_rule(alert, owner, runbooks) for alert in alerts]} for name, alerts in groups.items()
    ]


def _rule(alert: Alert, owner: str, runbooks: str) -> dict[str, Any]:
    return {
        "alert": alert["name"],
        "expr": alert["expr"],
        "for": alert["for_"],
        "labels": {"severity": str(alert["severity"]), "owner": owner},
        "annotations": {
            "summary": alert["summary"],
            "runbook_url": f"{runbooks.rstrip('/')}/{alert['name']}.md",
        },
    }
