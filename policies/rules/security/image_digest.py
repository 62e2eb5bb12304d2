"""Every image is named by its digest: a tag can be moved to other content, a digest cannot."""

import re
from collections.abc import Iterator
from functools import partial

from policies import operators
from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import Container, Role, pods
from policies.stack import Resource, Stack
from policies.values import Marker, Node, any_of

_PINNED = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
_KEYS = ("image", "imageName")
"""Where a pod, or a custom resource, names an image: a text, or an object with a `reference` to a volume's image."""
_NOT_IMAGES = frozenset({"metadata", "podMetadata", "labels", "annotations", "status"})
"""Members that speak of something else, or of what runs already."""
_WITHOUT_IMAGES = ("core/ConfigMap", "core/Secret")

_CHOSEN: dict[str, tuple[str, ...]] = {
    operators.CLUSTER: ("imageName", "imageCatalogRef"),
    **dict.fromkeys(
        (operators.PROMETHEUS, operators.PROMETHEUS_AGENT, operators.ALERTMANAGER, operators.THANOS_RULER), ("image",)
    ),
}
"""Custom resource -> the members of its spec of which one names the image, or else its operator chooses one."""
_POOLER_CONTAINER = "pgbouncer"

_ROLES = {Role.MAIN: "containers", Role.INIT: "initContainers", Role.EPHEMERAL: "ephemeralContainers"}


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if not resource.type.startswith("kubernetes:") or resource.kind in _WITHOUT_IMAGES:
        return None
    checks: list[Check] = [partial(_pin_faults, image) for image in _images(resource.root)]
    if resource.kind in _CHOSEN:
        checks.append(partial(_choice_faults, resource))
    elif resource.kind == operators.POOLER:
        checks.append(partial(_pooler_faults, resource.root.at("spec", "template", "spec", "containers")))
    else:
        for pod in pods(resource):
            for role, field in _ROLES.items():
                checks += each(pod.spec.at(field), partial(_missing_faults, role))
    return verdict(checks) if checks else None


def _images(node: Node) -> Iterator[Node]:
    """Whatever names an image, at any depth."""
    if isinstance(node.value, list):
        for item in node.items():
            yield from _images(item)
    elif isinstance(node.value, dict):
        for key in node.value:
            member = node.at(key)
            if key in _KEYS and isinstance(member.value, str | Marker):
                yield member
            elif key in _KEYS and isinstance(member.at("reference").value, str | Marker):
                yield member.at("reference")
            elif key not in _NOT_IMAGES:
                yield from _images(member)


def _pin_faults(image: Node) -> list[str]:
    text = image.text()
    if _PINNED.fullmatch(text):
        return []
    name, at, _ = text.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if at:
        why = "whose digest is not sha256: and 64 hexadecimal digits"
    elif not tag:
        why = "without a tag, hence whatever is the latest"
    else:
        why = "by the tag latest, which moves" if tag == "latest" else "by a tag alone, which can be moved"
    return [f"{image.path} names {text!r} {why}"]


def _choice_faults(resource: Resource) -> list[str]:
    spec = resource.root.at("spec")
    members = _CHOSEN[resource.kind]
    if any_of(members, lambda member: spec.at(member).known() is not None):
        return []
    return [f"spec.{members[0]} is not set, so that its operator chooses the image"]


def _pooler_faults(containers: Node) -> list[str]:
    own = [each for each in containers.items() if each.at("name").known() == _POOLER_CONTAINER]
    if any_of(own, lambda container: container.at("image").known() is not None):
        return []
    return [f"{containers.path} gives {_POOLER_CONTAINER} no image, so that its operator chooses one"]


def _missing_faults(role: Role, container: Node) -> list[str]:
    return [f"{Container(container, role).title} names no image"] if container.at("image").known() is None else []


RULE = Rule(
    id="image-digest",
    theme=Theme.SECURITY,
    title="Every image is named by its digest",
    why="What a tag names can be replaced. What was tested is then not what runs, and two nodes run different things.",
    applies_to="images of pods and of custom resources",
    severity=Severity.HIGH,
    controls=(
        "SOC 2 CC6.8",
        "SOC 2 CC8.1",
        "ISO/IEC 27001:2022 8.19",
        "NIST 800-53 r5 CM-2",
        "NIST 800-53 r5 SI-7",
    ),
    remediation=(
        "Name the image as repository:tag@sha256:…: images.pin: registry asks the registry at every preview, and "
        "images.digests gives digests by hand."
    ),
    judge=_judge,
)
