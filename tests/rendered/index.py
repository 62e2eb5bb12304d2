"""A rendering as what refers to each other: objects by name, what operators make of them, pods and what they read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from tests.rendered.operators import LABELS_OF_CONTROLLERS, Object, made_of

_TEMPLATED = ("Deployment", "StatefulSet", "DaemonSet", "Job")
_NOT_WALKED = ("apiVersion", "kind", "metadata")


def title(each: Object) -> str:
    """`Deployment/api`."""
    return f"{each['kind']}/{each['metadata']['name']}"


class Site(NamedTuple):
    """A place in an object."""

    object: Object
    path: str
    """Kind and keys, `Deployment.spec.template.spec.serviceAccountName`; of a list, each element has the list's own."""
    value: Any
    above: tuple[Object, ...]
    """The mappings it stands in, the nearest last."""


def sites(each: Object) -> Iterator[Site]:
    """All places of an object but its metadata."""

    def below(path: str, value: Any, above: tuple[Object, ...]) -> Iterator[Site]:
        if isinstance(value, list):
            for element in cast(list[Any], value):
                yield from below(path, element, above)
            return
        yield Site(each, path, value, above)
        if isinstance(value, dict):
            content = cast(Object, value)
            for key, inner in content.items():
                yield from below(f"{path}.{key}", inner, (*above, content))

    for key, value in each.items():
        if key not in _NOT_WALKED:
            yield from below(f"{each['kind']}.{key}", value, (each,))


class Port(NamedTuple):
    """A port of a container."""

    name: str
    number: int
    protocol: str

    def __str__(self) -> str:
        return f"{self.protocol} {self.number}"


@dataclass(frozen=True)
class Pods:
    """The pods of a workload: all the same."""

    title: str
    """What they belong to, `Deployment/api`."""
    namespace: str
    """Where they run: an operator may run them in its own."""
    labels: Mapping[str, str]
    spec: Object
    maker: Object
    """The declared object that they come from: the workload, or the resource of an operator."""

    @property
    def containers(self) -> list[Object]:
        """All containers, those that run first included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ports(self) -> list[Port]:
        """Of all containers."""
        return [
            Port(each.get("name", ""), each["containerPort"], each.get("protocol", "TCP"))
            for container in self.containers
            for each in container.get("ports", [])
        ]

    def port(self, wanted: str | int, protocol: str = "TCP") -> Port | None:
        """By name or number."""
        found = (each for each in self.ports if wanted in (each.name, each.number) and each.protocol == protocol)
        return next(found, None)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes labels. Expressions are not rendered; one would have to be understood here."""
    unknown = set(selector) - {"matchLabels"}
    assert not unknown, f"a selector uses {unknown}"
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


class Index:
    """The objects of one rendering, together with what operators make of them."""

    def __init__(self, objects: Sequence[Object]) -> None:
        self.objects = objects
        (self.namespace,) = (each["metadata"]["name"] for each in objects if each["kind"] == "Namespace")
        made = [(each, maker) for maker in objects for each in made_of(maker)]
        everything = [*((each, each) for each in objects), *made]
        self._by_name = {
            (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each for each, _ in everything
        }
        self.pods = [found for each, maker in everything if (found := _pods(each, maker))]

    def of_kind(self, kind: str) -> list[Object]:
        """Declared and made."""
        return [each for (found, _, _), each in self._by_name.items() if found == kind]

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """An object of a namespace (default: the environment's), or one that has no namespace."""
        return self._by_name.get((kind, namespace or self.namespace, name)) or self._by_name.get((kind, None, name))

    def missing(self, kind: str, name: str, keys: Iterable[str] = ()) -> list[str]:
        """What of an object and its keys is not there."""
        found = self.find(kind, name)
        if found is None:
            return [f"{kind}/{name}"]
        return [f"{kind}/{name} key {key}" for key in keys if key not in contents(found)]

    def selected(self, selector: Mapping[str, Any]) -> list[Pods]:
        """Pods that a label selector takes."""
        return [each for each in self.pods if matches(selector, each.labels)]

    def pods_of(self, owner: Object) -> list[Pods]:
        """Pods of a workload, or those made of an operator's resource."""
        return [each for each in self.pods if each.maker is owner]

    def behind(self, service: Object) -> list[Pods]:
        """Pods of a Service."""
        return self.selected({"matchLabels": service["spec"]["selector"]})

    def targets(self, service: Object, port: str | int) -> list[tuple[Pods, Port]] | None:
        """Pods and their port behind a Service's port, by name or number; None if it has no such port."""
        for each in service["spec"]["ports"]:
            if port in (each.get("name"), each["port"]):
                wanted = each.get("targetPort", each["port"])
                return [(pods, found) for pods in self.behind(service) if (found := pods.port(wanted))]
        return None

    def files(self, pods: Pods, container: Object) -> dict[str, str]:
        """Content of the files that a container has from ConfigMaps and Secrets, by path."""
        volumes = {each["name"]: each for each in pods.spec.get("volumes", [])}
        found: dict[str, str] = {}
        for mount in container.get("volumeMounts", []):
            for source in sources(volumes.get(mount["name"], {})):
                content = contents(self.find(source.kind, source.name) or {})
                items = source.items or {key: key for key in content}
                found |= {f"{mount['mountPath']}/{path}": str(content.get(key, "")) for key, path in items.items()}
        return found

    def variables(self, container: Object) -> dict[str, str]:
        """Environment variables with their values, whether they stand there or in a Secret or ConfigMap."""
        found: dict[str, str] = {}
        for each in container.get("env", []):
            value = each.get("value", "")
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if reference := each.get("valueFrom", {}).get(field):
                    value = str(contents(self.find(kind, reference["name"]) or {}).get(reference["key"], ""))
            found[each["name"]] = value
        return found


class Source(NamedTuple):
    """A ConfigMap or Secret in a volume."""

    kind: str
    name: str
    items: dict[str, str]
    """Key -> path; empty means all keys."""


def sources(volume: Object) -> list[Source]:
    """ConfigMaps and Secrets of a volume, projected ones too."""
    found: list[Source] = []
    for each in (volume, *volume.get("projected", {}).get("sources", [])):
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            if source := each.get(field):
                items = {item["key"]: item["path"] for item in source.get("items", [])}
                found.append(Source(kind, source.get("secretName") or source["name"], items))
    return found


def contents(each: Object) -> Object:
    """Keys and values of a ConfigMap or Secret."""
    return {**each.get("data", {}), **each.get("binaryData", {}), **each.get("stringData", {})}


def _pods(each: Object, maker: Object) -> Pods | None:
    if each["kind"] == "Pod":
        return Pods(title(each), each["metadata"]["namespace"], each["metadata"]["labels"], each["spec"], maker)
    if each["kind"] == "CronJob":
        template = each["spec"]["jobTemplate"]["spec"]["template"]
    elif each["kind"] in _TEMPLATED:
        template = each["spec"]["template"]
    else:
        return None
    added = dict.fromkeys(LABELS_OF_CONTROLLERS.get(each["kind"], ()), "made")
    labels = {**template["metadata"]["labels"], **added}
    return Pods(title(each), each["metadata"]["namespace"], labels, template["spec"], maker)
