"""Rule requests-limits: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.capacity.requests_limits import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, patch, resource, workload

RESOURCES = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
MAIN: dict[str, Any] = {"name": "main", "resources": RESOURCES}
BARE = {"name": "other"}
POD = "spec.template.spec"
OWN = f"{POD}.containers.0.resources"
NOTHING = "{0} requests no cpu; {0} requests no memory; {0} has no memory limit"


def api(kind: str = "Deployment", **more: Any) -> Resource:
    return workload(kind, pod={"containers": [MAIN], **more})


def verdict(subject: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, subject).values()
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Rollout", "ScaledJob"]
)
def test_every_kind_with_pods_is_judged(kind: str) -> None:
    assert verdict(api(kind)) == (Outcome.PASS, "")
    assert verdict(workload(kind, pod={"containers": [MAIN, BARE]})) == (
        Outcome.FAIL,
        NOTHING.format("container other"),
    )


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("requests.cpu", GONE, "container main requests no cpu"),
        ("requests.cpu", "0", "container main requests no cpu"),
        ("requests.cpu", "lots", "container main: spec.template.spec.containers[0].resources.requests.cpu is not a"),
        ("limits.memory", GONE, "container main has no memory limit"),
        ("limits.memory", "0", "container main has no memory limit"),
        ("limits.memory", "127Mi", "container main requests more memory than its limit"),
        ("requests.memory", "0.3Gi", "container main requests more memory than its limit"),
        ("requests.memory", "0", "container main requests no memory"),
        ("limits", GONE, "container main has no memory limit"),
    ],
)
def test_each_missing_piece_fails_and_is_named(path: str, value: object, fault: str) -> None:
    outcome, reasons = verdict(changed(api(), f"{OWN}.{path}", value))
    assert outcome is Outcome.FAIL
    assert reasons.startswith(fault)
    assert ";" not in reasons


def test_an_impossible_limit_is_no_limit() -> None:
    assert verdict(changed(api(), f"{OWN}.limits.memory", "much")) == (
        Outcome.FAIL,
        "container main has no memory limit",
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("limits.memory", "128Mi"),
        ("limits.memory", 134217728),
        ("requests.cpu", 1),
        # A limit alone is a request too.
        ("requests", {"cpu": "1"}),
        ("limits", {"cpu": "1", "memory": "256Mi"}),
        ("limits.cpu", "10m"),
    ],
)
def test_near_misses_pass(path: str, value: object) -> None:
    assert verdict(changed(api(), f"{OWN}.{path}", value)) == (Outcome.PASS, "")


def test_a_limit_of_cpu_is_a_request_of_it() -> None:
    only_limits = {"limits": {"cpu": "1", "memory": "256Mi"}}
    assert verdict(changed(api(), OWN, only_limits)) == (Outcome.PASS, "")


def test_init_containers_and_sidecars_count_and_ephemeral_ones_cannot() -> None:
    sidecar = {"name": "log", "restartPolicy": "Always"}
    assert verdict(api(initContainers=[BARE]))[1] == NOTHING.format("init container other")
    assert verdict(api(initContainers=[sidecar]))[1] == NOTHING.format("init container log")
    assert verdict(api(ephemeralContainers=[BARE])) == (Outcome.PASS, "")


def test_resources_of_the_whole_pod_count_for_its_containers() -> None:
    assert verdict(workload(pod={"containers": [BARE], "resources": RESOURCES})) == (Outcome.PASS, "")
    tight = {"name": "main", "resources": {"requests": {"memory": "512Mi"}}}
    assert verdict(workload(pod={"containers": [tight], "resources": RESOURCES})) == (
        Outcome.FAIL,
        "container main requests more memory than its limit",
    )


def test_no_container_at_all_fails() -> None:
    assert verdict(changed(api(), f"{POD}.containers", [])) == (Outcome.FAIL, "it names no container")


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("Cluster", (), "postgres"),
        ("Prometheus", (), "prometheus"),
        ("PrometheusAgent", (), "prometheus"),
        ("Alertmanager", (), "alertmanager"),
        ("ThanosRuler", (), "thanos-ruler"),
        ("ObjectStore", ("instanceSidecarConfiguration",), "plugin-barman-cloud"),
    ],
)
def test_what_an_operator_makes_asks_as_its_resource_says(kind: str, path: tuple[str, ...], name: str) -> None:
    spec: dict[str, Any] = {"resources": RESOURCES}
    for key in path:
        spec = {key: spec}
    assert verdict(resource(kind, props={"spec": spec})) == (Outcome.PASS, "")
    assert verdict(resource(kind, props={"spec": {}})) == (Outcome.FAIL, NOTHING.format(f"container {name}"))
    unknown = resource(kind, props={"spec": UNKNOWN})
    assert verdict(unknown)[0] is Outcome.INCONCLUSIVE


def test_containers_added_to_those_of_an_operator_count() -> None:
    server = resource("Alertmanager", props={"spec": {"resources": RESOURCES, "containers": [BARE]}})
    assert verdict(server) == (Outcome.FAIL, NOTHING.format("container other"))
    first = changed(server, "spec.containers", [])
    assert verdict(changed(first, "spec.initContainers", [BARE]))[1] == NOTHING.format("init container other")
    own = ("prometheus", "alertmanager", "thanos-ruler", "thanos-sidecar", "config-reloader", "init-config-reloader")
    for name in own:
        merged = changed(server, "spec.containers", [{"name": name, "args": ["x"]}])
        assert verdict(merged) == (Outcome.PASS, "")
        assert verdict(changed(merged, "spec.containers.0.resources", RESOURCES)) == (
            Outcome.INCONCLUSIVE,
            "spec.containers[0].resources, merged into what the operator sets, is not known before the deployment",
        )


def test_a_pooler_says_it_in_its_template() -> None:
    pooler = resource("Pooler", "pool", {"spec": {"instances": 2}})
    template = {"spec": {"containers": [{"name": "pgbouncer", "resources": RESOURCES}]}}
    missing = NOTHING.format("container pgbouncer")
    assert verdict(pooler) == (Outcome.FAIL, missing)
    assert verdict(changed(pooler, "spec.template", template)) == (Outcome.PASS, "")
    assert verdict(changed(pooler, "spec.template", {"spec": {"containers": [MAIN]}})) == (Outcome.FAIL, missing)
    other = {"spec": {"containers": [BARE, {"name": "pgbouncer", "resources": RESOURCES}]}}
    assert verdict(changed(pooler, "spec.template", other))[1] == NOTHING.format("container other")
    assert verdict(changed(pooler, "spec.template", UNKNOWN))[0] is Outcome.INCONCLUSIVE
    assert verdict(changed(pooler, "spec.template", {"spec": UNKNOWN}))[0] is Outcome.INCONCLUSIVE
    assert verdict(changed(pooler, "spec.template", {"spec": {"containers": [BARE]}}))[1].count("requests no cpu") == 2


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path",
    ["spec", f"{POD}.containers", f"{POD}.initContainers", OWN, f"{OWN}.requests.cpu", f"{OWN}.limits.memory"],
)
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(changed(api(initContainers=[MAIN]), path, marker))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    subject = changed(api(), f"{OWN}.requests.cpu", UNKNOWN)
    assert verdict(changed(subject, f"{OWN}.limits.memory", GONE)) == (
        Outcome.FAIL,
        "container main has no memory limit",
    )


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    assert verdict(patch(workload()))[0] is Outcome.INCONCLUSIVE
    assert verdict(patch(changed(api(), f"{OWN}.limits.memory", "1Mi")))[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("Worker"), resource("ScheduledBackup")) == {}
