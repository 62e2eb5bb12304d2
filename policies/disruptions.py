"""PodDisruptionBudgets: whose pods they are about, and how many of them may be away at once."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil

from policies.label_selectors import Labelled
from policies.replicas import Replicas, all_replicas
from policies.stack import Resource, Stack
from policies.values import Node

BUDGET = "policy/PodDisruptionBudget"


class InvalidBudget(ValueError):
    """Kubernetes would refuse the value; `str()` is a clause."""


@dataclass(frozen=True)
class Selections:
    """Which budget is about which pods."""

    pods: dict[str, list[Replicas]] = field(default_factory=lambda: defaultdict(list))
    """URN of a budget -> the pods it selects."""
    budgets: dict[str, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    """URN of what keeps pods -> the budgets that select them."""
    undecided: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """URN of either -> what may be selected, or select, too."""


def selections(stack: Stack) -> Selections:
    """All of a stack; a question for `Stack.once`."""
    found = Selections()
    labelled = Labelled((each.resource.namespace, each.labels, each) for each in stack.once(all_replicas))
    for budget in stack.of(BUDGET):
        certain, possible = labelled.picked(budget.namespace, budget.root.at("spec", "selector"))
        for pods in certain:
            found.pods[budget.urn].append(pods)
            found.budgets[pods.resource.urn].append(budget)
        for pods in possible:
            reason = f"whether {budget.subject} selects the pods of {pods.resource.subject} is not known"
            found.undecided[budget.urn].append(reason)
            found.undecided[pods.resource.urn].append(reason)
    return found


def allowed(budget: Resource, pods: int) -> int:
    """How many of so many healthy pods it lets go at once. Raises Undecided, InvalidBudget."""
    spec = budget.root.at("spec")
    kept, gone = spec.at("minAvailable"), spec.at("maxUnavailable")
    if (kept.known() is None) == (gone.known() is None):
        raise InvalidBudget("it needs exactly one of minAvailable and maxUnavailable")
    if gone.known() is None:
        return max(0, pods - _count(kept, pods))
    return min(pods, _count(gone, pods))


def _count(node: Node, pods: int) -> int:
    """A number or a percentage, which Kubernetes rounds up for both."""
    number, text = node.number(), node.text()
    if number is not None and number >= 0:
        return int(number)
    digits = text.removesuffix("%")
    if digits == text or not digits.isdecimal():
        raise InvalidBudget(f"{node.path} is neither a number nor a percentage such as 50%")
    return ceil(int(digits) * pods / 100)
