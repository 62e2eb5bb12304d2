"""Backups are kept for 30 days: by the store's own policy, and by the bucket it writes to."""

import re
from functools import partial

from policies.databases import OBJECT_STORE, Place, destination, place
from policies.model import Rule, Severity, Theme, Verdict, each, verdict
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Undecided

RETENTION_DAYS = 30
"""Least retention (requirement B1)."""

LIFECYCLES = frozenset(
    {
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
    }
)
"""Kinds by which a bucket deletes what is in it, whatever the store's policy says."""

_DAYS = {"d": 1, "w": 7, "m": 30}
_RETENTION = re.compile(r"([1-9][0-9]*)([dwm])")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == OBJECT_STORE:
        return Verdict(tuple(_policy_faults(resource.root.at("spec", "retentionPolicy"))))
    if resource.kind not in LIFECYCLES:
        return None
    answer = verdict(each(resource.root.at("rules"), partial(_lifecycle_faults, resource, stack)))
    if answer == Verdict() and _kept_in(resource, "", stack) is False:
        return Verdict(not_applicable="no backups are kept in its bucket")
    return answer


def _policy_faults(policy: Node) -> list[str]:
    text = policy.text()
    if not text:
        return [f"{policy.path} is missing, so nothing says how long backups are kept"]
    parsed = _RETENTION.fullmatch(text)
    if parsed is None:
        return [f"{policy.path} is not like 30d, 5w or 1m: {text!r}"]
    if int(parsed[1]) * _DAYS[parsed[2]] < RETENTION_DAYS:
        return [f"backups are kept for {text} only, not {RETENTION_DAYS}d ({policy.path})"]
    return []


def _lifecycle_faults(lifecycle: Resource, stack: Stack, rule: Node) -> list[str]:
    if rule.at("status").text() != "Enabled":
        return []
    days = rule.at("expiration", "days").number()
    if (days is None or days >= RETENTION_DAYS) and not rule.at("expiration", "date").text():
        return []
    kept = _kept_in(lifecycle, _prefix(rule), stack)
    if kept is None:
        raise Undecided("whether backups are kept in its bucket is not known before the deployment")
    if not kept:
        return []
    when = "from a day on" if days is None else f"after {days:g} days"
    return [f"{rule.path} deletes backups {when}, which the ObjectStore would keep for {RETENTION_DAYS}"]


def _prefix(rule: Node) -> str:
    """What the paths begin with that it deletes."""
    found = (rule.at(*path).text() for path in (("prefix",), ("filter", "prefix"), ("filter", "and", "prefix")))
    return next(filter(None, found), "")


def _kept_in(lifecycle: Resource, prefix: str, stack: Stack) -> bool | None:
    """Whether backups are kept in its bucket, below a prefix; None if that cannot be said."""
    places, all_read = stack.once(_places)
    bucket, below = lifecycle.root.at("bucket").value, prefix.strip("/")
    if any(each.bucket == bucket and (each.path.startswith(below) or below.startswith(each.path)) for each in places):
        return True
    return None if not all_read or (places and isinstance(bucket, Marker)) else False


def _places(stack: Stack) -> tuple[list[Place], bool]:
    """Where the object stores of the stack write to, and whether all of them can be read."""
    places: list[Place] = []
    all_read = True
    for store in stack.of(OBJECT_STORE):
        try:
            if found := place(destination(store).text()):
                places.append(found)
        except Undecided:
            all_read = False
    return places, all_read


RULE = Rule(
    id="retention-30d",
    theme=Theme.BACKUPS,
    title="Backups are kept for at least 30 days",
    why="A mistake that nobody notices for weeks can only be undone by a backup from before it.",
    applies_to="object stores of backups, and lifecycles of the buckets they write to",
    severity=Severity.HIGH,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.13", "NIST 800-53 r5 CP-9"),
    remediation="Set retentionPolicy to 30d or more (4w is 28 days); let no lifecycle of the bucket delete earlier.",
    judge=_judge,
)
