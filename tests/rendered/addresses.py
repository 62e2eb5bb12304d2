"""Addresses and paths in texts: environment variables, arguments, configuration files, realms, rules, probes."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import yaml

from tests.rendered.index import Index, Object, Pods, Port, sites, title

_URL = re.compile(r"\b([a-z][a-z0-9+.:-]*)://(?:[^\s/@\"'<>]*@)?([A-Za-z0-9.-]+)(?::(\d+))?")
_HOST_AND_PORT = re.compile(r"(?<![\w/.:@-])([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*):(\d{2,5})(?![\w.:])")
_SERVICE_RECORD = re.compile(r"://_([a-z0-9-]+)\._tcp\.([a-z0-9.-]+)")
_ALLOYS_HOST_AND_PORT = re.compile(r'hostname\s*=\s*"([a-z0-9.-]+)"\s+port\s*=\s*"(\d+)"')
_PATH = re.compile(r"(?<![\w/.:}-])/[\w.-]+(?:/[\w.-]+)+")
_VARIABLE = re.compile(r"\$[({]([A-Z][A-Z0-9_]+)[)}]|sys\.env\(\"([A-Z][A-Z0-9_]+)\"\)")
_PORTS = {"http": 80, "https": 443, "redis": 6379, "postgresql": 5432}
_SELF = ("localhost", "127.0.0.1")


class Address(NamedTuple):
    """Where a text leads."""

    host: str
    port: int | str
    """Number, or the name by which DNS is asked for it."""


def addresses(text: str) -> set[Address]:
    """All in a text that have a port, if only by their scheme."""
    numbered = (*_HOST_AND_PORT.findall(text), *_ALLOYS_HOST_AND_PORT.findall(text))
    found: set[Address] = {Address(host, int(port)) for host, port in numbered}
    found |= {Address(host, port) for port, host in _SERVICE_RECORD.findall(text)}
    for scheme, host, port in _URL.findall(text):
        number = int(port) if port else _PORTS.get(scheme.rpartition(":")[2])
        if number:
            found.add(Address(host, number))
    return found


def faults_of_addresses(index: Index, outside: set[str]) -> Iterator[str]:
    """A sentence for each address that is no Service, no host of the gateway and none of the hosts `outside`."""
    served = {host for route in index.of_kind("HTTPRoute") for host in route["spec"].get("hostnames", [])}
    for each in index.objects:
        for site in sites(each):
            for host, port in addresses(site.value) if isinstance(site.value, str) else ():
                if in_cluster(index, host):
                    yield from _faults_of_service(index, title(each), Address(host, port))
                elif host not in served | outside and host not in _SELF:
                    yield f"{title(each)} refers to host {host}, which no route serves"
    yield from _faults_of_probes(index)
    for pods in index.pods:
        yield from _faults_of_files(index, pods)
        yield from _faults_of_datasources(index, pods)
        for address in _host_variables(index, pods):
            yield from _faults_of_service(index, pods.title, address)
        for address in (each for text in texts(index, pods) for each in addresses(text)):
            if address.host in _SELF and not pods.port(address.port):
                yield f"{pods.title} refers to its own port {address.port}, which is not declared"


def _faults_of_service(index: Index, who: str, address: Address) -> Iterator[str]:
    name = in_cluster(index, address.host) or address.host
    service = index.find("Service", name)
    if service is None:
        yield f"{who} refers to Service/{name}, which is not declared"
    elif index.targets(service, address.port) is None:
        yield f"{who} refers to Service/{name} port {address.port}, which is not declared"


def _host_variables(index: Index, pods: Pods) -> Iterator[Address]:
    """Addresses in two environment variables: X_HOST and X_PORT."""
    for variables in (index.variables(container) for container in pods.containers):
        for name, host in variables.items():
            if name.endswith("_HOST") and (port := variables.get(f"{name.removesuffix('HOST')}PORT")):
                yield Address(host, int(port))


def in_cluster(index: Index, host: str) -> str | None:
    """The name of the Service that a host stands for; None for a host elsewhere."""
    name, *rest = host.split(".")
    if name in _SELF or (rest and rest[0] != index.namespace):
        return None
    return name if rest in ([], [index.namespace]) or rest[1] == "svc" else None


class Call(NamedTuple):
    """One kind of pods that opens connections to another."""

    source: Pods
    target: Pods
    port: Port


def calls(index: Index) -> Iterator[Call]:
    """Who connects to whom, by the addresses that pods are given and by what Prometheus is told to read."""

    def to_service(source: Pods, host: str, port: int | str) -> Iterator[Call]:
        service = index.find("Service", in_cluster(index, host) or "")
        for target, found in (index.targets(service, port) or []) if service else []:
            yield Call(source, target, found)

    for pods in index.pods:
        for host, port in (each for text in texts(index, pods) for each in addresses(text)):
            yield from to_service(pods, host, port)
        for host, port in _host_variables(index, pods):
            yield from to_service(pods, host, port)
    for pods in (each for each in index.pods if each.maker["kind"] == "Prometheus"):
        for each in pods.maker["spec"].get("alerting", {}).get("alertmanagers", []):
            yield from to_service(pods, each["name"], each["port"])
        for probe in index.of_kind("Probe"):
            for host, port in addresses(probe["spec"]["prober"]["url"]):
                yield from to_service(pods, host, port)
        for monitor in index.of_kind("PodMonitor"):
            for endpoint in monitor["spec"]["podMetricsEndpoints"]:
                for target in index.selected(monitor["spec"]["selector"]):
                    if found := target.port(endpoint["port"]):
                        yield Call(pods, target, found)


def texts(index: Index, pods: Pods) -> Iterator[str]:
    """All that the containers are told: arguments, commands, environment variables, files."""
    for container in pods.containers:
        yield from _own_texts(index, container)
        yield from index.files(pods, container).values()


def _own_texts(index: Index, container: Object) -> Iterator[str]:
    yield from index.variables(container).values()
    for site in sites({"kind": "", **container}):
        if isinstance(site.value, str) and re.search(r"\.(args|command)$", site.path):
            yield site.value


def _faults_of_files(index: Index, pods: Pods) -> Iterator[str]:
    """Paths below a mounted ConfigMap or Secret are files in it; variables that a text names are set."""
    for container in pods.containers:
        files, variables = index.files(pods, container), index.variables(container)
        folders = {mount["mountPath"] for mount in container.get("volumeMounts", [])}
        folders = {folder for folder in folders if any(file.startswith(f"{folder}/") for file in files)}
        for text in (*_own_texts(index, container), *files.values()):
            for path in _PATH.findall(text):
                below = [folder for folder in folders if path == folder or path.startswith(f"{folder}/")]
                if below and not any(f"{file}/".startswith(f"{path}/") for file in files):
                    yield f"{pods.title} refers to file {path}, which is not mounted"
            for names in _VARIABLE.findall(text):
                if (name := names[0] or names[1]) not in variables:
                    yield f"{pods.title} refers to variable {name}, which is not set"


def _faults_of_datasources(index: Index, pods: Pods) -> Iterator[str]:
    """Dashboards name their data source by its uid, which Grafana's own configuration gives."""
    for container in pods.containers:
        files = index.files(pods, container)
        documents = {path: _parsed(path, text) for path, text in files.items()}
        known = {each["uid"] for document in documents.values() for each in document.get("datasources", [])}
        for path, document in documents.items() if known else ():
            for site in sites({"kind": "", "dashboard": document}):
                if site.path.endswith(".datasource.uid") and site.value not in known | {"grafana", "-- Grafana --"}:
                    yield f"{pods.title} refers to data source {site.value} in {path}, which is not declared"


def _parsed(path: str, text: str) -> Mapping[str, Any]:
    if path.endswith(".json"):
        content = json.loads(text)
    else:
        content = yaml.safe_load(text) if path.endswith((".yaml", ".yml")) else None
    return cast(Object, content) if isinstance(content, dict) else {}


def _faults_of_probes(index: Index) -> Iterator[str]:
    """What is probed from outside has a route to a service: its path too."""
    for probe in index.of_kind("Probe"):
        for url in probe["spec"]["targets"]["staticConfig"]["static"]:
            host, _, path = url.partition("://")[2].partition("/")
            rules = [
                rule
                for route in index.of_kind("HTTPRoute")
                if host in route["spec"].get("hostnames", [])
                for rule in route["spec"]["rules"]
                if "backendRefs" in rule
            ]
            prefixes = [match["path"]["value"] for rule in rules for match in rule["matches"]]
            if rules and not any(f"/{path}/".startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes):
                yield f"{title(probe)} refers to {url}, which no route serves"
