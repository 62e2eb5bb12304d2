"""Rule pod-security-restricted: what trips it, what comes close and must not."""

import copy
from typing import Any

import pytest

from policies import normalise
from policies.model import Outcome
from policies.rules.security.pod_security_restricted import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import EMPTY, GONE, changed, judged, resource

CONTAINER: dict[str, Any] = {
    "name": "api",
    "ports": [{"containerPort": 8000}],
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    "livenessProbe": {"httpGet": {"path": "/", "port": 8000}},
}
CONTEXT: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
SPEC: dict[str, Any] = {
    "securityContext": CONTEXT,
    "containers": [CONTAINER],
    "volumes": [{"name": "t", "emptyDir": {}}],
}
POD = "spec.template.spec"


def deployment(path: str = "", value: object = None, kind: str = "Deployment") -> Resource:
    """A good one; with `path`, what is there in the pod's spec is replaced."""
    subject = resource(kind, props={"spec": {"template": {"spec": copy.deepcopy(SPEC)}}})
    return changed(subject, f"{POD}.{path}", value) if path else subject


def verdict(subject: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, subject).values()
    return finding.outcome, "; ".join(finding.reasons)


SAFE_SYSCTLS = (
    *("kernel.shm_rmid_forced", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"),
    *("net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout"),
    *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time"),
    *("net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem"),
)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *((kind, POD) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")),
        ("ReplicationController", POD),
        ("Pod", "spec"),
        ("PodTemplate", "template.spec"),
        ("CronJob", "spec.jobTemplate.spec.template.spec"),
        ("ScaledJob", "spec.jobTargetRef.template.spec"),
    ],
)
def test_pods_are_judged_wherever_they_are(kind: str, path: str) -> None:
    props: Any = copy.deepcopy(SPEC)
    for key in reversed(path.split(".")):
        props = {key: props}
    subject = resource(kind, props=props)
    assert verdict(subject) == (Outcome.PASS, "")
    assert verdict(changed(subject, f"{path}.hostPID", True)) == (Outcome.FAIL, f"{path}.hostPID is not false")


OF_CONTEXT: list[tuple[str, object, str]] = [
    ("runAsUser", 0, "runAsUser is 0"),
    ("seccompProfile", {"type": "Unconfined"}, "seccompProfile.type is neither RuntimeDefault nor Localhost"),
    ("seccompProfile", {}, "seccompProfile.type is neither"),
    ("appArmorProfile", {"type": "Unconfined"}, "appArmorProfile.type is neither RuntimeDefault nor Localhost"),
    ("seLinuxOptions", {"type": "spc_t"}, "seLinuxOptions.type is not one of a container"),
    ("seLinuxOptions", {"user": "system_u"}, "seLinuxOptions sets a user or a role"),
    ("seLinuxOptions", {"role": "sysadm_r"}, "seLinuxOptions sets a user or a role"),
]
FINE_IN_CONTEXT: list[tuple[str, object]] = [
    ("runAsUser", 1),
    ("runAsUser", None),
    ("seccompProfile", {"type": "Localhost", "localhostProfile": "a.json"}),
    ("appArmorProfile", {"type": "RuntimeDefault"}),
    ("appArmorProfile", {"type": "Localhost"}),
    ("appArmorProfile", None),
    ("seLinuxOptions", {"type": "container_t", "level": "s0:c1", "user": "", "role": None}),
    ("seLinuxOptions", {"type": "container_init_t"}),
    ("seLinuxOptions", {"type": "container_kvm_t"}),
    ("seLinuxOptions", {"type": "container_engine_t"}),
    ("seLinuxOptions", {}),
]
OF_CONTAINER: list[tuple[str, object, str]] = [
    ("securityContext", GONE, "allowPrivilegeEscalation is not false"),
    ("securityContext", GONE, "capabilities.drop is without ALL"),
    ("securityContext.privileged", True, "privileged is not false"),
    ("securityContext.privileged", "true", "privileged is not false"),
    ("securityContext.allowPrivilegeEscalation", True, "allowPrivilegeEscalation is not false"),
    ("securityContext.allowPrivilegeEscalation", None, "allowPrivilegeEscalation is not false"),
    ("securityContext.runAsNonRoot", False, "runAsNonRoot is not true"),
    ("securityContext.capabilities.drop", [], "capabilities.drop is without ALL"),
    ("securityContext.capabilities.drop", ["NET_RAW"], "capabilities.drop is without ALL"),
    ("securityContext.capabilities.drop", ["all"], "capabilities.drop is without ALL"),
    ("securityContext.capabilities.add", ["NET_BIND_SERVICE", "NET_RAW"], "capabilities.add has more than"),
    ("securityContext.procMount", "Unmasked", "procMount is not Default"),
    ("ports", [{"containerPort": 1}, {"hostPort": 80}], "it takes a port of its node"),
    ("livenessProbe.httpGet.host", "10.0.0.1", "a probe or a hook names a host"),
    ("readinessProbe", {"tcpSocket": {"host": "db"}}, "a probe or a hook names a host"),
    ("startupProbe", {"tcpSocket": {"host": "db"}}, "a probe or a hook names a host"),
    ("lifecycle", {"preStop": {"httpGet": {"host": "db"}}}, "a probe or a hook names a host"),
    ("lifecycle", {"postStart": {"httpGet": {"host": "db"}}}, "a probe or a hook names a host"),
]
FINE_IN_CONTAINER: list[tuple[str, object]] = [
    ("securityContext.privileged", False),
    ("securityContext.runAsNonRoot", None),
    ("securityContext.capabilities.drop", ["NET_RAW", "ALL"]),
    ("securityContext.capabilities.add", ["NET_BIND_SERVICE"]),
    ("securityContext.capabilities.add", []),
    ("securityContext.procMount", "Default"),
    ("ports", [{"hostPort": 0}, {"hostPort": None}]),
    ("livenessProbe.httpGet.host", ""),
    ("lifecycle", {"preStop": {"sleep": {"seconds": 5}}}),
]
ROLES = {
    "containers": "container api",
    "initContainers": "init container api",
    "ephemeralContainers": "ephemeral container api",
}


def in_container(role: str, path: str, value: object) -> Resource:
    """A good pod with one more container, which is changed."""
    further = [CONTAINER, copy.deepcopy(CONTAINER)] if role == "containers" else [copy.deepcopy(CONTAINER)]
    return changed(deployment(role, further), f"{POD}.{role}.{len(further) - 1}.{path}", value)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("path", "value", "clause"),
    [*OF_CONTAINER, *((f"securityContext.{field}", value, clause) for field, value, clause in OF_CONTEXT)],
)
def test_every_container_counts_whatever_the_pod_says(role: str, path: str, value: object, clause: str) -> None:
    outcome, reasons = verdict(in_container(role, path, value))
    assert outcome is Outcome.FAIL
    assert f"{ROLES[role]}: {clause}" in reasons


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("path", "value"), [*FINE_IN_CONTAINER, *((f"securityContext.{field}", value) for field, value in FINE_IN_CONTEXT)]
)
def test_near_misses_of_containers_pass(role: str, path: str, value: object) -> None:
    assert verdict(in_container(role, path, value)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value", "clause"),
    [
        *((f"securityContext.{field}", value, f"the pod: {clause}") for field, value, clause in OF_CONTEXT),
        ("securityContext.runAsNonRoot", False, "the pod: runAsNonRoot is false"),
        ("hostNetwork", True, "hostNetwork is not false"),
        ("hostIPC", True, "hostIPC is not false"),
        ("hostPID", "true", "hostPID is not false"),
        (
            "volumes",
            [{"name": "a", "emptyDir": EMPTY}, {"name": "b", "hostPath": EMPTY}],
            "volume b is of type hostPath",
        ),
        ("volumes", [{"name": "b", "nfs": {"server": "x"}}], "volume b is of type nfs"),
        ("volumes", [{"name": "b", "newKind": EMPTY}], "volume b is of type newKind"),
        ("volumes", [{"hostPath": EMPTY}], f"volume {POD}.volumes[0] is of type hostPath"),
        ("securityContext.sysctls", [{"name": "net.ipv4.tcp_rmem"}, {"name": "kernel.msgmax"}], "sysctl kernel.msgmax"),
        ("securityContext.sysctls", [EMPTY], "sysctls[0] is not one of the safe ones"),
        ("containers", [], "spec.template.spec.containers names no container"),
        ("containers", GONE, "spec.template.spec.containers names no container"),
    ],
)
def test_what_the_pod_says_counts_though_all_containers_are_in_order(path: str, value: object, clause: str) -> None:
    own = {**CONTAINER, "securityContext": {**CONTAINER["securityContext"], **CONTEXT, "runAsUser": 1}}
    outcome, reasons = verdict(changed(deployment("containers", [own]), f"{POD}.{path}", value))
    assert outcome is Outcome.FAIL
    assert clause in reasons
    assert "container api" not in reasons


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((f"securityContext.{field}", value) for field, value in FINE_IN_CONTEXT),
        ("hostNetwork", False),
        ("hostPID", None),
        ("volumes", GONE),
        ("securityContext.sysctls", [{"name": name} for name in SAFE_SYSCTLS]),
        (
            "volumes",
            [
                {"name": kind, kind: EMPTY, "hostPath": None}
                for kind in (
                    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
                    *("image", "persistentVolumeClaim", "projected", "secret"),
                )
            ],
        ),
    ],
)
def test_near_misses_of_pods_pass(path: str, value: object) -> None:
    assert verdict(deployment(path, value)) == (Outcome.PASS, "")


@pytest.mark.parametrize("field", ["runAsNonRoot", "seccompProfile"])
def test_what_a_container_does_not_say_is_its_pods_to_say(field: str) -> None:
    silent = changed(deployment(), f"{POD}.securityContext.{field}", GONE)
    clause = {"runAsNonRoot": "runAsNonRoot is not true", "seccompProfile": "it has no seccompProfile"}[field]
    assert verdict(silent) == (Outcome.FAIL, f"container api: {clause}")
    assert verdict(changed(silent, f"{POD}.containers.0.securityContext.{field}", CONTEXT[field]))[0] is Outcome.PASS


def test_a_container_cannot_mend_what_its_pod_forbids_itself() -> None:
    loose = changed(deployment(), f"{POD}.containers.0.securityContext.runAsNonRoot", False)
    assert verdict(loose) == (Outcome.FAIL, "container api: runAsNonRoot is not true")


ANNOTATION = "container.apparmor.security.beta.kubernetes.io/api"


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("unconfined", Outcome.FAIL),
        ("runtime/other", Outcome.FAIL),
        ("runtime/default", Outcome.PASS),
        ("localhost/mine", Outcome.PASS),
        ("", Outcome.PASS),
        (UNKNOWN, Outcome.INCONCLUSIVE),
    ],
)
def test_the_old_annotation_of_apparmor_counts(value: object, outcome: Outcome) -> None:
    metadata = {"annotations": {ANNOTATION: value, "example.org/profile": "unconfined"}}
    assert verdict(changed(deployment(), "spec.template.metadata", metadata))[0] is outcome


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path",
    [
        *("securityContext", "containers", "containers.0", "volumes", "volumes.0", "hostPID", "initContainers"),
        *("securityContext.runAsNonRoot", "securityContext.seccompProfile.type", "ephemeralContainers"),
        *(f"containers.0.{field}" for field in ("securityContext", "ports", "ports.0", "livenessProbe")),
        *(f"containers.0.securityContext.{field}" for field in ("allowPrivilegeEscalation", "capabilities.drop")),
        "containers.0.securityContext.capabilities.drop.0",
    ],
)
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(deployment(path, marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("volumes", [UNKNOWN, {"name": "b", "hostPath": EMPTY}]),
        ("containers", [UNKNOWN, {**CONTAINER, "securityContext": EMPTY}]),
        ("containers", [{**CONTAINER, "ports": [{"hostPort": UNKNOWN}, {"hostPort": 1}]}]),
        ("initContainers", [{**CONTAINER, "name": SECRET, "securityContext": {"privileged": True}}]),
        (
            "containers",
            [{**CONTAINER, "securityContext": {"runAsNonRoot": UNKNOWN, "allowPrivilegeEscalation": True}}],
        ),
    ],
)
def test_an_unknown_value_does_not_hide_a_certain_fault(path: str, value: object) -> None:
    assert verdict(deployment(path, value))[0] is Outcome.FAIL


@pytest.mark.parametrize("path", ["containers.0.image", "containers.0.ports.0.containerPort", "volumes.0.emptyDir"])
def test_values_it_does_not_need_may_be_unknown(path: str) -> None:
    assert verdict(deployment(path, UNKNOWN)) == (Outcome.PASS, "")


def sent(type_token: str, props: dict[str, Any]) -> Resource:
    """The last resource that an object becomes behind the border: itself, or the last of a list."""
    return list(normalise.resources("urn:x::" + type_token + "::x", type_token, "x", props, {}))[-1]


def test_a_patch_is_judged_by_what_it_sets() -> None:
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "api", "securityContext": {"privileged": True}}]}}}}
    assert verdict(sent("kubernetes:apps/v1:DeploymentPatch", patch)) == (
        Outcome.FAIL,
        "container api: privileged is not false",
    )
    silent = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "x"}]}}}}
    assert verdict(sent("kubernetes:apps/v1:DeploymentPatch", silent))[0] is Outcome.INCONCLUSIVE
    assert verdict(sent("kubernetes:apps/v1:DeploymentPatch", {"spec": {"replicas": 2}}))[0] is Outcome.INCONCLUSIVE


def test_a_list_is_judged_object_by_object() -> None:
    bad = {"spec": {"template": {"spec": {**SPEC, "hostNetwork": True}}}}
    listed = sent("kubernetes:apps/v1:DeploymentList", {"items": [bad]})
    assert verdict(listed)[0] is Outcome.FAIL


PROMETHEUS = resource("Prometheus", props={"spec": {"securityContext": CONTEXT, "image": "x"}})


@pytest.mark.parametrize("kind", ["Prometheus", "Alertmanager", "ThanosRuler", "PrometheusAgent"])
def test_prometheus_operator_gives_its_containers_what_the_resource_does_not_say(kind: str) -> None:
    subject = resource(kind, props=dict(PROMETHEUS.props))
    assert verdict(subject) == (Outcome.PASS, "")
    for path, value in (
        ("securityContext", GONE),
        ("securityContext", {"runAsNonRoot": True}),
        ("securityContext", {"seccompProfile": {"type": "RuntimeDefault"}}),
        ("securityContext.runAsUser", 0),
        ("hostNetwork", True),
        ("volumes", [{"name": "b", "hostPath": EMPTY}]),
        ("containers", [{"name": "proxy"}]),
        ("initContainers", [{"name": "proxy"}]),
        ("containers", [{"name": "config-reloader", "securityContext": {"privileged": True}}]),
        ("containers", [{"name": "config-reloader", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]),
        ("initContainers", [{"name": "init-config-reloader", "securityContext": {"allowPrivilegeEscalation": True}}]),
    ):
        assert verdict(changed(subject, f"spec.{path}", value))[0] is Outcome.FAIL, path
    for path, value in (
        ("containers", [{"name": "config-reloader", "resources": EMPTY, "securityContext": None}]),
        ("containers", [CONTAINER]),
        ("initContainers", [{"name": "init-config-reloader", "securityContext": {"capabilities": {"add": None}}}]),
    ):
        assert verdict(changed(subject, f"spec.{path}", value)) == (Outcome.PASS, ""), path
    for path in ("spec", "spec.securityContext", "spec.containers", "spec.initContainers"):
        assert verdict(changed(subject, path, UNKNOWN))[0] is Outcome.INCONCLUSIVE, path


@pytest.mark.parametrize(
    ("spec", "outcome"),
    [
        (EMPTY, Outcome.PASS),
        ({"podSecurityContext": {"fsGroup": 26}}, Outcome.PASS),
        ({"securityContext": {"readOnlyRootFilesystem": False}}, Outcome.PASS),
        ({"seccompProfile": {"type": "Localhost"}}, Outcome.PASS),
        ({"seccompProfile": {"type": "Unconfined"}}, Outcome.FAIL),
        ({"podSecurityContext": {"runAsUser": 0}}, Outcome.FAIL),
        ({"podSecurityContext": {"runAsNonRoot": False}}, Outcome.FAIL),
        ({"securityContext": {"privileged": True}}, Outcome.FAIL),
        ({"securityContext": {"capabilities": {"drop": None}}}, Outcome.FAIL),
        ({"securityContext": {"runAsNonRoot": False}}, Outcome.FAIL),
        ({"podSecurityContext": UNKNOWN}, Outcome.INCONCLUSIVE),
        ({"securityContext": UNKNOWN}, Outcome.INCONCLUSIVE),
        ({"seccompProfile": SECRET}, Outcome.INCONCLUSIVE),
        (UNKNOWN, Outcome.INCONCLUSIVE),
    ],
)
def test_cloudnativepg_gives_what_the_cluster_does_not_say(spec: object, outcome: Outcome) -> None:
    assert verdict(resource("Cluster", props={"spec": spec}))[0] is outcome


@pytest.mark.parametrize(
    ("spec", "outcome"),
    [
        (EMPTY, Outcome.PASS),
        ({"template": None}, Outcome.PASS),
        ({"template": {"spec": {"containers": [{"name": "pgbouncer"}], "securityContext": EMPTY}}}, Outcome.PASS),
        ({"template": {"spec": {"containers": [{"name": "pgbouncer", "securityContext": EMPTY}]}}}, Outcome.PASS),
        ({"template": {"spec": {"containers": [{"name": "proxy"}]}}}, Outcome.FAIL),
        ({"template": {"spec": {"containers": None, "hostNetwork": True}}}, Outcome.FAIL),
        ({"template": UNKNOWN}, Outcome.INCONCLUSIVE),
        ({"template": {"spec": UNKNOWN}}, Outcome.INCONCLUSIVE),
        ({"template": {"spec": {"containers": UNKNOWN}}}, Outcome.INCONCLUSIVE),
    ],
)
def test_of_a_pooler_the_operator_takes_the_security_contexts_over(spec: object, outcome: Outcome) -> None:
    assert verdict(resource("Pooler", props={"spec": spec}))[0] is outcome


ENFORCE = "pod-security.kubernetes.io/enforce"


@pytest.mark.parametrize(
    ("labels", "outcome", "clause"),
    [
        ({ENFORCE: "restricted"}, Outcome.PASS, ""),
        ({ENFORCE: "restricted", f"{ENFORCE}-version": "latest"}, Outcome.PASS, ""),
        ({ENFORCE: "restricted", f"{ENFORCE}-version": "v1.25"}, Outcome.PASS, ""),
        ({ENFORCE: "restricted", f"{ENFORCE}-version": "v1.34"}, Outcome.PASS, ""),
        ({ENFORCE: "restricted", f"{ENFORCE}-version": "v1.24"}, Outcome.FAIL, f"its label {ENFORCE}-version is"),
        ({ENFORCE: "restricted", f"{ENFORCE}-version": "newest"}, Outcome.FAIL, f"its label {ENFORCE}-version is"),
        ({ENFORCE: "baseline"}, Outcome.FAIL, f"its label {ENFORCE} is 'baseline', not 'restricted'"),
        ({"pod-security.kubernetes.io/warn": "restricted"}, Outcome.FAIL, f"it has no label {ENFORCE}"),
        (None, Outcome.FAIL, f"it has no label {ENFORCE}"),
        ({ENFORCE: UNKNOWN}, Outcome.INCONCLUSIVE, ENFORCE),
        (UNKNOWN, Outcome.INCONCLUSIVE, "metadata.labels"),
        ({ENFORCE: UNKNOWN, f"{ENFORCE}-version": "v1.19"}, Outcome.FAIL, f"{ENFORCE}-version is 'v1.19'"),
    ],
)
def test_a_namespace_enforces_it(labels: object, outcome: Outcome, clause: str) -> None:
    found, reasons = verdict(resource("Namespace", props={"metadata": {"name": "shop", "labels": labels}}))
    assert found is outcome
    assert clause in reasons


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("HttpService"), resource("ScheduledBackup")) == {}
