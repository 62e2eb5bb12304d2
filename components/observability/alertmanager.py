"""Alertmanager, run by prometheus-operator: who is told of what, and how the outside learns that nobody is told."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.connection import egress_to_internet
from components.images import ALERTMANAGER as IMAGE
from components.labels import labels, selector
from components.observability.alert import URGENT, Level, Severity
from components.observability.alerts import WATCHDOG
from components.observability.messages import tellings
from components.observability.monitors import Target
from components.observability.server import spread_of_custom_resource
from components.workload.pods import Resources

ALERTMANAGER = "alertmanager"
"""Name of the Alertmanager; the operator gives its pods the same `app.kubernetes.io/name`."""
CONTACTS = f"{ALERTMANAGER}-contacts"
"""Secret with the receivers' keys and addresses."""
_FOLDER = f"/etc/alertmanager/secrets/{CONTACTS}"
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
_WAYS = ("pagerduty_key", "slack_url", "webhook_url")
_SMTP_PASSWORD = "smtp_password"  # noqa: S105 (a file's name)

MUTES = (
    ("ServiceVerySlow", "ServiceSlow", ("namespace", "job")),
    ("WorkloadGone", "WorkloadIncomplete", ("namespace", "workload")),
    ("VolumeAlmostFull", "VolumeFilling", ("namespace", "persistentvolumeclaim")),
    ("SLOBurnsFast", "SLOBurnsSlowly", ("slo",)),
)
"""The first alert silences the second about the same thing: each pair is one trouble at two degrees, and nothing else
is ever silenced. All labels named stand on both alerts: labels that are missing on both would count as equal."""

Contacts = Mapping[str, pulumi.Input[str]]
"""Keys and URLs of who is told, all of them secret; each becomes a file of that name:

- `heartbeat_url`: service outside the cluster that calls when the heartbeat stops; always there.
- `pagerduty_key`: routing key of PagerDuty's Events API v2. P0 and P1 call there; PagerDuty escalates by its own rules.
- `slack_url`: a Slack incoming webhook; every severity. `webhook_url`: gets Alertmanager's JSON; every severity.
- `<level>-pagerduty_key`, `<level>-slack_url`, `<level>-webhook_url`: the same for a level of the escalation.
- `smtp_password`: where e-mails are sent.
"""


class Email(TypedDict):
    """How e-mails are sent; the contact `smtp_password` is the password. TLS is required."""

    smarthost: str
    """Server and port, e.g. `smtp.example.com:587`."""
    sender: str
    """Address that the e-mails come from."""
    username: str
    """User name at the server."""
    to: Sequence[str]
    """Addresses that are told of every severity; may be empty where only levels of the escalation get e-mails."""


class AlertmanagerArgs(TypedDict):
    """What Alertmanager is given."""

    replicas: pulumi.Input[int]
    """Servers; they agree among themselves who tells. From 2 on, losing one loses nothing."""
    resources: Resources
    """Requests and limits of a server."""
    contacts: Contacts
    """Who is told: keys and URLs."""
    email: NotRequired[Email]
    """How e-mails are sent, and to whom. Default: none are."""
    escalation: NotRequired[Sequence[Level]]
    """Who is told, and when, of a P0 or P1 that is neither mended nor silenced. Default: nobody else."""


def configuration(
    contacts: Collection[str], environment: str, email: Email | None = None, escalation: Sequence[Level] = ()
) -> str:
    """`alertmanager.yaml`. It holds no secret: keys and URLs are read from files at each message.

    `contacts`: names of the contacts there are. Raises ValueError where a receiver would tell nobody.
    """
    first = [way for way in _WAYS if way in contacts]
    if not first and not (email and email["to"]):
        raise ValueError("contacts name neither pagerduty, slack, webhook nor e-mail: nobody would be told of an alert")
    config: dict[str, Any] = {
        "route": {
            # What no route below knows is told like a P1, never lost.
            "receiver": _receiver(Severity.P1),
            # Two objectives, or two services, are two troubles: each its own message and its own incident.
            "group_by": ["alertname", "namespace", "job", "service", "slo"],
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
                # Before the severities: who was told at first goes on being told by the alert itself.
                *(
                    {"matchers": [f'escalation="{level["name"]}"'], "receiver": level["name"], "group_wait": "10s"}
                    for level in escalation
                ),
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
            *(_receiver_of_severity(severity, first, email, environment) for severity in Severity),
            *(_receiver_of_level(level, contacts, email, environment) for level in escalation),
        ],
    }
    if email:
        config["global"] = {
            "smtp_smarthost": email["smarthost"],
            "smtp_from": email["sender"],
            "smtp_auth_username": email["username"],
            "smtp_auth_password_file": _file(_SMTP_PASSWORD),
            "smtp_require_tls": True,
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


def _receiver_of_severity(
    severity: Severity, ways: Sequence[str], email: Email | None, environment: str
) -> dict[str, Any]:
    addresses = email["to"] if email else ()
    urgent = severity in URGENT
    # PagerDuty calls people: for what cannot wait, or where there is nobody else to tell.
    if not urgent and (addresses or len(ways) > 1):
        ways = [way for way in ways if way != "pagerduty_key"]
    files = {way: way for way in ways}
    return {"name": _receiver(severity), **tellings(str(severity), urgent, files, addresses, environment, _FOLDER)}


def _receiver_of_level(
    level: Level, contacts: Collection[str], email: Email | None, environment: str
) -> dict[str, Any]:
    name = level["name"]
    files = {way: f"{name}-{way}" for way in _WAYS if f"{name}-{way}" in contacts}
    addresses = level.get("email", ())
    if not files and not addresses:
        raise ValueError(f"the escalation's level {name} tells nobody: give it pagerduty, slack, webhook or email")
    if addresses and not email:
        raise ValueError(f"the escalation's level {name} has e-mail addresses, and no server to send by: set email")
    return {"name": name, **tellings(f"after {level['after']}", True, files, addresses, environment, _FOLDER)}


def _file(contact: str) -> str:
    return f"{_FOLDER}/{contact}"


def sealed_contacts(contacts: Contacts) -> dict[str, pulumi.Output[str]]:
    """The contacts, each secret."""
    return {key: pulumi.Output.secret(value) for key, value in sorted(contacts.items())}


def declare_alertmanager(args: AlertmanagerArgs, namespace: str, environment: str, parent: pulumi.Resource) -> None:
    """Declares the servers, their configuration, and whom they may reach: each other, public HTTPS, a mail server."""
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
        "name": ALERTMANAGER,
        "namespace": namespace,
        "labels": labels(ALERTMANAGER, ALERTMANAGER),
    }
    child = pulumi.ResourceOptions(parent=parent)
    email = args.get("email")
    ports = [443, int(email["smarthost"].rpartition(":")[2])] if email else [443]
    pods: kubernetes.meta.v1.LabelSelectorArgsDict = {"match_labels": TARGET["pod_labels"]}
    config = kubernetes.core.v1.Secret(
        f"{ALERTMANAGER}-config",
        metadata=metadata,
        string_data={
            "alertmanager.yaml": configuration(args["contacts"], environment, email, args.get("escalation", ()))
        },
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
            "egress": [{"to": [{"pod_selector": pods}], "ports": mesh}, egress_to_internet(ports)],
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
