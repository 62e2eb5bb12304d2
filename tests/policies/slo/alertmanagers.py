"""An Alertmanager with its configuration, and rules whose alerts it gets: good ones, to be changed."""

from typing import Any

import yaml

from policies.stack import Resource
from tests.policies.builders import Props, resource

PICKED = {"app.kubernetes.io/managed-by": "mainstay"}
CONFIG: Props = {
    "route": {
        "receiver": "people",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [
            {
                "matchers": ['alertname="Watchdog"'],
                "receiver": "heartbeat",
                "group_interval": "1m",
                "repeat_interval": "1m",
            },
            {"matchers": ['severity=~"P0|P1"'], "receiver": "on-call"},
            {"match": {"severity": "P3"}, "receiver": "people", "active_time_intervals": ["working-time"]},
        ],
    },
    "receivers": [
        {"name": "people", "slack_configs": [{"api_url_file": "/etc/alertmanager/secrets/contacts/slack_url"}]},
        {"name": "on-call", "pagerduty_configs": [{"routing_key_file": "/etc/alertmanager/secrets/contacts/key"}]},
        {"name": "heartbeat", "webhook_configs": [{"url_file": "/etc/alertmanager/secrets/contacts/heartbeat_url"}]},
    ],
}
SERVER = resource("Alertmanager", props={"spec": {"configSecret": "routes", "secrets": ["contacts"]}})
PROMETHEUS = resource(
    "Prometheus",
    props={
        "spec": {
            "ruleSelector": {"matchLabels": PICKED},
            "alerting": {"alertmanagers": [{"name": "alertmanager-operated", "namespace": "shop", "port": "web"}]},
        }
    },
)


def configured(config: Any) -> Resource:
    """The Secret that holds a configuration, as rules see it: in the clear."""
    text = config if isinstance(config, str) else yaml.safe_dump(config)
    return resource("Secret", "routes", {"stringData": {"alertmanager.yaml": text}})


def alert(name: str, severity: str, expr: str = "up == 0", **labels: str) -> Props:
    """An alert's rule."""
    return {"alert": name, "expr": expr, "labels": {"severity": severity, **labels}}


def rules(*entries: Props) -> Resource:
    """A PrometheusRule that the Prometheus looks at."""
    metadata: Props = {"name": "main", "namespace": "shop", "labels": PICKED}
    return resource("PrometheusRule", "main", {"metadata": metadata, "spec": {"groups": [{"rules": list(entries)}]}})
