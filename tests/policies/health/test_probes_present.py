"""Rule probes-present: what trips it, what comes close and must not."""

import copy
from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.health.probes_present import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies import builders
from tests.policies.builders import GONE, changed, judged, patch, resource

PROBE = {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5}
CONTAINER: dict[str, Any] = {
    "name": "api",
    "ports": [{"name": "http", "containerPort": 8000}],
    "startupProbe": PROBE,
    "readinessProbe": PROBE,
    "livenessProbe": PROBE,
}
BARE = {"name": "proxy"}
POD = "spec.template.spec"


def workload(*containers: dict[str, Any], kind: str = "Deployment", init: object = None) -> Resource:
    pod = {"containers": [copy.deepcopy(container) for container in containers or (CONTAINER,)], "initContainers": init}
    return resource(kind, props={"spec": {"template": {"spec": pod}}})


def verdict(subject: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, subject).values()
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"])
def test_every_serving_kind_is_judged(kind: str) -> None:
    assert verdict(workload(kind=kind)) == (Outcome.PASS, "")
    assert verdict(workload(BARE, kind=kind))[0] is Outcome.FAIL


@pytest.mark.parametrize("kind", ["Pod", "Rollout"])
def test_pods_that_nobody_keeps_and_those_of_operators_are_judged(kind: str) -> None:
    assert verdict(builders.workload(kind, pod={"containers": [CONTAINER]})) == (Outcome.PASS, "")
    outcome, reasons = verdict(
        builders.workload(kind, pod={"containers": [CONTAINER, BARE], "restartPolicy": "Always"})
    )
    assert outcome is Outcome.FAIL
    assert "container proxy has no livenessProbe" in reasons


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    outcome, reasons = verdict(patch(workload(BARE)))
    assert outcome is Outcome.INCONCLUSIVE
    assert "not set by this patch" in reasons
    assert verdict(patch(workload({"name": "api", "startupProbe": {"httpGet": {"port": 0}}})))[0] is not Outcome.PASS


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (GONE, "has no {probe}"),
        (None, "has no {probe}"),
        ({}, "{probe} needs exactly one of exec, grpc, httpGet, tcpSocket and has none"),
        ({"periodSeconds": 5}, "{probe} needs exactly one of exec, grpc, httpGet, tcpSocket and has none"),
        ({"httpGet": None}, "{probe} needs exactly one of exec, grpc, httpGet, tcpSocket and has none"),
        ({"httpGet": {"port": 1}, "exec": {"command": ["true"]}}, "and has exec and httpGet"),
        ({"httpGet": {"path": "/"}}, "{probe}.httpGet has no port"),
        ({"httpGet": {"port": True}}, "{probe}.httpGet has the impossible port True"),
        ({"httpGet": {"port": "metrics"}}, "{probe}.httpGet names the port 'metrics', which the container does not"),
        ({"httpGet": {"port": "8000"}}, "{probe}.httpGet names the port '8000'"),
        ({"tcpSocket": {"port": 0}}, "{probe}.tcpSocket has the impossible port 0"),
        ({"tcpSocket": {"port": 65536}}, "{probe}.tcpSocket has the impossible port 65536"),
        ({"grpc": {}}, "{probe}.grpc has no port"),
        ({"exec": {}}, "{probe}.exec has no command"),
        ({"exec": {"command": []}}, "{probe}.exec has no command"),
    ],
)
def test_a_probe_that_cannot_work_fails_and_is_named(probe: str, value: object, clause: str) -> None:
    outcome, reasons = verdict(changed(workload(), f"{POD}.containers.0.{probe}", value))
    assert outcome is Outcome.FAIL
    assert reasons.startswith("container api")
    # A port that is not declared is told at more length.
    said = clause.format(probe=probe)
    assert said in reasons if "names the port" in said else reasons.endswith(said)


@pytest.mark.parametrize(
    "value",
    [
        {"httpGet": {"port": 8000}},
        {"httpGet": {"port": 9000, "path": None}},
        {"tcpSocket": {"port": "http"}},
        {"tcpSocket": {"port": 65535}},
        {"grpc": {"port": 1}},
        {"exec": {"command": ["redis-cli", "ping"]}, "httpGet": None},
        {"exec": {"command": [SECRET]}},
    ],
)
def test_a_probe_that_can_work_passes(value: object) -> None:
    assert verdict(changed(workload(), f"{POD}.containers.0.readinessProbe", value)) == (Outcome.PASS, "")


def test_every_container_counts() -> None:
    outcome, reasons = verdict(workload(CONTAINER, BARE))
    assert outcome is Outcome.FAIL
    assert "container proxy has no startupProbe" in reasons
    assert "container api" not in reasons


def test_a_port_of_another_container_does_not_count() -> None:
    borrowed: dict[str, object] = {**CONTAINER, "name": "proxy", "ports": []}
    assert "container proxy: livenessProbe.httpGet names the port 'http'" in verdict(workload(CONTAINER, borrowed))[1]


def test_an_init_container_needs_probes_only_as_a_sidecar() -> None:
    assert verdict(workload(init=[{"name": "migrate"}])) == (Outcome.PASS, "")
    assert verdict(workload(init=[{**CONTAINER, "name": "log", "restartPolicy": "Always"}])) == (Outcome.PASS, "")
    outcome, reasons = verdict(workload(init=[{"name": "log", "restartPolicy": "Always"}]))
    assert outcome is Outcome.FAIL
    assert "init container log has no readinessProbe" in reasons


@pytest.mark.parametrize("containers", [GONE, [], None])
def test_no_container_at_all_fails(containers: object) -> None:
    outcome, reasons = verdict(changed(workload(), f"{POD}.containers", containers))
    assert (outcome, reasons) == (Outcome.FAIL, f"{POD}.containers names no container")


@pytest.mark.parametrize("kind", ["Job", "CronJob", "Pod", "ScaledJob"])
@pytest.mark.parametrize("restart_policy", ["Never", "OnFailure"])
def test_what_ends_by_itself_is_not_applicable_and_says_why(kind: str, restart_policy: str) -> None:
    assert verdict(builders.workload(kind, pod={"containers": [BARE], "restartPolicy": restart_policy})) == (
        Outcome.NOT_APPLICABLE,
        "its pods end by themselves; their exit code tells how they are",
    )


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path",
    [
        "spec",
        POD,
        f"{POD}.containers",
        f"{POD}.initContainers",
        f"{POD}.containers.0",
        f"{POD}.containers.0.livenessProbe",
        f"{POD}.containers.0.livenessProbe.httpGet",
        f"{POD}.containers.0.livenessProbe.httpGet.port",
        f"{POD}.containers.0.livenessProbe.exec",
        f"{POD}.containers.0.ports",
        f"{POD}.containers.0.ports.0.name",
    ],
)
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    outcome, reasons = verdict(changed(workload(), path, marker))
    assert outcome is Outcome.INCONCLUSIVE
    assert path.rpartition(".")[2] in reasons or "containers[0]" in reasons


def test_an_unknown_sidecar_is_inconclusive() -> None:
    assert verdict(workload(init=[{"name": "log", "restartPolicy": UNKNOWN}]))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["initContainers", "containers.0", "containers.0.startupProbe"])
def test_an_unknown_value_does_not_hide_a_certain_fault(path: str) -> None:
    subject = changed(workload(CONTAINER, CONTAINER), f"{POD}.containers.1.livenessProbe", GONE)
    assert verdict(changed(subject, f"{POD}.{path}", UNKNOWN)) == (Outcome.FAIL, "container api has no livenessProbe")


@pytest.mark.parametrize("path", ["image", "env", "resources", "ports.0.containerPort", "startupProbe.periodSeconds"])
def test_values_it_does_not_need_may_be_unknown(path: str) -> None:
    assert verdict(changed(workload(), f"{POD}.containers.0.{path}", UNKNOWN)) == (Outcome.PASS, "")


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("Cluster"), resource("HttpService")) == {}
