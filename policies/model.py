"""What rules are made of: verdicts to give, and the rule itself, which is data; and what came of asking it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from policies.stack import Resource, Stack
from policies.values import Node, Undecided


class Theme(StrEnum):
    """What a rule is about; the folder below rules/ it stands in."""

    BACKUPS = "backups"
    HEALTH = "health"
    SLO = "slo"
    SECURITY = "security"
    DELIVERY = "delivery"
    OBSERVABILITY = "observability"
    CAPACITY = "capacity"
    META = "meta"


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
    """Would fail, but the register of exemptions allows it until a day."""
    NOT_APPLICABLE = "not_applicable"
    """The rule looked at the resource and has nothing to ask of it; the reason says why."""
    INCONCLUSIVE = "inconclusive"
    """Depends on a value that is not known before the deployment, or that is secret."""
    ERROR = "error"
    """The rule itself is at fault."""


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
    theme: Theme
    title: str
    """The requirement as a sentence without a full stop."""
    why: str
    """What goes wrong without it, as sentences."""
    applies_to: str
    """What it asks something of, e.g. `CloudNativePG clusters`."""
    severity: Severity
    controls: tuple[str, ...]
    """Controls it serves, e.g. `SOC 2 A1.2`; each is in controls.py."""
    remediation: str
    """What to do about a failure, as sentences."""
    enforcement: Enforcement = Enforcement.MANDATORY
    """Unless an environment says otherwise."""
    judge: Callable[[Resource, Stack], Verdict | None]
    """None: not the kind of resource the rule is about. May raise `Undecided`."""


@dataclass(frozen=True)
class Finding:
    """One rule on one resource."""

    urn: str
    subject: str
    outcome: Outcome
    reasons: tuple[str, ...]
    """Faults, the exemption, what is not known, why not applicable; empty for a pass."""
    exemption: str = ""
    """Id of the exemption that counted."""


@dataclass(frozen=True)
class RuleResult:
    """One rule on a whole stack."""

    id: str
    theme: Theme
    title: str
    enforcement: Enforcement
    """As it applied to this stack: an environment, or the engine's configuration, may have changed it."""
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
