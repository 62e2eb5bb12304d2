"""Whatever keeps data has a backup that runs: daily, kept 30 days, restorable to a point in time."""

import re
from functools import partial

from policies.cron import InvalidSchedule, runs_daily
from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import DEPLOYMENT, STATEFUL_SET, pod_spec
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Undecided

RETENTION_DAYS = 30
"""Least retention (requirement B1)."""

REASON = "mainstay.dev/unbacked-reason"
"""Annotation of a workload, never of a database, whose data may be lost: its value says how it is made again."""

_CLUSTER = "postgresql.cnpg.io/Cluster"
_SCHEDULED_BACKUP = "postgresql.cnpg.io/ScheduledBackup"
_OBJECT_STORE = "barmancloud.cnpg.io/ObjectStore"
_BARMAN = "barman-cloud.cloudnative-pg.io"

_DAYS = {"d": 1, "w": 7, "m": 30}
_RETENTION = re.compile(r"([1-9][0-9]*)([dwm])")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == _CLUSTER:
        return verdict(
            [
                partial(_plugin_faults, resource),
                partial(_archiving_faults, resource),
                partial(_store_faults, resource, stack),
                partial(_destination_faults, resource, stack),
                partial(_retention_faults, resource, stack),
                partial(_schedule_faults, resource, stack),
            ]
        )
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


def _schedule_faults(cluster: Resource, stack: Stack) -> list[str]:
    """None if one schedule is in order, whatever the others are."""
    namespace = _known(cluster.namespace, "metadata.namespace")
    name = _known(cluster.object_name, "metadata.name")
    matches = stack.find(_SCHEDULED_BACKUP, namespace, ("spec", "cluster", "name"), name)
    verdicts = [(backup, verdict(_schedule_checks(backup.root.at("spec")))) for backup in matches.certain]
    if any(answer == Verdict() for _, answer in verdicts):
        return []
    for backup, answer in verdicts:
        if not answer.faults:
            raise Undecided(f"of {backup.subject}, {answer.undecided[0]}")
    for backup in matches.possible:
        raise Undecided(f"whether {backup.subject} is meant for it is not known before the deployment")
    if not verdicts:
        return [f"no ScheduledBackup in namespace {namespace} names it"]
    return [f"{backup.subject} {fault}" for backup, answer in verdicts for fault in answer.faults]


def _schedule_checks(spec: Node) -> list[Check]:
    return [
        partial(_method_faults, spec),
        partial(_suspension_faults, spec.at("suspend")),
        partial(_cron_faults, spec.at("schedule")),
    ]


def _method_faults(spec: Node) -> list[str]:
    if spec.at("method").text() != "plugin":
        return ["does not back up through the plugin (method: plugin)"]
    if spec.at("pluginConfiguration", "name").text() != _BARMAN:
        return [f"does not name the plugin (pluginConfiguration.name: {_BARMAN})"]
    return []


def _suspension_faults(suspend: Node) -> list[str]:
    return [] if suspend.known() in (None, False) else ["is suspended"]


def _cron_faults(schedule: Node) -> list[str]:
    text = schedule.text()
    if not text:
        return ["has no schedule"]
    try:
        return [] if runs_daily(text) else [f"does not run every day (schedule: {text!r})"]
    except InvalidSchedule as invalid:
        return [f"has a schedule that {invalid}"]


def _plugin(cluster: Resource) -> Node | None:
    """The cluster's entry for the Barman plugin."""
    entries = cluster.root.at("spec", "plugins").items()
    for entry in entries:
        if entry.at("name").value == _BARMAN:
            return entry
    for entry in entries:
        entry.at("name").known()
    return None


def _plugin_faults(cluster: Resource) -> list[str]:
    plugin = _plugin(cluster)
    if plugin is None:
        return [f"its spec.plugins does not name {_BARMAN}"]
    return [] if plugin.at("enabled").known() in (None, True) else [f"{plugin.path}.enabled is not true"]


def _archiving_faults(cluster: Resource) -> list[str]:
    plugin = _plugin(cluster)
    if plugin is None or plugin.at("isWALArchiver").known() is True:
        return []
    return [f"{plugin.path}.isWALArchiver is not true, so there is no point-in-time recovery"]


def _store_faults(cluster: Resource, stack: Stack) -> list[str]:
    plugin = _plugin(cluster)
    if plugin is None or _store(cluster, stack):
        return []
    parameter = plugin.at("parameters", "barmanObjectName")
    if not parameter.text():
        return [f"{parameter.path} names no ObjectStore"]
    return [f"ObjectStore {cluster.namespace}/{parameter.text()}, named by {parameter.path}, is not in this stack"]


def _destination_faults(cluster: Resource, stack: Stack) -> list[str]:
    store = _store(cluster, stack)
    if store is None or store.root.at("spec", "configuration", "destinationPath").text():
        return []
    return [f"{store.subject} has no spec.configuration.destinationPath"]


def _retention_faults(cluster: Resource, stack: Stack) -> list[str]:
    store = _store(cluster, stack)
    if store is None:
        return []
    policy = store.root.at("spec", "retentionPolicy").text()
    if not policy:
        return [f"{store.subject} has no spec.retentionPolicy, so nothing says how long backups are kept"]
    parsed = _RETENTION.fullmatch(policy)
    if parsed is None:
        return [f"{store.subject} has a spec.retentionPolicy that is not like 30d, 5w or 1m: {policy!r}"]
    if int(parsed[1]) * _DAYS[parsed[2]] < RETENTION_DAYS:
        return [f"{store.subject} keeps backups for {policy} only, not {RETENTION_DAYS}d (spec.retentionPolicy)"]
    return []


def _store(cluster: Resource, stack: Stack) -> Resource | None:
    """The object store the cluster's plugin writes to."""
    plugin = _plugin(cluster)
    name = plugin.at("parameters", "barmanObjectName").text() if plugin else ""
    if not name:
        return None
    namespace = _known(cluster.namespace, "metadata.namespace")
    matches = stack.find(_OBJECT_STORE, namespace, ("metadata", "name"), name)
    if matches.certain:
        return matches.certain[0]
    if matches.possible:
        raise Undecided(f"whether {matches.possible[0].subject} is the one it names is not known before the deployment")
    return None


def _known(value: str | Marker, path: str) -> str:
    text = Node(value, path).text()
    if not text:
        raise Undecided(f"{path} is given by the cluster")
    return text


RULE = Rule(
    id="stateful-has-backup",
    theme=Theme.BACKUPS,
    title="Everything that keeps data has a daily backup, kept for at least 30 days",
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
