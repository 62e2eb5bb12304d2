"""A backup counts once it was restored: dated evidence of a drill, since a CronJob that would do it proves nothing."""

from policies.databases import CLUSTER
from policies.model import Rule, Severity, Theme, Verdict
from policies.stack import Resource, Stack

EVIDENCE = "restore-drill"
LONGEST_DAYS = 90
"""How long ago the last drill may be: a quarter (requirement B4); weekly is the goal."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != CLUSTER:
        return None
    facts = stack.facts
    if facts.evidence is None:
        return Verdict(not_applicable="dated evidence is judged by mainstay audit, not by a deployment")
    day = facts.day()
    latest = facts.latest(EVIDENCE, resource.subject)
    if latest is None:
        return Verdict((f"nothing shows that its backup was ever restored (evidence of kind {EVIDENCE})",))
    when = f"{(day - latest.day).days} days ago, on {latest.day}"
    if not latest.passed:
        return Verdict((f"its last restore drill, {when}, failed",))
    if (day - latest.day).days > LONGEST_DAYS:
        return Verdict((f"its last restore drill was {when}; {LONGEST_DAYS} days are the most, 7 the goal",))
    return Verdict()


RULE = Rule(
    id="restore-drill-fresh",
    theme=Theme.BACKUPS,
    title="Every database was restored from its backup within the last 90 days",
    why="A backup that nobody has restored is a hope: keys, versions and missing files show only when it is read.",
    applies_to="CloudNativePG clusters, in an audit",
    severity=Severity.HIGH,
    controls=("SOC 2 A1.3", "ISO/IEC 27001:2022 5.30", "ISO/IEC 27001:2022 8.13", "NIST 800-53 r5 CP-4"),
    remediation=(
        "Restore it into a new cluster, compare what is in it, and write down what was seen as evidence of kind "
        "restore-drill; once a week is the goal."
    ),
    judge=_judge,
)
