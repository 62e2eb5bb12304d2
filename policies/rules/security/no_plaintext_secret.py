"""No secret stands in the clear: in ConfigMaps, variables, arguments, annotations, custom resources and outputs.

A value that Pulumi knows to be secret is no less in the clear in a ConfigMap than one that somebody wrote there.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.normalise import PLAIN_KEYS
from policies.plaintext import Place, forms, looks_random, names_digest, names_sealed, names_secret, settings
from policies.pods import Container, Pod, Role, pods
from policies.stack import ROOT, Resource, Stack
from policies.values import ELSEWHERE, SECRET, Marker, Node, Plain, Undecided

_CONFIG_MAP = "core/ConfigMap"
_GITHUB_VARIABLES = (
    "github:index/actionsVariable:ActionsVariable",
    "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable",
)
_COMMANDS = (
    ("command",),
    ("args",),
    *((probe, "exec", "command") for probe in ("startupProbe", "readinessProbe", "livenessProbe")),
    *(("lifecycle", hook, "exec", "command") for hook in ("postStart", "preStop")),
)
_NO_FIELDS = ("metadata", "status")
_FLAG = re.compile(r"-{0,2}(?P<name>[A-Za-z][\w.-]*)(=(?P<value>.*))?", re.DOTALL)
_ROLES = {Role.MAIN: "containers", Role.INIT: "initContainers", Role.EPHEMERAL: "ephemeralContainers"}


@dataclass(frozen=True)
class _Text:
    """Something that can be read by whoever may look at the object."""

    where: str
    value: Plain
    name: str
    place: Place = Place.NAME
    alone: bool = True
    """If it is secret, it is so by itself, and not because something beside it is."""


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    checks = [partial(_faults, text) for text in _texts(resource) if text.value not in (None, ELSEWHERE)]
    return verdict(checks) if checks else None


def _faults(text: _Text) -> list[str]:
    value = text.value
    if value is SECRET and names_digest(text.name):
        return []
    if value is SECRET and text.alone:
        return [f"{text.where} is a secret of the stack, and stands here in the clear"]
    if isinstance(value, Marker):
        raise Undecided(f"{text.where} is {value.value}")
    if not isinstance(value, str | int | float):
        return []
    content = str(value)
    clauses = [f"holds {form}" for form in forms(content)]
    if names_secret(text.name, content, text.place):
        clauses.append("is a literal value, and by its name a secret")
    clauses += [f"gives {name} a literal value in line {line}" for line, name in settings(content)]
    if not clauses and not names_digest(text.name) and looks_random(content):
        clauses.append("is random, as keys and tokens are")
    return [f"{text.where} {clause}" for clause in clauses]


def _texts(resource: Resource) -> Iterator[_Text]:
    root = resource.root
    if resource.kind == ROOT:
        # A secret output is encrypted in the state.
        yield from (text for key in root.keys() for text in _fields(root.at(key), key) if text.value is not SECRET)  # noqa: SIM118
    if resource.type in _GITHUB_VARIABLES:
        yield _Text("value", root.at("value").value, str(root.at("variableName").value))
    if not resource.type.startswith("kubernetes:"):
        return
    yield from _annotations(root.at("metadata", "annotations"))
    if resource.kind == _CONFIG_MAP:
        for key, node in _members(root.at("data")):
            yield _Text(node.path, node.value, key, alone=bool(key))
        for key, node in _members(root.at("binaryData")):
            yield _Text(node.path, _decoded(node.value), key, alone=bool(key))
    elif _is_custom(resource):
        yield from (
            text for key, node in _members(root) if key not in _NO_FIELDS for text in _fields(node, key, Place.FIELD)
        )
    else:
        for pod in pods(resource):
            yield from _of_pod(pod)


def _is_custom(resource: Resource) -> bool:
    """Whether it is of a kind that Kubernetes does not have by itself."""
    group = resource.kind.partition("/")[0]
    return "." in group and (not group.endswith(".k8s.io") or group.startswith("gateway."))


def _annotations(annotations: Node) -> Iterator[_Text]:
    for key, node in _members(annotations):
        # It lists names of keys, and which: a name is no secret.
        if key == PLAIN_KEYS:
            continue
        yield _Text(f"annotation {key}" if key else node.path, node.value, key, alone=bool(key))


def _of_pod(pod: Pod) -> Iterator[_Text]:
    if pod.template.path:
        yield from _annotations(pod.template.at("metadata", "annotations"))
    for role, field in _ROLES.items():
        for container in _items(pod.spec.at(field)):
            title = Container(container, role).title
            for entry in _items(container.at("env")):
                name = entry.at("name").value
                where = f"{title}: variable {name if isinstance(name, str) else entry.path}"
                # A list that is secret as a whole is so for one of its entries.
                yield _Text(where, entry.at("value").value, str(name), alone=isinstance(entry.value, dict))
            for path in _COMMANDS:
                yield from _arguments(f"{title}: {'.'.join(path)}", container.at(*path))


def _arguments(where: str, arguments: Node) -> Iterator[_Text]:
    """Arguments of a command: `--name=value`, `--name value`, `NAME=value`, or a text."""
    before = ""
    for index, argument in enumerate(_items(arguments)):
        flag = _FLAG.fullmatch(argument.value) if isinstance(argument.value, str) else None
        value = argument.value
        name = before
        before = ""
        if flag and flag["value"] is not None:
            name, value = flag["name"], flag["value"]
        elif flag and flag[0].startswith("-"):
            before = flag["name"]
            continue
        yield _Text(f"{where}[{index}]", value, name, alone=isinstance(arguments.value, list))


def _fields(node: Node, name: str, place: Place = Place.NAME) -> Iterator[_Text]:
    """Whatever stands in a custom resource. Of a pair of `name` and `value`, the one is what the other is called."""
    if isinstance(node.value, dict):
        called = node.value.get("name")
        for key, member in _members(node):
            if key == "value" and isinstance(called, str):
                yield from _fields(member, called)
            elif key in ("args", "command"):
                yield from _arguments(member.path, member)
            elif not names_sealed(key):
                yield from _fields(member, key, Place.FIELD)
    elif isinstance(node.value, list):
        for item in _items(node):
            yield from _fields(item, name, place)
    else:
        yield _Text(node.path, node.value, name, place, alone=False)


def _items(node: Node) -> list[Node]:
    """The elements of a list; a list that cannot be read stands for them."""
    return [node] if isinstance(node.value, Marker) else node.items()


def _members(node: Node) -> list[tuple[str, Node]]:
    """The members of an object, by name; an object that cannot be read stands for them, without one."""
    return [("", node)] if isinstance(node.value, Marker) else [(key, node.at(key)) for key in node.keys()]  # noqa: SIM118


def _decoded(value: Plain) -> Plain:
    """The text of binary data; None if it is none."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


RULE = Rule(
    id="no-plaintext-secret",
    theme=Theme.SECURITY,
    title="No secret stands in the clear",
    why=(
        "ConfigMaps, pods and custom resources are read by many, are kept in the state and in backups, and are shown "
        "in reviews. What stands there in the clear has to be taken for known."
    ),
    applies_to="ConfigMaps, variables and arguments of containers, annotations, custom resources, outputs",
    severity=Severity.CRITICAL,
    controls=(
        "CIS Kubernetes 1.9 5.4.1",
        "SOC 2 CC6.1",
        "SOC 2 CC6.7",
        "ISO/IEC 27001:2022 5.17",
        "ISO/IEC 27001:2022 8.12",
        "NIST 800-53 r5 IA-5",
        "NIST 800-53 r5 SC-28",
    ),
    remediation=(
        "Put the value into a Secret, and refer to it by secretKeyRef or by a file that is mounted. Rotate it: it has "
        "been seen."
    ),
    judge=_judge,
)
