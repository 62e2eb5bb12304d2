"""Files of ConfigMaps in containers, and what containers are told on their command line."""

import posixpath
from collections.abc import Mapping

from policies.pods import Container, Pod
from policies.stack import Resource, Stack
from policies.values import Node

CONFIG_MAP = "core/ConfigMap"


def files(resource: Resource, pod: Pod, container: Container, stack: Stack) -> dict[str, Node]:
    """Path in the container -> content, of all files that come from ConfigMaps of this stack. Raises Undecided."""
    volumes = {each.at("name").text(): each for each in pod.spec.at("volumes").items()}
    found: dict[str, Node] = {}
    for mount in container.node.at("volumeMounts").items():
        volume = volumes.get(mount.at("name").text())
        if volume is None:
            continue
        folder, part = mount.at("mountPath").text(), mount.at("subPath").text()
        for name, content in _of_volume(volume, resource, stack).items():
            if not part:
                found[posixpath.join(folder, name)] = content
            elif part == name:
                found[folder] = content
    return found


def _of_volume(volume: Node, resource: Resource, stack: Stack) -> dict[str, Node]:
    sources = [volume.at("configMap"), *(each.at("configMap") for each in volume.at("projected", "sources").items())]
    found: dict[str, Node] = {}
    for source in sources:
        if source.known() is None:
            continue
        for config in stack.find(
            CONFIG_MAP, str(resource.namespace), ("metadata", "name"), source.at("name").text()
        ).certain:
            data = config.root.at("data")
            found |= {path: data.at(key) for path, key in _paths(source, data).items()}
    return found


def _paths(source: Node, data: Node) -> Mapping[str, str]:
    """Path of the file -> key of the ConfigMap: those that are named, or all there are."""
    if source.at("items").known() is None:
        return {key: key for key in data.keys()}  # noqa: SIM118 (a Node, whose keys are read)
    return {each.at("path").text(): each.at("key").text() for each in source.at("items").items()}


def words(container: Container) -> list[str]:
    """What the container is started with, its own command first. Raises Undecided."""
    return [each.text() for part in ("command", "args") for each in container.node.at(part).items()]


def flag(container: Container, name: str) -> str | None:
    """The value of `-name=value` or `-name value`, however many dashes it has; None if it is not there."""
    told = words(container)
    for index, word in enumerate(told):
        key, has_value, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key == name:
            return value if has_value else told[index + 1] if index + 1 < len(told) else ""
    return None


def read(resource: Resource, pod: Pod, container: Container, stack: Stack) -> dict[str, Node]:
    """The files of `files` that its command line names, or that stand in a folder it names."""
    told = [word.partition("=")[2] if word.startswith("-") and "=" in word else word for word in words(container)]
    return {
        path: content
        for path, content in files(resource, pod, container, stack).items()
        if any(word and (word == path or posixpath.dirname(path) == word.rstrip("/")) for word in told)
    }
