"""Every rule over every resource. A fault in a rule is that rule's, unreadable values are that resource's."""

from collections.abc import Iterable, Mapping

from policies.exemptions import UNEXEMPTABLE, Exemption, Register
from policies.model import Enforcement, Finding, Outcome, Rule, RuleResult, Theme, Verdict
from policies.stack import Resource, Stack
from policies.values import Undecided


def evaluate(
    rules: Iterable[Rule], stack: Stack, enforcement: Mapping[str, Enforcement] | None = None
) -> tuple[RuleResult, ...]:
    """Results by rule id. `enforcement` overrides levels, also by rule id; a disabled rule has no findings.

    Rules about rules come last and see what the others found.
    """
    levels = enforcement or {}
    results: list[RuleResult] = []
    for rule in sorted(rules, key=lambda rule: (rule.theme is Theme.META, rule.id)):
        stack.results = tuple(results)
        results.append(_result(rule, stack, levels.get(rule.id, rule.enforcement)))
    return tuple(sorted(results, key=lambda result: result.id))


def unused(register: Register, results: Iterable[RuleResult], stack: Stack) -> tuple[Exemption, ...]:
    """Entries for this stack that still count and exempt nothing: what they allowed is no longer there."""
    facts = stack.facts
    used = {finding.exemption for result in results for finding in result.findings}
    gone = register.expired(facts.as_of)
    return tuple(
        each for each in register.entries if each.stack == facts.stack and each not in gone and each.id not in used
    )


def _result(rule: Rule, stack: Stack, enforcement: Enforcement) -> RuleResult:
    resources = () if enforcement is Enforcement.DISABLED else stack.resources
    findings = [finding for resource in resources if (finding := _finding(rule, resource, stack))]
    return RuleResult(rule.id, rule.theme, rule.title, enforcement, rule.severity, rule.remediation, tuple(findings))


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
    if verdict.not_applicable:
        return Finding(resource.urn, resource.subject, Outcome.NOT_APPLICABLE, (verdict.not_applicable,))
    if not verdict.faults and not verdict.undecided:
        return Finding(resource.urn, resource.subject, Outcome.PASS, ())
    facts = stack.facts
    exemption = (
        None
        if rule.id in UNEXEMPTABLE
        else facts.register.exemption(facts.as_of, facts.stack, rule.id, resource.subject, resource.urn)
    )
    if exemption:
        return Finding(resource.urn, resource.subject, Outcome.EXEMPT, (str(exemption),), exemption.id)
    if verdict.faults:
        return Finding(resource.urn, resource.subject, Outcome.FAIL, verdict.faults)
    return Finding(resource.urn, resource.subject, Outcome.INCONCLUSIVE, verdict.undecided)
