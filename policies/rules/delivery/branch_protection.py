"""Branches that lead to an environment change by approved pull requests only, and nobody passes that by."""

from collections.abc import Callable
from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.protected_branches import (
    ENVIRONMENT,
    Branch,
    Protection,
    Question,
    all_hold,
    any_holds,
    branches,
    certainly,
    is_protected,
    protections,
)
from policies.stack import Resource, Stack

Aspect = Callable[[Protection], bool]

_ASPECTS: dict[Aspect, str] = {
    Protection.demands_approval: "{} changes without an approval",
    Protection.blocks_force_pushes: "{} can be overwritten by a force push",
    Protection.blocks_deletion: "{} can be deleted",
}
"""What a protection must do -> what is wrong where none does."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != ENVIRONMENT:
        return None
    found = branches(resource, stack)
    return verdict(
        [
            *(partial(_existence_faults, branch, stack) for branch in found),
            *(partial(_aspect_faults, branch, aspect, stack) for branch in found for aspect in _ASPECTS),
            *(partial(_bypass_faults, branch, stack) for branch in found),
        ]
    )


def _existence_faults(branch: Branch, stack: Stack) -> list[str]:
    if is_protected(branch, stack):
        return []
    idle = [each.resource.subject for each in stack.once(protections) if certainly(partial(each.covers, branch))]
    why = f" (not active: {', '.join(idle)})" if idle else ""
    return [f"no ruleset and no branch protection holds for {branch}{why}"]


def _aspect_faults(branch: Branch, aspect: Aspect, stack: Stack) -> list[str]:
    if not is_protected(branch, stack) or _is_done(branch, aspect, stack, firmly=False):
        return []
    return [_ASPECTS[aspect].format(branch)]


def _bypass_faults(branch: Branch, stack: Stack) -> list[str]:
    """None where another protection that nobody may pass by asks the same."""
    if not any_holds(partial(_is_loose, branch, aspect, stack) for aspect in _ASPECTS):
        return []
    return [
        f"{each.resource.subject} holds for {branch}, but not for everybody ({', '.join(each.ways_round())})"
        for each in stack.once(protections)
        if certainly(lambda each=each: each.holds_for(branch) and bool(each.ways_round()))
    ]


def _is_loose(branch: Branch, aspect: Aspect, stack: Stack) -> bool:
    """Whether a protection asks for it, and each that does can be passed by."""
    return all_hold(
        lambda: _is_done(branch, aspect, stack, firmly=False),
        lambda: not _is_done(branch, aspect, stack, firmly=True),
    )


def _is_done(branch: Branch, aspect: Aspect, stack: Stack, *, firmly: bool) -> bool:
    def by(protection: Protection) -> Question:
        return lambda: all_hold(
            lambda: protection.holds_for(branch),
            lambda: aspect(protection),
            lambda: not firmly or not protection.ways_round(),
        )

    return any_holds(by(each) for each in stack.once(protections))


RULE = Rule(
    id="branch-protection",
    theme=Theme.DELIVERY,
    title="Branches that lead to an environment change by approved pull requests only, for everybody",
    why=(
        "A ruleset that only evaluates, or that somebody may pass by, stops nobody. A force push replaces what was "
        "reviewed."
    ),
    applies_to="branches from which a deployment environment on GitHub is deployed, else the default branch",
    severity=Severity.HIGH,
    controls=("SOC 2 CC8.1", "ISO/IEC 27001:2022 8.4", "ISO/IEC 27001:2022 8.32", "NIST 800-53 r5 CM-3"),
    remediation=(
        "Give the branch an active ruleset without bypass actors: one approval at least, no force pushes, no deletion "
        "(ruleset). A classic protection must hold for administrators, too (enforceAdmins)."
    ),
    judge=_judge,
)
