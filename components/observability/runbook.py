"""Runbook pages: one for each alert, rendered from the alert's own definition.

They are files of the repository and not pages of the cluster, because they are read when the cluster is in trouble.
"""

import re
from collections.abc import Mapping, Sequence

from components.observability.alert import URGENT, Alert, Level, Severity

SECTIONS = ("Meaning", "Impact", "First checks", "Mitigation")
"""Headings of an alert's own text, in this order; the page adds `Escalation`."""

_REACTION = {
    Severity.P0: "at once, at any hour",
    Severity.P1: "within 15 minutes, at any hour",
    Severity.P2: "within 2 hours, in working time",
    Severity.P3: "on the next business day",
}


def pages(groups: Mapping[str, Sequence[Alert]], namespace: str, escalation: Sequence[Level] = ()) -> dict[str, str]:
    """File name -> content of every page, the index `README.md` included.

    `namespace`: the one that the commands name. `escalation`: who is told of an urgent alert that still fires.
    """
    contents = {
        f"{alert['name']}.md": _page(alert, namespace, escalation) for alerts in groups.values() for alert in alerts
    }
    return {"README.md": _index(groups), **contents}


def _page(alert: Alert, namespace: str, escalation: Sequence[Level]) -> str:
    lasting = "at once" if alert["for_"] == "0m" else f"after {alert['for_']}"
    text = (
        f"# {alert['name']}\n\n"
        f"> {alert['summary']}\n>\n> {alert['description']}\n\n"
        f"Severity {alert['severity']}: act {_REACTION[alert['severity']]}. It fires {lasting} of:\n\n"
        f"```promql\n{alert['expr'].strip()}\n```\n\n"
        f"{alert['runbook'].strip()}\n\n"
        f"## Escalation\n{_escalation(alert, escalation)}"
    )
    # A plug-in of kubectl takes the namespace after its own name.
    return re.sub(r"\bkubectl (cnpg )?(?=[a-z])", rf"kubectl \1-n {namespace} ", text)


def _escalation(alert: Alert, escalation: Sequence[Level]) -> str:
    if alert["severity"] not in URGENT:
        return "It is not escalated. Whoever cannot mend it in time tells the owner, whom its label `owner` names.\n"
    silence = (
        "kubectl exec alertmanager-alertmanager-0 -c alertmanager -- amtool silence add "
        f"--alertmanager.url=http://127.0.0.1:9093 --author=<you> --comment=<why> --duration=2h "
        f"alertname={alert['name']} service=<service>"
    )
    told = [f"- {level['after']}: {level['name']}" for level in escalation]
    chain = "\nTold of it while it fires and is not silenced:\n\n" + "\n".join(told) + "\n" if told else ""
    return (
        "Alertmanager knows no acknowledgement: a silence is one. Whoever takes the alert on acknowledges it in\n"
        "PagerDuty, where it is used, and silences it. While the silence stands, nobody is told again:\n\n"
        f"```sh\n{silence}\n```\n{chain}"
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
