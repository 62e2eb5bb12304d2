"""Three copies, two places, one of them off site: what is lost with an account or a region is still somewhere.

The database's volumes are one copy, its object store the second. Buckets are replicated outside Kubernetes, so where
the third is stands in annotations of the store. What is declared need not be true: in an audit, fresh evidence that
the copy was looked at is asked for, too.
"""

from functools import partial

from policies.databases import CLUSTER, NO_BACKUP, destination, has_no_backup, place, store
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.rules.backups.retention_30d import RETENTION_DAYS
from policies.stack import Resource, Stack
from policies.values import Node

ACCOUNT = "mainstay.dev/account"
REGION = "mainstay.dev/region"
OFFSITE_DESTINATION = "mainstay.dev/offsite-destination"
OFFSITE_ACCOUNT = "mainstay.dev/offsite-account"
OFFSITE_REGION = "mainstay.dev/offsite-region"
OFFSITE_LOCK_DAYS = "mainstay.dev/offsite-lock-days"
"""Annotations of an object store: whose the bucket is and where, and the same of the bucket it is replicated to."""

EVIDENCE = "backup-copy"
EVIDENCE_DAYS = 7
"""How old evidence may be that the copy is there."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != CLUSTER:
        return None
    answer = verdict(
        [
            partial(_bucket_faults, resource, stack),
            partial(_apart_faults, ACCOUNT, OFFSITE_ACCOUNT, "account", resource, stack),
            partial(_apart_faults, REGION, OFFSITE_REGION, "region", resource, stack),
            partial(_lock_faults, resource, stack),
            partial(_evidence_faults, resource, stack),
        ]
    )
    return NO_BACKUP if answer == Verdict() and has_no_backup(resource, stack) else answer


def _bucket_faults(cluster: Resource, stack: Stack) -> list[str]:
    object_store = store(cluster, stack)
    if object_store is None:
        return []
    declared = _annotation(object_store, OFFSITE_DESTINATION).text()
    if not declared:
        return [f"{object_store.subject} does not say where its bucket is replicated to ({OFFSITE_DESTINATION})"]
    copy, original = place(declared), place(destination(object_store).text())
    if copy is None:
        return [f"{object_store.subject}: {OFFSITE_DESTINATION} is not like s3://bucket/path"]
    if original and copy.bucket == original.bucket:
        return [f"{object_store.subject} names its own bucket as its copy ({OFFSITE_DESTINATION})"]
    return []


def _apart_faults(own: str, other: str, what: str, cluster: Resource, stack: Stack) -> list[str]:
    object_store = store(cluster, stack)
    if object_store is None:
        return []
    texts = {key: _annotation(object_store, key).text().lower() for key in (own, other)}
    if missing := [key for key, text in texts.items() if not text]:
        return [f"{object_store.subject} has no annotation {' and no '.join(missing)}"]
    if texts[own] == texts[other]:
        return [f"{object_store.subject}: bucket and copy are in the same {what}, and lost together"]
    return []


def _lock_faults(cluster: Resource, stack: Stack) -> list[str]:
    object_store = store(cluster, stack)
    if object_store is None:
        return []
    days = _annotation(object_store, OFFSITE_LOCK_DAYS).text()
    if days.isascii() and days.isdigit() and int(days) >= RETENTION_DAYS:
        return []
    return [
        f"{object_store.subject}: nothing locks the copy for {RETENTION_DAYS} days ({OFFSITE_LOCK_DAYS}), so that "
        "whoever deletes the backups may delete it as well"
    ]


def _evidence_faults(cluster: Resource, stack: Stack) -> list[str]:
    facts = stack.facts
    if facts.evidence is None:
        return []
    latest = facts.latest(EVIDENCE, cluster.subject)
    if latest is None:
        return [f"there is no evidence of its copy (kind {EVIDENCE})"]
    if not latest.passed:
        return [f"its copy was not in order on {latest.day}"]
    age = (facts.day() - latest.day).days
    if age > EVIDENCE_DAYS:
        return [f"its copy was last looked at {age} days ago, on {latest.day}; {EVIDENCE_DAYS} days are the most"]
    return []


def _annotation(object_store: Resource, key: str) -> Node:
    return object_store.root.at("metadata", "annotations", key)


RULE = Rule(
    id="backup-3-2-1",
    theme=Theme.BACKUPS,
    title="A locked copy of every database's backups is kept in another account and another region",
    why=(
        "Two buckets in one account are one copy: whoever takes over the account, or loses it, loses both. A copy that "
        "is not locked can be deleted along with the original."
    ),
    applies_to="CloudNativePG clusters with a backup",
    severity=Severity.CRITICAL,
    controls=(
        "SOC 2 A1.2",
        "ISO/IEC 27001:2022 8.13",
        "ISO/IEC 27001:2022 8.14",
        "NIST 800-53 r5 CP-6",
        "NIST 800-53 r5 CP-9",
    ),
    remediation=(
        "Replicate the bucket into one of another account and region, with object lock there, and declare it in "
        "backup.offsite; have a daily job compare both and write down what it found as evidence of kind backup-copy."
    ),
    judge=_judge,
)
