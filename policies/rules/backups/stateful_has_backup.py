"""Whatever keeps data has a backup that is switched on."""

from policies.databases import CLUSTER, backup_faults
from policies.model import Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import DEPLOYMENT, STATEFUL_SET, pod_spec
from policies.stack import Resource, Stack
from policies.values import Node

REASON = "mainstay.dev/unbacked-reason"
"""Annotation of a workload, never of a database, whose data may be lost: its value says how it is made again."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == CLUSTER:
        return backup_faults(resource, stack)
    if resource.kind not in (STATEFUL_SET, DEPLOYMENT):
        return None
    answer = verdict(
        [
            *each(resource.root.at("spec", "volumeClaimTemplates"), _claim_template_faults),
            *each(pod_spec(resource).at("volumes"), _volume_faults),
        ]
    )
    if answer == Verdict():
        return Verdict(not_applicable="it keeps nothing on a persistent volume")
    reason = resource.root.at("metadata", "annotations", REASON)
    if isinstance(reason.value, str) and reason.text():
        return Verdict(not_applicable=f"its data may be lost: {reason.text()}")
    return answer


def _claim_template_faults(template: Node) -> list[str]:
    return [f"nothing backs up its volume claim {template.at('metadata', 'name').text() or template.path}"]


def _volume_faults(volume: Node) -> list[str]:
    claim = volume.at("persistentVolumeClaim")
    if claim.known() is None:
        return []
    return [f"nothing backs up its volume claim {claim.at('claimName').text() or volume.path}"]


RULE = Rule(
    id="stateful-has-backup",
    theme=Theme.BACKUPS,
    title="Everything that keeps data has a backup that is switched on",
    why="What is not backed up is lost with its volume, by a mistaken deletion, or by a program that writes nonsense.",
    applies_to="CloudNativePG clusters; StatefulSets and Deployments with persistent volumes",
    severity=Severity.CRITICAL,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.13", "NIST 800-53 r5 CP-9"),
    remediation=(
        "Give the database a backup. For what is no database and can be made again, say how in the annotation "
        f"{REASON}."
    ),
    judge=_judge,
)
