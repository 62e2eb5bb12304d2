"""A database can be restored to any moment: its log is archived, by one archiver, to a place of its own."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from policies.databases import (
    CLUSTER,
    NO_BACKUP,
    destination,
    has_no_backup,
    is_enabled,
    namespace,
    plugin,
    store,
    store_named,
)
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

_SKIP = "cnpg.io/skipWalArchiving"
"""Annotation that switches archiving off, whatever the spec says."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != CLUSTER:
        return None
    answer = verdict(
        [
            partial(_archiver_faults, resource),
            partial(_other_archiver_faults, resource),
            partial(_in_tree_faults, resource),
            partial(_skip_faults, resource),
            partial(_name_faults, resource),
            partial(_shared_faults, resource, stack),
            partial(_source_faults, resource, stack),
        ]
    )
    return NO_BACKUP if answer == Verdict() and has_no_backup(resource, stack) else answer


def _archiver_faults(cluster: Resource) -> list[str]:
    entry = plugin(cluster)
    if entry is None or entry.at("isWALArchiver").known() is True:
        return []
    return [f"{entry.path}.isWALArchiver is not true, so there is no point-in-time recovery"]


def _other_archiver_faults(cluster: Resource) -> list[str]:
    mine = plugin(cluster)
    others = [
        entry
        for entry in cluster.root.at("spec", "plugins").items()
        if entry != mine and entry.at("isWALArchiver").known() is True and is_enabled(entry)
    ]
    return [f"{entry.path} archives the log as well, which only one may" for entry in others]


def _in_tree_faults(cluster: Resource) -> list[str]:
    in_tree = cluster.root.at("spec", "backup", "barmanObjectStore")
    return [f"{in_tree.path} archives the log as well, which only one may"] if in_tree.known() is not None else []


def _skip_faults(cluster: Resource) -> list[str]:
    skip = cluster.root.at("metadata", "annotations", _SKIP)
    return [f"its annotation {_SKIP} switches archiving off"] if skip.text() == "enabled" else []


def _name_faults(cluster: Resource) -> list[str]:
    entry = plugin(cluster)
    if entry is None or entry.at("parameters", "serverName").text():
        return []
    return [
        f"{entry.path}.parameters.serverName is missing: a cluster restored under the same name would write into the "
        "archive it is restored from"
    ]


@dataclass(frozen=True)
class _Archive:
    """Where a log is archived: a name below an object store's destination. What cannot be read is None or empty."""

    destination: str | None
    server: str | None

    def is_same(self, other: "_Archive") -> bool | None:
        """None if that cannot be said."""
        pairs = ((self.server, other.server), (self.destination, other.destination))
        if any(one and two and one != two for one, two in pairs):
            return False
        return True if all(one and two for one, two in pairs) else None


def _shared_faults(cluster: Resource, stack: Stack) -> list[str]:
    """Whether another cluster archives to the same place."""
    mine = _archive(cluster, stack)
    if mine is None or not mine.server:
        return []
    by_name = stack.once(_by_name)
    others = [each for name in (mine.server, "") for each in by_name[name] if each[0].urn != cluster.urn]
    open_question = ""
    for other, theirs in others:
        same = mine.is_same(theirs)
        if same:
            return [f"{other.subject} archives to the same place (serverName {mine.server!r})"]
        if same is None:
            open_question = f"whether {other.subject} archives to the same place is not known before the deployment"
    if open_question:
        raise Undecided(open_question)
    return []


def _by_name(stack: Stack) -> dict[str, list[tuple[Resource, _Archive]]]:
    """Clusters with their archive, by its name; those whose name cannot be read under the empty text."""
    found: defaultdict[str, list[tuple[Resource, _Archive]]] = defaultdict(list)
    for cluster in stack.of(CLUSTER):
        archive = _archive(cluster, stack)
        if archive:
            found[archive.server or ""].append((cluster, archive))
    return found


def _archive(cluster: Resource, stack: Stack) -> _Archive | None:
    """Where a cluster archives to; None if it certainly does not."""
    try:
        entry = plugin(cluster)
        if entry is None or not is_enabled(entry):
            return None
    except Undecided:
        return _Archive(None, None)
    try:
        where = _destination(store(cluster, stack))
    except Undecided:
        where = None
    return _Archive(where, _server(entry.at("parameters", "serverName"), cluster))


def _server(given: Node, cluster: Resource) -> str | None:
    """The operator takes the cluster's name where none is given."""
    try:
        return given.text() or cluster.root.at("metadata", "name").text()
    except Undecided:
        return None


def _destination(object_store: Resource | None) -> str | None:
    return destination(object_store).text().rstrip("/") if object_store else None


def _source_faults(cluster: Resource, stack: Stack) -> list[str]:
    """A cluster that is restored, or follows another, must not write to where it reads from."""
    spec = cluster.root.at("spec")
    sources = {spec.at(*path).text() for path in (("bootstrap", "recovery", "source"), ("replica", "source"))} - {""}
    mine = _archive(cluster, stack)
    if not sources or mine is None:
        return []
    faults: list[str] = []
    for external in spec.at("externalClusters").items():
        if external.at("name").text() not in sources:
            continue
        theirs = _source(external, cluster, stack)
        same = theirs and mine.is_same(theirs)
        if same:
            faults.append(f"it reads from {external.path}, which is the archive it writes to")
        if theirs and same is None:
            raise Undecided(f"whether {external.path} is the archive it writes to cannot be read")
    return faults


def _source(external: Node, cluster: Resource, stack: Stack) -> _Archive | None:
    """The archive an external cluster stands for; None if it is reached over the network."""
    in_tree, parameters = external.at("barmanObjectStore"), external.at("plugin", "parameters")
    if in_tree.known() is not None:
        name = in_tree.at("serverName").text() or external.at("name").text()
        return _Archive(in_tree.at("destinationPath").text().rstrip("/"), name)
    if parameters.known() is None:
        return None
    object_store = store_named(parameters.at("barmanObjectName").text(), namespace(cluster), stack)
    return _Archive(_destination(object_store), _server(parameters.at("serverName"), cluster))


RULE = Rule(
    id="pitr-wal-enabled",
    theme=Theme.BACKUPS,
    title="A database's log is archived by one archiver to a place of its own",
    why=(
        "Without the log only yesterday's backup can be restored. Two that archive to one place destroy each other's "
        "history, and so does a restored database that writes to where it was restored from."
    ),
    applies_to="CloudNativePG clusters with a backup",
    severity=Severity.CRITICAL,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.13", "NIST 800-53 r5 CP-9", "NIST 800-53 r5 CP-10"),
    remediation=(
        "Set isWALArchiver: true on the Barman Cloud plugin alone, and a serverName that no other database has or had."
    ),
    judge=_judge,
)
