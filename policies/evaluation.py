"""Every rule over every resource. A fault in a rule is that rule's, unreadable values are that resource's."""

from collections.abc import Iterable, Mapping

from policies.model import Enforcement, Finding, Outcome, Resource, Rule, RuleResult, Stack, Verdict
from policies.values import Undecided

EXEMPTION = "policy.mainstay.dev/"
"""Prefix of the annotation that exempts an object from the rule whose id follows; its value is the reason."""


def evaluate(
    rules: Iterable[Rule], stack: Stack, enforcement: Mapping[str, Enforcement] | None = None
) -> tuple[RuleResult, ...]:
    """Results by rule id. `enforcement` overrides levels, also by rule id; a disabled rule has no findings."""
    levels = enforcement or {}
    return tuple(
        _result(rule, stack, levels.get(rule.id, rule.enforcement)) for rule in sorted(rules, key=lambda rule: rule.id)
    )


def _result(rule: Rule, stack: Stack, enforcement: Enforcement) -> RuleResult:
    resources = () if enforcement is Enforcement.DISABLED else stack.resources
    findings = [finding for resource in resources if (finding := _finding(rule, resource, stack))]
    return RuleResult(rule.id, rule.title, enforcement, rule.severity, rule.remediation, tuple(findings))


def _finding(rule: Rule, resource: Resource, stack: Stack) -> Finding | None:
    try:
        verdict = rule.judge(resource, stack)
    except Undecided as reason:
        verdict = Verdict(undecided=(str(reason),))
    except Exception as error:
        # Whatever a rule raises must not keep the other rules from answering.
        return Finding(resource.urn, resource.subject, Outcome.ERROR, (f"{type(error).__name__}: {error}",))
    if verdict is None:
        return None
    outcome, reasons = _outcome(verdict, rule, resource)
    return Finding(resource.urn, resource.subject, outcome, reasons)


def _outcome(verdict: Verdict, rule: Rule, resource: Resource) -> tuple[Outcome, tuple[str, ...]]:
    if verdict.not_applicable:
        return Outcome.NOT_APPLICABLE, (verdict.not_applicable,)
    if not verdict.faults and not verdict.undecided:
        return Outcome.PASS, ()
    annotation = EXEMPTION + rule.id
    try:
        reason = resource.root.at("metadata", "annotations", annotation)
        if reason.text():
            return Outcome.EXEMPT, (reason.text(),)
        if reason.known() is not None:
            return Outcome.FAIL, (*verdict.faults, f"the annotation {annotation} gives no reason")
    except Undecided:
        # A reason nobody can read exempts nothing.
        pass
    if verdict.faults:
        return Outcome.FAIL, verdict.faults
    return Outcome.INCONCLUSIVE, verdict.undecided
