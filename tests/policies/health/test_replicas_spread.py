"""Rule replicas-spread: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.health.replicas_spread import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, patch, resource, workload

OWN = {"matchLabels": {"app": "api"}}
CONSTRAINT = {
    "maxSkew": 1,
    "topologyKey": "kubernetes.io/hostname",
    "whenUnsatisfiable": "ScheduleAnyway",
    "labelSelector": OWN,
}
TERM = {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": OWN}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
POD = "spec.template.spec"
CONSTRAINED = f"{POD}.topologySpreadConstraints.0"
TERMED = f"{POD}.affinity.podAntiAffinity.{REQUIRED}.0"


def spread(kind: str = "Deployment", replicas: int = 3, **how: Any) -> Resource:
    return workload(kind, pod={"containers": [{"name": "main"}], **how}, replicas=replicas)


def anti(**terms: Any) -> dict[str, Any]:
    return {"affinity": {"podAntiAffinity": terms}}


CONSTRAINTS = spread(topologySpreadConstraints=[CONSTRAINT])
TERMS = spread(**anti(**{REQUIRED: [TERM]}))
FAULT = "nothing keeps its 3 pods apart: no constraint and no anti-affinity picks their own labels"
CLUSTER = resource("Cluster", props={"spec": {"instances": 3, "affinity": {"enablePodAntiAffinity": True}}})
SERVER = resource("Alertmanager", "tell", {"spec": {"replicas": 3}})


def verdict(subject: Resource, *others: Resource) -> tuple[Outcome, str]:
    finding = next(found for found in judged(RULE, subject, *others).values())
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize(
    "subject",
    [
        CONSTRAINTS,
        TERMS,
        spread(**anti(**{PREFERRED: [{"weight": 1, "podAffinityTerm": TERM}]})),
        spread(topologySpreadConstraints=[{**CONSTRAINT, "labelSelector": None}, CONSTRAINT]),
        spread(topologySpreadConstraints=[UNKNOWN, CONSTRAINT]),
        spread(topologySpreadConstraints=UNKNOWN, **anti(**{REQUIRED: [TERM]})),
        spread("StatefulSet", topologySpreadConstraints=[CONSTRAINT]),
        spread("Rollout", topologySpreadConstraints=[CONSTRAINT]),
        spread(topologySpreadConstraints=[{**CONSTRAINT, "maxSkew": 2, "labelSelector": {}}]),
        changed(CONSTRAINTS, f"{CONSTRAINED}.maxSkew", GONE),
        changed(CONSTRAINTS, f"{CONSTRAINED}.topologyKey", "example.com/rack"),
        changed(TERMS, f"{TERMED}.namespaces", ["shop"]),
        changed(TERMS, f"{TERMED}.namespaces", []),
        changed(TERMS, f"{TERMED}.namespaceSelector", {}),
    ],
)
def test_what_is_kept_apart_passes(subject: Resource) -> None:
    assert verdict(subject) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "subject",
    [
        spread(),
        spread("StatefulSet"),
        spread("Rollout"),
        spread(**anti()),
        spread(affinity={"podAffinity": {REQUIRED: [TERM]}}),
        spread(affinity={"nodeAffinity": {REQUIRED: [TERM]}}),
        changed(CONSTRAINTS, f"{CONSTRAINED}.labelSelector", GONE),
        changed(CONSTRAINTS, f"{CONSTRAINED}.labelSelector.matchLabels.app", "web"),
        changed(CONSTRAINTS, f"{CONSTRAINED}.maxSkew", 3),
        changed(CONSTRAINTS, f"{CONSTRAINED}.topologyKey", "kubernetes.io/os"),
        changed(CONSTRAINTS, f"{CONSTRAINED}.topologyKey", "node.kubernetes.io/instance-type"),
        changed(CONSTRAINTS, f"{CONSTRAINED}.topologyKey", GONE),
        changed(TERMS, f"{TERMED}.labelSelector", GONE),
        changed(TERMS, f"{TERMED}.labelSelector.matchLabels.app", "web"),
        changed(TERMS, f"{TERMED}.topologyKey", "kubernetes.io/arch"),
        changed(TERMS, f"{TERMED}.namespaces", ["elsewhere"]),
        spread(**anti(**{PREFERRED: [{"weight": 1, **TERM}]})),
    ],
)
def test_what_may_stand_on_one_node_fails(subject: Resource) -> None:
    assert verdict(subject) == (Outcome.FAIL, FAULT)


def test_a_database_is_kept_apart_unless_it_says_no() -> None:
    off = changed(CLUSTER, "spec.affinity.enablePodAntiAffinity", False)
    assert verdict(CLUSTER) == (Outcome.PASS, "")
    assert verdict(changed(CLUSTER, "spec.affinity", GONE)) == (Outcome.PASS, "")
    assert verdict(changed(CLUSTER, "spec.affinity.topologyKey", "kubernetes.io/hostname")) == (Outcome.PASS, "")
    assert verdict(off) == (Outcome.FAIL, FAULT)
    assert verdict(changed(CLUSTER, "spec.affinity.topologyKey", "kubernetes.io/os")) == (Outcome.FAIL, FAULT)
    selector = {"matchLabels": {"cnpg.io/cluster": "main"}}
    constraint = {**CONSTRAINT, "labelSelector": selector}
    assert verdict(changed(off, "spec.topologySpreadConstraints", [constraint])) == (Outcome.PASS, "")
    more = {REQUIRED: [{**TERM, "labelSelector": selector}]}
    assert verdict(changed(off, "spec.affinity.additionalPodAntiAffinity", more)) == (Outcome.PASS, "")
    assert verdict(changed(off, "spec.affinity.podAntiAffinity", more)) == (Outcome.FAIL, FAULT)


def test_what_an_operator_makes_pods_of_is_judged_by_their_labels() -> None:
    own = {**CONSTRAINT, "labelSelector": {"matchLabels": {"alertmanager": "tell"}}}
    assert verdict(SERVER) == (Outcome.FAIL, FAULT)
    assert verdict(changed(SERVER, "spec.topologySpreadConstraints", [own])) == (Outcome.PASS, "")
    assert verdict(changed(SERVER, "spec.topologySpreadConstraints", [CONSTRAINT])) == (Outcome.FAIL, FAULT)
    pooler = resource(
        "Pooler",
        "pool",
        {"spec": {"instances": 3, "template": {"spec": {"containers": [], "topologySpreadConstraints": [CONSTRAINT]}}}},
    )
    assert verdict(pooler) == (Outcome.FAIL, FAULT)
    selector = f"{CONSTRAINED}.labelSelector.matchLabels"
    assert verdict(changed(pooler, selector, {"cnpg.io/poolerName": "pool"})) == (Outcome.PASS, "")


def test_an_autoscaler_decides_how_many_there_are() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    hpa = resource(
        "HorizontalPodAutoscaler", "api", {"spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}}
    )
    assert verdict(spread(replicas=1), hpa) == (Outcome.FAIL, FAULT)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (spread(replicas=1), "it has one pod at the most"),
        (spread("DaemonSet"), "a DaemonSet has one pod on each node"),
    ],
)
def test_a_single_pod_is_not_applicable(subject: Resource, why: str) -> None:
    assert verdict(subject) == (Outcome.NOT_APPLICABLE, why)


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("subject", "path"),
    [
        (CONSTRAINTS, "spec"),
        (CONSTRAINTS, "spec.replicas"),
        (CONSTRAINTS, POD),
        (CONSTRAINTS, "spec.template.metadata.labels"),
        (CONSTRAINTS, f"{POD}.topologySpreadConstraints"),
        (CONSTRAINTS, CONSTRAINED),
        (CONSTRAINTS, f"{CONSTRAINED}.maxSkew"),
        (CONSTRAINTS, f"{CONSTRAINED}.topologyKey"),
        (CONSTRAINTS, f"{CONSTRAINED}.labelSelector"),
        (TERMS, f"{POD}.affinity"),
        (TERMS, f"{POD}.affinity.podAntiAffinity.{REQUIRED}"),
        (TERMS, TERMED),
        (TERMS, f"{TERMED}.labelSelector.matchLabels.app"),
        (CLUSTER, "spec.affinity.enablePodAntiAffinity"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(subject: Resource, path: str, marker: object) -> None:
    assert verdict(changed(subject, path, marker))[0] is Outcome.INCONCLUSIVE


def test_namespaces_it_cannot_tell_are_inconclusive() -> None:
    outcome, reasons = verdict(changed(TERMS, f"{TERMED}.namespaceSelector", {"matchLabels": {"a": "b"}}))
    assert outcome is Outcome.INCONCLUSIVE
    assert "which namespaces" in reasons
    here = changed(TERMS, f"{TERMED}.namespaces", ["shop"])
    outcome, reasons = verdict(changed(here, "metadata.namespace", UNKNOWN))
    assert outcome is Outcome.INCONCLUSIVE
    assert reasons.startswith("metadata.namespace is ")


def test_the_first_open_question_is_told() -> None:
    unknown = spread(topologySpreadConstraints=UNKNOWN, affinity=UNKNOWN)
    assert verdict(unknown)[1] == f"{POD}.topologySpreadConstraints is not known before the deployment"


def test_two_are_enough_to_be_kept_apart() -> None:
    assert verdict(spread(replicas=2))[1].startswith("nothing keeps its 2 pods apart")


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    assert verdict(patch(spread()))[0] is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("Worker"), workload("Job"), workload("Pod")) == {}
