"""Autoscalers: HorizontalPodAutoscalers and KEDA's ScaledObjects, and whom they scale how far."""

from collections.abc import Iterator

from policies.pods import DEPLOYMENT
from policies.stack import Resource, Stack
from policies.values import Marker, Undecided

HPA = "autoscaling/HorizontalPodAutoscaler"
SCALED_OBJECT = "keda.sh/ScaledObject"

_TARGET_NAME = ("spec", "scaleTargetRef", "name")
_LEAST = {HPA: ("minReplicas", 1), SCALED_OBJECT: ("minReplicaCount", 0)}
"""Where the least number of pods stands in the spec, and what holds where it does not."""
_MOST = {HPA: ("maxReplicas", 0), SCALED_OBJECT: ("maxReplicaCount", 100)}


def target_kind(autoscaler: Resource) -> str:
    """Kind of what it scales, e.g. `apps/Deployment`. Raises Undecided."""
    reference = autoscaler.root.at("spec", "scaleTargetRef")
    version, kind = reference.at("apiVersion").text(), reference.at("kind").text()
    if autoscaler.kind == SCALED_OBJECT and not kind:
        return DEPLOYMENT
    if autoscaler.kind == SCALED_OBJECT and not version:
        return f"apps/{kind}"
    return f"{version.rpartition('/')[0] or 'core'}/{kind}"


def least(autoscaler: Resource) -> int:
    """How few pods it may leave. Raises Undecided."""
    bound = _bound(autoscaler, *_LEAST[autoscaler.kind])
    idle = autoscaler.root.at("spec", "idleReplicaCount")
    if autoscaler.kind == SCALED_OBJECT and idle.known() is not None:
        return min(bound, int(idle.number() or 0))
    return bound


def most(autoscaler: Resource) -> int:
    """How many pods it may make. Raises Undecided."""
    return _bound(autoscaler, *_MOST[autoscaler.kind])


def autoscalers(workload: Resource, stack: Stack) -> list[Resource]:
    """What scales a workload. Raises Undecided where something may be meant for it."""
    return [each for kind in _LEAST for each in _of_kind(kind, workload, stack)]


def _of_kind(kind: str, workload: Resource, stack: Stack) -> Iterator[Resource]:
    if not stack.of(kind):
        return
    namespace, name = workload.namespace, workload.object_name
    if isinstance(namespace, Marker) or isinstance(name, Marker):
        raise Undecided(f"whether a {kind.rpartition('/')[2]} scales it is not known before the deployment")
    matches = stack.find(kind, namespace, _TARGET_NAME, name)
    yield from (each for each in matches.certain if target_kind(each) == workload.kind)
    for each in matches.possible:
        if target_kind(each) == workload.kind:
            raise Undecided(f"whether {each.subject} scales it is not known before the deployment")


def _bound(autoscaler: Resource, key: str, default: int) -> int:
    node = autoscaler.root.at("spec", key)
    number = node.number()
    return default if number is None else int(number)
