"""A database notices damaged pages, cannot be filled up by its own log, and has no superuser to sign in as."""

import re
from functools import partial

from policies.databases import CLUSTER
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.quantity import InvalidQuantity, quantity
from policies.stack import Resource, Stack
from policies.values import Node

_UNITS = {"B": 1, "kB": 1024, "": 1024**2, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_SIZE = re.compile(r"([0-9]+)\s*(B|kB|MB|GB|TB|)")


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if resource.kind != CLUSTER:
        return None
    spec = resource.root.at("spec")
    return verdict(
        [
            partial(_superuser_faults, spec.at("enableSuperuserAccess")),
            partial(_checksum_faults, spec.at("bootstrap")),
            partial(_volume_faults, spec.at("walStorage")),
            partial(_slot_faults, spec),
        ]
    )


def _superuser_faults(access: Node) -> list[str]:
    return [] if access.known() in (None, False) else [f"{access.path} lets the superuser sign in with a password"]


def _checksum_faults(bootstrap: Node) -> list[str]:
    if any(bootstrap.at(copied).known() is not None for copied in ("recovery", "pg_basebackup")):
        # It has what its source had.
        return []
    checksums = bootstrap.at("initdb", "dataChecksums")
    return [] if checksums.known() is True else [f"{checksums.path} is not true, so damaged pages pass for good ones"]


def _volume_faults(volume: Node) -> list[str]:
    if volume.known() is not None:
        return []
    return [f"{volume.path} is missing: a log that cannot be archived fills the volume of the data"]


def _slot_faults(spec: Node) -> list[str]:
    cap = spec.at("postgresql", "parameters", "max_slot_wal_keep_size")
    value = cap.known()
    if value is None:
        return [f"{cap.path} is not set: for a replica that is gone, log is kept until the volume is full"]
    parsed = _SIZE.fullmatch(str(value).strip())
    if parsed is None:
        # -1, its default, is no cap.
        return [f"{cap.path} is not a size like 2GB"]
    room = spec.at("walStorage", "size")
    try:
        size = quantity(room)
    except InvalidQuantity as invalid:
        return [str(invalid)]
    if size is not None and int(parsed[1]) * _UNITS[parsed[2]] >= size:
        return [f"{cap.path} is {value}, which is all of {room.path} or more"]
    return []


RULE = Rule(
    id="database-protected",
    theme=Theme.HEALTH,
    title="A database has checksums, a volume for its log that cannot fill up, and no superuser to sign in as",
    why=(
        "Damage that nobody notices is copied to the replicas and the backups. A full volume stops every write. Who "
        "signs in as superuser may read files and run programs on the server."
    ),
    applies_to="CloudNativePG clusters",
    severity=Severity.HIGH,
    controls=("SOC 2 A1.1", "SOC 2 CC6.3", "ISO/IEC 27001:2022 8.2", "NIST 800-53 r5 AC-6", "NIST 800-53 r5 SI-7"),
    remediation=(
        "Set dataChecksums to true, enableSuperuserAccess to false, a walStorage, and a max_slot_wal_keep_size below "
        "its size. Checksums of a database that is there already need a restore into a new one."
    ),
    judge=_judge,
)
