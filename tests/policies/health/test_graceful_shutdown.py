"""Rule graceful-shutdown: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.health.graceful_shutdown import DRAIN, RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, patch, resource, workload

POD = "spec.template.spec"
HOOK = f"{POD}.containers.0.lifecycle.preStop"
CONTAINER: dict[str, Any] = {
    "name": "main",
    "ports": [{"name": "http", "containerPort": 8000}],
    "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
}
BARE = {"name": "main", "ports": CONTAINER["ports"]}
SERVICE = resource(
    "Service", "front", {"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}
)


def test_the_annotation_is_the_one_that_is_documented() -> None:
    assert DRAIN == "mainstay.dev/drain-seconds"


def api(container: dict[str, Any] = CONTAINER, grace: object = 50, kind: str = "Deployment", **more: Any) -> Resource:
    return workload(kind, pod={"containers": [container], "terminationGracePeriodSeconds": grace, **more})


def draining(subject: Resource, seconds: object) -> Resource:
    return changed(subject, "spec.template.metadata.annotations", {DRAIN: seconds})


def verdict(subject: Resource, *others: Resource) -> tuple[Outcome, str]:
    findings = judged(RULE, subject, *others)
    finding = findings[next(key for key in findings if key.endswith("/api"))]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Rollout"])
def test_one_that_waits_and_has_time_passes(kind: str) -> None:
    assert verdict(draining(api(kind=kind), "30"), SERVICE) == (Outcome.PASS, "")
    assert verdict(api(BARE, kind=kind), SERVICE)[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("grace", "wait", "drain", "passes"),
    [
        (50, 10, 39, True),
        (50, 10, 40, False),
        (11, 10, 0, True),
        (10, 10, 0, False),
        (None, 29, 0, True),
        (None, 30, 0, False),
        (0, 0, 0, False),
        (1, 0, 0, True),
        (40, 0, 40, False),
    ],
)
def test_grace_is_more_than_waiting_and_draining(grace: object, wait: int, drain: int, passes: bool) -> None:
    subject = draining(changed(api(grace=grace), f"{HOOK}.sleep.seconds", wait), str(drain))
    outcome, reasons = verdict(subject)
    assert (outcome is Outcome.PASS) == passes
    if not passes:
        shown = 30 if grace is None else grace
        assert f"container main waits {wait} s before SIGTERM, may need {drain} s after it, and is killed" in reasons
        assert f"after {shown} s" in reasons


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        (["sleep", "20"], 20),
        (["/bin/sleep", "20"], 20),
        (["sh", "-c", "sleep 20; nginx -s quit"], 20),
        (["sh", "-c", "sleep 20s && sleep 5"], 25),
        (["sh", "-c", "sleep 1m"], 60),
        (["sh", "-c", "sleep 1h"], 3600),
        (["sh", "-c", "nosleep 99"], 0),
        (["sh", "-c", "sleep 99x"], 0),
        (["nginx", "-s", "quit"], 0),
    ],
)
def test_a_command_that_sleeps_is_understood(command: list[str], seconds: int) -> None:
    hook = {"exec": {"command": command}}
    assert verdict(changed(api(grace=seconds + 1), HOOK, hook), SERVICE) == (Outcome.PASS, "")
    assert f"waits {seconds} s" in verdict(changed(api(grace=seconds), HOOK, hook), SERVICE)[1]


@pytest.mark.parametrize(
    "hook", [None, {}, {"sleep": {"seconds": 0}}, {"sleep": {}}, {"exec": {"command": []}}, {"tcpSocket": {"port": 1}}]
)
def test_a_hook_that_does_not_wait_is_none(hook: object) -> None:
    outcome, reasons = verdict(changed(api(), HOOK, hook), SERVICE)
    assert outcome is Outcome.FAIL
    assert reasons.startswith("container main is behind Service shop/front, which sends it requests")
    assert verdict(changed(api(), HOOK, hook)) == (Outcome.PASS, "")


@pytest.mark.parametrize("hook", [{"httpGet": {"port": 1}}, {"exec": {"command": ["leave"]}}])
def test_a_hook_that_waits_as_long_as_it_likes_is_one(hook: object) -> None:
    assert verdict(changed(api(), HOOK, hook), SERVICE) == (Outcome.PASS, "")


def test_a_request_as_hook_says_nothing_of_its_time() -> None:
    assert verdict(changed(api(grace=1), HOOK, {"httpGet": {"port": 1}})) == (Outcome.PASS, "")


def test_a_declared_drain_is_enough_behind_a_service() -> None:
    assert verdict(draining(api(BARE), "30"), SERVICE) == (Outcome.PASS, "")
    assert verdict(draining(api(BARE), "0"), SERVICE) == (Outcome.PASS, "")


@pytest.mark.parametrize("drain", ["30s", "-1", "1.5", "", 30])
def test_a_drain_that_is_no_number_is_at_fault(drain: object) -> None:
    outcome, reasons = verdict(draining(api(), drain))
    assert (outcome, reasons) == (
        Outcome.FAIL,
        f'its annotation {DRAIN} is not a number of seconds such as "30"',
    )


@pytest.mark.parametrize(
    ("path", "value", "behind"),
    [
        ("spec.selector", {"app": "web"}, False),
        ("spec.selector", {}, False),
        ("spec.selector", GONE, False),
        ("metadata.namespace", "elsewhere", False),
        ("spec.ports.0.targetPort", 8000, True),
        ("spec.ports.0.targetPort", 9000, True),
        ("spec.ports.0", {"port": 8000}, True),
        ("spec.ports", [], True),
        ("spec.ports.0.targetPort", "admin", True),
    ],
)
def test_a_service_counts_if_it_leads_there(path: str, value: object, behind: bool) -> None:
    outcome, _ = verdict(api(BARE), changed(SERVICE, path, value))
    assert outcome is (Outcome.FAIL if behind else Outcome.PASS)


def test_only_the_container_that_the_service_leads_to_has_to_wait() -> None:
    exporter = {"name": "exporter", "ports": [{"name": "metrics", "containerPort": 9121}]}
    pair = workload(pod={"containers": [CONTAINER, exporter], "terminationGracePeriodSeconds": 50})
    assert verdict(pair, SERVICE) == (Outcome.PASS, "")
    by_number = changed(SERVICE, "spec.ports", [{"port": 8000}])
    assert verdict(pair, by_number) == (Outcome.PASS, "")
    to_exporter = changed(SERVICE, "spec.ports", [{"port": 80, "targetPort": "http"}, {"port": 9121}])
    assert verdict(pair, to_exporter)[1].startswith("container exporter is behind Service shop/front")
    assert verdict(pair, SERVICE, changed(to_exporter, "metadata.name", "other"))[0] is Outcome.FAIL


def test_a_sidecar_serves_too_and_an_init_container_does_not() -> None:
    proxy = {"name": "proxy", "restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 8080}]}
    main = {"name": "main", "lifecycle": CONTAINER["lifecycle"]}
    pod = {"containers": [main], "initContainers": [proxy], "terminationGracePeriodSeconds": 50}
    assert verdict(workload(pod=pod), SERVICE)[1].startswith("init container proxy is behind Service shop/front")
    migrate = {"name": "migrate", "lifecycle": {"preStop": {"sleep": {"seconds": 99}}}}
    assert verdict(workload(pod={**pod, "initContainers": [migrate], "containers": [CONTAINER]})) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "subject",
    [workload("Job"), workload("CronJob"), workload("Pod", pod={"restartPolicy": "Never", "containers": [BARE]})],
)
def test_what_ends_by_itself_is_not_applicable(subject: Resource) -> None:
    assert verdict(subject, SERVICE) == (
        Outcome.NOT_APPLICABLE,
        "its pods end by themselves; what they may not lose, they do again",
    )


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path",
    [
        "spec",
        POD,
        f"{POD}.containers",
        f"{POD}.containers.0",
        f"{POD}.terminationGracePeriodSeconds",
        HOOK,
        f"{HOOK}.sleep.seconds",
        "spec.template.metadata.annotations",
    ],
)
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(changed(draining(api(), "1"), path, marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["spec", "spec.selector", "spec.selector.app", "metadata.namespace", "spec.ports"])
def test_an_unknown_service_is_inconclusive_where_it_matters(path: str) -> None:
    unknown = changed(SERVICE, path, UNKNOWN)
    assert verdict(api(BARE), unknown)[0] is Outcome.INCONCLUSIVE
    assert verdict(api(), unknown) == (Outcome.PASS, "")


def test_an_unknown_command_is_inconclusive() -> None:
    assert verdict(changed(api(), HOOK, {"exec": {"command": ["sh", "-c", SECRET]}}))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    unknown = {"name": "other", "lifecycle": {"preStop": UNKNOWN}}
    pod = {"containers": [unknown, CONTAINER], "terminationGracePeriodSeconds": 10}
    assert verdict(workload(pod=pod))[0] is Outcome.FAIL
    assert verdict(draining(changed(api(), HOOK, UNKNOWN), "x"))[0] is Outcome.FAIL
    assert verdict(changed(api(BARE), f"{POD}.terminationGracePeriodSeconds", UNKNOWN), SERVICE)[0] is Outcome.FAIL


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    assert verdict(patch(workload()))[0] is Outcome.INCONCLUSIVE
    assert verdict(patch(api(grace=10)))[0] is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, SERVICE, resource("Worker"), resource("Cluster")) == {}
