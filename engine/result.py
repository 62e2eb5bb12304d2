"""What a run of the engine did or would do: plain, serialisable data that never holds a secret.

Renderers (terminal, pull-request comment, audit evidence) read this and nothing else.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from policies.results import Results

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MASK = "[secret]"
"""Stands for a value that is secret in the state or in the program."""

Operation = Literal["create", "update", "replace", "delete", "import", "read", "same"]


@dataclass(frozen=True)
class Change:
    """One property that differs."""

    path: str
    """Pulumi's property path, e.g. `spec.template.spec.containers[0].image`."""
    kind: Literal["add", "update", "delete"]
    forces_replacement: bool
    """The object must be made anew for this change."""
    old: Json
    """What is there (the live object's value after a refresh); None where nothing was."""
    new: Json
    """What the program asks for; None where nothing is asked for."""


@dataclass(frozen=True)
class Image:
    """An image that differs."""

    where: str
    """The container, or the field of a custom resource."""
    old: str | None
    """None where nothing ran."""
    new: str | None
    """None where nothing will run."""


@dataclass(frozen=True)
class Data:
    """Data that an object holds: what cannot simply be made again."""

    noun: str
    """What a person calls it, e.g. `database`; its plural ends in s."""
    fate: str
    """What the deletion or replacement of the object does to it, a clause, e.g. `everything in it goes`."""


@dataclass(frozen=True)
class Step:
    """What happens to one resource."""

    urn: str
    type: str
    """Pulumi's type token, e.g. `kubernetes:apps/v1:Deployment`."""
    name: str
    """Logical name, the last part of the URN."""
    op: Operation
    kind: str | None
    """Kubernetes kind, or the name of another provider's resource; None for components and providers."""
    namespace: str | None
    """Kubernetes namespace; None also for cluster-wide objects."""
    object_name: str | None
    """Name in Kubernetes."""
    parent: str | None
    """URN of the component it belongs to."""
    protected: bool
    changes: tuple[Change, ...]
    """Sorted by path. Empty for create and delete: the whole object is meant."""
    state: Literal["planned", "done", "failed"]
    """`planned` in a preview, and for what a failed run did not reach."""
    seconds: float | None
    """How long it took; None if it was only planned."""
    images: tuple[Image, ...] = ()
    """Images that differ, those of new and of deleted objects included; by container."""
    declared: Json = None
    """All that the program asks for, of a new object; None for the others, whose changes tell."""
    data: Data | None = None
    """The data it holds; None for most."""

    @property
    def label(self) -> str:
        """How a person calls it: `Deployment shop/api`, or the component's type and name."""
        if self.kind is None:
            return f"{self.type.rpartition(':')[2]} {self.name}"
        name = self.object_name or self.name
        return f"{self.kind} {self.namespace}/{name}" if self.namespace else f"{self.kind} {name}"


@dataclass(frozen=True)
class Violation:
    """A rule that one resource breaks, as the engine tells it."""

    rule: str
    enforcement: str
    """`mandatory` stops the run, `advisory` is told."""
    urn: str | None
    message: str


@dataclass(frozen=True)
class Diagnostic:
    """Something the engine, the plugin or the program said."""

    severity: Literal["info", "warning", "error"]
    urn: str | None
    message: str


@dataclass(frozen=True)
class Result:
    """One preview, update or destruction."""

    operation: Literal["preview", "up", "down"]
    stack: str
    started: str
    """UTC, ISO 8601."""
    seconds: float
    outcome: Literal["succeeded", "failed", "interrupted"]
    steps: tuple[Step, ...]
    """By URN; resources that stay as they are included (`same`)."""
    drift: tuple[Step, ...]
    """What a refresh found changed (`update`) or gone (`delete`) behind the engine's back: old is the state's value,
    new the cluster's. Empty if nothing was refreshed."""
    policy: Results | None
    """What each rule of the policy pack found on each resource; None if the run did not get that far."""
    violations: tuple[Violation, ...]
    """What the engine itself enforced or told, of whatever packs it ran."""
    outputs: Mapping[str, Json]
    """The stack's exports, secrets masked; of a preview as far as they are known."""
    outputs_changed: bool
    diagnostics: tuple[Diagnostic, ...]

    @property
    def changed(self) -> tuple[Step, ...]:
        """Steps on objects, components and providers apart, that change something."""
        return tuple(step for step in self.steps if step.kind and step.op not in ("same", "read"))

    @property
    def mandatory(self) -> tuple[Violation, ...]:
        """The violations that stop a run."""
        return tuple(each for each in self.violations if each.enforcement == "mandatory")

    @property
    def has_changes(self) -> bool:
        """Whether an update would do anything, components, providers and outputs included."""
        return self.outputs_changed or any(step.op not in ("same", "read") for step in self.steps)

    @property
    def counts(self) -> Mapping[str, int]:
        """Objects by operation, `same` included; only operations that occur."""
        counts: dict[str, int] = {}
        for step in self.steps:
            if step.kind:
                counts[step.op] = counts.get(step.op, 0) + 1
        return dict(sorted(counts.items()))

    def to_dict(self) -> dict[str, Any]:
        """For JSON: field names as here, `counts` added."""
        return {**asdict(self), "counts": dict(self.counts)}
