"""Where logs and traces go: collectors (Alloy) with what they read and whom they hand it to, stores (Loki, Tempo)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml

from policies.alloy import Block, InvalidAlloy, parse
from policies.mounted import read
from policies.pods import Container, pods
from policies.promql import accepts
from policies.routing import leaves_the_cluster
from policies.stack import Resource, Stack
from policies.targets import Target, behind, numbers, service_of
from policies.values import Marker, Node, Undecided

Kind = Literal["logs", "traces"]
_NAMESPACE = "__meta_kubernetes_namespace"
_HARMLESS = ("__meta_kubernetes_pod_phase", "__meta_kubernetes_pod_container_init")
"""Pods that have ended, and init containers, may be left out."""
_PORTS = {"grpc": 4317, "http": 4318}
"""OTLP's own."""


@dataclass(frozen=True)
class Store:
    """A Loki or a Tempo."""

    kind: Kind
    resource: Resource
    container: Container
    config: Node

    def listens(self, port: object) -> bool:
        """Whether it takes what is sent to a port of its container. Raises Undecided."""
        if self.kind == "logs":
            return port == (self.config.at("server", "http_listen_port").known() or 3100)
        protocols = self.config.at("distributor", "receivers", "otlp", "protocols")
        return port in [
            _port(protocols.at(protocol, "endpoint").text()) or _PORTS.get(protocol)
            for protocol in protocols.keys()  # noqa: SIM118 (a Node, whose keys are read)
        ]


@dataclass(frozen=True)
class Collector:
    """An Alloy."""

    resource: Resource
    components: dict[str, Block]


@dataclass(frozen=True)
class Telemetry:
    """All of a stack."""

    stores: tuple[Store, ...]
    collectors: tuple[Collector, ...]
    problems: tuple[str, ...]
    """Configurations that are no such thing."""
    unread: tuple[str, ...]
    """What could not be read, and might be one of them."""


def telemetry(stack: Stack) -> Telemetry:
    """Ask through `stack.once`."""
    stores: list[Store] = []
    collectors: list[Collector] = []
    problems: list[str] = []
    unread: list[str] = []
    for resource in stack.resources:
        for pod in pods(resource):
            try:
                containers = [each for each in pod.containers() if each.runs_on()]
            except Undecided as reason:
                unread.append(f"of {resource.subject}, {reason}")
                continue
            for container in containers:
                try:
                    for path, content in read(resource, pod, container, stack).items():
                        _sort(resource, container, path, content.text(), stores, collectors)
                except Undecided as reason:
                    unread.append(f"of {resource.subject}, {reason}")
                except InvalidAlloy as invalid:
                    problems.append(f"{resource.subject} has a configuration that is none of Alloy's: {invalid}")
    return Telemetry(tuple(stores), tuple(collectors), tuple(problems), tuple(unread))


def _sort(
    resource: Resource, container: Container, path: str, text: str, stores: list[Store], collectors: list[Collector]
) -> None:
    if path.endswith(".alloy"):
        collectors.append(Collector(resource, parse(text)))
    elif path.endswith((".yaml", ".yml")):
        try:
            document: Any = yaml.safe_load(text)
        except yaml.YAMLError:
            return
        config = Node(document)
        if config.at("schema_config").keys():
            stores.append(Store("logs", resource, container, config))
        elif config.at("storage", "trace").keys():
            stores.append(Store("traces", resource, container, config))


class Ways:
    """Where a kind of telemetry goes, from collector to collector, to a store."""

    def __init__(self, kind: Kind, stack: Stack) -> None:
        self._kind: Kind = kind
        self._stack = stack
        self._found = stack.once(telemetry)

    def faults_from(
        self, host: str, port: int, namespace: str | Marker, seen: frozenset[str] = frozenset()
    ) -> list[str]:
        """What keeps that which is sent to an address from a store; none if one way leads there. Raises Undecided."""
        service = service_of(host, namespace, self._stack)
        if service is None:
            if leaves_the_cluster(f"//{host}", self._stack):
                return []
            return ["the host it is sent to is no Service of this stack"]
        reached = [
            (target, number) for target in behind(service, self._stack) for number in numbers(service, port, target)
        ]
        if not reached:
            return [f"port {port} of {service.subject} leads to no pod of this stack"]
        faults: list[str] = []
        for target, number in reached:
            found = self._faults_at(target, number, seen)
            if not found:
                return []
            faults += found
        return faults[:1]

    def _faults_at(self, target: Target, port: object, seen: frozenset[str]) -> list[str]:
        for store in self._found.stores:
            if store.kind == self._kind and store.resource is target.resource and store.listens(port):
                return []
        for collector in self._found.collectors:
            if collector.resource is target.resource:
                return self._faults_of_receivers(collector, port, seen)
        return [f"{target.resource.subject} is nothing that takes {self._kind} at port {port}"]

    def _faults_of_receivers(self, collector: Collector, port: object, seen: frozenset[str]) -> list[str]:
        receivers = [
            each
            for each in collector.components.values()
            if each.name == "otelcol.receiver.otlp" and port in _listens(each)
        ]
        if not receivers:
            return [f"{collector.resource.subject} has no receiver at port {port}"]
        faults = [self.faults_behind(collector, each, seen) for each in receivers]
        return min(faults, key=len)

    def faults_behind(self, collector: Collector, component: Block, seen: frozenset[str] = frozenset()) -> list[str]:
        """What keeps that which a component has from a store. Raises Undecided."""
        key = f"{collector.resource.urn} {component.key}"
        if key in seen:
            return [f"{component.key} hands on in a circle"]
        seen = seen | {key}
        if fault := _sampling_fault(component):
            return [fault]
        ways = [
            [f"{component.key}: {fault}" for fault in self.faults_from(host, port, collector.resource.namespace, seen)]
            for host, port in _addresses(component)
        ]
        setting = "forward_to" if component.name.startswith("loki.") else self._kind
        for named in component.named(setting):
            following = collector.components.get(named)
            ways.append(
                self.faults_behind(collector, following, seen)
                if following
                else [f"{component.key} hands on to {named}, which is not there"]
            )
        if not ways:
            return [f"{component.key} of {collector.resource.subject} hands {self._kind} on to nothing"]
        return min(ways, key=len)


def _listens(receiver: Block) -> list[int]:
    return [
        _port(block.text("endpoint")) or default
        for protocol, default in _PORTS.items()
        for block in receiver.all(protocol)
    ]


def _addresses(component: Block) -> Iterator[tuple[str, int]]:
    """Host and port of what a component sends to over the network."""
    if component.name == "loki.write":
        for endpoint in component.all("endpoint"):
            yield _address(component, endpoint.text("url"))
    elif component.name in ("otelcol.exporter.otlp", "otelcol.exporter.otlphttp"):
        for client in component.all("client"):
            yield _address(component, client.text("endpoint"))
    elif component.name == "otelcol.exporter.loadbalancing":
        for resolver in component.all("resolver", "dns"):
            yield _address(component, f"{resolver.text('hostname') or ''}:{resolver.text('port') or _PORTS['grpc']}")
        for resolver in component.all("resolver", "static"):
            yield from (_address(component, each) for each in resolver.texts("hostnames"))


def _address(component: Block, text: str | None) -> tuple[str, int]:
    if text is None:
        raise Undecided(f"the address in {component.key} is worked out when Alloy runs")
    return address(text)


def address(text: str) -> tuple[str, int]:
    """Host and port of a URL, or of `host:port`; port 0 if there is none. Raises Undecided for what is neither."""
    url = urlsplit(text if "//" in text else f"//{text}")
    try:
        return url.hostname or "", url.port or {"https": 443, "http": 80}.get(url.scheme, 0)
    except ValueError:
        raise Undecided("an address has no port that can be read") from None


def _port(endpoint: str | None) -> int | None:
    found = re.search(r":(\d+)$", endpoint or "")
    return int(found[1]) if found else None


def _sampling_fault(component: Block) -> str | None:
    """A sampler that keeps nothing."""
    if component.name == "otelcol.processor.probabilistic_sampler" and component.number("sampling_percentage") in (
        0,
        None,
    ):
        return f"{component.key} keeps none of the traces (sampling_percentage)"
    if component.name == "otelcol.processor.tail_sampling":
        shares = [each.number("sampling_percentage") for each in component.all("policy", "probabilistic")]
        others = [each for each in component.all("policy") if each.text("type") != "probabilistic"]
        if not others and not any(shares):
            return f"{component.key} keeps none of the traces (policy)"
    return None


def reads(collector: Collector, source: Block, namespace: str) -> bool:
    """Whether a source of logs reads the pods of a namespace. Raises Undecided."""
    return any(_finds(collector, key, namespace, frozenset()) for key in source.named("targets"))


def _finds(collector: Collector, key: str, namespace: str, seen: frozenset[str]) -> bool:
    component = collector.components.get(key)
    if component is None or key in seen:
        return False
    if component.name == "discovery.kubernetes":
        return _discovers(collector, component, namespace)
    if component.name not in ("discovery.relabel", "local.file_match"):
        return False
    setting = "targets" if component.name == "discovery.relabel" else "path_targets"
    if not any(_finds(collector, each, namespace, seen | {key}) for each in component.named(setting)):
        return False
    return all(_lets_pass(component, rule, namespace) for rule in component.all("rule"))


def _discovers(collector: Collector, component: Block, namespace: str) -> bool:
    if component.text("role") != "pod":
        return False
    if component.all("selectors"):
        raise Undecided(f"{component.key} picks pods by selectors, which is more than this rule understands")
    blocks = component.all("namespaces")
    named = [name for block in blocks for name in block.texts("names")]
    if any(block.is_true("own_namespace") for block in blocks):
        named.append(str(collector.resource.namespace))
    return namespace in named or not named


def _lets_pass(component: Block, rule: Block, namespace: str) -> bool:
    action = rule.text("action")
    if action not in ("keep", "drop"):
        return True
    sources = rule.texts("source_labels")
    if sources != [_NAMESPACE]:
        if sources and all(each in _HARMLESS for each in sources):
            return True
        raise Undecided(f"{component.key} leaves pods out by more than their namespace")
    return accepts("=~", rule.text("regex") or "(.*)", namespace) is (action == "keep")


def sources(collector: Collector) -> list[Block]:
    """What reads the logs of pods."""
    names = ("loki.source.kubernetes", "loki.source.file")
    return [each for each in collector.components.values() if each.name in names]
