"""Every pod keeps Kubernetes' Pod Security Standard `restricted`, and its namespace refuses those that do not."""

import re
from collections.abc import Callable
from functools import partial

from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.operators import all_pods
from policies.pods import Container, Pod, Role
from policies.stack import Resource, Stack
from policies.values import Node, any_of

# The standard as of Kubernetes 1.34 (k8s.io/pod-security-admission/policy), without its exceptions for Windows and for
# pods in a user namespace of their own.
_VOLUMES = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
        *("image", "persistentVolumeClaim", "projected", "secret"),
    }
)
_PROFILES = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_CAPABILITY = "NET_BIND_SERVICE"
_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
_CALLS = ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle.postStart", "lifecycle.preStop")
_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"

_NAMESPACE = "core/Namespace"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_VERSION = re.compile(r"v1\.(?P<minor>[0-9]{1,3})")
_OLDEST_MINOR = 25
"""Earlier versions of the standard ask for less."""


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if resource.kind == _NAMESPACE:
        labels = resource.root.at("metadata", "labels")
        return verdict([partial(_level_faults, labels), partial(_version_faults, labels)])
    found = all_pods(resource)
    return verdict([check for pod in found for check in _checks(pod)]) if found else None


def _level_faults(labels: Node) -> list[str]:
    level = labels.at(_ENFORCE).text()
    if level == "restricted":
        return []
    return [f"its label {_ENFORCE} is {level!r}, not 'restricted'" if level else f"it has no label {_ENFORCE}"]


def _version_faults(labels: Node) -> list[str]:
    version = labels.at(f"{_ENFORCE}-version").text()
    match = _VERSION.fullmatch(version)
    if version in ("", "latest") or (match and int(match["minor"]) >= _OLDEST_MINOR):
        return []
    return [f"its label {_ENFORCE}-version is {version!r}, neither latest nor v1.{_OLDEST_MINOR} or later"]


def _checks(pod: Pod) -> list[Check]:
    spec, context = pod.spec, pod.spec.at("securityContext")
    checks: list[Check] = [
        partial(_no_container_faults, spec.at("containers")),
        partial(_own_root_faults, context),
        partial(_apparmor_annotation_faults, pod.template.at("metadata", "annotations")),
        *(partial(_host_faults, spec.at(name)) for name in _HOST_NAMESPACES),
        *each(spec.at("volumes"), _volume_faults),
        *each(context.at("sysctls"), _sysctl_faults),
        *(partial(check, "the pod", context) for check in _CONTEXT_CHECKS),
    ]
    for role, field in _ROLES.items():
        for check in _CONTEXT_CHECKS:
            checks += each(spec.at(field), partial(_in_container, role, check))
        for check in _CONTAINER_CHECKS:
            checks += each(spec.at(field), partial(_of_container, role, context, check))
    return checks


def _no_container_faults(containers: Node) -> list[str]:
    return [] if containers.items() else [f"{containers.path} names no container"]


def _host_faults(flag: Node) -> list[str]:
    return [] if flag.known() in (None, False) else [f"{flag.path} is not false"]


def _own_root_faults(context: Node) -> list[str]:
    return ["the pod: runAsNonRoot is false"] if context.at("runAsNonRoot").known() is False else []


def _apparmor_annotation_faults(annotations: Node) -> list[str]:
    names = [name for name in annotations.keys() if name.startswith(_APPARMOR_ANNOTATION)]  # noqa: SIM118 (a Node)
    unprotected = any_of(names, lambda name: not _is_profile(annotations.at(name).text()))
    return [f"an annotation {_APPARMOR_ANNOTATION}… names no profile that protects"] if unprotected else []


def _is_profile(annotation: str) -> bool:
    return annotation in ("", "runtime/default") or annotation.startswith("localhost/")


def _volume_faults(volume: Node) -> list[str]:
    kinds = [kind for kind in volume.keys() if kind != "name" and kind not in _VOLUMES]  # noqa: SIM118 (a Node)
    used = [kind for kind in kinds if volume.at(kind).known() is not None]
    return [f"volume {volume.at('name').text() or volume.path} is of type {kind}" for kind in used]


def _sysctl_faults(sysctl: Node) -> list[str]:
    name = sysctl.at("name").text()
    return [] if name in _SYSCTLS else [f"sysctl {name or sysctl.path} is not one of the safe ones"]


# Asked of a pod's security context as of a container's.


def _user_faults(where: str, context: Node) -> list[str]:
    return [f"{where}: runAsUser is 0"] if context.at("runAsUser").known() == 0 else []


def _seccomp_faults(where: str, context: Node) -> list[str]:
    return _profile_faults(where, context, "seccompProfile")


def _apparmor_faults(where: str, context: Node) -> list[str]:
    return _profile_faults(where, context, "appArmorProfile")


def _profile_faults(where: str, context: Node, field: str) -> list[str]:
    profile = context.at(field)
    if profile.known() is None or profile.at("type").text() in _PROFILES:
        return []
    return [f"{where}: {field}.type is neither {' nor '.join(_PROFILES)}"]


def _selinux_type_faults(where: str, context: Node) -> list[str]:
    allowed = context.at("seLinuxOptions", "type").text() in _SELINUX_TYPES
    return [] if allowed else [f"{where}: seLinuxOptions.type is not one of a container"]


def _selinux_identity_faults(where: str, context: Node) -> list[str]:
    options = context.at("seLinuxOptions")
    identity = any_of(("user", "role"), lambda field: bool(options.at(field).text()))
    return [f"{where}: seLinuxOptions sets a user or a role"] if identity else []


_CONTEXT_CHECKS: tuple[Callable[[str, Node], list[str]], ...] = (
    _user_faults,
    _seccomp_faults,
    _apparmor_faults,
    _selinux_type_faults,
    _selinux_identity_faults,
)


def _in_container(role: Role, check: Callable[[str, Node], list[str]], node: Node) -> list[str]:
    return check(Container(node, role).title, node.at("securityContext"))


# Asked of a container, given its own security context and its pod's: each is a clause that holds of it, or empty.


def _privileged(container: Node, context: Node, pod: Node) -> str:
    return "" if context.at("privileged").known() in (None, False) else "privileged is not false"


def _escalation(container: Node, context: Node, pod: Node) -> str:
    return "" if context.at("allowPrivilegeEscalation").known() is False else "allowPrivilegeEscalation is not false"


def _root(container: Node, context: Node, pod: Node) -> str:
    own = context.at("runAsNonRoot").known()
    known = pod.at("runAsNonRoot").known() if own is None else own
    return "" if known is True else "runAsNonRoot is not true"


def _no_seccomp(container: Node, context: Node, pod: Node) -> str:
    given = any_of((context, pod), lambda each: each.at("seccompProfile").known() is not None)
    return "" if given else "it has no seccompProfile"


def _kept_capabilities(container: Node, context: Node, pod: Node) -> str:
    dropped = context.at("capabilities", "drop").items()
    return "" if any_of(dropped, lambda each: each.known() == "ALL") else "capabilities.drop is without ALL"


def _added_capabilities(container: Node, context: Node, pod: Node) -> str:
    added = context.at("capabilities", "add").items()
    more = any_of(added, lambda each: each.known() != _CAPABILITY)
    return f"capabilities.add has more than {_CAPABILITY}" if more else ""


def _proc(container: Node, context: Node, pod: Node) -> str:
    return "" if context.at("procMount").known() in (None, "Default") else "procMount is not Default"


def _host_port(container: Node, context: Node, pod: Node) -> str:
    taken = any_of(container.at("ports").items(), lambda port: port.at("hostPort").known() not in (None, 0))
    return "it takes a port of its node (hostPort)" if taken else ""


def _host_of_call(container: Node, context: Node, pod: Node) -> str:
    """Probes and hooks reach the pod; given a host, the node's kubelet calls that."""
    hosts = [container.at(*call.split("."), how, "host") for call in _CALLS for how in ("httpGet", "tcpSocket")]
    return "a probe or a hook names a host" if any_of(hosts, lambda host: bool(host.text())) else ""


_CONTAINER_CHECKS: tuple[Callable[[Node, Node, Node], str], ...] = (
    _privileged,
    _escalation,
    _root,
    _no_seccomp,
    _kept_capabilities,
    _added_capabilities,
    _proc,
    _host_port,
    _host_of_call,
)


def _of_container(role: Role, pod: Node, check: Callable[[Node, Node, Node], str], node: Node) -> list[str]:
    clause = check(node, node.at("securityContext"), pod)
    return [f"{Container(node, role).title}: {clause}"] if clause else []


_ROLES = {Role.MAIN: "containers", Role.INIT: "initContainers", Role.EPHEMERAL: "ephemeralContainers"}


RULE = Rule(
    id="pod-security-restricted",
    theme=Theme.SECURITY,
    title="Every pod keeps the Pod Security Standard restricted, and its namespace enforces it",
    why="Whoever breaks into a container that has more rights than it needs goes on to the node and to all its pods.",
    applies_to="pods wherever they are described, custom resources of operators included; namespaces",
    severity=Severity.HIGH,
    controls=(
        "PSS baseline",
        "PSS restricted",
        *(f"CIS Kubernetes 1.9 5.2.{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 12, 13)),
        "CIS Kubernetes 1.9 5.7.2",
        "CIS Kubernetes 1.9 5.7.3",
        "SOC 2 CC6.8",
        "ISO/IEC 27001:2022 8.9",
        "NIST 800-53 r5 AC-6",
        "NIST 800-53 r5 CM-7",
    ),
    remediation=(
        "Set the securityContext of the pod (runAsNonRoot, seccompProfile) and of each container "
        "(allowPrivilegeEscalation: false, capabilities.drop: [ALL]), and take away what reaches the node."
    ),
    judge=_judge,
)
