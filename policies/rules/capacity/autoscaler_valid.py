"""An autoscaler scales: it has a target, bounds and something to measure, and nobody takes its decisions back."""

from functools import partial

from policies.autoscalers import HPA, SCALED_OBJECT, autoscalers, least, most, target_kind
from policies.demand import Demand, demands
from policies.disruptions import InvalidBudget, allowed, selections
from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.pods import Container
from policies.quantity import InvalidQuantity
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

_PAUSED = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")
"""Annotations by which KEDA leaves a target alone."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind not in (HPA, SCALED_OBJECT):
        return None
    spec = resource.root.at("spec")
    checks: list[Check] = [partial(_bound_faults, resource), partial(_order_faults, resource)]
    if resource.kind == SCALED_OBJECT:
        config = spec.at("advanced", "horizontalPodAutoscalerConfig")
        checks += [partial(_pause_faults, resource, annotation) for annotation in _PAUSED]
        checks += [partial(_behavior_faults, config.at("behavior")), partial(_trigger_faults, spec.at("triggers"))]
    else:
        checks.append(partial(_behavior_faults, spec.at("behavior")))
    try:
        target = _target(resource, stack)
    except Undecided as reason:
        return verdict([*checks, partial(_open, str(reason))])
    if target is None:
        name, kind = spec.at("scaleTargetRef", "name").text(), target_kind(resource).rpartition("/")[2]
        missing = f"its target, {kind} {resource.namespace}/{name} (spec.scaleTargetRef), is not in this stack"
        return verdict([*checks, lambda: [missing]])
    checks += [
        partial(_pinned_faults, target),
        partial(_rival_faults, target, stack),
        partial(_budget_faults, resource, target, stack),
    ]
    measures = spec.at("triggers") if resource.kind == SCALED_OBJECT else spec.at("metrics")
    if resource.kind == HPA and measures.value in (None, []):
        # Kubernetes' own default: 80 % of the requested CPU.
        return verdict([*checks, lambda: _share_faults(target, "cpu", "")])
    measure = _trigger_share_faults if resource.kind == SCALED_OBJECT else _metric_share_faults
    return verdict([*checks, *each(measures, partial(measure, target))])


def _open(reason: str) -> list[str]:
    raise Undecided(reason)


def _target(resource: Resource, stack: Stack) -> Resource | None:
    name = resource.root.at("spec", "scaleTargetRef", "name").text()
    namespace = Node(resource.namespace, "metadata.namespace").text()
    matches = stack.find(target_kind(resource), namespace, ("metadata", "name"), name)
    if matches.certain and name:
        return matches.certain[0]
    for possible in matches.possible:
        raise Undecided(f"whether {possible.subject} is its target is not known before the deployment")
    return None


def _bound_faults(resource: Resource) -> list[str]:
    if least(resource) >= 1:
        return []
    return ["it may scale to no pod at all, and the first one that is needed comes late (least number of replicas)"]


def _order_faults(resource: Resource) -> list[str]:
    low, high = least(resource), most(resource)
    return [f"its least number of replicas, {low}, is above its most, {high}"] if low > high else []


def _pause_faults(resource: Resource, annotation: str) -> list[str]:
    asked = resource.root.at("metadata", "annotations", annotation).text()
    return [] if asked in ("", "false") else [f"it is paused (annotation {annotation})"]


def _behavior_faults(behavior: Node) -> list[str]:
    policy = behavior.at("scaleUp", "selectPolicy")
    return [f"it never scales up ({policy.path})"] if policy.text() == "Disabled" else []


def _trigger_faults(triggers: Node) -> list[str]:
    return [] if triggers.items() else ["it has no trigger"]


def _pinned_faults(target: Resource) -> list[str]:
    """What stands is the autoscaler's; what is declared takes it back at every deployment."""
    if target.asked.at("spec", "replicas").known() is None:
        return []
    return [f"{target.subject} declares spec.replicas, which every deployment sets back"]


def _rival_faults(target: Resource, stack: Stack) -> list[str]:
    scaled = [scaler.subject for scaler in autoscalers(target, stack)]
    return [f"{target.subject} is scaled by more than one: {', '.join(scaled)}"] if len(scaled) > 1 else []


def _budget_faults(resource: Resource, target: Resource, stack: Stack) -> list[str]:
    pods = max(1, least(resource))
    found = stack.once(selections)
    for budget in found.budgets.get(target.urn, ()):
        try:
            if allowed(budget, pods) < 1:
                return [f"at its least number of replicas, {pods}, {budget.subject} blocks every drain"]
        except InvalidBudget:
            # The budget's own fault, which its own rule tells.
            continue
    for reason in found.undecided.get(target.urn, ()):
        raise Undecided(reason)
    return []


def _metric_share_faults(target: Resource, metric: Node) -> list[str]:
    return [
        fault
        for source in (metric.at("resource"), metric.at("containerResource"))
        if source.at("target", "type").text() == "Utilization"
        for fault in _share_faults(target, source.at("name").text(), source.at("container").text())
    ]


def _trigger_share_faults(target: Resource, trigger: Node) -> list[str]:
    name, more = trigger.at("type").text(), trigger.at("metadata")
    how = trigger.at("metricType").text() or more.at("type").text() or "Utilization"
    if name not in ("cpu", "memory") or how != "Utilization":
        return []
    return _share_faults(target, name, more.at("containerName").text())


def _share_faults(target: Resource, name: str, container: str) -> list[str]:
    """What keeps it from measuring a share of the request, of one container or (empty) of all that run on."""
    measured = [
        (demand, one)
        for demand in demands(target)
        for one in demand.containers
        if container in ("", one.node.at("name").value) and one.runs_on()
    ]
    if container and not measured:
        return [f"it measures the container {container}, which {target.subject} does not have"]
    return [
        f"it measures a share of the requested {name}, and {one.title} of {target.subject} requests none"
        for demand, one in measured
        if not _asked(demand, one, name)
    ]


def _asked(demand: Demand, container: Container, name: str) -> bool:
    try:
        return bool(demand.request(container, name))
    except InvalidQuantity:
        return False


RULE = Rule(
    id="autoscaler-valid",
    theme=Theme.CAPACITY,
    title="Every autoscaler has a target, bounds and a measure, and the last word on the number of pods",
    why="An autoscaler that cannot work is found out on the day it is needed, by those whom the service then fails.",
    applies_to="HorizontalPodAutoscalers and KEDA's ScaledObjects",
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.1", "ISO/IEC 27001:2022 8.6", "NIST 800-53 r5 SC-5"),
    remediation=(
        "Name an existing workload that declares no replicas but requests of what is measured; let the least number of "
        "replicas be at least 1, at most the largest, and more than its disruption budget keeps."
    ),
    judge=_judge,
)
