"""Rule stateful-has-backup: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.backups.stateful_has_backup import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.backups import database
from tests.policies.backups.database import BACKUP, BARMAN, CLUSTER, GOOD, STORE
from tests.policies.builders import GONE, changed, judged, resource

ANNOTATION = "mainstay.dev/unbacked-reason"


def verdict(**replaced: Resource | None) -> tuple[Outcome, str]:
    """As database.verdict, of this rule."""
    return database.verdict(RULE, replaced)


def test_a_database_with_plugin_store_and_schedule_passes() -> None:
    assert verdict() == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("kind", "path", "value", "clause"),
    [
        ("ScheduledBackup", "spec.cluster.name", "other", "no ScheduledBackup in namespace shop names it"),
        ("ScheduledBackup", "metadata.namespace", "elsewhere", "no ScheduledBackup in namespace shop names it"),
        ("Cluster", "spec.plugins", GONE, f"spec.plugins does not name {BARMAN}"),
        ("Cluster", "spec.plugins", [], f"spec.plugins does not name {BARMAN}"),
        ("Cluster", "spec.plugins.0.name", "other.example.org", f"spec.plugins does not name {BARMAN}"),
        ("Cluster", "spec.plugins.0.enabled", False, "spec.plugins[0].enabled is not true"),
        ("Cluster", "spec.plugins.0.parameters", GONE, "spec.plugins[0].parameters.barmanObjectName names no"),
        ("Cluster", "spec.plugins.0.parameters.barmanObjectName", "", "barmanObjectName names no ObjectStore"),
        ("Cluster", "spec.plugins.0.parameters.barmanObjectName", "other", "ObjectStore shop/other, named by"),
        ("Cluster", "metadata.namespace", "elsewhere", "no ScheduledBackup in namespace elsewhere names it"),
        ("ObjectStore", "metadata.namespace", "elsewhere", "ObjectStore shop/main, named by"),
        ("ObjectStore", "spec.configuration.destinationPath", GONE, "ObjectStore shop/main has no spec.configuration"),
        ("ObjectStore", "spec.configuration.destinationPath", "", "has no spec.configuration.destinationPath"),
    ],
)
def test_each_missing_piece_fails_and_is_named(kind: str, path: str, value: object, clause: str) -> None:
    outcome, reasons = verdict(**{kind: changed(GOOD[kind], path, value)})
    assert outcome is Outcome.FAIL
    assert clause in reasons


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ScheduledBackup", "metadata.name", "any-name"),
        ("Cluster", "spec.plugins.0.enabled", True),
        ("Cluster", "spec.instances", UNKNOWN),
        ("Cluster", "spec.backup", {"retentionPolicy": "1d"}),
        ("ObjectStore", "spec.configuration.endpointURL", SECRET),
    ],
)
def test_near_misses_pass(kind: str, path: str, value: object) -> None:
    assert verdict(**{kind: changed(GOOD[kind], path, value)}) == (Outcome.PASS, "")


@pytest.mark.parametrize("missing", ["ScheduledBackup", "ObjectStore"])
def test_a_part_that_does_not_exist_fails(missing: str) -> None:
    outcome, reasons = verdict(**{missing: None})
    assert outcome is Outcome.FAIL
    assert missing in reasons


def test_all_faults_are_named_at_once() -> None:
    outcome, reasons = verdict(
        ObjectStore=changed(STORE, "spec.configuration.destinationPath", ""), ScheduledBackup=None
    )
    assert outcome is Outcome.FAIL
    assert "destinationPath" in reasons
    assert "ScheduledBackup" in reasons


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ScheduledBackup", "spec.suspend", True),
        ("ScheduledBackup", "spec.schedule", "0 0 3 * * 1"),
        ("ScheduledBackup", "spec.method", "volumeSnapshot"),
        ("Cluster", "spec.plugins.0.isWALArchiver", False),
        ("Cluster", "spec.postgresql.parameters", {}),
        ("ObjectStore", "spec.retentionPolicy", "1d"),
        ("ObjectStore", "metadata.annotations", {}),
    ],
)
def test_what_other_rules_ask_is_not_asked_here(kind: str, path: str, value: object) -> None:
    assert verdict(**{kind: changed(GOOD[kind], path, value)}) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ScheduledBackup", "spec"),
        ("ScheduledBackup", "spec.cluster.name"),
        ("ScheduledBackup", "metadata.namespace"),
        ("Cluster", "spec"),
        ("Cluster", "spec.plugins"),
        ("Cluster", "spec.plugins.0"),
        ("Cluster", "spec.plugins.0.name"),
        ("Cluster", "spec.plugins.0.enabled"),
        ("Cluster", "spec.plugins.0.parameters.barmanObjectName"),
        ("Cluster", "metadata"),
        ("Cluster", "metadata.name"),
        ("Cluster", "metadata.namespace"),
        ("ObjectStore", "metadata.name"),
        ("ObjectStore", "spec.configuration"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(kind: str, path: str, marker: object) -> None:
    outcome, reasons = verdict(**{kind: changed(GOOD[kind], path, marker)})
    assert outcome is Outcome.INCONCLUSIVE
    assert reasons


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    outcome, reasons = verdict(Cluster=changed(CLUSTER, "spec.plugins.0.enabled", UNKNOWN), ScheduledBackup=None)
    assert (outcome, reasons) == (Outcome.FAIL, "no ScheduledBackup in namespace shop names it")


def test_a_name_given_by_the_cluster_is_inconclusive() -> None:
    nameless = verdict(Cluster=changed(CLUSTER, "metadata.name", GONE))
    assert nameless == (Outcome.INCONCLUSIVE, "metadata.name is given by the cluster")


def test_no_name_is_not_the_name_of_a_store_without_one() -> None:
    nameless = changed(CLUSTER, "spec.plugins.0.parameters.barmanObjectName", "")
    outcome, reasons = verdict(Cluster=nameless, ObjectStore=changed(STORE, "metadata.name", GONE))
    assert outcome is Outcome.FAIL
    assert "names no ObjectStore" in reasons


def test_databases_are_told_apart_by_namespace_and_name() -> None:
    other = changed(resource("Cluster", "other", dict(CLUSTER.props)), "metadata.name", "other")
    findings = judged(RULE, *GOOD.values(), other)
    assert findings["Cluster/main"].outcome is Outcome.PASS
    assert findings["Cluster/other"].outcome is Outcome.FAIL


def test_an_object_without_a_namespace_stands_in_default() -> None:
    parts = [changed(part, "metadata.namespace", GONE) for part in (CLUSTER, STORE)]
    in_default = changed(BACKUP, "metadata.namespace", "default")
    assert judged(RULE, *parts, in_default)["Cluster/main"].outcome is Outcome.PASS


POD = {"containers": [{"name": "redis"}]}
REDIS = resource(
    "StatefulSet",
    "redis",
    {"spec": {"template": {"spec": POD}, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}},
)
CLAIMING: dict[str, list[dict[str, object]]] = {
    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "d", "persistentVolumeClaim": {"claimName": "files"}}]
}
FILES = resource("Deployment", "files", {"spec": {"template": {"spec": {**POD, **CLAIMING}}}})


@pytest.mark.parametrize(("workload", "claim"), [(REDIS, "data"), (FILES, "files")], ids=["StatefulSet", "Deployment"])
def test_a_workload_that_keeps_data_fails_unless_it_says_why_not(workload: Resource, claim: str) -> None:
    (finding,) = judged(RULE, workload).values()
    assert (finding.outcome, finding.reasons) == (Outcome.FAIL, (f"nothing backs up its volume claim {claim}",))

    exempted = changed(workload, "metadata.annotations", {ANNOTATION: "queue, refilled from Postgres"})
    (finding,) = judged(RULE, exempted).values()
    assert (finding.outcome, finding.reasons) == (
        Outcome.NOT_APPLICABLE,
        ("its data may be lost: queue, refilled from Postgres",),
    )


@pytest.mark.parametrize("reason", ["", "  ", 1, True])
def test_an_empty_reason_is_none(reason: object) -> None:
    (finding,) = judged(RULE, changed(REDIS, "metadata.annotations", {ANNOTATION: reason})).values()
    assert finding.outcome is Outcome.FAIL


@pytest.mark.parametrize("reason", [UNKNOWN, SECRET])
def test_a_reason_that_nobody_can_read_is_none(reason: object) -> None:
    (finding,) = judged(RULE, changed(REDIS, "metadata.annotations", {ANNOTATION: reason})).values()
    assert finding.outcome is Outcome.FAIL


def test_a_database_has_no_excuse() -> None:
    bare = changed(changed(CLUSTER, "spec.plugins", []), "metadata.annotations", {ANNOTATION: "who needs it"})
    assert judged(RULE, bare)["Cluster/main"].outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("workload", "path", "value"),
    [
        (REDIS, "spec.volumeClaimTemplates", []),
        (REDIS, "spec.volumeClaimTemplates", GONE),
        (FILES, "spec.template.spec.volumes", GONE),
        (FILES, "spec.template.spec.volumes.1", {"name": "d", "configMap": {"name": "files"}}),
        (FILES, "spec.template.spec.volumes.1.persistentVolumeClaim", None),
    ],
)
def test_a_workload_that_keeps_nothing_is_not_applicable(workload: Resource, path: str, value: object) -> None:
    (finding,) = judged(RULE, changed(workload, path, value)).values()
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert finding.reasons == ("it keeps nothing on a persistent volume",)


@pytest.mark.parametrize(
    ("workload", "path"),
    [
        (REDIS, "spec"),
        (REDIS, "spec.volumeClaimTemplates"),
        (FILES, "spec.template.spec"),
        (FILES, "spec.template.spec.volumes"),
        (FILES, "spec.template.spec.volumes.1"),
    ],
)
def test_a_workload_whose_volumes_are_unknown_is_inconclusive(workload: Resource, path: str) -> None:
    (finding,) = judged(RULE, changed(workload, path, UNKNOWN)).values()
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_an_unknown_template_does_not_hide_a_claim() -> None:
    assert judged(RULE, changed(REDIS, "spec.template", UNKNOWN))["StatefulSet/redis"].outcome is Outcome.FAIL


def test_an_unknown_volume_does_not_hide_a_claim() -> None:
    assert (
        judged(RULE, changed(FILES, "spec.template.spec.volumes.0", UNKNOWN))["Deployment/files"].outcome
        is Outcome.FAIL
    )


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("HttpService"), STORE, BACKUP) == {}
