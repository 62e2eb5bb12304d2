"""Rule pitr-wal-enabled: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.backups.pitr_wal_enabled import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.backups import database
from tests.policies.backups.database import BACKUP, BARMAN, CLUSTER, GOOD, STORE
from tests.policies.builders import GONE, Props, changed, judged, resource

PLUGIN = "spec.plugins.0"
SERVER = f"{PLUGIN}.parameters.serverName"
PATH = "spec.configuration.destinationPath"
SKIP = {"cnpg.io/skipWalArchiving": "enabled"}
IN_TREE = {"barmanObjectStore": {"destinationPath": "s3://elsewhere"}}


def verdict(*more: Resource, **replaced: Resource | None) -> tuple[Outcome, str]:
    """As database.verdict, of this rule."""
    return database.verdict(RULE, replaced, *more)


def plugins(*more: Props) -> Resource:
    """The cluster with more plugins."""
    return changed(CLUSTER, "spec.plugins", [CLUSTER.root.at("spec", "plugins").items()[0].value, *more])


def test_an_archive_of_its_own_passes() -> None:
    assert verdict() == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("cluster", "clause"),
    [
        # There is a destination, and nothing goes there.
        (changed(CLUSTER, f"{PLUGIN}.isWALArchiver", False), "spec.plugins[0].isWALArchiver is not true"),
        (changed(CLUSTER, f"{PLUGIN}.isWALArchiver", GONE), "spec.plugins[0].isWALArchiver is not true"),
        (changed(CLUSTER, f"{PLUGIN}.isWALArchiver", "true"), "spec.plugins[0].isWALArchiver is not true"),
        (changed(CLUSTER, "metadata.annotations", SKIP), "cnpg.io/skipWalArchiving switches archiving off"),
        (plugins({"name": "other.example.org", "isWALArchiver": True}), "spec.plugins[1] archives the log as well"),
        (plugins({"name": BARMAN, "isWALArchiver": True}), "spec.plugins[1] archives the log as well"),
        (changed(CLUSTER, "spec.backup", IN_TREE), "spec.backup.barmanObjectStore archives the log as well"),
        (changed(CLUSTER, SERVER, GONE), "spec.plugins[0].parameters.serverName is missing"),
        (changed(CLUSTER, SERVER, ""), "spec.plugins[0].parameters.serverName is missing"),
    ],
)
def test_an_archive_that_is_off_or_not_its_own_fails(cluster: Resource, clause: str) -> None:
    outcome, reasons = verdict(Cluster=cluster)
    assert outcome is Outcome.FAIL
    assert clause in reasons
    assert "; " not in reasons


@pytest.mark.parametrize(
    "cluster",
    [
        plugins({"name": "other.example.org"}),
        plugins({"name": "other.example.org", "isWALArchiver": False}),
        plugins({"name": "other.example.org", "isWALArchiver": True, "enabled": False}),
        changed(CLUSTER, "metadata.annotations", {"cnpg.io/skipWalArchiving": "disabled"}),
        changed(CLUSTER, "spec.backup", {"retentionPolicy": "30d"}),
        changed(CLUSTER, "spec.postgresql", GONE),
        changed(CLUSTER, SERVER, "main-2"),
    ],
)
def test_near_misses_pass(cluster: Resource) -> None:
    assert verdict(Cluster=cluster) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Cluster", "spec"),
        ("Cluster", "spec.plugins"),
        ("Cluster", "spec.backup"),
        ("Cluster", f"{PLUGIN}.name"),
        ("Cluster", f"{PLUGIN}.isWALArchiver"),
        ("Cluster", SERVER),
        ("Cluster", "metadata.annotations"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(kind: str, path: str, marker: object) -> None:
    with_backup = changed(CLUSTER, "spec.backup", None)
    assert verdict(Cluster=changed(with_backup, path, marker))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    both = changed(changed(CLUSTER, "metadata.annotations", UNKNOWN), f"{PLUGIN}.isWALArchiver", False)
    assert verdict(Cluster=both)[0] is Outcome.FAIL


@pytest.mark.parametrize(
    "replaced",
    [
        {"ScheduledBackup": None},
        {"ObjectStore": None},
        {"Cluster": changed(CLUSTER, "spec.plugins", [])},
        {"Cluster": changed(CLUSTER, f"{PLUGIN}.enabled", False)},
    ],
)
def test_a_database_without_a_backup_is_another_rules_business(replaced: dict[str, Resource | None]) -> None:
    outcome, reasons = verdict(**replaced)
    assert outcome is Outcome.NOT_APPLICABLE
    assert "stateful-has-backup" in reasons


def other(path: str = "spec.instances", value: object = 3, server: object = "main", store: str = "main") -> Resource:
    """Another cluster, which archives to the same place unless it is told otherwise."""
    cluster = changed(resource("Cluster", "other", dict(CLUSTER.props)), "metadata.name", "other")
    cluster = changed(changed(cluster, SERVER, server), f"{PLUGIN}.parameters.barmanObjectName", store)
    return changed(cluster, path, value)


def elsewhere(destination: object) -> Resource:
    """Another store."""
    store = changed(resource("ObjectStore", "elsewhere", dict(STORE.props)), "metadata.name", "elsewhere")
    return changed(store, PATH, destination)


@pytest.mark.parametrize(
    "more",
    [
        [other()],
        # Another store that is the same place.
        [other(store="elsewhere"), elsewhere("s3://shop-backups/staging/")],
        # The name the operator takes by itself.
        [changed(changed(other(), SERVER, GONE), "metadata.name", "main"), elsewhere("s3://x")],
    ],
)
def test_two_that_archive_to_one_place_fail(more: list[Resource]) -> None:
    outcome, reasons = verdict(*more)
    assert outcome is Outcome.FAIL
    assert "archives to the same place (serverName 'main')" in reasons


@pytest.mark.parametrize(
    "more",
    [
        [other(server="other")],
        [other(server="other"), other(server="another")],
        [other(store="elsewhere"), elsewhere("s3://shop-backups/production")],
        [other(server="other", store="elsewhere"), elsewhere(UNKNOWN)],
        [other("spec.plugins", [])],
        [other(f"{PLUGIN}.enabled", False)],
        [other(server=UNKNOWN, store="elsewhere"), elsewhere("s3://shop-backups/production")],
    ],
)
def test_others_with_places_of_their_own_do_not_matter(more: list[Resource]) -> None:
    assert verdict(*more) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "more",
    [
        [other(server=UNKNOWN)],
        [other("spec.plugins", UNKNOWN)],
        [other(f"{PLUGIN}.enabled", UNKNOWN), elsewhere("s3://x")],
        [other(store="elsewhere"), elsewhere(UNKNOWN)],
        [other(store="elsewhere")],
    ],
)
def test_another_whose_place_cannot_be_read_is_inconclusive(more: list[Resource]) -> None:
    assert verdict(*more)[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("where", "outcome"), [("gone", Outcome.INCONCLUSIVE), ("main", Outcome.FAIL)])
def test_whether_it_shares_a_place_that_cannot_be_read_is_not_known(where: str, outcome: Outcome) -> None:
    unplaced = changed(CLUSTER, f"{PLUGIN}.parameters.barmanObjectName", where)
    assert verdict(other(), Cluster=unplaced)[0] is outcome


def test_one_that_cannot_be_read_does_not_hide_one_that_shares_it() -> None:
    assert verdict(other(server=UNKNOWN), resource("Cluster", "third", dict(CLUSTER.props)))[0] is Outcome.FAIL


def restored(external: dict[str, Any], how: str = "bootstrap") -> Resource:
    """The cluster, made from what an external cluster `old` stands for."""
    source: Props = {"bootstrap": {"recovery": {"source": "old"}}, "replica": {"source": "old"}}
    with_source = changed(CLUSTER, f"spec.{how}", source[how])
    return changed(with_source, "spec.externalClusters", [{"name": "old", **external}])


def by_plugin(server: object = "main", store: str = "main") -> Props:
    return {"plugin": {"name": BARMAN, "parameters": {"barmanObjectName": store, "serverName": server}}}


@pytest.mark.parametrize("how", ["bootstrap", "replica"])
@pytest.mark.parametrize(
    "external",
    [
        by_plugin(),
        # The operator's default: the name of the cluster itself.
        by_plugin(None),
        {"barmanObjectStore": {"destinationPath": "s3://shop-backups/staging/", "serverName": "main"}},
    ],
)
def test_one_that_writes_to_where_it_reads_from_fails(how: str, external: Props) -> None:
    outcome, reasons = verdict(Cluster=restored(external, how))
    assert outcome is Outcome.FAIL
    assert reasons == "it reads from spec.externalClusters[0], which is the archive it writes to"


@pytest.mark.parametrize(
    "cluster",
    [
        restored(by_plugin("old")),
        restored({"barmanObjectStore": {"destinationPath": "s3://shop-backups/staging"}}),
        restored({"barmanObjectStore": {"destinationPath": "s3://shop-backups/old", "serverName": "main"}}),
        restored({"connectionParameters": {"host": "old"}}, "replica"),
        # Nobody reads from it.
        changed(restored(by_plugin()), "spec.bootstrap", {"initdb": {}}),
        changed(restored(by_plugin()), "spec.externalClusters.0.name", "older"),
        changed(restored(by_plugin()), "spec.externalClusters", []),
    ],
)
def test_one_that_reads_from_elsewhere_passes(cluster: Resource) -> None:
    assert verdict(Cluster=cluster) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "cluster",
    [
        restored(by_plugin(UNKNOWN)),
        restored(by_plugin(store="gone")),
        changed(restored(by_plugin()), "spec.externalClusters", UNKNOWN),
        changed(restored(by_plugin("old")), "spec.bootstrap.recovery.source", UNKNOWN),
    ],
)
def test_a_source_that_cannot_be_read_is_inconclusive(cluster: Resource) -> None:
    assert verdict(Cluster=cluster)[0] is Outcome.INCONCLUSIVE


def test_one_that_archives_nothing_shares_nothing() -> None:
    outcome, reasons = verdict(Cluster=changed(restored(by_plugin()), "spec.plugins", []))
    assert outcome is Outcome.NOT_APPLICABLE
    assert "stateful-has-backup" in reasons


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, STORE, BACKUP, resource("StatefulSet")) == {}
    assert set(judged(RULE, *GOOD.values())) == {"Cluster/main"}
