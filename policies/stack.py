"""What rules judge: the resources of a stack, plain, and what is known beside them (the day, dated evidence)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from policies.facts import Facts
from policies.values import UNKNOWN, Marker, Node, Plain, Undecided

if TYPE_CHECKING:
    from policies.model import RuleResult

T = TypeVar("T")

ROOT = "pulumi:pulumi:Stack"
"""Kind of the resource that stands for the stack as a whole: rules about what must exist somewhere judge it."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack, plain.

    `props` is its state as it will stand, else as it was declared; for a component its args and its outputs.
    """

    urn: str
    type: str
    """Type token, e.g. `kubernetes:apps/v1:Deployment` or `mainstay:index:Postgres`."""
    name: str
    """Logical name, the last part of the URN."""
    props: Mapping[str, Plain]
    partial: bool = False
    """A patch whose object is not at hand: what it does not set is not known to be missing."""
    declared: Mapping[str, Plain] | None = None
    """Its inputs, where they are told apart from what stands; None: `props` are its inputs."""

    @cached_property
    def kind(self) -> str:
        """Group and kind without the version, e.g. `apps/Deployment`; the type token itself if not of Kubernetes.

        A patch of a Deployment is a Deployment.
        """
        package, _, rest = self.type.partition(":")
        module, _, kind = rest.partition(":")
        if package != "kubernetes" or not kind:
            return self.type
        return f"{module.partition('/')[0]}/{kind.removesuffix('Patch')}"

    @cached_property
    def root(self) -> Node:
        """Where reading starts."""
        return Node(dict(self.props), partial=self.partial)

    @cached_property
    def asked(self) -> Node:
        """Where reading what was declared starts: what stands may be a default, or of an autoscaler's making."""
        return Node(dict(self.props if self.declared is None else self.declared), partial=self.partial)

    @cached_property
    def namespace(self) -> str | Marker:
        """Namespace of a Kubernetes object; `default` if it names none."""
        return self._metadata("namespace") or "default"

    @cached_property
    def object_name(self) -> str | Marker:
        """Name of a Kubernetes object; empty if it has none."""
        return self._metadata("name")

    @cached_property
    def subject(self) -> str:
        """How messages call it, e.g. `StatefulSet staging/redis`, `HttpService api`."""
        kind = self.type.rpartition(":")[2]
        if not self.type.startswith("kubernetes:") or not isinstance(self.object_name, str) or not self.object_name:
            return f"{kind} {self.name}"
        if not isinstance(self.namespace, str):
            return f"{kind} {self.object_name}"
        return f"{kind} {self.namespace}/{self.object_name}"

    def _metadata(self, key: str) -> str | Marker:
        return _text_or_marker(self, ("metadata", key))


class Stack:
    """All resources of a stack in the order of their URNs (the engine's own order is random)."""

    def __init__(self, resources: Iterable[Resource], facts: Facts | None = None) -> None:
        self.resources = tuple(sorted(resources, key=lambda resource: resource.urn))
        self.facts = facts or Facts()
        self.results: tuple[RuleResult, ...] = ()
        """What the other rules found: there when the rules about rules (theme `meta`) are asked."""
        self._kinds: defaultdict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            self._kinds[resource.kind].append(resource)
        self._indexes: dict[tuple[str, tuple[str, ...]], _Index] = {}
        self._answers: dict[Callable[[Stack], object], object] = {}

    def of(self, kind: str) -> tuple[Resource, ...]:
        """Resources of a kind."""
        return tuple(self._kinds.get(kind, ()))

    def once(self, question: Callable[["Stack"], T]) -> T:
        """The answer to a question about the whole stack, worked out once for all resources that want to know."""
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast(T, self._answers[question])

    def find(self, kind: str, namespace: str, path: tuple[str, ...], value: str) -> "Matches":
        """Resources of a kind and namespace whose string at `path` is `value`. One pass per kind and path, once."""
        key = (kind, path)
        if key not in self._indexes:
            self._indexes[key] = _Index(self.of(kind), path)
        return self._indexes[key].find(namespace, value)


@dataclass(frozen=True)
class Matches:
    """What a search found."""

    certain: tuple[Resource, ...]
    possible: tuple[Resource, ...]
    """Would match if a value that cannot be read were the right one."""


class _Index:
    def __init__(self, resources: Iterable[Resource], path: tuple[str, ...]) -> None:
        self._certain: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self._open: list[tuple[str | Marker, str | Marker, Resource]] = []
        for resource in resources:
            value = _text_or_marker(resource, path)
            if isinstance(value, str) and isinstance(resource.namespace, str):
                self._certain[resource.namespace, value].append(resource)
            else:
                self._open.append((resource.namespace, value, resource))

    def find(self, namespace: str, value: str) -> Matches:
        possible = [
            resource
            for its_namespace, its_value, resource in self._open
            if its_namespace in (namespace, *Marker) and its_value in (value, *Marker)
        ]
        return Matches(tuple(self._certain.get((namespace, value), ())), tuple(possible))


def _text_or_marker(resource: Resource, path: tuple[str, ...]) -> str | Marker:
    try:
        return resource.root.at(*path).text()
    except Undecided:
        return UNKNOWN
