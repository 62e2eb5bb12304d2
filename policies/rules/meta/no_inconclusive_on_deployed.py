"""Once everything stands, no mandatory rule may still be undecided."""

from policies.model import Enforcement, Outcome, Rule, Severity, Theme, Verdict
from policies.stack import ROOT, Resource, Stack


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != ROOT:
        return None
    if not stack.facts.deployed:
        return Verdict(not_applicable="before a deployment, some values are not known yet")
    return Verdict(
        tuple(
            f"{result.id} cannot be decided for {finding.subject}: {'; '.join(finding.reasons)}"
            for result in stack.results
            if result.enforcement is Enforcement.MANDATORY
            for finding in result.of(Outcome.INCONCLUSIVE)
        )
    )


RULE = Rule(
    id="no-inconclusive-on-deployed",
    theme=Theme.META,
    title="On what is deployed, every mandatory rule comes to a decision",
    why="A question that stays open is not a pass. What cannot be shown to hold once all is known does not hold.",
    applies_to="the results of the other rules",
    severity=Severity.HIGH,
    controls=("SOC 2 CC7.1", "ISO/IEC 27001:2022 5.36", "NIST 800-53 r5 CA-2"),
    remediation="Let the rule read the value (it is secret, or set elsewhere), or have the finding exempted.",
    judge=_judge,
)
