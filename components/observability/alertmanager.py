"""Alertmanager, run by prometheus-operator: its servers, whom they may reach, and the keys to whom they tell."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import egress_to_internet
from components.images import ALERTMANAGER as IMAGE
from components.labels import PLAIN_KEYS, labels, selector
from components.observability.alert import Level
from components.observability.monitors import Target
from components.observability.routing import CONTACTS, Email, Maintenance, configuration
from components.observability.server import spread_of_custom_resource
from components.workload.pods import Resources

ALERTMANAGER = "alertmanager"
"""Name of the Alertmanager; the operator gives its pods the same `app.kubernetes.io/name`."""
CONFIG_FILE = "alertmanager.yaml"
"""Key of the Secret that holds the configuration, as the operator wants it; it holds no secret itself."""
PORT = 9093
MESH_PORT = 9094
USER = 1000
READY_SECONDS = 600

TARGET: Target = {
    "name": ALERTMANAGER,
    "pod_labels": selector(ALERTMANAGER, ALERTMANAGER),
    "port_name": "web",
    "port": PORT,
    "path": "/metrics",
}
"""Alertmanager itself."""

Contacts = Mapping[str, pulumi.Input[str]]
"""Keys and URLs of who is told, all of them secret; each becomes a file of that name:

- `heartbeat_url`: service outside the cluster that calls when the heartbeat stops; always there.
- `pagerduty_key`: routing key of PagerDuty's Events API v2. P0 and P1 call there; PagerDuty escalates by its own rules.
- `slack_url`: a Slack incoming webhook; every severity. `webhook_url`: gets Alertmanager's JSON; every severity.
- `<level>-pagerduty_key`, `<level>-slack_url`, `<level>-webhook_url`: the same for a level of the escalation.
- `smtp_password`: where e-mails are sent.
"""


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
    maintenance: NotRequired[Sequence[Maintenance]]
    """When nobody is told of a P2 or P3; what still fires afterwards is told then. Default: never."""


def sealed_contacts(contacts: Contacts) -> dict[str, pulumi.Output[str]]:
    """The contacts, each secret."""
    return {key: pulumi.Output.secret(value) for key, value in sorted(contacts.items())}


def _in_the_clear(files: Mapping[str, str]) -> pulumi.ResourceTransformation:
    """Takes back that the SDK calls all of a Secret secret: who is told of what is for reviewers and policies to read.

    A secret that found its way into a file would still be one: only what is plain text here becomes plain.
    """

    def readable(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        return pulumi.ResourceTransformationResult({**args.props, "string_data": dict(files)}, args.opts)

    return readable


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
    routes = args.get("escalation", ()), args.get("maintenance", ())
    files = {CONFIG_FILE: configuration(args["contacts"], environment, email, *routes)}
    config = kubernetes.core.v1.Secret(
        f"{ALERTMANAGER}-config",
        metadata={**metadata, "annotations": {PLAIN_KEYS: CONFIG_FILE}},
        string_data=files,
        opts=pulumi.ResourceOptions(parent=parent, transformations=[_in_the_clear(files)]),
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
