"""Runbook pages: one for each alert, rendered from the alert's own definition.

They are files of the repository and not pages of the cluster, because they are read when the cluster is in trouble.
"""

from collections.abc import Mapping, Sequence

from components.observability.alert import Alert, Severity

_REACTION = {
    Severity.P0: "at once, at any hour",
    Severity.P1: "within 15 minutes, at any hour",
    Severity.P2: "within 2 hours, in working time",
    Severity.P3: "on the next business day",
}


def pages(groups: Mapping[str, Sequence[Alert]]) -> dict[str, str]:
    """File name -> content of every page, the index `README.md` included. The same for every environment."""
    contents = {f"{alert['name']}.md": _page(alert) for alerts in groups.values() for alert in alerts}
    return {"README.md": _index(groups), **contents}


def _page(alert: Alert) -> str:
    lasting = "at once" if alert["for_"] == "0m" else f"after {alert['for_']}"
    return (
        f"# {alert['name']}\n\n"
        f"> {alert['summary']}\n\n"
        f"Severity {alert['severity']}: act {_REACTION[alert['severity']]}. It fires {lasting} of:\n\n"
        f"```promql\n{alert['expr'].strip()}\n```\n\n"
        f"{alert['runbook'].strip()}\n"
    )


def _index(groups: Mapping[str, Sequence[Alert]]) -> str:
    lines = ["# Runbooks", "", "Generated from the alerts in `components/*/alerts.py`; edit them there.", ""]
    for group, alerts in groups.items():
        lines += [f"## {group}", "", "| alert | severity | it says |", "|---|---|---|"]
        lines += [
            f"| [{alert['name']}]({alert['name']}.md) | {alert['severity']} | {_cell(alert['summary'])} |"
            for alert in alerts
        ]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text in a table's cell: Prometheus' templates have pipes."""
    return text.replace("|", "\\|")
