"""Containers that serve have readiness, liveness and startup probes that can work."""

from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import FINISHING, SERVING, pod_spec
from policies.stack import Resource, Stack
from policies.values import Node

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if resource.kind in FINISHING:
        return Verdict(not_applicable="its pods end by themselves; their exit code tells how they are")
    if resource.kind not in SERVING:
        return None
    pod = pod_spec(resource)
    checks = [partial(_container_faults, pod.at("containers"))]
    for probe_name in _PROBES:
        checks += each(pod.at("containers"), partial(_probe_faults, probe_name))
        checks += each(pod.at("initContainers"), partial(_sidecar_faults, probe_name))
    return verdict(checks)


def _container_faults(containers: Node) -> list[str]:
    return [] if containers.items() else [f"{containers.path} names no container"]


def _sidecar_faults(probe_name: str, init_container: Node) -> list[str]:
    # An init container that is always restarted is a sidecar: it runs as long as the others.
    if init_container.at("restartPolicy").text() != "Always":
        return []
    return _probe_faults(probe_name, init_container)


def _probe_faults(probe_name: str, container: Node) -> list[str]:
    where = f"container {container.at('name').text() or container.path}"
    probe = container.at(probe_name)
    if probe.known() is None:
        return [f"{where} has no {probe_name}"]
    handlers = [name for name in _HANDLERS if probe.at(name).known() is not None]
    if len(handlers) != 1:
        found = " and ".join(handlers) or "none"
        return [f"{where}: {probe_name} needs exactly one of {', '.join(_HANDLERS)} and has {found}"]
    handler = probe.at(handlers[0])
    fault = _command_fault(handler) if handlers[0] == "exec" else _port_fault(container, handler)
    return [f"{where}: {probe_name}.{handlers[0]} {fault}"] if fault else []


def _command_fault(handler: Node) -> str:
    return "" if handler.at("command").items() else "has no command"


def _port_fault(container: Node, handler: Node) -> str:
    port = handler.at("port").known()
    if port is None:
        return "has no port"
    if isinstance(port, int):
        return "" if 1 <= port <= 65535 and not isinstance(port, bool) else f"has the impossible port {port}"
    if any(declared.at("name").value == port for declared in container.at("ports").items()):
        return ""
    # A port whose name cannot be read may be the one.
    for declared in container.at("ports").items():
        declared.at("name").known()
    return f"names the port {port!r}, which the container does not declare"


RULE = Rule(
    id="probes-present",
    theme=Theme.HEALTH,
    title="Every container that serves has a startup, a readiness and a liveness probe",
    why="Without them a pod that hangs keeps its traffic, and one that still starts is killed or asked too early.",
    applies_to="workloads whose pods run until they are stopped, sidecars included",
    severity=Severity.HIGH,
    controls=("SOC 2 A1.2", "SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4", "NIST 800-53 r5 SI-13"),
    remediation="Declare the probe on the container; liveness must not depend on other services.",
    judge=_judge,
)
