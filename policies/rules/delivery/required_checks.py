"""Nothing is merged that was not tested, on the branch as it is by then."""

from collections.abc import Callable
from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.protected_branches import (
    ENVIRONMENT,
    Branch,
    Protection,
    all_hold,
    any_holds,
    branches,
    is_protected,
    protections,
)
from policies.stack import Resource, Stack


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != ENVIRONMENT:
        return None
    found = branches(resource, stack)
    answer = verdict([partial(_check_faults, branch, stack) for branch in found])
    if answer == Verdict() and not any(is_protected(branch, stack) for branch in found):
        return Verdict(not_applicable="nothing protects its branches, which is told by branch-protection")
    return answer


def _check_faults(branch: Branch, stack: Stack) -> list[str]:
    if not is_protected(branch, stack):
        return []
    if not _some(branch, stack, Protection.demands_checks):
        return [f"no check must pass before {branch} changes"]
    if not _some(branch, stack, Protection.demands_checks, Protection.is_strict):
        return [f"checks of {branch} may have passed on an older state of it (strict)"]
    return []


def _some(branch: Branch, stack: Stack, *aspects: Callable[[Protection], bool]) -> bool:
    """Whether one protection that holds for the branch has all of these aspects."""
    return any_holds(
        partial(all_hold, partial(each.holds_for, branch), *(partial(aspect, each) for aspect in aspects))
        for each in stack.once(protections)
    )


RULE = Rule(
    id="required-checks",
    theme=Theme.DELIVERY,
    title="A check must pass, on the newest state, before a branch that leads to an environment changes",
    why="What was only reviewed may not even run; what passed on an old state may break on the new one.",
    applies_to="branches from which a deployment environment on GitHub is deployed, else the default branch",
    severity=Severity.HIGH,
    controls=("SOC 2 CC8.1", "ISO/IEC 27001:2022 8.29", "ISO/IEC 27001:2022 8.32", "NIST 800-53 r5 CM-3"),
    remediation="Name the checks that must pass (ruleset.requiredChecks), and have branches be up to date (strict).",
    judge=_judge,
)
