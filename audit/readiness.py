"""The production-readiness checklist, answered by the system: each item by rules, never by hand."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from audit.assessment import Assessment
from policies.model import Outcome, RuleResult


class Answer(StrEnum):
    """What is known of an item."""

    YES = "yes"
    NO = "no"
    EXEMPT = "yes, with exemptions"
    OPEN = "not known"
    """Undecided, or nothing was there to ask."""
    NOTHING = "does not apply"
    """The rules looked, and say why they have nothing to ask."""
    ASK = "ask a person"
    """Nothing a system can see."""


class Item(NamedTuple):
    """One line of the checklist."""

    group: str
    title: str
    rules: tuple[str, ...]
    """Rules that answer it; none: only a person can."""
    where: str = ""
    """What a person looks at, for items without rules."""


ITEMS = (
    Item("Data", "Every database is backed up daily, and kept for 30 days", ("stateful-has-backup", "retention-30d")),
    Item("Data", "Recovery to a point in time loses less than 5 minutes", ("pitr-wal-enabled", "rpo-met")),
    Item("Data", "A copy of every backup stands in another account", ("backup-3-2-1",)),
    Item("Data", "A restore was tried lately, and worked", ("restore-drill-fresh",)),
    Item("Data", "A database outlives its node", ("database-replicated",)),
    Item("Data", "A database neither fills up nor lets anybody in as its superuser", ("database-protected",)),
    Item("Running", "Every container says how it is", ("probes-present", "liveness-not-readiness")),
    Item("Running", "Slow starters get their time", ("startup-probe-for-slow-starters",)),
    Item("Running", "Where there are replicas, a node may go without an outage", ("pdb-matches", "replicas-spread")),
    Item("Running", "What is stopped finishes its work first", ("graceful-shutdown",)),
    Item("Running", "What must not run twice never does", ("singleton-really-single",)),
    Item("Running", "Everything has room, and no more than its share", ("requests-limits", "namespace-quota")),
    Item("Running", "What scales by itself can", ("autoscaler-valid",)),
    Item("Watched", "Every service promises something that is watched", ("service-has-slos", "retention-covers-slo")),
    Item("Watched", "Fast and slow burns of every budget are told", ("burn-alert-multiwindow",)),
    Item("Watched", "Every alert says what to do, and reaches somebody", ("alert-metadata", "alert-routed")),
    Item("Watched", "Somebody outside notices when all alerts stop", ("dead-man-switch",)),
    Item("Watched", "Metrics and logs of everything are kept", ("metrics-scraped", "logs-shipped")),
    Item("Watched", "Logs are kept long enough", ("log-retention",)),
    Item("Watched", "Requests can be followed through all services", ("traces-exported",)),
    Item("Watched", "Every service and database is on a dashboard", ("dashboard-exists",)),
    Item("Watched", "The SLOs of last month were reviewed", ("slo-reviewed",)),
    Item("Locked", "No secret stands in plaintext", ("no-plaintext-secret",)),
    Item("Locked", "Every secret was replaced within 90 days", ("secret-rotation-90d",)),
    Item("Locked", "Pods have no more rights than they need", ("pod-security-restricted", "rbac-least-privilege")),
    Item("Locked", "Nothing reaches what it need not reach", ("network-default-deny",)),
    Item("Locked", "What runs is what was built", ("image-digest",)),
    Item("Changed", "Somebody else approves each deployment", ("environment-protection",)),
    Item("Changed", "Nothing is merged without review and checks", ("branch-protection", "required-checks")),
    Item("Changed", "Every exemption has an owner and an end", ("exemption-valid",)),
    Item("Changed", "Nothing is hidden from the rules", ("inventory-complete", "no-inconclusive-on-deployed")),
    Item("People", "Somebody is on call, and knows the runbooks", (), "docs/runbooks/README.md"),
    Item("People", "Failures were caused on purpose, and survived", (), "the last chaos experiment's notes"),
)


class Line(NamedTuple):
    """An item with its answer and what is behind it."""

    item: Item
    answer: Answer
    behind: str
    """E.g. `stateful-has-backup: 2 hold; retention-30d: 1 fails (ObjectStore shop-prod/postgres-main)`."""


def checklist(assessment: Assessment) -> Iterator[Line]:
    """All items, in order."""
    results = {each.id: each for each in assessment.results}
    for item in ITEMS:
        if not item.rules:
            yield Line(item, Answer.ASK, item.where)
            continue
        found = [results[rule] for rule in item.rules]
        yield Line(item, _answer(found), "; ".join(map(_behind, found)))


def _answer(results: list[RuleResult]) -> Answer:
    if any(each.count(Outcome.FAIL) or each.count(Outcome.ERROR) for each in results):
        return Answer.NO
    if any(each.count(Outcome.INCONCLUSIVE) for each in results):
        return Answer.OPEN
    # One rule that had nothing to ask does not spoil the answer of the others; all of them do.
    if all(each.vacuous for each in results):
        return Answer.NOTHING if all(each.count(Outcome.NOT_APPLICABLE) for each in results) else Answer.OPEN
    return Answer.EXEMPT if any(each.count(Outcome.EXEMPT) for each in results) else Answer.YES


def _behind(result: RuleResult) -> str:
    words = {
        Outcome.FAIL: "fail",
        Outcome.ERROR: "error",
        Outcome.INCONCLUSIVE: "undecided",
        Outcome.EXEMPT: "exempt",
        Outcome.PASS: "hold",
    }
    told = [f"{result.count(outcome)} {word}" for outcome, word in words.items() if result.count(outcome)]
    if not told:
        reasons = sorted({reason for finding in result.findings for reason in finding.reasons})
        return f"{result.id}: asked nothing{f' ({reasons[0]})' if reasons else ''}"
    wrong = [each.subject for each in result.findings if each.outcome in (Outcome.FAIL, Outcome.ERROR)]
    named = f" ({wrong[0]}{', …' if len(wrong) > 1 else ''})" if wrong else ""
    return f"{result.id}: {', '.join(told)}{named}"
