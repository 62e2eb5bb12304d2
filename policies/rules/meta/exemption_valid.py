"""The register of exemptions is in order: every entry is well formed, none has expired."""

from policies.model import Rule, Severity, Theme, Verdict
from policies.stack import ROOT, Resource, Stack


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != ROOT:
        return None
    facts = stack.facts
    if not facts.register.entries and not facts.register.problems:
        return Verdict(not_applicable="nothing is exempt from anything")
    day = facts.day()
    expired = [
        f"exemption {each.id} counted from {each.created} to {each.expires}, not on {day}"
        for each in facts.register.expired(day)
        if each.stack == facts.stack
    ]
    return Verdict((*facts.register.problems, *expired))


RULE = Rule(
    id="exemption-valid",
    theme=Theme.META,
    title="Every exemption is complete, names one resource, and has not expired",
    why="An exemption that nobody renews, or that covers more than was agreed, is a hole that looks like a decision.",
    applies_to="the register of exemptions",
    severity=Severity.HIGH,
    controls=("SOC 2 CC8.1", "ISO/IEC 27001:2022 5.36", "NIST 800-53 r5 CA-5"),
    remediation="Mend the entry in policies/exemptions.yaml, or remove it and mend what it allowed.",
    judge=_judge,
)
