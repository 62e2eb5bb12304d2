"""An autoscaler scales: it has a target, bounds and something to measure, and nobody takes its decisions back."""

from collections.abc import Iterator
from functools import partial

from policies.autoscalers import HPA, SCALED_OBJECT, autoscalers, least, most, target_kind
from policies.demand import demands
from policies.disruptions import InvalidBudget, allowed, selections
from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.quantity import InvalidQuantity
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

_PAUSED = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")
"""Annotations by which KEDA leaves a target alone."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind not in (HPA, SCALED_OBJECT):
        return None
    checks: list[Check] = [
        partial(_bound_faults, resource),
        partial(_order_faults, resource),
        partial(_switch_faults, resource),
    ]
    try:
        target = _target(resource, stack)
    except Undecided as reason:
        return verdict([*checks, partial(_open, str(reason))])
    if target is None:
        name = resource.root.at("spec", "scaleTargetRef", "name").text()
        kind = target_kind(resource).rpartition("/")[2]
        missing = f"its target, {kind} {resource.namespace}/{name} (spec.scaleTargetRef), is not in this stack"
        return verdict([*checks, lambda: [missing]])
    return verdict(
        [
            *checks,
            partial(_pinned_faults, target),
            partial(_rival_faults, target, stack),
            partial(_budget_faults, resource, target, stack),
            *(partial(_request_faults, target, name, container) for name, container in _utilizations(resource)),
        ]
    )


def _open(reason: str) -> list[str]:
    raise Undecided(reason)


def _target(resource: Resource, stack: Stack) -> Resource | None:
    name = resource.root.at("spec", "scaleTargetRef", "name").text()
    namespace = Node(resource.namespace, "metadata.namespace").text()
    matches = stack.find(target_kind(resource), namespace, ("metadata", "name"), name)
    if matches.certain and name:
        return matches.certain[0]
    for each in matches.possible:
        raise Undecided(f"whether {each.subject} is its target is not known before the deployment")
    return None


def _bound_faults(resource: Resource) -> list[str]:
    if least(resource) >= 1:
        return []
    return ["it may scale to no pod at all, and the first one that is needed comes late (least number of replicas)"]


def _order_faults(resource: Resource) -> list[str]:
    low, high = least(resource), most(resource)
    return [f"its least number of replicas, {low}, is above its most, {high}"] if low > high else []


def _switch_faults(resource: Resource) -> Iterator[str]:
    annotations = resource.root.at("metadata", "annotations")
    for annotation in _PAUSED if resource.kind == SCALED_OBJECT else ():
        if annotations.at(annotation).text() not in ("", "false"):
            yield f"it is paused (annotation {annotation})"
    spec = resource.root.at("spec")
    behavior = spec.at("behavior") if resource.kind == HPA else spec.at("advanced", "horizontalPodAutoscalerConfig", "behavior")
    if behavior.at("scaleUp", "selectPolicy").text() == "Disabled":
        yield f"it never scales up ({behavior.path}.scaleUp.selectPolicy)"
    if resource.kind == SCALED_OBJECT and not spec.at("triggers").items():
        yield "it has no trigger"


def _pinned_faults(target: Resource) -> list[str]:
    """What stands is the autoscaler's; what is declared takes it back at every deployment."""
    if target.asked.at("spec", "replicas").known() is None:
        return []
    return [f"{target.subject} declares spec.replicas, which every deployment sets back"]


def _rival_faults(target: Resource, stack: Stack) -> list[str]:
    scaled = [each.subject for each in autoscalers(target, stack)]
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


def _utilizations(resource: Resource) -> Iterator[tuple[str, str]]:
    """What it measures as a share of what is requested: `cpu` or `memory`, and of which container (empty: of all)."""
    spec = resource.root.at("spec")
    if resource.kind == SCALED_OBJECT:
        for trigger in spec.at("triggers").items():
            kind = trigger.at("type").text()
            how = trigger.at("metricType").text() or trigger.at("metadata", "type").text() or "Utilization"
            if kind in ("cpu", "memory") and how == "Utilization":
                yield kind, trigger.at("metadata", "containerName").text()
        return
    metrics = spec.at("metrics").items()
    if not metrics:
        # Kubernetes' own default: 80 % of the requested CPU.
        yield "cpu", ""
    for metric in metrics:
        for key in ("resource", "containerResource"):
            source = metric.at(key)
            if source.at("target", "type").text() == "Utilization":
                yield source.at("name").text(), source.at("container").text()


def _request_faults(target: Resource, name: str, container: str) -> Iterator[str]:
    for demand in demands(target):
        measured = [
            each for each in demand.containers if each.runs_on() and container in ("", each.node.at("name").value)
        ]
        if not measured:
            yield f"it measures the container {container}, which {target.subject} does not have"
        for each in measured:
            try:
                asked = demand.request(each, name)
            except InvalidQuantity:
                asked = None
            if not asked:
                yield f"it measures {name} as a share of what is requested, and {each.title} of {target.subject} requests none"


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
