"""Rule autoscaler-valid: what trips it, what comes close and must not."""

from dataclasses import replace
from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.capacity.autoscaler_valid import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource, workload

MAIN: dict[str, Any] = {"name": "main", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
API = workload(pod={"containers": [MAIN]})
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
HPA = resource(
    "HorizontalPodAutoscaler",
    "api",
    {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 8,
            "metrics": [CPU],
        }
    },
)
SCALED = resource(
    "ScaledObject",
    "api",
    {
        "spec": {
            "scaleTargetRef": {"name": "api"},
            "minReplicaCount": 2,
            "maxReplicaCount": 8,
            "triggers": [{"type": "redis", "metadata": {"listLength": "10"}}],
        }
    },
)
BUDGET = resource(
    "PodDisruptionBudget", "api", {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "api"}}}}
)
MISSING = "its target, Deployment shop/api (spec.scaleTargetRef), is not in this stack"
PINNED = "Deployment shop/api declares spec.replicas, which every deployment sets back"
UNMEASURED = "it measures a share of the requested cpu, and container main of Deployment shop/api requests none"
CONTAINER = f"{'spec.template.spec'}.containers.0"
SHARE_OF_CPU = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}
BARE = changed(API, f"{CONTAINER}.resources", GONE)


def verdict(scaler: Resource, *others: Resource) -> tuple[Outcome, str]:
    finding = next(iter(judged(RULE, scaler, *(others or (API,))).values()))
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("scaler", [HPA, SCALED])
def test_one_with_target_bounds_and_measure_passes(scaler: Resource) -> None:
    assert verdict(scaler) == (Outcome.PASS, "")
    assert verdict(scaler, API, BUDGET) == (Outcome.PASS, "")


@pytest.mark.parametrize("scaler", [HPA, SCALED])
@pytest.mark.parametrize(
    "others",
    [
        (resource("Service"),),
        (workload("StatefulSet", pod={"containers": [MAIN]}),),
        (changed(API, "metadata.name", "other"),),
        (changed(API, "metadata.namespace", "elsewhere"),),
    ],
)
def test_one_without_a_target_fails(scaler: Resource, others: tuple[Resource, ...]) -> None:
    assert verdict(scaler, *others) == (Outcome.FAIL, MISSING)


def test_one_that_names_no_target_has_none() -> None:
    nameless = changed(API, "metadata.name", GONE)
    outcome, reasons = verdict(changed(HPA, "spec.scaleTargetRef.name", GONE), nameless)
    assert outcome is Outcome.FAIL
    assert "its target, Deployment shop/ " in reasons


@pytest.mark.parametrize("scaler", [HPA, SCALED])
def test_replicas_that_are_pinned_fail(scaler: Resource) -> None:
    pinned = changed(API, "spec.replicas", 3)
    assert verdict(scaler, pinned) == (Outcome.FAIL, PINNED)
    # What stands was set by the autoscaler, not declared.
    assert verdict(scaler, replace(pinned, declared=API.props)) == (Outcome.PASS, "")
    assert verdict(scaler, replace(API, declared=pinned.props)) == (Outcome.FAIL, PINNED)
    assert verdict(scaler, replace(API, declared={"spec": UNKNOWN}))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("scaler", "low", "high"),
    [(HPA, "minReplicas", "maxReplicas"), (SCALED, "minReplicaCount", "maxReplicaCount")],
)
def test_bounds_that_cannot_be_fail(scaler: Resource, low: str, high: str) -> None:
    outcome, reasons = verdict(changed(scaler, f"spec.{low}", 9))
    assert (outcome, reasons) == (Outcome.FAIL, "its least number of replicas, 9, is above its most, 8")
    assert verdict(changed(scaler, f"spec.{low}", 8)) == (Outcome.PASS, "")
    assert verdict(changed(scaler, f"spec.{low}", 1)) == (Outcome.PASS, "")
    outcome, reasons = verdict(changed(scaler, f"spec.{low}", 0))
    assert outcome is Outcome.FAIL
    assert reasons == (
        "it may scale to no pod at all, and the first one that is needed comes late (least number of replicas)"
    )
    none = changed(scaler, f"spec.{high}", GONE)
    assert verdict(none)[0] is (Outcome.FAIL if scaler is HPA else Outcome.PASS)


def test_the_defaults_are_those_of_kubernetes_and_of_keda() -> None:
    assert verdict(changed(HPA, "spec.minReplicas", GONE)) == (Outcome.PASS, "")
    assert "no pod at all" in verdict(changed(SCALED, "spec.minReplicaCount", GONE))[1]
    assert "no pod at all" in verdict(changed(SCALED, "spec.idleReplicaCount", 0))[1]
    assert verdict(changed(SCALED, "spec.idleReplicaCount", 1)) == (Outcome.PASS, "")
    assert verdict(changed(HPA, "spec.idleReplicaCount", 0)) == (Outcome.PASS, "")


def test_one_that_a_budget_forbids_to_be_so_few_fails() -> None:
    blocked = "at its least number of replicas, 1, PodDisruptionBudget shop/api blocks every drain"
    assert verdict(changed(HPA, "spec.minReplicas", 1), API, BUDGET) == (Outcome.FAIL, blocked)
    assert verdict(changed(HPA, "spec.minReplicas", 1), API, changed(BUDGET, "spec.minAvailable", 0))[0] is Outcome.PASS
    at_two = changed(BUDGET, "spec.minAvailable", 2)
    assert "replicas, 2, PodDisruptionBudget" in verdict(HPA, API, at_two)[1]
    assert verdict(HPA, API, changed(BUDGET, "spec.minAvailable", "x")) == (Outcome.PASS, "")
    assert verdict(HPA, API, changed(BUDGET, "spec.selector", UNKNOWN))[0] is Outcome.INCONCLUSIVE
    zero = changed(HPA, "spec.minReplicas", 0)
    assert blocked in verdict(zero, API, BUDGET)[1]


def test_two_for_the_same_target_fail() -> None:
    assert verdict(HPA, API, SCALED) == (
        Outcome.FAIL,
        "Deployment shop/api is scaled by more than one: HorizontalPodAutoscaler shop/api, ScaledObject shop/api",
    )


@pytest.mark.parametrize("annotation", ["autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"])
def test_one_that_is_paused_fails(annotation: str) -> None:
    paused = changed(SCALED, "metadata.annotations", {annotation: "1"})
    assert verdict(paused) == (Outcome.FAIL, f"it is paused (annotation {annotation})")
    assert verdict(changed(SCALED, "metadata.annotations", {annotation: "false"})) == (Outcome.PASS, "")
    assert verdict(changed(HPA, "metadata.annotations", {annotation: "1"})) == (Outcome.PASS, "")


def test_one_that_never_scales_up_fails() -> None:
    off = {"scaleUp": {"selectPolicy": "Disabled"}}
    assert verdict(changed(HPA, "spec.behavior", off)) == (
        Outcome.FAIL,
        "it never scales up (spec.behavior.scaleUp.selectPolicy)",
    )
    assert verdict(changed(HPA, "spec.behavior", {"scaleUp": {"selectPolicy": "Max"}})) == (Outcome.PASS, "")
    advanced = {"horizontalPodAutoscalerConfig": {"behavior": off}}
    assert "it never scales up" in verdict(changed(SCALED, "spec.advanced", advanced))[1]


@pytest.mark.parametrize("triggers", [GONE, []])
def test_one_without_a_trigger_fails(triggers: object) -> None:
    assert verdict(changed(SCALED, "spec.triggers", triggers)) == (Outcome.FAIL, "it has no trigger")


@pytest.mark.parametrize(
    "scaler",
    [
        HPA,
        changed(HPA, "spec.metrics", GONE),
        changed(HPA, "spec.metrics", [{"type": "Pods"}, CPU]),
        changed(SCALED, "spec.triggers", [SHARE_OF_CPU]),
        changed(SCALED, "spec.triggers", [{"type": "cpu", "metadata": {"type": "Utilization"}}]),
        changed(SCALED, "spec.triggers", [{"type": "cpu"}]),
    ],
)
def test_a_share_of_what_is_not_requested_fails(scaler: Resource) -> None:
    assert verdict(scaler) == (Outcome.PASS, "")
    assert verdict(scaler, BARE) == (Outcome.FAIL, UNMEASURED)
    assert verdict(scaler, changed(API, f"{CONTAINER}.resources.requests.cpu", "x")) == (Outcome.FAIL, UNMEASURED)
    with_limit = changed(API, f"{CONTAINER}.resources", {"limits": {"cpu": "1"}})
    assert verdict(scaler, with_limit) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "scaler",
    [
        changed(HPA, "spec.metrics.0.resource.target.type", "AverageValue"),
        changed(HPA, "spec.metrics", [{"type": "Pods", "pods": {"target": {"type": "AverageValue"}}}]),
        changed(SCALED, "spec.triggers", [{**SHARE_OF_CPU, "metricType": "AverageValue"}]),
        changed(SCALED, "spec.triggers", [{"type": "cpu", "metadata": {"type": "AverageValue"}}]),
        SCALED,
    ],
)
def test_other_measures_need_no_request(scaler: Resource) -> None:
    assert verdict(scaler, BARE) == (Outcome.PASS, "")


def test_sidecars_are_measured_and_init_containers_are_not() -> None:
    log = {"name": "log"}
    pod = {"containers": [MAIN], "initContainers": [log]}
    assert verdict(HPA, workload(pod=pod)) == (Outcome.PASS, "")
    sidecar = {**pod, "initContainers": [{**log, "restartPolicy": "Always"}]}
    assert "init container log of Deployment shop/api requests none" in verdict(HPA, workload(pod=sidecar))[1]


def test_one_container_may_be_measured_alone() -> None:
    pair = workload(pod={"containers": [MAIN, {"name": "other"}]})
    source = {"name": "cpu", "container": "main", "target": {"type": "Utilization"}}
    alone = changed(HPA, "spec.metrics", [{"type": "ContainerResource", "containerResource": source}])
    assert verdict(alone, pair) == (Outcome.PASS, "")
    assert "container other" in verdict(HPA, pair)[1]
    assert "container other" in verdict(changed(alone, "spec.metrics.0.containerResource.container", "other"), pair)[1]
    assert verdict(changed(alone, "spec.metrics.0.containerResource.container", "gone"), pair) == (
        Outcome.FAIL,
        "it measures the container gone, which Deployment shop/api does not have",
    )
    trigger = {**SHARE_OF_CPU, "metadata": {"containerName": "main"}}
    assert verdict(changed(SCALED, "spec.triggers", [trigger]), pair) == (Outcome.PASS, "")


def test_memory_may_be_measured_too() -> None:
    memory = changed(HPA, "spec.metrics.0.resource.name", "memory")
    assert verdict(memory) == (Outcome.PASS, "")
    assert "requested memory" in verdict(memory, BARE)[1]
    trigger = changed(SCALED, "spec.triggers", [{**SHARE_OF_CPU, "type": "memory"}])
    assert "requested memory" in verdict(trigger, BARE)[1]


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("scaler", "path"),
    [
        (HPA, "spec"),
        (HPA, "spec.scaleTargetRef"),
        (HPA, "spec.scaleTargetRef.name"),
        (HPA, "spec.minReplicas"),
        (HPA, "spec.maxReplicas"),
        (HPA, "spec.metrics"),
        (HPA, "spec.metrics.0"),
        (HPA, "spec.metrics.0.resource.target.type"),
        (HPA, "metadata.namespace"),
        (SCALED, "metadata"),
        (SCALED, "spec.triggers"),
        (SCALED, "spec.triggers.0.type"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(scaler: Resource, path: str, marker: object) -> None:
    assert verdict(changed(scaler, path, marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["metadata.name", "metadata.namespace", CONTAINER, "spec.template"])
def test_an_unknown_target_is_inconclusive(path: str) -> None:
    assert verdict(HPA, changed(API, path, UNKNOWN))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["spec.scaleTargetRef", "spec.metrics", "spec.metrics.0"])
def test_an_unknown_value_does_not_hide_a_certain_fault(path: str) -> None:
    assert "no pod at all" in verdict(changed(changed(HPA, path, UNKNOWN), "spec.minReplicas", 0))[1]
    if path != "spec.scaleTargetRef":
        assert verdict(changed(HPA, path, UNKNOWN), changed(API, "spec.replicas", 3)) == (Outcome.FAIL, PINNED)


def test_an_unknown_metric_does_not_hide_another() -> None:
    assert verdict(changed(HPA, "spec.metrics", [UNKNOWN, CPU]), BARE) == (Outcome.FAIL, UNMEASURED)
    assert verdict(changed(SCALED, "spec.triggers", [UNKNOWN, SHARE_OF_CPU]), BARE) == (Outcome.FAIL, UNMEASURED)


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, API, resource("Service"), resource("Worker")) == {}
