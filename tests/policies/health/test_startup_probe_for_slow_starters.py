"""Rule startup-probe-for-slow-starters: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.health.startup_probe_for_slow_starters import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, patch, resource, workload

POD = "spec.template.spec"
STARTUP = f"{POD}.containers.0.startupProbe"
MOUNTED: dict[str, Any] = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}


def container(period: object = 5, failures: object = 6, **more: Any) -> dict[str, Any]:
    probe = {"tcpSocket": {"port": 1}}
    startup = {**probe, "periodSeconds": period, "failureThreshold": failures}
    return {"name": "main", "image": "shop/api:1", "livenessProbe": probe, "startupProbe": startup, **more}


def api(kind: str = "Deployment", spec: dict[str, Any] | None = None, pod: Any = None, **of: Any) -> Resource:
    return workload(kind, pod={"containers": [container(**of)], **(pod or {})}, **(spec or {}))


def verdict(subject: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, subject).values()
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Rollout"])
def test_every_serving_kind_is_judged(kind: str) -> None:
    assert verdict(api(kind)) == (Outcome.PASS, "")
    assert verdict(api(kind, failures=5)) == (
        Outcome.FAIL,
        "container main is given 25 s to start (startupProbe), not 30 s",
    )


@pytest.mark.parametrize(
    ("probe", "passes"),
    [
        ({}, True),
        ({"periodSeconds": 9}, False),
        ({"failureThreshold": 2}, False),
        ({"failureThreshold": 2, "initialDelaySeconds": 10}, True),
        ({"failureThreshold": 2, "initialDelaySeconds": 9}, False),
        ({"periodSeconds": 1, "failureThreshold": 30}, True),
        ({"periodSeconds": 1, "failureThreshold": 29}, False),
    ],
)
def test_the_time_is_threshold_times_period_with_the_defaults_of_kubernetes(
    probe: dict[str, Any], passes: bool
) -> None:
    assert (verdict(changed(api(), STARTUP, probe))[0] is Outcome.PASS) == passes


def test_an_initial_delay_is_no_substitute() -> None:
    delayed = changed(changed(api(), STARTUP, GONE), f"{POD}.containers.0.livenessProbe.initialDelaySeconds", 600)
    assert verdict(delayed) == (
        Outcome.FAIL,
        "container main has a livenessProbe and no startupProbe; an initial delay is a guess",
    )


def test_without_a_liveness_probe_nothing_restarts_it() -> None:
    assert verdict(changed(api(failures=1), f"{POD}.containers.0.livenessProbe", GONE)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "more",
    [
        {"image": "quay.io/keycloak/keycloak:26.7.3"},
        {"image": "docker.io/library/eclipse-temurin:21"},
        {"image": "openjdk:21"},
        {"image": "shop/api-java21:1"},
        {"image": "shop/Spring-app:1"},
        {"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1g"}]},
        {"env": [{"name": "X"}, {"name": "KC_JAVA_OPTS"}], "image": UNKNOWN},
        {"command": ["/usr/bin/java", "-jar", "app.jar"]},
        {"args": ["java", "-jar", "app.jar"]},
    ],
)
def test_java_needs_longer(more: dict[str, Any]) -> None:
    assert verdict(api(failures=23, **more)) == (
        Outcome.FAIL,
        "container main runs Java and is given 115 s to start (startupProbe), not 120 s",
    )
    assert verdict(api(failures=24, **more)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "more",
    [
        {"image": "shop/javascript:1"},
        {"image": "shop/kafkaesque:1"},
        {"env": [{"name": "NOT_JAVA"}]},
        {"args": ["serve", "java"]},
        {"command": ["javac"]},
    ],
)
def test_what_only_sounds_like_java_does_not(more: dict[str, Any]) -> None:
    assert verdict(api(**more)) == (Outcome.PASS, "")


CLAIMS = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
VOLUME = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "files"}}]}
KEEPS = "container main reads back what it keeps and is given 30 s to start (startupProbe), not 120 s"


def test_what_keeps_data_needs_longer() -> None:
    assert verdict(api("StatefulSet", CLAIMS, **MOUNTED)) == (Outcome.FAIL, KEEPS)
    assert verdict(api("Deployment", pod=VOLUME, **MOUNTED)) == (Outcome.FAIL, KEEPS)
    assert verdict(api("StatefulSet", CLAIMS, failures=24, **MOUNTED)) == (Outcome.PASS, "")


def test_who_does_not_mount_it_does_not() -> None:
    assert verdict(api("StatefulSet", CLAIMS)) == (Outcome.PASS, "")
    other: dict[str, Any] = {"volumeMounts": [{"name": "tmp", "mountPath": "/x"}]}
    assert verdict(api("StatefulSet", CLAIMS, **other)) == (Outcome.PASS, "")
    assert verdict(api(pod={"volumes": [{"name": "data", "emptyDir": {}}]}, **MOUNTED)) == (Outcome.PASS, "")


def test_sidecars_count_and_init_containers_do_not() -> None:
    log = {**container(failures=1), "name": "log"}
    pod = {"containers": [container()], "initContainers": [{**log, "restartPolicy": "Always"}]}
    assert "init container log is given 5 s" in verdict(workload(pod=pod))[1]
    assert verdict(workload(pod={**pod, "initContainers": [log]})) == (Outcome.PASS, "")


def test_what_ends_by_itself_is_not_applicable() -> None:
    for subject in (workload("Job"), workload("CronJob")):
        assert verdict(subject) == (Outcome.NOT_APPLICABLE, "its pods end by themselves; they take the time they take")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("subject", "path"),
    [
        (api(), "spec"),
        (api(), f"{POD}.containers"),
        (api(), f"{POD}.containers.0.livenessProbe"),
        (api(), STARTUP),
        (api(), f"{STARTUP}.periodSeconds"),
        (api(), f"{POD}.containers.0.image"),
        (api(args=["x"]), f"{POD}.containers.0.args"),
        (api(args=["x"]), f"{POD}.containers.0.args.0"),
        (api("StatefulSet", CLAIMS, **MOUNTED), f"{POD}.containers.0.volumeMounts"),
        (api("StatefulSet", CLAIMS, **MOUNTED), "spec.volumeClaimTemplates"),
        (api(pod=VOLUME, **MOUNTED), f"{POD}.volumes"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(subject: Resource, path: str, marker: object) -> None:
    assert verdict(changed(subject, path, marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["image", "env", "args", "volumeMounts"])
def test_what_does_not_matter_may_be_unknown(path: str) -> None:
    assert verdict(api("StatefulSet", CLAIMS, failures=24, **{path: UNKNOWN})) == (Outcome.PASS, "")
    assert verdict(api("StatefulSet", CLAIMS, failures=1, **{path: UNKNOWN}))[0] is Outcome.FAIL


def test_an_unknown_reason_does_not_hide_another() -> None:
    assert verdict(api("StatefulSet", CLAIMS, image=UNKNOWN, **MOUNTED)) == (Outcome.FAIL, KEEPS)
    both = changed(api("StatefulSet", CLAIMS, image=UNKNOWN), f"{POD}.containers.0.volumeMounts", UNKNOWN)
    assert verdict(both)[1] == f"{POD}.containers[0].image is not known before the deployment"
    unnamed = [{"name": UNKNOWN}, {"name": "JAVA_OPTS"}]
    assert "runs Java" in verdict(api(env=unnamed))[1]


def test_a_patch_leaves_open_what_it_does_not_say() -> None:
    assert verdict(patch(workload()))[0] is Outcome.INCONCLUSIVE
    assert verdict(patch(api(failures=1)))[0] is Outcome.INCONCLUSIVE
    assert verdict(changed(patch(api()), "metadata.name", "x"))[0] is Outcome.PASS


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("Worker"), resource("Cluster")) == {}
