"""What a person is sent: one text for all ways to tell, filled in by Alertmanager."""

from collections.abc import Mapping, Sequence
from typing import Any

_FIRST = "(index .Alerts 0)"
_SUMMARY = f"{{{{ {_FIRST}.Annotations.summary }}}}{{{{ if gt (len .Alerts) 1 }}}} (and more like it){{{{ end }}}}"
_RUNBOOK = f"{{{{ {_FIRST}.Annotations.runbook_url }}}}"
_DETAILS = (
    "{{ range .Alerts }}{{ .Annotations.summary }} {{ .Annotations.description }}\n"
    "{{ with .Annotations.dashboard_url }}Dashboard: {{ . }}\n{{ end }}{{ end }}"
    "Owner: {{ .CommonLabels.owner }}. Service: {{ .CommonLabels.service }}."
)


def tellings(
    title: str, urgent: bool, contacts: Mapping[str, str], addresses: Sequence[str], environment: str, folder: str
) -> dict[str, Any]:
    """A receiver's ways to tell.

    `title`: severity or level, the message's first word. `contacts`: `pagerduty_key`, `slack_url` and `webhook_url`,
    as far as there are -> the file in `folder` that holds it. `addresses`: who gets an e-mail.
    """
    heading = f"[{title} {environment}] {{{{ .GroupLabels.alertname }}}}"
    files = {way: f"{folder}/{name}" for way, name in contacts.items()}
    ways: dict[str, Any] = {}
    if "pagerduty_key" in files:
        ways["pagerduty_configs"] = [
            {
                "routing_key_file": files["pagerduty_key"],
                "severity": "critical" if urgent else "warning",
                "description": f"{heading}: {_SUMMARY}",
                "details": {"details": _DETAILS},
                "links": [{"href": _RUNBOOK, "text": "Runbook"}],
            }
        ]
    if "slack_url" in files:
        ways["slack_configs"] = [
            {
                "api_url_file": files["slack_url"],
                "send_resolved": True,
                "title": heading,
                "title_link": _RUNBOOK,
                "text": _DETAILS,
                "color": '{{ if eq .Status "resolved" }}good{{ else }}danger{{ end }}',
            }
        ]
    if "webhook_url" in files:
        ways["webhook_configs"] = [{"url_file": files["webhook_url"], "send_resolved": True}]
    if addresses:
        ways["email_configs"] = [
            {
                "to": ", ".join(addresses),
                "send_resolved": True,
                "headers": {"Subject": f"{heading}{{{{ if eq .Status `resolved` }}}} is over{{{{ end }}}}"},
                "html": "",
                "text": f"{_SUMMARY}\n\n{_DETAILS}\n\nRunbook: {_RUNBOOK}\n",
            }
        ]
    return ways
