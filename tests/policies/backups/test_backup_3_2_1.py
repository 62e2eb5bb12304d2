"""Rule backup-3-2-1: what trips it, what comes close and must not."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from policies.evidence import Evidence
from policies.facts import Facts
from policies.model import Outcome
from policies.rules.backups.backup_3_2_1 import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.backups import database
from tests.policies.backups.database import BACKUP, CLUSTER, STORE
from tests.policies.builders import GONE, changed, judged, resource

HERE = "mainstay.dev/"
COPY = f"{HERE}offsite-"
PATH = "spec.configuration.destinationPath"


def annotated(key: str, value: object) -> Resource:
    """The store with another annotation, or without it."""
    annotations = STORE.root.at("metadata", "annotations").value
    assert isinstance(annotations, dict)
    kept = {each: text for each, text in annotations.items() if each != key}
    return changed(STORE, "metadata.annotations", kept if value is GONE else {**kept, key: value})


def verdict(**replaced: Resource | None) -> tuple[Outcome, str]:
    """As database.verdict, of this rule."""
    return database.verdict(RULE, replaced)


def test_a_locked_copy_in_another_account_and_region_passes() -> None:
    assert verdict() == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (f"{COPY}destination", GONE, "ObjectStore shop/main does not say where its bucket is replicated to"),
        (f"{COPY}destination", " ", "does not say where its bucket is replicated to"),
        (f"{COPY}destination", "shop-offsite", "offsite-destination is not like s3://bucket/path"),
        (f"{COPY}destination", "s3:///staging", "offsite-destination is not like s3://bucket/path"),
        # Another path of the same bucket, and the bucket itself.
        (f"{COPY}destination", "s3://shop-backups/copy", "names its own bucket as its copy"),
        (f"{COPY}destination", "s3://shop-backups", "names its own bucket as its copy"),
        (f"{HERE}account", GONE, f"has no annotation {HERE}account"),
        (f"{COPY}account", "", f"has no annotation {COPY}account"),
        # Two buckets in one account are one copy.
        (f"{COPY}account", "1111", "bucket and copy are in the same account, and lost together"),
        (f"{COPY}account", " 1111 ", "bucket and copy are in the same account, and lost together"),
        (f"{HERE}region", GONE, f"has no annotation {HERE}region"),
        (f"{COPY}region", GONE, f"has no annotation {COPY}region"),
        (f"{COPY}region", "EU-central-1", "bucket and copy are in the same region, and lost together"),
        *(
            (f"{COPY}lock-days", days, "nothing locks the copy for 30 days")
            for days in (GONE, "", "0", "29", "yes", 30)
        ),
    ],
)
def test_what_is_no_third_copy_fails(key: str, value: object, reason: str) -> None:
    outcome, reasons = verdict(ObjectStore=annotated(key, value))
    assert outcome is Outcome.FAIL
    assert reason in reasons
    assert "; " not in reasons


def test_a_store_that_says_nothing_lacks_everything() -> None:
    outcome, reasons = verdict(ObjectStore=changed(STORE, "metadata.annotations", GONE))
    assert outcome is Outcome.FAIL
    assert reasons.count("; ") == 3
    assert f"no annotation {HERE}account and no {COPY}account" in reasons


@pytest.mark.parametrize(
    "store",
    [
        annotated(f"{COPY}lock-days", "365"),
        annotated(f"{COPY}destination", "s3://shop-backups-offsite/staging"),
        annotated(f"{COPY}destination", "s3://other"),
        changed(STORE, "spec.retentionPolicy", "1d"),
        changed(STORE, PATH, "not a bucket"),
    ],
)
def test_near_misses_pass(store: Resource) -> None:
    assert verdict(ObjectStore=store) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "key", [f"{HERE}account", *(f"{COPY}{key}" for key in ("destination", "account", "region", "lock-days"))]
)
def test_what_cannot_be_read_is_inconclusive(key: str, marker: object) -> None:
    assert verdict(ObjectStore=annotated(key, marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["metadata.annotations", "metadata.name", PATH])
def test_a_store_that_cannot_be_read_is_inconclusive(path: str) -> None:
    assert verdict(ObjectStore=changed(STORE, path, UNKNOWN))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    same = annotated(f"{COPY}account", "1111")
    outcome, reasons = verdict(ObjectStore=changed(same, PATH, UNKNOWN))
    assert outcome is Outcome.FAIL
    assert "same account" in reasons


@pytest.mark.parametrize(
    "replaced",
    [
        {"ScheduledBackup": None},
        {"ObjectStore": None},
        {"Cluster": changed(CLUSTER, "spec.plugins", [])},
        {"Cluster": changed(CLUSTER, "spec.plugins.0.enabled", False)},
    ],
)
def test_a_database_without_a_backup_is_another_rules_business(replaced: dict[str, Resource | None]) -> None:
    outcome, reasons = verdict(**replaced)
    assert outcome is Outcome.NOT_APPLICABLE
    assert "stateful-has-backup" in reasons


TODAY = date(2026, 11, 25)
LOOK = Evidence("backup-copy", "Cluster shop/main", "2026-11-20T03:12:00Z", True, "both equal", "copies.yaml", "0")


def audited(*evidence: Evidence, store: Resource = STORE) -> tuple[Outcome, str]:
    facts = Facts("prod", TODAY, True, evidence=evidence)
    return database.verdict(RULE, {"ObjectStore": store}, facts=facts)


def after(days: int, **changes: object) -> Evidence:
    """A look at the copy so many days before today."""
    return replace(LOOK, at=f"{TODAY - timedelta(days=days)}T03:12:00Z", **changes)


@pytest.mark.parametrize("days", [0, 7])
def test_an_audit_believes_what_was_looked_at_this_week(days: int) -> None:
    assert audited(after(days)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ([], "there is no evidence of its copy"),
        ([after(8)], "its copy was last looked at 8 days ago, on 2026-11-17; 7 days are the most"),
        ([after(3), after(1, passed=False)], "its copy was not in order on 2026-11-24"),
        ([after(1, kind="restore-drill")], "there is no evidence of its copy"),
        ([after(1, subject="Cluster shop/other")], "there is no evidence of its copy"),
    ],
)
def test_what_is_declared_alone_fails_in_an_audit(evidence: list[Evidence], reason: str) -> None:
    outcome, reasons = audited(*evidence)
    assert outcome is Outcome.FAIL
    assert reason in reasons


def test_evidence_does_not_replace_the_declaration() -> None:
    assert audited(after(1), store=annotated(f"{COPY}account", "1111"))[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, STORE, BACKUP, resource("StatefulSet")) == {}
