"""Rule rpo-met: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.backups.rpo_met import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.backups import database
from tests.policies.backups.database import BACKUP, BARMAN, CLUSTER, GOOD, STORE
from tests.policies.builders import GONE, changed, judged, resource

TIMEOUT = "spec.postgresql.parameters.archive_timeout"


def verdict(*more: Resource, **replaced: Resource | None) -> tuple[Outcome, str]:
    """As database.verdict, of this rule."""
    return database.verdict(RULE, replaced, *more)


def test_a_log_that_leaves_every_minute_and_a_daily_backup_pass() -> None:
    assert verdict() == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("kind", "path", "value", "clause"),
    [
        ("Cluster", TIMEOUT, GONE, "archive_timeout is not set, and 5 minutes are the default"),
        ("Cluster", "spec.postgresql", GONE, "archive_timeout is not set"),
        ("Cluster", TIMEOUT, "121", "archive_timeout is 121, not between 1 and 120 s"),
        ("Cluster", TIMEOUT, "5min", "archive_timeout is 5min, not between 1 and 120 s"),
        ("Cluster", TIMEOUT, "120001ms", "not between 1 and 120 s"),
        ("Cluster", TIMEOUT, "1h", "not between 1 and 120 s"),
        ("Cluster", TIMEOUT, "1d", "not between 1 and 120 s"),
        # Both switch it off.
        ("Cluster", TIMEOUT, "0", "archive_timeout is 0, not between 1 and 120 s"),
        ("Cluster", TIMEOUT, 0, "archive_timeout is 0, not between 1 and 120 s"),
        ("Cluster", TIMEOUT, "1 minute", "archive_timeout is not a time like 1min"),
        ("Cluster", TIMEOUT, "-1", "archive_timeout is not a time like 1min"),
        ("Cluster", TIMEOUT, "", "archive_timeout is not a time like 1min"),
        (
            "ScheduledBackup",
            "spec.method",
            GONE,
            "ScheduledBackup shop/main does not back up through the plugin (method: plugin).",
        ),
        ("ScheduledBackup", "spec.method", "volumeSnapshot", "does not back up through the plugin"),
        ("ScheduledBackup", "spec.pluginConfiguration", GONE, f"pluginConfiguration.name: {BARMAN}"),
        ("ScheduledBackup", "spec.pluginConfiguration.name", "other.example.org", "does not name the plugin"),
        ("ScheduledBackup", "spec.suspend", True, "ScheduledBackup shop/main is suspended."),
        ("ScheduledBackup", "spec.schedule", GONE, "has no schedule."),
        ("ScheduledBackup", "spec.schedule", " ", "has no schedule."),
        ("ScheduledBackup", "spec.schedule", "0 3 * * *", "has 5 fields instead of 6"),
        ("ScheduledBackup", "spec.schedule", "0 0 3 * * 1-6", "does not run every day"),
        ("ScheduledBackup", "spec.schedule", "0 0 25 * * *", "has no valid hour"),
    ],
)
def test_each_way_to_lose_more_fails_and_is_named(kind: str, path: str, value: object, clause: str) -> None:
    outcome, reasons = verdict(**{kind: changed(GOOD[kind], path, value)})
    assert outcome is Outcome.FAIL
    assert clause in f"{reasons}."


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        *(
            ("Cluster", TIMEOUT, value)
            for value in ("1", "120", 120, "120s", "2min", "2 min", "0.5min", " 1min ", "90000ms")
        ),
        ("ScheduledBackup", "spec.suspend", False),
        ("ScheduledBackup", "spec.suspend", None),
        ("ScheduledBackup", "spec.schedule", "0 0 */6 * * *"),
        ("ScheduledBackup", "spec.schedule", "@daily"),
        ("Cluster", "spec.instances", UNKNOWN),
        ("Cluster", "spec.plugins.0.isWALArchiver", False),
        ("ObjectStore", "spec.retentionPolicy", "1d"),
    ],
)
def test_near_misses_pass(kind: str, path: str, value: object) -> None:
    assert verdict(**{kind: changed(GOOD[kind], path, value)}) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Cluster", TIMEOUT),
        ("Cluster", "spec.postgresql"),
        ("Cluster", "metadata.name"),
        ("ScheduledBackup", "spec"),
        ("ScheduledBackup", "spec.cluster.name"),
        ("ScheduledBackup", "spec.schedule"),
        ("ScheduledBackup", "spec.suspend"),
        ("ScheduledBackup", "spec.method"),
        ("ScheduledBackup", "metadata.namespace"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(kind: str, path: str, marker: object) -> None:
    outcome, reasons = verdict(**{kind: changed(GOOD[kind], path, marker)})
    assert outcome is Outcome.INCONCLUSIVE
    assert reasons


def test_an_unknown_schedule_does_not_hide_a_slow_archive() -> None:
    outcome, reasons = verdict(
        Cluster=changed(CLUSTER, TIMEOUT, "1h"), ScheduledBackup=changed(BACKUP, "spec.schedule", UNKNOWN)
    )
    assert (outcome, reasons) == (Outcome.FAIL, f"{TIMEOUT} is 1h, not between 1 and 120 s")


def second(path: str, value: object) -> Resource:
    """Another schedule of the same database."""
    return changed(resource("ScheduledBackup", "second", dict(BACKUP.props)), path, value)


def test_one_good_schedule_is_enough() -> None:
    assert verdict(second("spec.suspend", True)) == (Outcome.PASS, "")


def test_an_undecided_schedule_beside_a_bad_one_is_inconclusive() -> None:
    bad = changed(BACKUP, "spec.suspend", True)
    assert verdict(second("spec.schedule", UNKNOWN), ScheduledBackup=bad)[0] is Outcome.INCONCLUSIVE
    assert verdict(second("spec.cluster.name", UNKNOWN), ScheduledBackup=bad)[0] is Outcome.INCONCLUSIVE


def test_the_schedule_of_another_database_does_not_count() -> None:
    bad = changed(BACKUP, "spec.suspend", True)
    assert verdict(second("spec.cluster.name", "other"), ScheduledBackup=bad)[0] is Outcome.FAIL
    assert verdict(second("metadata.namespace", "other"), ScheduledBackup=bad)[0] is Outcome.FAIL


@pytest.mark.parametrize(
    "replaced",
    [
        {"ScheduledBackup": None},
        {"ObjectStore": None},
        {"ObjectStore": changed(STORE, "spec.configuration.destinationPath", "")},
        {"Cluster": changed(CLUSTER, "spec.plugins", [])},
        {"Cluster": changed(CLUSTER, "spec.plugins.0.enabled", False)},
    ],
)
def test_a_database_without_a_backup_is_another_rules_business(replaced: dict[str, Resource | None]) -> None:
    outcome, reasons = verdict(**replaced)
    assert outcome is Outcome.NOT_APPLICABLE
    assert "stateful-has-backup" in reasons


def test_a_slow_archive_is_told_even_without_a_schedule() -> None:
    assert verdict(Cluster=changed(CLUSTER, TIMEOUT, "1h"), ScheduledBackup=None)[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, STORE, BACKUP, resource("StatefulSet")) == {}
