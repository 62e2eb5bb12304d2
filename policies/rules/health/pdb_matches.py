"""Whatever has replicas has a disruption budget: one, that counts its pods, and lets a node be drained."""

from functools import partial

from policies.disruptions import BUDGET, InvalidBudget, allowed, selections
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.pods import DAEMON_SET
from policies.replicas import CLUSTER, replicas
from policies.stack import Resource, Stack
from policies.values import Undecided


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == BUDGET:
        return verdict(
            [
                partial(_selection_faults, resource, stack),
                partial(_size_faults, resource, stack),
                partial(_eviction_faults, resource),
            ]
        )
    if resource.kind == DAEMON_SET:
        return Verdict(not_applicable="a drain leaves the pods of a DaemonSet where they are")
    pods = replicas(resource)
    if pods is None:
        return None
    found = stack.once(selections)
    budgets = [budget.subject for budget in found.budgets.get(resource.urn, ())]
    if resource.kind == CLUSTER and resource.root.at("spec", "enablePDB").known() is not False:
        budgets.append("the operator's own (spec.enablePDB)")
    if len(budgets) > 1:
        named = ", ".join(budgets)
        return Verdict((f"more than one budget is about its pods, so that none of them can be evicted: {named}",))
    _, most = pods.bounds(stack)
    if most <= 1 and resource.kind == CLUSTER and budgets:
        # One of the operator's budgets keeps the primary where it is, which with one instance is the whole cluster.
        return Verdict((f"{budgets[0]} blocks every drain of the node of its only instance",))
    if most <= 1:
        return Verdict(not_applicable="it has one pod at the most, which no budget can keep up during a drain")
    for reason in found.undecided.get(resource.urn, ()):
        raise Undecided(reason)
    return Verdict(() if budgets else ("no PodDisruptionBudget of its namespace selects its pods",))


def _selection_faults(budget: Resource, stack: Stack) -> list[str]:
    found = stack.once(selections)
    if found.pods.get(budget.urn):
        return []
    for reason in found.undecided.get(budget.urn, ()):
        raise Undecided(reason)
    return ["it selects nothing that a drain would evict"]


def _size_faults(budget: Resource, stack: Stack) -> list[str]:
    try:
        allowed(budget, 1)
    except InvalidBudget as invalid:
        return [str(invalid)]
    found = stack.once(selections)
    for reason in found.undecided.get(budget.urn, ()):
        raise Undecided(reason)
    bounds = [pods.bounds(stack) for pods in found.pods.get(budget.urn, ())]
    least, most = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    # Of no pods, none needs to go.
    if most > 0 and allowed(budget, max(1, least)) < 1:
        return [f"it lets none of {max(1, least)} pods go, which blocks every drain"]
    if most > 1 and allowed(budget, most) >= most:
        return [f"it lets all of {most} pods go at once, which protects nothing"]
    return []


def _eviction_faults(budget: Resource) -> list[str]:
    if budget.root.at("spec", "unhealthyPodEvictionPolicy").text() == "AlwaysAllow":
        return []
    return ["spec.unhealthyPodEvictionPolicy is not AlwaysAllow, so that a pod that never gets well blocks a drain"]


RULE = Rule(
    id="pdb-matches",
    theme=Theme.HEALTH,
    title="Every workload with replicas has one disruption budget, which allows a drain and not an outage",
    why=(
        "Without a budget that counts its pods, a drain of nodes takes all replicas at once; "
        "with one that allows nothing, or with two, nodes cannot be drained at all."
    ),
    applies_to="workloads and operators' resources with more than one replica; PodDisruptionBudgets",
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.14", "NIST 800-53 r5 CP-10", "NIST 800-53 r5 SI-13"),
    remediation=(
        "Declare one PodDisruptionBudget whose selector picks the workload's pods, with maxUnavailable: 1 and "
        "unhealthyPodEvictionPolicy: AlwaysAllow."
    ),
    judge=_judge,
)
