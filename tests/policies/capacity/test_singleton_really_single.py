"""Rule singleton-really-single: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.capacity.singleton_really_single import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource, workload

WORKER = resource("Worker", "engine", {"namespace": "shop", "singleton": True})
DEPLOYMENT = workload(name="engine", replicas=1, strategy={"type": "Recreate"})
HPA = resource(
    "HorizontalPodAutoscaler",
    "engine",
    {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "engine"}, "maxReplicas": 1}},
)


def verdict(*resources: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, *resources).values()
    return finding.outcome, "; ".join(finding.reasons)


def test_one_that_is_replaced_by_ending_the_old_one_passes() -> None:
    assert verdict(WORKER, DEPLOYMENT) == (Outcome.PASS, "")
    assert verdict(WORKER, changed(DEPLOYMENT, "spec.replicas", GONE)) == (Outcome.PASS, "")
    assert verdict(WORKER, changed(DEPLOYMENT, "spec.replicas", 0)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("spec.replicas", 2, "Deployment shop/engine has 2 replicas"),
        ("spec.strategy", GONE, "Deployment shop/engine starts a new pod before the old one has ended"),
        ("spec.strategy.type", "RollingUpdate", "Deployment shop/engine starts a new pod before the old one has"),
        ("metadata.name", "other", "its Deployment shop/engine is not in this stack"),
        ("metadata.namespace", "elsewhere", "its Deployment shop/engine is not in this stack"),
    ],
)
def test_one_that_may_run_twice_fails(path: str, value: object, fault: str) -> None:
    outcome, reasons = verdict(WORKER, changed(DEPLOYMENT, path, value))
    assert outcome is Outcome.FAIL
    assert reasons.startswith(fault)


def test_one_that_is_scaled_fails() -> None:
    assert verdict(WORKER, DEPLOYMENT, HPA) == (
        Outcome.FAIL,
        "HorizontalPodAutoscaler shop/engine scales Deployment shop/engine",
    )


@pytest.mark.parametrize("singleton", [False, GONE, None, "true"])
def test_others_may_run_twice(singleton: object) -> None:
    assert verdict(changed(WORKER, "singleton", singleton), changed(DEPLOYMENT, "spec.replicas", 2)) == (
        Outcome.NOT_APPLICABLE,
        "more than one at a time do no harm",
    )


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", ["spec", "spec.replicas", "spec.strategy.type", "metadata.name", "metadata.namespace"])
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(WORKER, changed(DEPLOYMENT, path, marker))[0] is Outcome.INCONCLUSIVE
    for key in WORKER.props:
        assert verdict(changed(WORKER, key, marker), DEPLOYMENT)[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    unknown = changed(DEPLOYMENT, "spec.replicas", UNKNOWN)
    assert verdict(WORKER, changed(unknown, "spec.strategy", GONE))[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, DEPLOYMENT, resource("HttpService")) == {}
