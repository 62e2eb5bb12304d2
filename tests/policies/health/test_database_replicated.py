"""Rule database-replicated: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.health.database_replicated import RULE
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource

CLUSTER = resource(
    "Cluster",
    props={
        "spec": {
            "instances": 3,
            "affinity": {
                "enablePodAntiAffinity": True,
                "podAntiAffinityType": "required",
                "topologyKey": "kubernetes.io/hostname",
            },
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
        ("spec.instances", 3),
        ("spec.instances", 5),
        ("spec.affinity.enablePodAntiAffinity", GONE),
        ("spec.affinity.topologyKey", GONE),
        ("spec.affinity.topologyKey", "topology.kubernetes.io/zone"),
    ],
)
def test_three_on_three_nodes_pass(path: str, value: object) -> None:
    assert verdict(path, value) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("spec.instances", 2, "spec.instances is 2, and 3 are the fewest"),
        ("spec.instances", GONE, "spec.instances is 1, and 3 are the fewest"),
        ("spec.affinity.enablePodAntiAffinity", False, "spec.affinity.enablePodAntiAffinity is false"),
        ("spec.affinity.podAntiAffinityType", "preferred", "spec.affinity.podAntiAffinityType is not required"),
        ("spec.affinity", GONE, "spec.affinity.podAntiAffinityType is not required"),
        ("spec.affinity.topologyKey", "kubernetes.io/os", "topologyKey is kubernetes.io/os, which all instances may"),
    ],
)
def test_fewer_or_together_fails(path: str, value: object, reason: str) -> None:
    outcome, reasons = verdict(path, value)
    assert outcome is Outcome.FAIL
    assert reason in reasons
    assert "; " not in reasons


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", ["spec", "spec.instances", "spec.affinity", "spec.affinity.topologyKey"])
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(path, marker)[0] is Outcome.INCONCLUSIVE


def test_an_unknown_number_does_not_hide_a_certain_fault() -> None:
    unknown = changed(changed(CLUSTER, "spec.instances", UNKNOWN), "spec.affinity", GONE)
    assert judged(RULE, unknown)["Cluster/main"].outcome is Outcome.FAIL
    assert judged(RULE, resource("StatefulSet")) == {}
