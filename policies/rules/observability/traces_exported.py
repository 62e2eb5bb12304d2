"""Every service and worker sends its spans somewhere where they are kept."""

from functools import partial

from policies.collecting import Ways, address, telemetry
from policies.model import Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import DEPLOYMENT, STATEFUL_SET, pods
from policies.stack import Matches, Resource, Stack
from policies.values import Node, Undecided

_SERVICES = frozenset({"mainstay:index:HttpService", "mainstay:index:Worker"})
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""As the SDKs of OpenTelemetry read them, the more particular one first."""
_NEVER = ("always_off", "parentbased_always_off")
_BY_SHARE = ("traceidratio", "parentbased_traceidratio")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind not in _SERVICES:
        return None
    namespace = resource.root.at("namespace").text()
    found = [stack.find(kind, namespace, ("metadata", "name"), resource.name) for kind in (DEPLOYMENT, STATEFUL_SET)]
    workloads = [workload for matches in found for workload in matches.certain]
    if not workloads:
        return _without_workload(resource, found)
    main = [pod.spec.at("containers") for workload in workloads for pod in pods(workload)]
    return verdict([check for containers in main for check in each(containers, partial(_faults, namespace, stack))])


def _without_workload(resource: Resource, found: list[Matches]) -> Verdict:
    if possible := [each for matches in found for each in matches.possible]:
        return Verdict(undecided=(f"whether {possible[0].subject} is its workload is not known before the deployment",))
    return Verdict((f"it has no Deployment or StatefulSet called {resource.name}",))


def _faults(namespace: str, stack: Stack, container: Node) -> list[str]:
    where = f"container {container.at('name').text() or container.path}"
    if fault := _switched_off(container):
        return [f"{where} {fault}"]
    for name in _ENDPOINTS:
        value = _variable(container, name)
        if value is None:
            continue
        host, port = address(_plain(value, name))
        if not host:
            return [f"{where}: its variable {name} has no host"]
        faults = Ways("traces", stack).faults_from(host, port, namespace)
        if faults and (unread := stack.once(telemetry).unread):
            raise Undecided(unread[0])
        return [f"{where}: its spans reach no store: {fault}" for fault in faults]
    return [f"{where} is told of no place for its spans ({_ENDPOINTS[1]})"]


def _switched_off(container: Node) -> str | None:
    def says(name: str) -> str:
        value = _variable(container, name)
        return "" if value is None else _plain(value, name).lower()

    if says("OTEL_SDK_DISABLED") == "true":
        return "sends no spans: OTEL_SDK_DISABLED is true"
    if says("OTEL_TRACES_EXPORTER") == "none":
        return "sends no spans: OTEL_TRACES_EXPORTER is none"
    sampler = says("OTEL_TRACES_SAMPLER")
    if sampler in _NEVER or (sampler in _BY_SHARE and _share(says("OTEL_TRACES_SAMPLER_ARG")) == 0):
        return "keeps none of its spans: OTEL_TRACES_SAMPLER"
    return None


def _share(argument: str) -> float:
    """The share that is kept; all, where none or nonsense is given, as the SDKs have it."""
    try:
        return float(argument)
    except ValueError:
        return 1.0


def _variable(container: Node, name: str) -> Node | None:
    """The last of this name wins. A variable whose name cannot be read may be the one."""
    found: Node | None = None
    for each_ in container.at("env").items():
        if each_.at("name").known() == name:
            found = each_
    return found


def _plain(variable: Node, name: str) -> str:
    if variable.at("valueFrom").known() is not None:
        raise Undecided(f"{name} is read from elsewhere (valueFrom)")
    return variable.at("value").text()


RULE = Rule(
    id="traces-exported",
    theme=Theme.OBSERVABILITY,
    title="Every service and worker sends its spans through a collector to a store",
    why="A request that is slow in one of six processes is found by its trace in minutes, and without it by guessing.",
    applies_to="components HttpService and Worker",
    severity=Severity.LOW,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4"),
    remediation="Set OTEL_EXPORTER_OTLP_ENDPOINT to the collector, and let that hand spans on to a Tempo.",
    judge=_judge,
)
