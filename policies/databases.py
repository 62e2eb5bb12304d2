"""CloudNativePG clusters and what backs them up: the Barman Cloud plugin, its object store, its schedules."""

import re
from dataclasses import dataclass
from functools import partial

from policies.model import Verdict, verdict
from policies.stack import Matches, Resource, Stack
from policies.values import Marker, Node, Undecided

CLUSTER = "postgresql.cnpg.io/Cluster"
SCHEDULED_BACKUP = "postgresql.cnpg.io/ScheduledBackup"
OBJECT_STORE = "barmancloud.cnpg.io/ObjectStore"
BARMAN = "barman-cloud.cloudnative-pg.io"

NO_BACKUP = Verdict(not_applicable="nothing backs it up, which is told by stateful-has-backup")
"""What the other rules about backups answer where there is none: they have nothing to look at."""

_BUCKET = re.compile(r"s3://([^/]+)/*(.*?)/*")


@dataclass(frozen=True)
class Place:
    """Where in which bucket something is kept."""

    bucket: str
    path: str
    """Without slashes around it; empty for the whole bucket."""


def place(destination: str) -> Place | None:
    """The place a `destinationPath` such as `s3://bucket/path` names; None if it names none."""
    parsed = _BUCKET.fullmatch(destination)
    return Place(parsed[1], parsed[2]) if parsed else None


def has_no_backup(cluster: Resource, stack: Stack) -> bool:
    """Whether certainly nothing backs the cluster up."""
    return bool(backup_faults(cluster, stack).faults)


def backup_faults(cluster: Resource, stack: Stack) -> Verdict:
    """What a backup lacks to be there and switched on: the plugin, a store with a destination, a schedule."""
    return verdict(
        [
            partial(_plugin_faults, cluster),
            partial(_store_faults, cluster, stack),
            partial(_destination_faults, cluster, stack),
            partial(_schedule_faults, cluster, stack),
        ]
    )


def plugin(cluster: Resource) -> Node | None:
    """The cluster's entry for the Barman Cloud plugin, whether or not it is enabled. Raises Undecided."""
    entries = cluster.root.at("spec", "plugins").items()
    for entry in entries:
        if entry.at("name").value == BARMAN:
            return entry
    for entry in entries:
        entry.at("name").known()
    return None


def is_enabled(entry: Node) -> bool:
    """Whether a plugin's entry counts. Raises Undecided."""
    return entry.at("enabled").known() in (None, True)


def store(cluster: Resource, stack: Stack) -> Resource | None:
    """The object store the cluster's plugin writes to, if it is in the stack. Raises Undecided."""
    entry = plugin(cluster)
    name = entry.at("parameters", "barmanObjectName").text() if entry else ""
    return store_named(name, namespace(cluster), stack) if name else None


def store_named(name: str, its_namespace: str, stack: Stack) -> Resource | None:
    """The object store of that name, if it is in the stack. Raises Undecided."""
    matches = stack.find(OBJECT_STORE, its_namespace, ("metadata", "name"), name)
    if matches.certain:
        return matches.certain[0]
    if matches.possible:
        raise Undecided(f"whether {matches.possible[0].subject} is the one it names is not known before the deployment")
    return None


def destination(object_store: Resource) -> Node:
    """Where an object store keeps what it is given, e.g. `s3://bucket/path`."""
    return object_store.root.at("spec", "configuration", "destinationPath")


def schedules(cluster: Resource, stack: Stack) -> Matches:
    """The schedules that name the cluster. Raises Undecided."""
    return stack.find(SCHEDULED_BACKUP, namespace(cluster), ("spec", "cluster", "name"), name(cluster))


def namespace(cluster: Resource) -> str:
    """Namespace of the cluster. Raises Undecided."""
    return _known(cluster.namespace, "metadata.namespace")


def name(cluster: Resource) -> str:
    """Name of the cluster. Raises Undecided."""
    return _known(cluster.object_name, "metadata.name")


def _known(value: str | Marker, path: str) -> str:
    text = Node(value, path).text()
    if not text:
        raise Undecided(f"{path} is given by the cluster")
    return text


def _plugin_faults(cluster: Resource) -> list[str]:
    entry = plugin(cluster)
    if entry is None:
        return [f"its spec.plugins does not name {BARMAN}"]
    return [] if is_enabled(entry) else [f"{entry.path}.enabled is not true"]


def _store_faults(cluster: Resource, stack: Stack) -> list[str]:
    entry = plugin(cluster)
    if entry is None or store(cluster, stack):
        return []
    parameter = entry.at("parameters", "barmanObjectName")
    if not parameter.text():
        return [f"{parameter.path} names no ObjectStore"]
    return [f"ObjectStore {cluster.namespace}/{parameter.text()}, named by {parameter.path}, is not in this stack"]


def _destination_faults(cluster: Resource, stack: Stack) -> list[str]:
    object_store = store(cluster, stack)
    if object_store is None or destination(object_store).text():
        return []
    return [f"{object_store.subject} has no spec.configuration.destinationPath"]


def _schedule_faults(cluster: Resource, stack: Stack) -> list[str]:
    found = schedules(cluster, stack)
    if found.certain:
        return []
    for backup in found.possible:
        raise Undecided(f"whether {backup.subject} is meant for it is not known before the deployment")
    return [f"no ScheduledBackup in namespace {namespace(cluster)} names it"]
