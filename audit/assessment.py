"""An assessment: the rules asked of some input, and all that must be known to believe the answer.

It is plain data, from and to JSON, and holds no secret. Everything else in a bundle is made of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from pydantic import TypeAdapter

from audit import AuditError
from policies.evaluation import evaluate, unused
from policies.evidence import Evidence
from policies.exemptions import Exemption
from policies.facts import Facts
from policies.model import Enforcement, Outcome, Rule, RuleResult, Severity, Theme
from policies.stack import Resource, Stack

FORMAT = 1
_WRONG = (Outcome.FAIL, Outcome.ERROR)


class Verdict(StrEnum):
    """What it comes to."""

    FAILED = "failed"
    """A mandatory rule fails somewhere."""
    INCOMPLETE = "incomplete"
    """No mandatory rule fails, but some could not be decided."""
    PASSED = "passed"
    """All mandatory rules hold, or are exempt where they do not."""


@dataclass(frozen=True)
class Input:
    """What was judged."""

    kind: str
    """`deployed` (the state of a stack), `state` (an exported one) or `manifests`."""
    source: str
    """Where it came from, for people, e.g. `the cluster of context 'prod'`; says if containers are simulated."""
    stack: str
    """The environment whose exemptions and levels count."""
    digest: str
    """SHA-256 of the resources as the rules saw them (intake.digest)."""
    commit: str
    """Commit of the infrastructure's repository; ends in `-dirty` if files differed; empty if nobody knows."""


@dataclass(frozen=True)
class Judge:
    """Who judged: enough to ask the same questions again."""

    pack: str
    version: str
    digest: str
    """SHA-256 of the rules' source files."""
    writer_digest: str
    """SHA-256 of the source files that wrote the bundle."""
    register_digest: str
    """SHA-256 of the register of exemptions."""
    tools: Mapping[str, str]
    """Name -> version of what else took part (mainstay, python, pulumi)."""


@dataclass(frozen=True)
class Member:
    """One resource of the population."""

    urn: str
    type: str
    subject: str


@dataclass(frozen=True)
class RuleText:
    """What a rule is, for who reads the results: the rules may have changed since."""

    id: str
    theme: Theme
    title: str
    why: str
    applies_to: str
    severity: Severity
    controls: tuple[str, ...]
    remediation: str


@dataclass(frozen=True)
class Entry:
    """An exemption, and what became of it."""

    exemption: Exemption
    state: str
    """`used`, `unused` (it exempted nothing), `expired`, or `other stack`."""


@dataclass(frozen=True)
class Assessment:
    """The whole of it."""

    as_of: str
    """Time as of which it was judged, UTC, e.g. `2026-11-25T10:00:00Z`."""
    input: Input
    judge: Judge
    population: tuple[Member, ...]
    """Every resource, by URN, whether or not a rule is about it."""
    rules: tuple[RuleText, ...]
    """By id."""
    results: tuple[RuleResult, ...]
    """By id, one for each rule."""
    exemptions: tuple[Entry, ...]
    exemption_problems: tuple[str, ...]
    """Entries that are wrong and exempt nothing."""
    evidence: tuple[Evidence, ...]
    weakened: Mapping[str, str]
    """Rule -> why it only advises in this environment."""

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        mandatory = [result for result in self.results if result.enforcement is Enforcement.MANDATORY]
        if any(result.count(outcome) for result in mandatory for outcome in _WRONG):
            return Verdict.FAILED
        if any(result.count(Outcome.INCONCLUSIVE) for result in mandatory):
            return Verdict.INCOMPLETE
        return Verdict.PASSED

    @property
    def vacuous(self) -> tuple[str, ...]:
        """Rules that asked nothing of any resource: that they did not fail proves nothing."""
        return tuple(result.id for result in self.results if result.vacuous)

    def text(self, rule: str) -> RuleText:
        """What a rule is."""
        return next(each for each in self.rules if each.id == rule)

    def population_of(self, result: RuleResult) -> dict[str, int]:
        """How a rule's findings make up the population: evaluated + not applicable + of other kinds = all."""
        return {
            "all": len(self.population),
            "evaluated": result.evaluated,
            "not_applicable": result.count(Outcome.NOT_APPLICABLE),
            "other_kinds": len(self.population) - len(result.findings),
        }


def assess(
    rules: tuple[Rule, ...],
    resources: list[Resource],
    judged: Input,
    judge: Judge,
    facts: Facts,
    as_of: datetime,
    weakened: Mapping[str, str],
) -> Assessment:
    """Asks all rules; `facts.as_of` is the day of `as_of`."""
    stack = Stack(resources, facts)
    results = evaluate(rules, stack, dict.fromkeys(weakened, Enforcement.ADVISORY))
    register = facts.register
    idle = {each.id for each in unused(register, results, stack)}
    gone = {each.id for each in register.expired(facts.as_of)}

    def state(exemption: Exemption) -> str:
        if exemption.stack != facts.stack:
            return "other stack"
        return "expired" if exemption.id in gone else "unused" if exemption.id in idle else "used"

    return Assessment(
        as_of=as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        input=judged,
        judge=judge,
        population=tuple(Member(each.urn, each.type, each.subject) for each in stack.resources),
        rules=tuple(_text(rule) for rule in sorted(rules, key=lambda rule: rule.id)),
        results=results,
        exemptions=tuple(Entry(each, state(each)) for each in register.entries),
        exemption_problems=register.problems,
        evidence=facts.evidence or (),
        weakened=dict(sorted(weakened.items())),
    )


def _text(rule: Rule) -> RuleText:
    return RuleText(
        rule.id, rule.theme, rule.title, rule.why, rule.applies_to, rule.severity, rule.controls, rule.remediation
    )


_MODEL = TypeAdapter(Assessment)


def to_json(assessment: Assessment) -> str:
    """The same assessment gives the same bytes. What readers would have to count is there too: verdict, population."""
    content = {
        "format": FORMAT,
        "verdict": assessment.verdict,
        **_MODEL.dump_python(assessment, mode="json"),
        "reconciled": {result.id: assessment.population_of(result) for result in assessment.results},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Assessment:
    """The assessment in a file. Raises AuditError."""
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or cast(dict[str, Any], content).get("format") != FORMAT:
            raise ValueError(f"the format is not {FORMAT}")
        return _MODEL.validate_python(content)
    except ValueError as error:
        raise AuditError(f"The results cannot be read by this version of Mainstay ({error}).") from error
