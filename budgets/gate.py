"""The budget gate: with a budget exhausted, what may hurt users waits; ways back and what is harmless pass.

budgets                      harmless change, way back     risky change
none exhausted               passes                        passes
one exhausted                passes                        refused, unless somebody overrides it
unknown, unreachable: allow  passes                        passes, with a warning
unknown, unreachable: refuse passes                        refused, unless somebody overrides it
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from budgets import BudgetsError, status
from budgets.prometheus import Prometheus
from budgets.risk import Risk
from budgets.status import Budget
from budgets.wording import moment, percent

_MOST_RISKS = 8
_ENOUGH = 0.01


@dataclass(frozen=True)
class Asked:
    """What Prometheus said of the budgets."""

    budgets: Sequence[Budget]
    unknown: str | None
    """Why nothing is known, a sentence; None if it is."""

    @property
    def reasons(self) -> list[str]:
        """Why a risky change should wait, a sentence each; none: no reason."""
        if self.unknown:
            return [f"The budgets are unknown: {self.unknown}"]
        return [exhausted_sentence(budget) for budget in status.exhausted(self.budgets)]


@dataclass(frozen=True)
class Verdict:
    """Whether a change may go on, and why."""

    passes: bool
    why: str
    """A sentence."""


@dataclass(frozen=True)
class Changes:
    """What is to be judged."""

    risks: Sequence[Risk]
    back: Callable[[], bool]
    """Whether all of it is a way back."""


def ask(prometheus: Prometheus, now: int) -> Asked:
    """Every budget, or why they cannot be known."""
    try:
        return Asked(status.ask(prometheus, now), None)
    except BudgetsError as error:
        return Asked((), str(error))


def judge(asked: Asked, unreachable: str, changes: Callable[[], Changes]) -> Verdict:
    """`unreachable`: `refuse` or `allow`, where the budgets are unknown. `changes` is only called if they matter."""
    if not asked.reasons:
        return Verdict(True, _fine(asked.budgets))
    if asked.unknown and unreachable == "allow":
        return Verdict(True, f"{asked.unknown} mainstay:gate.unreachable is allow, so that nothing waits for it.")
    found = changes()
    if not found.risks:
        return Verdict(True, f"Nothing in this change is risky. {_joined(asked.reasons)}")
    if found.back():
        return Verdict(True, f"This change goes back to what ran before. {_joined(asked.reasons)}")
    return Verdict(False, f"{_joined(asked.reasons)}\nRisky in this change: {_listed(found.risks)}.")


def exhausted_sentence(budget: Budget) -> str:
    """Which promise is broken, by how much and since when."""
    promise = budget.promise
    attained = f"{percent(budget.attained)} attained" if budget.attained is not None else "attained unknown"
    over = -(budget.left or 0.0)
    beyond = f"{percent(over, 0)} over its budget" if over >= _ENOUGH else "its budget is spent to the last event"
    since = f", since {moment(budget.exhausted_since)}" if budget.exhausted_since else ""
    return (
        f"{promise.slo}: {attained} of {percent(promise.objective)} promised over {promise.window_days} days, "
        f"{beyond}{since} (owner: {promise.owner})."
    )


def _fine(budgets: Sequence[Budget]) -> str:
    least = budgets[0]
    silent = ", ".join(each.promise.slo for each in budgets if each.left is None)
    without = f" Without data: {silent}." if silent else ""
    told = "" if least.left is None else f"; the least is {least.promise.slo} with {percent(least.left, 0)} left"
    return f"No error budget is exhausted, of {len(budgets)}{told}.{without}"


def _joined(sentences: Sequence[str]) -> str:
    return "\n".join(sentences)


def _listed(risks: Sequence[Risk]) -> str:
    shown = "; ".join(map(str, risks[:_MOST_RISKS]))
    return shown if len(risks) <= _MOST_RISKS else f"{shown}; and {len(risks) - _MOST_RISKS} more"
