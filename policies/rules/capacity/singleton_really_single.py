"""What must never run twice does not: one replica, replaced by ending the old one first, scaled by nobody."""

from functools import partial

from policies.autoscalers import autoscalers
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.pods import DEPLOYMENT
from policies.stack import Resource, Stack
from policies.values import Undecided

_WORKER = "mainstay:index:Worker"


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != _WORKER:
        return None
    if resource.root.at("singleton").known() is not True:
        return Verdict(not_applicable="more than one at a time do no harm")
    namespace = resource.root.at("namespace").text()
    matches = stack.find(DEPLOYMENT, namespace, ("metadata", "name"), resource.name)
    if not matches.certain:
        for each in matches.possible:
            raise Undecided(f"whether {each.subject} is its Deployment is not known before the deployment")
        return Verdict((f"its Deployment {namespace}/{resource.name} is not in this stack",))
    (deployment, *_) = matches.certain
    return verdict(
        [
            partial(_replica_faults, deployment),
            partial(_strategy_faults, deployment),
            partial(_autoscaler_faults, deployment, stack),
        ]
    )


def _replica_faults(deployment: Resource) -> list[str]:
    number = deployment.root.at("spec", "replicas").number()
    return [f"{deployment.subject} has {number:g} replicas"] if number is not None and number > 1 else []


def _strategy_faults(deployment: Resource) -> list[str]:
    if deployment.root.at("spec", "strategy", "type").text() == "Recreate":
        return []
    return [f"{deployment.subject} starts a new pod before the old one has ended (spec.strategy.type is not Recreate)"]


def _autoscaler_faults(deployment: Resource, stack: Stack) -> list[str]:
    return [f"{each.subject} scales {deployment.subject}" for each in autoscalers(deployment, stack)]


RULE = Rule(
    id="singleton-really-single",
    theme=Theme.CAPACITY,
    title="A worker that must not run twice never does",
    why="Two engines at a time do everything twice: they send twice, charge twice, and write over each other.",
    applies_to="workers declared as singleton",
    severity=Severity.HIGH,
    controls=("ISO/IEC 27001:2022 8.9", "NIST 800-53 r5 CM-6"),
    remediation="Give the Deployment one replica and the strategy Recreate, and no autoscaler.",
    judge=_judge,
)
