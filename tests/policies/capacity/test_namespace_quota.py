"""Rule namespace-quota: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.capacity.namespace_quota import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource, workload

NAMESPACE = resource("Namespace", "shop", {"metadata": {"name": "shop"}})
HARD: dict[str, object] = {"requests.cpu": "8", "requests.memory": "8Gi", "limits.memory": "16Gi", "pods": "10"}
QUOTA = resource("ResourceQuota", "quota", {"spec": {"hard": HARD}})
DEFAULTS = {"type": "Container", "defaultRequest": {"cpu": "50m", "memory": "1Mi"}, "default": {"memory": "1Mi"}}
RANGE = resource("LimitRange", "limits", {"spec": {"limits": [DEFAULTS]}})
GOOD = {"ResourceQuota": QUOTA, "LimitRange": RANGE}


def asks(cpu: str = "1", memory: str = "1Gi", limit: str = "2Gi", **more: Any) -> dict[str, Any]:
    return {
        "name": "main",
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}},
        **more,
    }


def api(*containers: dict[str, Any], kind: str = "Deployment", spec: Any = None, **pod: Any) -> Resource:
    of_pod = {"containers": list(containers or (asks(),)), **pod}
    return workload(kind, "api", of_pod, **(spec or {"replicas": 2}))


def verdict(*more: Resource, **replaced: Resource | None) -> tuple[Outcome, str]:
    parts = [part for part in {**GOOD, **replaced}.values() if part]
    finding = judged(RULE, NAMESPACE, *parts, *more)["Namespace/shop"]
    return finding.outcome, "; ".join(finding.reasons)


def test_a_namespace_with_quota_and_defaults_passes() -> None:
    assert verdict() == (Outcome.PASS, "")
    assert verdict(api()) == (Outcome.PASS, "")


@pytest.mark.parametrize("key", sorted(HARD))
def test_each_missing_limit_fails_and_is_named(key: str) -> None:
    hard = {name: amount for name, amount in HARD.items() if name != key}
    assert verdict(ResourceQuota=changed(QUOTA, "spec.hard", hard)) == (
        Outcome.FAIL,
        f"no ResourceQuota in it limits {key}",
    )
    hard[key] = "many"
    outcome, reasons = verdict(ResourceQuota=changed(QUOTA, "spec.hard", hard))
    assert outcome is Outcome.FAIL
    assert reasons.startswith(f"ResourceQuota shop/quota: spec.hard.{key} is not a quantity")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.hard", GONE),
        ("spec.scopes", ["BestEffort"]),
        ("spec.scopeSelector", {"matchExpressions": []}),
        ("metadata.namespace", "elsewhere"),
    ],
)
def test_a_quota_that_is_not_for_all_its_pods_is_none(path: str, value: object) -> None:
    outcome, reasons = verdict(ResourceQuota=changed(QUOTA, path, value))
    assert outcome is Outcome.FAIL
    assert reasons.count("no ResourceQuota in it limits") == 4


@pytest.mark.parametrize(
    ("path", "value", "faults"),
    [
        ("metadata.namespace", "elsewhere", 3),
        ("spec.limits", [], 3),
        ("spec.limits.0.type", "Pod", 3),
        ("spec.limits.0.defaultRequest", GONE, 1),
        ("spec.limits.0.default", GONE, 1),
        ("spec.limits.0.defaultRequest", {"memory": "1Mi"}, 1),
    ],
)
def test_each_missing_default_fails(path: str, value: object, faults: int) -> None:
    outcome, reasons = verdict(LimitRange=changed(RANGE, path, value))
    assert outcome is Outcome.FAIL
    said = reasons.split("; ")
    wanted = ("a request of CPU", "a request of memory", "a limit of memory")
    assert len(said) == faults
    assert set(said) <= {f"no LimitRange in it gives {each} to containers that have none" for each in wanted}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.limits.0.defaultRequest", {"cpu": "1"}),
        ("spec.limits.0", {"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}}),
        ("spec.limits.0", {"type": "Container", "max": {"cpu": "1", "memory": "1Gi"}}),
        ("spec.limits", [{"type": "Pod"}, DEFAULTS]),
    ],
)
def test_a_limit_stands_in_for_a_default_request(path: str, value: object) -> None:
    assert verdict(LimitRange=changed(RANGE, path, value)) == (Outcome.PASS, "")


@pytest.mark.parametrize("missing", ["ResourceQuota", "LimitRange"])
def test_a_namespace_without_one_fails(missing: str) -> None:
    outcome, reasons = verdict(**{missing: None})
    assert outcome is Outcome.FAIL
    assert f"no {missing} in it" in reasons


def test_other_keys_for_the_same_count() -> None:
    hard = {"count/pods": "10", "cpu": "8", "memory": "8Gi", "limits.memory": "16Gi"}
    assert verdict(api(), ResourceQuota=changed(QUOTA, "spec.hard", hard)) == (Outcome.PASS, "")
    assert (
        "its pods come to 11, and"
        in verdict(api(spec={"replicas": 11}), ResourceQuota=changed(QUOTA, "spec.hard", hard))[1]
    )


SIDECAR = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("subject", "cpu"),
    [
        (api(spec={"replicas": 4}), "4"),
        (api(spec={"replicas": 0}), "0"),
        (api(spec={"strategy": {}}), "1"),
        (api(asks(), asks(), spec={"replicas": 2}), "4"),
        (api(asks(), {"name": "bare"}, spec={"replicas": 2}), "2"),
        # One after the other: the largest counts, or the others together.
        (api(initContainers=[asks("3"), asks("2")], spec={"replicas": 1}), "3"),
        (api(asks("2"), initContainers=[asks("1")], spec={"replicas": 1}), "2"),
        # Sidecars run beside those that come after them.
        (api(asks("2"), initContainers=[asks("1", **SIDECAR)], spec={"replicas": 1}), "3"),
        (api(asks("1"), initContainers=[asks("1", **SIDECAR), asks("4")], spec={"replicas": 1}), "5"),
        (api(asks("1"), initContainers=[asks("4"), asks("1", **SIDECAR)], spec={"replicas": 1}), "4"),
        (api(overhead={"cpu": "250m"}, spec={"replicas": 2}), "2.5"),
        (api(resources={"requests": {"cpu": "3"}}, overhead={"cpu": "1"}, spec={"replicas": 1}), "4"),
        (api(kind="DaemonSet"), "1"),
        (api(kind="Pod"), "1"),
        (api(kind="Job", spec={"parallelism": 3}), "3"),
        (api(kind="Job", spec={"completions": 3}), "1"),
        (api(kind="CronJob", spec={"parallelism": 2}), "2"),
        (api(kind="StatefulSet", spec={"replicas": 3}), "3"),
        (resource("Cluster", props={"spec": {"instances": 3, "resources": asks("2")["resources"]}}), "6"),
        (resource("Alertmanager", props={"spec": {"replicas": 2, "resources": asks()["resources"]}}), "2"),
    ],
)
def test_it_counts_what_the_scheduler_counts(subject: Resource, cpu: str) -> None:
    def allowing(amount: float) -> tuple[Outcome, str]:
        hard = {"limits.memory": "1Ti", "requests.memory": "1Ti", "pods": "100", "requests.cpu": f"{amount:.0f}m"}
        return verdict(subject, ResourceQuota=changed(QUOTA, "spec.hard", hard))

    total = float(cpu) * 1000
    assert allowing(total) == (Outcome.PASS, "")
    outcome, reasons = allowing(total - 1)
    assert outcome is Outcome.FAIL
    assert f"its requests.cpu come to {cpu}, and ResourceQuota shop/quota allows" in reasons


def test_each_sum_is_compared() -> None:
    assert verdict(api(spec={"replicas": 8}))[0] is Outcome.PASS
    outcome, reasons = verdict(api(spec={"replicas": 9}))
    assert outcome is Outcome.FAIL
    assert reasons.split("; ") == [
        "its requests.cpu come to 9, and ResourceQuota shop/quota allows 8",
        "its requests.memory come to 9216Mi, and ResourceQuota shop/quota allows 8192Mi",
        "its limits.memory come to 18432Mi, and ResourceQuota shop/quota allows 16384Mi",
    ]


def test_all_workloads_of_the_namespace_are_summed_and_no_others() -> None:
    more = changed(api(kind="StatefulSet", spec={"replicas": 7}), "metadata.name", "more")
    assert "its requests.cpu come to 9" in verdict(api(), more)[1]
    assert verdict(api(), changed(more, "metadata.namespace", "elsewhere")) == (Outcome.PASS, "")


def test_a_limit_of_the_whole_pod_counts() -> None:
    assert verdict(api(resources={"limits": {"memory": "17Gi"}}, spec={"replicas": 1})) == (
        Outcome.FAIL,
        "its limits.memory come to 17408Mi, and ResourceQuota shop/quota allows 16384Mi",
    )


def test_small_amounts_are_told_too() -> None:
    quota = changed(QUOTA, "spec.hard", {**HARD, "requests.memory": "1Mi", "limits.memory": 1048575})
    outcome, reasons = verdict(api(asks(memory="1Mi", limit="1Mi")), ResourceQuota=quota)
    assert outcome is Outcome.FAIL
    assert reasons.split("; ") == [
        "its requests.memory come to 2Mi, and ResourceQuota shop/quota allows 1Mi",
        "its limits.memory come to 2Mi, and ResourceQuota shop/quota allows 1048575",
    ]


def test_what_has_no_pods_counts_nothing_wherever_it_is() -> None:
    store = resource("ObjectStore", "store", {"spec": {"instanceSidecarConfiguration": asks("99")}})
    assert verdict(store, changed(resource("Service"), "metadata.namespace", UNKNOWN)) == (Outcome.PASS, "")


def test_every_quota_must_hold() -> None:
    second = changed(changed(QUOTA, "metadata.name", "second"), "spec.hard", {"pods": "1"})
    other = Resource(second.urn.replace("quota", "second"), second.type, "second", second.props)
    assert verdict(api(), other) == (Outcome.FAIL, "its pods come to 2, and ResourceQuota shop/second allows 1")


def test_an_autoscaler_counts_with_what_it_may_make() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    hpa = resource("HorizontalPodAutoscaler", "api", {"spec": {"scaleTargetRef": target, "maxReplicas": 11}})
    assert "its pods come to 11" in verdict(api(), hpa)[1]


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ResourceQuota", "spec"),
        ("ResourceQuota", "spec.hard"),
        ("ResourceQuota", "spec.scopes"),
        ("ResourceQuota", "metadata.namespace"),
        ("LimitRange", "spec.limits"),
        ("LimitRange", "spec.limits.0.type"),
        ("LimitRange", "metadata.namespace"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(kind: str, path: str, marker: object) -> None:
    part = GOOD[kind] if path != "spec.scopes" else changed(QUOTA, "spec.scopes", [])
    assert verdict(**{kind: changed(part, path, marker)})[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    "path",
    [
        "spec.replicas",
        "spec.template.spec.containers",
        "spec.template.spec.containers.0.resources.requests.cpu",
        "metadata.namespace",
    ],
)
def test_a_workload_that_cannot_be_read_is_inconclusive_unless_the_rest_is_too_much(path: str) -> None:
    unknown = changed(api(), path, UNKNOWN)
    assert verdict(unknown)[0] is Outcome.INCONCLUSIVE
    too_much = api(kind="StatefulSet", spec={"replicas": 9})
    assert verdict(unknown, too_much)[0] is Outcome.FAIL
    assert verdict(changed(api(), "spec.template.spec.containers.0.resources.requests.cpu", "x"))[0] is (
        Outcome.INCONCLUSIVE
    )


@pytest.mark.parametrize("name", [UNKNOWN, SECRET, "", GONE])
def test_a_namespace_without_a_known_name_is_inconclusive(name: object) -> None:
    (finding,) = judged(RULE, changed(NAMESPACE, "metadata.name", name), QUOTA, RANGE).values()
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.reasons[0].startswith("metadata.name is ")


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, QUOTA, RANGE, api(), resource("Worker")) == {}
