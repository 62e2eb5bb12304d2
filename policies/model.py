"""What rules are made of: resources and stacks to judge, verdicts to give, and the rule itself, which is data."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import TypeVar, cast

from policies.values import UNKNOWN, Marker, Node, Plain, Undecided

T = TypeVar("T")


class Enforcement(StrEnum):
    """What a failed rule does: report, stop the deployment, or nothing because it is switched off."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    DISABLED = "disabled"


class Severity(StrEnum):
    """How bad a failure is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Outcome(StrEnum):
    """What became of one rule on one resource."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    EXEMPT = "exempt"
    """Would fail, but the resource carries a reason why not."""
    NOT_APPLICABLE = "not_applicable"
    """The rule looked at the resource and has nothing to ask of it; the reason says why."""
    INCONCLUSIVE = "inconclusive"
    """Depends on a value that is not known before the deployment, or that is secret."""
    ERROR = "error"
    """The rule itself is at fault."""


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

    @cached_property
    def kind(self) -> str:
        """Group and kind without the version, e.g. `apps/Deployment`; the type token itself if not of Kubernetes."""
        package, _, rest = self.type.partition(":")
        module, _, kind = rest.partition(":")
        return f"{module.partition('/')[0]}/{kind}" if package == "kubernetes" and kind else self.type

    @cached_property
    def root(self) -> Node:
        """Where reading starts."""
        return Node(dict(self.props))

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

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(sorted(resources, key=lambda resource: resource.urn))
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


@dataclass(frozen=True)
class Verdict:
    """A rule's answer about one resource: it passes if there is no fault and nothing is left open."""

    faults: tuple[str, ...] = ()
    """What is wrong, one clause each, e.g. `container api has no startupProbe`."""
    undecided: tuple[str, ...] = ()
    """What could not be read."""
    not_applicable: str = ""
    """Why the rule asks nothing of this resource."""


Check = Callable[[], Iterable[str]]


def verdict(checks: Iterable[Check]) -> Verdict:
    """Runs checks that do not depend on each other: what one cannot read must not hide what another finds."""
    faults: list[str] = []
    undecided: list[str] = []
    for check in checks:
        try:
            faults.extend(check())
        except Undecided as reason:
            undecided.append(str(reason))
    return Verdict(tuple(faults), tuple(dict.fromkeys(undecided)))


def each(items: Node, check: Callable[[Node], Iterable[str]]) -> list[Check]:
    """One check for every element of a list; a list that cannot be read is one check that stays undecided."""
    try:
        return [partial(check, item) for item in items.items()]
    except Undecided:
        return [lambda: (fault for item in items.items() for fault in check(item))]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that must be true."""

    id: str
    """Lower case with hyphens; never changed, exemptions and evidence refer to it."""
    title: str
    """The requirement as a sentence without a full stop."""
    enforcement: Enforcement
    severity: Severity
    frameworks: tuple[str, ...]
    """Controls it serves, e.g. `SOC 2 A1.2`."""
    remediation: str
    """What to do about a failure, as a sentence."""
    judge: Callable[[Resource, Stack], Verdict | None]
    """None: not the kind of resource the rule is about. May raise `Undecided`."""


@dataclass(frozen=True)
class Finding:
    """One rule on one resource."""

    urn: str
    subject: str
    outcome: Outcome
    reasons: tuple[str, ...]
    """Faults, the exemption's reason, what is not known, why not applicable; empty for a pass."""


@dataclass(frozen=True)
class RuleResult:
    """One rule on a whole stack."""

    id: str
    title: str
    enforcement: Enforcement
    """As it applied to this stack, which the engine's configuration may have changed."""
    severity: Severity
    remediation: str
    findings: tuple[Finding, ...]
    """By URN; resources the rule is not about have none."""

    def of(self, outcome: Outcome) -> tuple[Finding, ...]:
        """Findings with this outcome."""
        return tuple(finding for finding in self.findings if finding.outcome is outcome)

    def count(self, outcome: Outcome) -> int:
        """Number of findings with this outcome."""
        return len(self.of(outcome))

    @property
    def evaluated(self) -> int:
        """Resources it asked something of: all but the not applicable ones."""
        return len(self.findings) - self.count(Outcome.NOT_APPLICABLE)

    @property
    def vacuous(self) -> bool:
        """It asked nothing of any resource (or is disabled): its lack of failures proves nothing."""
        return self.evaluated == 0
