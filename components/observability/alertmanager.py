"""Alertmanager, run by prometheus-operator: who is told of what, and how the outside learns that nobody is told."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.connection import egress_to_internet
from components.images import ALERTMANAGER as IMAGE
from components.labels import labels, selector
from components.observability.alert import Severity
from components.observability.alerts import WATCHDOG
from components.observability.monitors import Target
from components.observability.server import spread_of_custom_resource
from components.workload.pods import Resources

ALERTMANAGER = "alertmanager"
"""Name of the Alertmanager; the operator gives its pods the same `app.kubernetes.io/name`."""
CONTACTS = f"{ALERTMANAGER}-contacts"
"""Secret with the receivers' keys and addresses."""
PORT = 9093
MESH_PORT = 9094
USER = 1000
READY_SECONDS = 600
HEARTBEAT = "heartbeat"

TARGET: Target = {
    "name": ALERTMANAGER,
    "pod_labels": selector(ALERTMANAGER, ALERTMANAGER),
    "port_name": "web",
    "port": PORT,
    "path": "/metrics",
}
"""Alertmanager itself."""

REPEAT = {Severity.P0: "15m", Severity.P1: "1h", Severity.P2: "12h", Severity.P3: "24h"}
"""How soon an alert that still fires is told again."""
_WORKING_TIME = "working-time"

MUTES = (
    ("ServiceVerySlow", "ServiceSlow", ("namespace", "job")),
    ("WorkloadGone", "WorkloadIncomplete", ("namespace", "deployment")),
    ("VolumeAlmostFull", "VolumeFilling", ("namespace", "persistentvolumeclaim")),
)
"""The first alert silences the second about the same thing: each pair is one trouble at two degrees, and nothing else
is ever silenced. All labels named stand on both alerts: labels that are missing on both would count as equal."""


class Contacts(TypedDict):
    """Who is told; at least one of PagerDuty, Slack and the webhook. All of it is secret."""

    heartbeat_url: pulumi.Input[str]
    """URL of a service outside the cluster that calls when the heartbeat stops."""
    pagerduty_key: NotRequired[pulumi.Input[str]]
    """Routing key of PagerDuty's Events API v2: P0 and P1 call there; PagerDuty escalates what nobody acknowledges."""
    slack_url: NotRequired[pulumi.Input[str]]
    """URL of a Slack incoming webhook: every severity."""
    webhook_url: NotRequired[pulumi.Input[str]]
    """URL that gets Alertmanager's JSON: every severity."""


class AlertmanagerArgs(TypedDict):
    """What Alertmanager is given."""

    replicas: pulumi.Input[int]
    """Servers; they agree among themselves who tells. From 2 on, losing one loses nothing."""
    resources: Resources
    """Requests and limits of a server."""
    contacts: Contacts
    """Who is told."""


def configuration(contacts: Mapping[str, object], environment: str) -> str:
    """`alertmanager.yaml`. It holds no secret: keys and URLs are read from files at each message."""
    if not {"pagerduty_key", "slack_url", "webhook_url"} & set(contacts):
        raise ValueError("contacts name neither pagerduty, slack nor webhook: nobody would be told of any alert")
    config: dict[str, Any] = {
        "route": {
            # What no route below knows is told like a P1, never lost.
            "receiver": _receiver(Severity.P1),
            "group_by": ["alertname", "namespace", "job"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": REPEAT[Severity.P1],
            "routes": [
                {
                    "matchers": [f'alertname="{WATCHDOG}"'],
                    "receiver": HEARTBEAT,
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "1m",
                },
                *(_route(severity) for severity in Severity),
            ],
        },
        "time_intervals": [
            {
                "name": _WORKING_TIME,
                "time_intervals": [
                    {"weekdays": ["monday:friday"], "times": [{"start_time": "08:00", "end_time": "18:00"}]}
                ],
            }
        ],
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname="{source}"'],
                "target_matchers": [f'alertname="{muted}"'],
                "equal": list(equal),
            }
            for source, muted, equal in MUTES
        ],
        "receivers": [
            {
                "name": HEARTBEAT,
                "webhook_configs": [{"url_file": _file("heartbeat_url"), "send_resolved": False}],
            },
            *({"name": _receiver(severity), **_tellings(severity, contacts, environment)} for severity in Severity),
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _route(severity: Severity) -> dict[str, Any]:
    route: dict[str, Any] = {
        "matchers": [f'severity="{severity}"'],
        "receiver": _receiver(severity),
        "repeat_interval": REPEAT[severity],
    }
    if severity is Severity.P0:
        route["group_wait"] = "10s"
    if severity is Severity.P3:
        route["active_time_intervals"] = [_WORKING_TIME]
    return route


def _receiver(severity: Severity) -> str:
    return f"people-{severity.lower()}"


def _file(contact: str) -> str:
    return f"/etc/alertmanager/secrets/{CONTACTS}/{contact}"


def _tellings(severity: Severity, contacts: Mapping[str, object], environment: str) -> dict[str, Any]:
    """PagerDuty calls people: for what cannot wait, or where there is nobody else to tell."""
    tellings: dict[str, Any] = {}
    summary = "{{ (index .Alerts 0).Annotations.summary }}{{ if gt (len .Alerts) 1 }} (and more like it){{ end }}"
    runbook = "{{ (index .Alerts 0).Annotations.runbook_url }}"
    title = f"[{severity} {environment}] {{{{ .GroupLabels.alertname }}}}"
    urgent = severity in (Severity.P0, Severity.P1)
    if "pagerduty_key" in contacts and (urgent or not {"slack_url", "webhook_url"} & set(contacts)):
        tellings["pagerduty_configs"] = [
            {
                "routing_key_file": _file("pagerduty_key"),
                "severity": "critical" if urgent else "warning",
                "description": f"{title}: {summary}",
                "links": [{"href": runbook, "text": "Runbook"}],
            }
        ]
    if "slack_url" in contacts:
        tellings["slack_configs"] = [
            {
                "api_url_file": _file("slack_url"),
                "send_resolved": True,
                "title": title,
                "title_link": runbook,
                "text": "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}",
                "color": '{{ if eq .Status "resolved" }}good{{ else }}danger{{ end }}',
            }
        ]
    if "webhook_url" in contacts:
        tellings["webhook_configs"] = [{"url_file": _file("webhook_url"), "send_resolved": True}]
    return tellings


def sealed_contacts(contacts: Contacts) -> dict[str, pulumi.Output[str]]:
    """The contacts, each secret."""
    given = cast("Mapping[str, pulumi.Input[str]]", contacts)
    return {key: pulumi.Output.secret(value) for key, value in sorted(given.items())}


def declare_alertmanager(args: AlertmanagerArgs, namespace: str, environment: str, parent: pulumi.Resource) -> None:
    """Declares the servers, their configuration, and whom they may reach: each other and public HTTPS."""
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": ALERTMANAGER,
        "namespace": namespace,
        "labels": labels(ALERTMANAGER, ALERTMANAGER),
    }
    child = pulumi.ResourceOptions(parent=parent)
    pods: kubernetes.meta.v1.LabelSelectorArgsDict = {"match_labels": TARGET["pod_labels"]}
    config = kubernetes.core.v1.Secret(
        f"{ALERTMANAGER}-config",
        metadata=metadata,
        string_data={"alertmanager.yaml": configuration(args["contacts"], environment)},
        opts=child,
    )
    contacts = kubernetes.core.v1.Secret(
        CONTACTS,
        metadata={**metadata, "name": CONTACTS},
        string_data=sealed_contacts(args["contacts"]),
        opts=child,
    )
    account = kubernetes.core.v1.ServiceAccount(
        f"{ALERTMANAGER}-account", metadata=metadata, automount_service_account_token=False, opts=child
    )
    kubernetes.policy.v1.PodDisruptionBudget(
        f"{ALERTMANAGER}-disruption",
        metadata=metadata,
        spec={"max_unavailable": 1, "unhealthy_pod_eviction_policy": "AlwaysAllow", "selector": pods},
        opts=child,
    )
    mesh: list[kubernetes.networking.v1.NetworkPolicyPortArgsDict] = [
        {"protocol": protocol, "port": MESH_PORT} for protocol in ("TCP", "UDP")
    ]
    kubernetes.networking.v1.NetworkPolicy(
        f"{ALERTMANAGER}-network",
        metadata=metadata,
        spec={
            "pod_selector": pods,
            "policy_types": ["Ingress", "Egress"],
            "ingress": [{"from_": [{"pod_selector": pods}], "ports": mesh}],
            "egress": [{"to": [{"pod_selector": pods}], "ports": mesh}, egress_to_internet([443])],
        },
        opts=child,
    )
    kubernetes.apiextensions.CustomResource(
        ALERTMANAGER,
        api_version="monitoring.coreos.com/v1",
        kind="Alertmanager",
        metadata={
            **metadata,
            "annotations": {
                "pulumi.com/waitFor": "condition=Available",
                "pulumi.com/timeoutSeconds": str(READY_SECONDS),
            },
        },
        spec={
            "image": IMAGE,
            "version": IMAGE.rpartition(":v")[2],
            "replicas": args["replicas"],
            "podMetadata": {"labels": labels(ALERTMANAGER, ALERTMANAGER)},
            "serviceAccountName": ALERTMANAGER,
            "automountServiceAccountToken": False,
            "configSecret": ALERTMANAGER,
            "secrets": [CONTACTS],
            # Silences and what was told already; losing it repeats a few messages.
            "retention": "120h",
            "storage": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}},
            "resources": {
                "requests": {"cpu": args["resources"]["cpu"], "memory": args["resources"]["memory"]},
                "limits": {"memory": args["resources"]["memory_limit"]},
            },
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": spread_of_custom_resource(TARGET["pod_labels"]),
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[config, contacts, account]),
    )
