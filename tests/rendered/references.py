"""Each field that refers to something, and how to find what it refers to.

A field that looks like a reference and stands neither among CHECKS nor among NO_REFERENCES is a fault itself.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, cast

import yaml

from tests.rendered.index import Index, Object, Pods, Site, matches, sites, sources, title
from tests.rendered.operators import CLUSTER_KINDS, NAMESPACES

Check = Callable[[Index, Site], Iterable[str]]
"""Says what is referred to and not there, `Secret/api-env key SESSION_KEY`."""


def faults_of_fields(index: Index) -> Iterator[str]:
    """A sentence for each reference that leads nowhere, and for each that nobody checks."""
    for each in index.objects:
        checked: set[str] = set()
        for site in sites(each):
            parent, _, key = site.path.rpartition(".")
            checks = _checks(site.path)
            for check in checks:
                checked.add(site.path)
                for missing in check(index, site):
                    yield f"{title(each)} refers to {missing}, which is not declared"
            # What stands directly below a reference is part of it.
            known = checks or parent in checked or _is_no_reference(site.path)
            if not known and _looks_like_a_reference(key, site.value):
                yield f"{title(each)} has a field {site.path}, which looks like a reference that nothing checks"


@cache
def _checks(path: str) -> list[Check]:
    return [check for pattern, check in CHECKS.items() if fnmatchcase(path, pattern)]


@cache
def _is_no_reference(path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in NO_REFERENCES)


_WORDS = r"Ref|Reference|Name|Selector|Secret|ConfigMap|Service|Account|Cluster|Issuer|Class|Key|Host|Url|Endpoint"
_LIKE_A_REFERENCE = re.compile(
    rf"[a-z0-9]({_WORDS})s?|(selector|secret|configMap|cluster|service|issuer|host|hostname|url|endpoint|address)(e?s)?"
    r"|subjects|targetPort|volumeMounts|persistentVolumeClaim|prober|module"
)
_PARTS = {"apiGroup", "apiVersion", "group", "key", "kind", "name", "namespace", "optional", "port", "sectionName"}


def _looks_like_a_reference(key: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, dict) and "name" in value and set(cast(Object, value)) <= _PARTS:
        return True
    return bool(_LIKE_A_REFERENCE.fullmatch(key)) or (key == "port" and isinstance(value, str))


def _key_of(kind: str) -> Check:
    return lambda index, site: index.missing(kind, site.value["name"], [site.value["key"]])


def _named(kind: str, *keys: str) -> Check:
    """An object by its name: a text, or a mapping with `name`."""

    def check(index: Index, site: Site) -> list[str]:
        name = site.value if isinstance(site.value, str) else site.value["name"]
        return index.missing(kind, name, keys)

    return check


def _object(index: Index, site: Site) -> list[str]:
    kind = site.value.get("kind", "Secret" if site.path.endswith("certificateRefs") else None)
    return [] if kind in CLUSTER_KINDS else index.missing(kind, site.value["name"])


def _volume(index: Index, site: Site) -> Iterator[str]:
    for source in sources(site.value):
        yield from index.missing(source.kind, source.name, source.items)
    if claim := site.value.get("persistentVolumeClaim"):
        yield from index.missing("PersistentVolumeClaim", claim["claimName"])


def _mount(index: Index, site: Site) -> list[str]:
    (pods,) = index.pods_of(site.object)
    claims = site.object["spec"].get("volumeClaimTemplates", [])
    names = {each["name"] for each in pods.spec.get("volumes", [])} | {each["metadata"]["name"] for each in claims}
    return [] if site.value["name"] in names else [f"volume {site.value['name']}"]


def _own_port(index: Index, site: Site) -> list[str]:
    """A probe's port is looked for in its own container."""
    container = next(each for each in reversed(site.above) if "image" in each)
    ports = [name for each in container.get("ports", []) for name in (each.get("name"), each["containerPort"])]
    return [] if site.value in ports else [f"port {site.value} of its container {container['name']}"]


def _own_pods(index: Index, site: Site) -> list[str]:
    found = [each for each in index.pods_of(site.object) if matches(site.value, each.labels)]
    return [] if found else [_pods_with(site.value)]


def _own_label(index: Index, site: Site) -> list[str]:
    return [f"label {site.value} of its pods" for each in index.pods_of(site.object) if site.value not in each.labels]


def _pods(index: Index, site: Site) -> list[str]:
    return [] if index.selected(site.value) else [_pods_with(site.value)]


def _service_pods(index: Index, site: Site) -> list[str]:
    return _pods(index, site._replace(value={"matchLabels": site.value}))


def _pods_with(selector: Mapping[str, Any]) -> str:
    labels = selector.get("matchLabels", {})
    return f"pods with {', '.join(f'{key}={value}' for key, value in sorted(labels.items()))}"


def _ports_of(found: Iterable[Pods], port: str | int, protocol: str = "TCP") -> list[str]:
    return [f"port {port} of {pods.title}" for pods in found if not pods.port(port, protocol)]


def _service_port(index: Index, site: Site) -> list[str]:
    port = site.value.get("targetPort", site.value["port"])
    return _ports_of(index.behind(site.object), port, site.value.get("protocol", "TCP"))


def _scraped_port(index: Index, site: Site) -> list[str]:
    return _ports_of(index.selected(site.object["spec"]["selector"]), site.value)


def _port_of_service(index: Index, site: Site) -> list[str]:
    """A mapping with name and port of a Service."""
    name, port = site.value["name"], site.value["port"]
    service = index.find("Service", name)
    if service is None:
        return [f"Service/{name}"]
    return [f"Service/{name} port {port}"] if index.targets(service, port) is None else []


def _role(index: Index, site: Site) -> list[str]:
    """A role is looked for where its binding stands."""
    kind, name = site.value["kind"], site.value["name"]
    return [] if index.find(kind, name, site.object["metadata"].get("namespace")) else [f"{kind}/{name}"]


def _scraped_pods(index: Index, site: Site) -> list[str]:
    """Pods in the namespaces that the monitor names; without any, in its own."""
    named = site.object["spec"].get("namespaceSelector", {}).get("matchNames", [index.namespace])
    found = [each for each in index.selected(site.value) if each.namespace in named]
    return [] if found else [_pods_with(site.value)]


def _scraped_namespaces(index: Index, site: Site) -> list[str]:
    del index
    return [f"namespace {name}" for name in site.value["matchNames"] if name not in NAMESPACES]


def _subject(index: Index, site: Site) -> list[str]:
    away = [f"namespace {site.value['namespace']}"] if site.value["namespace"] != index.namespace else []
    return away or index.missing(site.value["kind"], site.value["name"])


def _prober(index: Index, site: Site) -> list[str]:
    name, _, port = site.value.partition(":")
    return _port_of_service(index, site._replace(value={"name": name, "port": int(port)}))


def _module(index: Index, site: Site) -> list[str]:
    service = index.find("Service", site.object["spec"]["prober"]["url"].partition(":")[0])
    for pods in index.behind(service) if service else []:
        for container in pods.containers:
            for text in index.files(pods, container).values():
                content: Object = yaml.safe_load(text) or {}
                if site.value in content.get("modules", {}):
                    return []
    return [f"module {site.value} of its prober"] if service else []


def _watched(index: Index, site: Site) -> list[str]:
    """The service that a rule names is one whose metrics are read, unless the series themselves name it."""
    known = site.value.startswith("{{") or index.find("PodMonitor", site.value) or index.find("Probe", site.value)
    return [] if known else [f"PodMonitor/{site.value}"]


def _listener(index: Index, site: Site) -> list[str]:
    gateway = index.find("Gateway", site.value["name"])
    if gateway is None:
        return [f"Gateway/{site.value['name']}"]
    section = site.value["sectionName"]
    listener = next((each for each in gateway["spec"]["listeners"] if each["name"] == section), None)
    if listener is None:
        return [f"{title(gateway)} listener {section}"]
    # Each listener serves one of the route's hosts, and each host is served by one of the route's listeners.
    hosts = site.object["spec"].get("hostnames", [])
    if listener.get("hostname") not in (None, *hosts):
        return [f"{title(gateway)} listener {section} for host {', '.join(hosts)}"]
    sections = {each["sectionName"] for each in site.object["spec"]["parentRefs"]}
    served = {each.get("hostname") for each in gateway["spec"]["listeners"] if each["name"] in sections}
    if None in served:
        return []
    return [f"{title(gateway)} listener for host {host}" for host in hosts if host not in served]


def _certified(index: Index, site: Site) -> list[str]:
    """A listener's host is one that the certificate it presents was made for."""
    names = [each["name"] for each in site.value.get("tls", {}).get("certificateRefs", [])]
    certificates = [each for each in index.of_kind("Certificate") if each["spec"]["secretName"] in names]
    hosts = [host for each in certificates for host in each["spec"]["dnsNames"]]
    host = site.value.get("hostname")
    return [f"a certificate for {host}"] if certificates and host not in hosts else []


def _store_plugin(index: Index, site: Site) -> list[str]:
    cluster = index.find("Cluster", site.object["spec"]["cluster"]["name"])
    plugins = [each["name"] for each in (cluster or {"spec": {}})["spec"].get("plugins", [])]
    return [] if site.value["name"] in plugins or not cluster else [f"{title(cluster)} plugin {site.value['name']}"]


def _picks_all(kind: str) -> Check:
    """Whatever Prometheus does not pick is not read by anyone."""

    def check(index: Index, site: Site) -> list[str]:
        found = index.of_kind(kind)
        return [f"labels of {title(each)}" for each in found if not matches(site.value, each["metadata"]["labels"])]

    return check


def _peer(index: Index, site: Site) -> list[str]:
    """Pods in another namespace are those of an operator."""
    return [] if "namespaceSelector" in site.above[-1] else _pods(index, site)


def _namespace(index: Index, site: Site) -> list[str]:
    name = site.value["matchLabels"]["kubernetes.io/metadata.name"]
    return [] if name in NAMESPACES else [f"namespace {name}"]


CHECKS: Mapping[str, Check] = {
    # Pods, of workloads and of operators' resources
    "*.secretKeyRef": _key_of("Secret"),
    "*.configMapKeyRef": _key_of("ConfigMap"),
    "*.envFrom.secretRef": _named("Secret"),
    "*.envFrom.configMapRef": _named("ConfigMap"),
    "*.imagePullSecrets": _named("Secret", ".dockerconfigjson"),
    "*.serviceAccountName": _named("ServiceAccount"),
    "*.volumes": _volume,
    "*.volumeMounts": _mount,
    "*.httpGet.port": _own_port,
    "*.tcpSocket.port": _own_port,
    "*.topologySpreadConstraints.labelSelector": _own_pods,
    "*.topologySpreadConstraints.matchLabelKeys": _own_label,
    "*ffinity.*DuringExecution.labelSelector": _own_pods,
    "*ffinity.*DuringExecution.podAffinityTerm.labelSelector": _own_pods,
    # Workloads and what stands beside them
    "Deployment.spec.selector": _own_pods,
    "StatefulSet.spec.selector": _own_pods,
    "DaemonSet.spec.selector": _own_pods,
    "StatefulSet.spec.serviceName": _named("Service"),
    "Service.spec.selector": _service_pods,
    "Service.spec.ports": _service_port,
    "PodDisruptionBudget.spec.selector": _pods,
    "*.scaleTargetRef": _object,
    "*RoleBinding.roleRef": _role,
    "*RoleBinding.subjects": _subject,
    "NetworkPolicy.spec.podSelector": _pods,
    "NetworkPolicy.spec.*gress.*.podSelector": _peer,
    "NetworkPolicy.spec.*gress.*.namespaceSelector": _namespace,
    # CloudNativePG and its Barman plugin
    "Cluster.spec.bootstrap.initdb.secret": _named("Secret", "username", "password"),
    "Cluster.spec.plugins.parameters.barmanObjectName": _named("ObjectStore"),
    "ScheduledBackup.spec.cluster": _named("Cluster"),
    "ScheduledBackup.spec.pluginConfiguration": _store_plugin,
    "Pooler.spec.cluster": _named("Cluster"),
    "ObjectStore.spec.configuration.s3Credentials.accessKeyId": _key_of("Secret"),
    "ObjectStore.spec.configuration.s3Credentials.secretAccessKey": _key_of("Secret"),
    "ObjectStore.spec.configuration.endpointCA": _key_of("Secret"),
    # prometheus-operator
    "Prometheus.spec.additionalScrapeConfigs": _key_of("Secret"),
    "Prometheus.spec.alerting.alertmanagers": _port_of_service,
    "Prometheus.spec.podMonitorSelector": _picks_all("PodMonitor"),
    "Prometheus.spec.probeSelector": _picks_all("Probe"),
    "Prometheus.spec.remoteWrite.*.credentials": _key_of("Secret"),
    "Prometheus.spec.remoteWrite.*.password": _key_of("Secret"),
    "Prometheus.spec.remoteWrite.*.username": _key_of("Secret"),
    "Prometheus.spec.ruleSelector": _picks_all("PrometheusRule"),
    "Prometheus.spec.serviceMonitorSelector": _picks_all("ServiceMonitor"),
    "Alertmanager.spec.configSecret": _named("Secret", "alertmanager.yaml"),
    "Alertmanager.spec.secrets": _named("Secret"),
    "PodMonitor.spec.selector": _scraped_pods,
    "PodMonitor.spec.namespaceSelector": _scraped_namespaces,
    "PodMonitor.spec.podMetricsEndpoints.port": _scraped_port,
    "PrometheusRule.spec.groups.rules.labels.service": _watched,
    "Probe.spec.prober.url": _prober,
    "Probe.spec.module": _module,
    # Gateway API and Envoy Gateway
    "Gateway.spec.listeners": _certified,
    "*.certificateRefs": _object,
    "HTTPRoute.spec.parentRefs": _listener,
    "HTTPRoute.spec.rules.backendRefs": _port_of_service,
    "*.extensionRef": _object,
    "*.targetRefs": _object,
    "Certificate.spec.issuerRef": _object,
}
"""Path of a field (see `Site.path`) -> its check."""

NO_REFERENCES = (
    # Content with keys of its own; `addresses` reads what is in it.
    "ConfigMap.data.*",
    "Secret.stringData.*",
    # Labels within a selector, which is checked as a whole.
    "*.matchLabels.*",
    "*.podMetadata.*",
    "*.template.metadata.*",
    "Prometheus.spec.externalLabels.*",
    # The pod itself.
    "*.fieldRef",
    "*.topologyKey",
    # What will be made under this name.
    "*.volumeClaimTemplates.metadata",
    "Certificate.spec.secretName",
    # Compared with the listeners by the check of parentRefs.
    "HTTPRoute.spec.hostnames",
    # Of the cluster: a class installed with Envoy Gateway.
    "Gateway.spec.gatewayClassName",
    # An image, a label, the folder in the bucket, the owner "cluster" or "self": words of the operator's own.
    "Cluster.spec.imageName",
    "Probe.spec.jobName",
    "Cluster.spec.plugins.parameters.serverName",
    "ScheduledBackup.spec.backupOwnerReference",
    # The caller's address.
    "BackendTrafficPolicy.spec.rateLimit.local.rules.clientSelectors",
    # Elsewhere; `addresses` reads it.
    "Prometheus.spec.remoteWrite.url",
    # Its `url` has a check of its own.
    "Probe.spec.prober",
)
"""Fields that only look like references, and why."""
