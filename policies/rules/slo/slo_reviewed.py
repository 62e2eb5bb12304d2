"""The service-level objectives are looked at every month, by people."""

from policies.model import Rule, Severity, Theme, Verdict
from policies.stack import ROOT, Resource, Stack

MOST_DAYS = 35
"""A month, and some days to write the review of the last one."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != ROOT:
        return None
    facts = stack.facts
    if facts.evidence is None:
        return Verdict(not_applicable="dated evidence is judged by mainstay audit, not by a deployment")
    review = facts.latest("slo-report", facts.stack)
    if review is None:
        return Verdict((f"there is no evidence of a review (kind slo-report, subject {facts.stack})",))
    age = (facts.day() - review.day).days
    if age > MOST_DAYS:
        return Verdict((f"the last review is {age} days old ({review.source}), and not {MOST_DAYS} at most",))
    return Verdict() if review.passed else Verdict((f"the last review ended badly: {review.detail} ({review.source})",))


RULE = Rule(
    id="slo-reviewed",
    theme=Theme.SLO,
    title="The service-level objectives were reviewed within the last month",
    why="Objectives that nobody looks at stay wrong: too strict ones call people for nothing, too lax ones never.",
    applies_to="the stack as a whole",
    severity=Severity.LOW,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 5.28", "NIST 800-53 r5 CA-7"),
    remediation="Write the review with `mainstay slo report`, talk about it, and add an entry to evidence/<stack>.",
    judge=_judge,
)
