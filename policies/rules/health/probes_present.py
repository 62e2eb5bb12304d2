"""Containers that serve have readiness, liveness and startup probes that can work."""

from functools import partial

from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.pods import Container, Pod, each_running, pods, serving
from policies.stack import Resource, Stack
from policies.values import Node

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if not pods(resource):
        return None
    served = serving(resource)
    if not served:
        return Verdict(not_applicable="its pods end by themselves; their exit code tells how they are")
    return verdict([check for pod in served for check in _checks(pod)])


def _checks(pod: Pod) -> list[Check]:
    checks: list[Check] = [partial(_container_faults, pod.spec.at("containers"))]
    for probe_name in _PROBES:
        checks += each_running(pod, partial(_probe_faults, probe_name))
    return checks


def _container_faults(containers: Node) -> list[str]:
    return [] if containers.items() else [f"{containers.path} names no container"]


def _probe_faults(probe_name: str, container: Container) -> list[str]:
    where = container.title
    probe = container.node.at(probe_name)
    if probe.known() is None:
        return [f"{where} has no {probe_name}"]
    handlers = [name for name in _HANDLERS if probe.at(name).known() is not None]
    if len(handlers) != 1:
        found = " and ".join(handlers) or "none"
        return [f"{where}: {probe_name} needs exactly one of {', '.join(_HANDLERS)} and has {found}"]
    handler = probe.at(handlers[0])
    fault = _command_fault(handler) if handlers[0] == "exec" else _port_fault(container.node, handler)
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
