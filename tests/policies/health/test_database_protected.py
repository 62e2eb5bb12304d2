"""Rule database-protected: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.health.database_protected import RULE
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource

CAP = "spec.postgresql.parameters.max_slot_wal_keep_size"
CLUSTER = resource(
    "Cluster",
    props={
        "spec": {
            "enableSuperuserAccess": False,
            "bootstrap": {"initdb": {"dataChecksums": True}},
            "walStorage": {"size": "2Gi"},
            "postgresql": {"parameters": {"max_slot_wal_keep_size": "1GB"}},
        }
    },
)


def verdict(path: str, value: object) -> tuple[Outcome, str]:
    """Outcome and reasons for the cluster with one thing changed."""
    finding = judged(RULE, changed(CLUSTER, path, value))["Cluster/main"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.enableSuperuserAccess", GONE),
        ("spec.bootstrap", {"recovery": {"source": "old"}}),
        ("spec.bootstrap", {"pg_basebackup": {"source": "old"}}),
        ("spec.walStorage", {"pvcTemplate": {"storageClassName": "fast"}}),
        *((CAP, size) for size in ("2047", 2047, "2047MB", "1 GB", " 1GB ", "2097151kB", "2147483647B", "0")),
    ],
)
def test_near_misses_pass(path: str, value: object) -> None:
    assert verdict(path, value) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("spec.enableSuperuserAccess", True, "spec.enableSuperuserAccess lets the superuser sign in"),
        ("spec.bootstrap", GONE, "spec.bootstrap.initdb.dataChecksums is not true"),
        ("spec.bootstrap.initdb.dataChecksums", False, "spec.bootstrap.initdb.dataChecksums is not true"),
        ("spec.walStorage", GONE, "spec.walStorage is missing"),
        ("spec.walStorage.size", "two", "spec.walStorage.size is not a quantity"),
        ("spec.postgresql", GONE, f"{CAP} is not set"),
        (CAP, "-1", f"{CAP} is not a size like 2GB"),
        (CAP, "1Gi", f"{CAP} is not a size like 2GB"),
        # PostgreSQL's GB is a GiB: this is the whole volume.
        (CAP, "2GB", f"{CAP} is 2GB, which is all of spec.walStorage.size or more"),
        (CAP, "2048", "or more"),
        (CAP, "2097152kB", "or more"),
        (CAP, "2147483648B", "or more"),
        (CAP, "1TB", "or more"),
    ],
)
def test_each_hole_fails_and_is_named(path: str, value: object, reason: str) -> None:
    outcome, reasons = verdict(path, value)
    assert outcome is Outcome.FAIL
    assert reason in reasons
    assert "; " not in reasons


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path",
    ["spec", "spec.enableSuperuserAccess", "spec.bootstrap", "spec.walStorage", "spec.walStorage.size", CAP],
)
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(path, marker)[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    unknown = changed(changed(CLUSTER, CAP, UNKNOWN), "spec.enableSuperuserAccess", True)
    assert judged(RULE, unknown)["Cluster/main"].outcome is Outcome.FAIL
    assert judged(RULE, resource("StatefulSet")) == {}
