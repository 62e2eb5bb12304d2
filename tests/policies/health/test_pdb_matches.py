"""Rule pdb-matches: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.health.pdb_matches import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, patch, resource, workload

API = workload(replicas=3)
BUDGET = resource(
    "PodDisruptionBudget",
    "api",
    {
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {"app": "api"}},
        }
    },
)
SECOND = resource("PodDisruptionBudget", "second", {"spec": BUDGET.props["spec"]})
HPA = resource(
    "HorizontalPodAutoscaler",
    "api",
    {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 1,
            "maxReplicas": 4,
        }
    },
)
CLUSTER = resource("Cluster", props={"spec": {"instances": 3}})
OF_CLUSTER = changed(BUDGET, "spec.selector.matchLabels", {"cnpg.io/cluster": "main"})


def of(key: str, *resources: Resource) -> tuple[Outcome, str]:
    finding = judged(RULE, *resources)[key]
    return finding.outcome, "; ".join(finding.reasons)


def workload_with(budget: Resource, *more: Resource) -> tuple[Outcome, str]:
    return of("Deployment/api", API, budget, *more)


def budget_with(path: str, value: object, api: Resource = API, *more: Resource) -> tuple[Outcome, str]:
    return of("PodDisruptionBudget/api", changed(BUDGET, path, value) if path else BUDGET, api, *more)


def sized(replicas: int, **size: object) -> tuple[Outcome, str]:
    budget = changed(BUDGET, "spec.maxUnavailable", GONE)
    for key, value in size.items():
        budget = changed(budget, f"spec.{key}", value)
    return of("PodDisruptionBudget/api", budget, workload(replicas=replicas))


def test_one_budget_that_allows_a_drain_passes() -> None:
    assert workload_with(BUDGET) == (Outcome.PASS, "")
    assert budget_with("", None) == (Outcome.PASS, "")


@pytest.mark.parametrize("kind", ["StatefulSet", "ReplicaSet", "Rollout"])
def test_every_kind_with_replicas_needs_one(kind: str) -> None:
    subject = workload(kind, replicas=2)
    assert of(f"{kind}/api", subject, BUDGET) == (Outcome.PASS, "")
    assert of(f"{kind}/api", subject) == (Outcome.FAIL, "no PodDisruptionBudget of its namespace selects its pods")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.selector", GONE),
        ("spec.selector", None),
        ("spec.selector.matchLabels.app", "web"),
        ("spec.selector.matchLabels", {"app": "api", "tier": "web"}),
        ("metadata.namespace", "elsewhere"),
        ("spec.selector.matchExpressions", [{"key": "app", "operator": "NotIn", "values": ["api"]}]),
    ],
)
def test_a_budget_that_selects_nothing_is_at_fault_and_helps_nobody(path: str, value: object) -> None:
    assert workload_with(changed(BUDGET, path, value))[0] is Outcome.FAIL
    assert budget_with(path, value) == (Outcome.FAIL, "it selects nothing that a drain would evict")


@pytest.mark.parametrize("selector", [{}, {"matchExpressions": [{"key": "app", "operator": "Exists"}]}])
def test_selectors_are_those_of_kubernetes(selector: object) -> None:
    assert workload_with(changed(BUDGET, "spec.selector", selector)) == (Outcome.PASS, "")


def test_two_budgets_for_the_same_pods_are_none() -> None:
    message = "more than one budget is about its pods, so that none of them can be evicted: "
    named = "PodDisruptionBudget shop/api, PodDisruptionBudget shop/second"
    assert workload_with(BUDGET, SECOND) == (Outcome.FAIL, message + named)
    assert of("Deployment/api", workload(replicas=1), BUDGET, SECOND)[0] is Outcome.FAIL
    assert of("Deployment/api", changed(API, "spec.replicas", UNKNOWN), BUDGET, SECOND)[0] is Outcome.FAIL
    assert workload_with(BUDGET, changed(SECOND, "spec.selector.matchLabels.app", "web")) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("replicas", "size", "clause"),
    [
        (3, {"minAvailable": 3}, "it lets none of 3 pods go, which blocks every drain"),
        (3, {"minAvailable": 4}, "it lets none of 3 pods go"),
        (3, {"minAvailable": "100%"}, "it lets none of 3 pods go"),
        (3, {"minAvailable": "67%"}, "it lets none of 3 pods go"),
        (3, {"maxUnavailable": 0}, "it lets none of 3 pods go"),
        (3, {"maxUnavailable": "0%"}, "it lets none of 3 pods go"),
        (1, {"minAvailable": 1}, "it lets none of 1 pods go"),
        (3, {"maxUnavailable": 3}, "it lets all of 3 pods go at once, which protects nothing"),
        (3, {"maxUnavailable": 9}, "it lets all of 3 pods go at once"),
        (3, {"maxUnavailable": "67%"}, "it lets all of 3 pods go at once"),
        (2, {"minAvailable": 0}, "it lets all of 2 pods go at once"),
        (3, {}, "it needs exactly one of minAvailable and maxUnavailable"),
        (3, {"minAvailable": 1, "maxUnavailable": 1}, "it needs exactly one of minAvailable and maxUnavailable"),
        (3, {"maxUnavailable": "1"}, "spec.maxUnavailable is neither a number nor a percentage such as 50%"),
        (3, {"minAvailable": "x%"}, "spec.minAvailable is neither a number nor a percentage such as 50%"),
        (3, {"minAvailable": -1}, "spec.minAvailable is neither a number nor a percentage such as 50%"),
    ],
)
def test_a_budget_of_the_wrong_size_is_at_fault(replicas: int, size: dict[str, object], clause: str) -> None:
    outcome, reasons = sized(replicas, **size)
    assert outcome is Outcome.FAIL
    assert clause in reasons


@pytest.mark.parametrize(
    ("replicas", "size"),
    [
        (3, {"minAvailable": 2}),
        (3, {"minAvailable": "66%"}),
        (3, {"minAvailable": "50%"}),
        (3, {"maxUnavailable": "1%"}),
        (3, {"maxUnavailable": "66%"}),
        (3, {"maxUnavailable": 2}),
        (1, {"maxUnavailable": 1}),
        (1, {"minAvailable": 0}),
        (0, {"minAvailable": 1}),
        (2, {"minAvailable": 1}),
    ],
)
def test_percentages_are_rounded_as_kubernetes_does(replicas: int, size: dict[str, object]) -> None:
    assert sized(replicas, **size) == (Outcome.PASS, "")


@pytest.mark.parametrize("value", [GONE, "IfHealthyBudget", ""])
def test_a_pod_that_never_gets_well_must_not_block(value: object) -> None:
    outcome, reasons = budget_with("spec.unhealthyPodEvictionPolicy", value)
    assert outcome is Outcome.FAIL
    assert reasons == (
        "spec.unhealthyPodEvictionPolicy is not AlwaysAllow, so that a pod that never gets well blocks a drain"
    )


def test_a_budget_counts_all_the_pods_it_selects() -> None:
    kept = changed(changed(changed(BUDGET, "spec.selector", {}), "spec.maxUnavailable", GONE), "spec.minAvailable", 4)
    web = workload("StatefulSet", "web", replicas=2)
    assert of("PodDisruptionBudget/api", kept, API, web) == (Outcome.PASS, "")
    assert "none of 5 pods" in of("PodDisruptionBudget/api", changed(kept, "spec.minAvailable", 5), API, web)[1]


def test_an_autoscaler_decides_how_many_there_are() -> None:
    one = workload(replicas=1)
    assert of("Deployment/api", one, HPA)[0] is Outcome.FAIL
    kept = changed(changed(BUDGET, "spec.maxUnavailable", GONE), "spec.minAvailable", 1)
    assert "none of 1 pods" in of("PodDisruptionBudget/api", kept, API, HPA)[1]
    assert of("PodDisruptionBudget/api", kept, API, changed(HPA, "spec.minReplicas", 2)) == (Outcome.PASS, "")
    four = changed(BUDGET, "spec.maxUnavailable", 4)
    assert "all of 4 pods" in of("PodDisruptionBudget/api", four, API, HPA)[1]


def test_a_database_has_budgets_of_its_operator() -> None:
    without = changed(CLUSTER, "spec.enablePDB", False)
    assert of("Cluster/main", CLUSTER) == (Outcome.PASS, "")
    assert of("Cluster/main", without)[0] is Outcome.FAIL
    assert of("Cluster/main", without, OF_CLUSTER) == (Outcome.PASS, "")
    outcome, reasons = of("Cluster/main", CLUSTER, OF_CLUSTER)
    assert outcome is Outcome.FAIL
    assert reasons.endswith("PodDisruptionBudget shop/api, the operator's own (spec.enablePDB)")


def test_a_single_pod_may_have_a_budget() -> None:
    assert of("Deployment/api", workload(replicas=1), BUDGET)[0] is Outcome.NOT_APPLICABLE
    assert of("Cluster/main", changed(CLUSTER, "spec.instances", 2)) == (Outcome.PASS, "")


def test_a_database_of_one_instance_must_not_have_them() -> None:
    one = changed(CLUSTER, "spec.instances", 1)
    assert of("Cluster/main", one) == (
        Outcome.FAIL,
        "the operator's own (spec.enablePDB) blocks every drain of the node of its only instance",
    )
    assert of("Cluster/main", changed(one, "spec.enablePDB", False))[0] is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (workload(), "it has one pod at the most, which no budget can keep up during a drain"),
        (workload(replicas=0), "it has one pod at the most, which no budget can keep up during a drain"),
        (workload("DaemonSet"), "a drain leaves the pods of a DaemonSet where they are"),
    ],
)
def test_what_no_budget_helps_is_not_applicable(subject: Resource, why: str) -> None:
    (finding,) = judged(RULE, subject).values()
    assert (finding.outcome, finding.reasons) == (Outcome.NOT_APPLICABLE, (why,))


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("path", "of_workload", "of_budget"),
    [
        ("spec", Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        ("spec.selector", Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        ("spec.selector.matchLabels.app", Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        ("metadata.namespace", Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        ("spec.maxUnavailable", Outcome.PASS, Outcome.INCONCLUSIVE),
        ("spec.unhealthyPodEvictionPolicy", Outcome.PASS, Outcome.INCONCLUSIVE),
    ],
)
def test_what_cannot_be_read_is_inconclusive(
    path: str, marker: object, of_workload: Outcome, of_budget: Outcome
) -> None:
    assert workload_with(changed(BUDGET, path, marker))[0] is of_workload
    assert budget_with(path, marker)[0] is of_budget


@pytest.mark.parametrize("path", ["spec.replicas", "spec.template", "spec.template.metadata.labels", "metadata"])
def test_an_unknown_workload_is_inconclusive_and_so_is_its_budget(path: str) -> None:
    unknown = changed(API, path, UNKNOWN)
    (key,) = [key for key in judged(RULE, unknown) if key.startswith("Deployment")]
    assert of(key, unknown, BUDGET)[0] is Outcome.INCONCLUSIVE
    assert of("PodDisruptionBudget/api", unknown, BUDGET)[0] is Outcome.INCONCLUSIVE


def test_a_possible_second_budget_leaves_it_open() -> None:
    assert workload_with(BUDGET, changed(SECOND, "spec.selector", UNKNOWN))[0] is Outcome.INCONCLUSIVE
    possible = changed(workload("StatefulSet", "web", replicas=2), "spec.template.metadata.labels", UNKNOWN)
    assert budget_with("", None, API, possible)[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    for path, value in (("spec.selector", UNKNOWN), ("spec.maxUnavailable", UNKNOWN)):
        bad = changed(changed(BUDGET, path, value), "spec.unhealthyPodEvictionPolicy", GONE)
        assert of("PodDisruptionBudget/api", bad, API)[0] is Outcome.FAIL
    malformed = changed(BUDGET, "spec.maxUnavailable", "1")
    assert of("PodDisruptionBudget/api", malformed, changed(API, "spec.replicas", UNKNOWN))[0] is Outcome.FAIL


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    assert of("Deployment/api", patch(workload()), BUDGET)[0] is Outcome.INCONCLUSIVE
    assert of("Deployment/api", patch(API), BUDGET) == (Outcome.PASS, "")
    assert of("Deployment/api", patch(API))[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("Worker"), workload("Job"), workload("Pod")) == {}
