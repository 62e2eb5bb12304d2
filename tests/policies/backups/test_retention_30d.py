"""Rule retention-30d: what trips it, what comes close and must not."""

import pytest

from policies.model import Finding, Outcome
from policies.rules.backups.retention_30d import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.backups.database import BACKUP, CLUSTER, STORE
from tests.policies.builders import GONE, Props, changed, judged

V2 = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
POLICY = "spec.retentionPolicy"


def store(path: str, value: object) -> Finding:
    return judged(RULE, changed(STORE, path, value))["ObjectStore/main"]


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (GONE, f"{POLICY} is missing"),
        ("", f"{POLICY} is missing"),
        (30, f"{POLICY} is missing"),
        ("29d", "backups are kept for 29d only, not 30d"),
        # Four weeks are 28 days.
        ("4w", "backups are kept for 4w only, not 30d"),
        ("0d", "not like 30d, 5w or 1m"),
        ("30", "not like 30d, 5w or 1m"),
        ("30dd", "not like 30d, 5w or 1m"),
        ("d", "not like 30d, 5w or 1m"),
    ],
)
def test_a_store_that_keeps_backups_too_short_fails(value: object, clause: str) -> None:
    finding = store(POLICY, value)
    assert finding.outcome is Outcome.FAIL
    assert clause in finding.reasons[0]


@pytest.mark.parametrize("value", ["30d", "31d", "100d", "5w", "1m", " 30d "])
def test_thirty_days_in_any_unit_pass(value: str) -> None:
    assert store(POLICY, value).outcome is Outcome.PASS


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", [POLICY, "spec"])
def test_a_policy_that_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert store(path, marker).outcome is Outcome.INCONCLUSIVE


RULES = [{"id": "old", "status": "Enabled", "filter": {"prefix": "staging/"}, "expiration": {"days": 30}}]


def lifecycle(kind: str = LIFECYCLE, **props: object) -> Resource:
    values: Props = {"bucket": "shop-backups", "rules": RULES, **props}
    return Resource("urn:pulumi:staging::shop::" + kind + "::backups", kind, "backups", values)


def bucket(path: str, value: object, *stores: Resource, kind: str = LIFECYCLE) -> tuple[Outcome, str]:
    """What is found of a lifecycle that has one thing changed."""
    changed_lifecycle = changed(lifecycle(kind), path, value)
    finding = judged(RULE, changed_lifecycle, *(stores or [STORE]))[f"{kind.rpartition(':')[2]}/backups"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", [LIFECYCLE, V2])
def test_a_lifecycle_that_deletes_earlier_fails(kind: str) -> None:
    outcome, reasons = bucket("rules.0.expiration.days", 29, kind=kind)
    assert outcome is Outcome.FAIL
    assert reasons == "rules[0] deletes backups after 29 days, which the ObjectStore would keep for 30"


@pytest.mark.parametrize(
    "changes",
    [
        {"filter": None},
        {"filter": {"prefix": "stag"}},
        {"filter": {"prefix": "staging/shop/base"}},
        {"filter": {"and": {"prefix": "staging"}}},
        {"filter": None, "prefix": "staging"},
        {"filter": {"tag": {"key": "team", "value": "shop"}}},
    ],
)
def test_whatever_part_of_the_backups_it_deletes(changes: Props) -> None:
    rule = {**RULES[0], "expiration": {"days": 1}, **changes}
    assert bucket("rules", [rule])[0] is Outcome.FAIL


def test_a_lifecycle_that_deletes_on_a_day_fails() -> None:
    outcome, reasons = bucket("rules.0.expiration", {"date": "2027-01-01T00:00:00Z"})
    assert outcome is Outcome.FAIL
    assert reasons == "rules[0] deletes backups from a day on, which the ObjectStore would keep for 30"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rules.0.expiration.days", 30),
        ("rules.0.expiration", GONE),
        ("rules.0.expiration", {"expiredObjectDeleteMarker": True}),
        ("rules.0", {**RULES[0], "status": "Disabled", "expiration": {"days": 1}}),
        ("rules.0", {**RULES[0], "filter": {"prefix": "tmp/"}, "expiration": {"days": 1}}),
        ("rules.0", {**RULES[0], "filter": {"and": {"prefix": "tmp/"}}, "expiration": {"days": 1}}),
        ("rules.0", {**RULES[0], "filter": None, "prefix": "tmp/", "expiration": {"days": 1}}),
        ("rules.0", {"status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 7}}),
        ("rules", []),
        ("bucket", UNKNOWN),
    ],
)
def test_a_lifecycle_that_leaves_them_alone_passes(path: str, value: object) -> None:
    assert bucket(path, value) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value"),
    [("bucket", "shop-logs"), ("bucket", "shop-backups-other"), ("rules", [{**RULES[0], "expiration": {"days": 1}}])],
)
def test_a_bucket_without_backups_is_not_its_business(path: str, value: object) -> None:
    elsewhere = changed(STORE, "spec.configuration.destinationPath", "s3://elsewhere/staging")
    assert bucket(path, value, elsewhere) == (Outcome.NOT_APPLICABLE, "no backups are kept in its bucket")


def test_without_any_store_no_bucket_matters() -> None:
    short = changed(lifecycle(bucket=UNKNOWN), "rules.0.expiration.days", 1)
    (finding,) = judged(RULE, short).values()
    assert finding.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rules", UNKNOWN),
        ("rules.0", UNKNOWN),
        ("rules.0.status", UNKNOWN),
        ("rules.0.expiration.days", UNKNOWN),
        ("rules.0.filter", {"prefix": UNKNOWN}),
        ("bucket", UNKNOWN),
    ],
)
def test_a_lifecycle_that_cannot_be_read_is_inconclusive(path: str, value: object) -> None:
    short = changed(lifecycle(), "rules.0.expiration.days", 1)
    (finding, *_) = (each for each in judged(RULE, changed(short, path, value), STORE).values() if each.reasons)
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_a_store_that_may_write_anywhere_leaves_it_open_unless_another_certainly_does() -> None:
    somewhere = changed(STORE, "spec.configuration.destinationPath", UNKNOWN)
    assert bucket("rules.0.expiration.days", 1, somewhere)[0] is Outcome.INCONCLUSIVE
    other = Resource(f"{STORE.urn}-other", STORE.type, "other", STORE.props)
    assert bucket("rules.0.expiration.days", 1, somewhere, other)[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, CLUSTER, BACKUP) == {}
