"""Why a workload's pods are not ready, in words: the pod, its node, and the container, condition or event to blame."""

from devcluster.plugin.api import Api, ApiError
from devcluster.plugin.errors import Refused
from devcluster.plugin.readiness import selector
from devcluster.plugin.values import Object, Value, at, items, number, text

_PODS_NAMED = 3


async def troubles(api: Api, live: Object) -> str:
    """The pods of `live` that are not ready, at most three by name; "" when there is nothing to tell."""
    namespace = text(live, "metadata", "namespace")
    if text(live, "kind") == "Pod":
        found: list[Value] = [live]
    elif labels := selector(live):
        found = await _find(api, "Pod", namespace, labelSelector=labels)
    elif text(live, "kind") == "PersistentVolumeClaim":
        return await _last_event(api, "PersistentVolumeClaim", namespace, text(live, "metadata", "name"))
    else:
        return ""
    bad = [pod for pod in found if not _ready(pod)]
    told = [f"pod {text(pod, 'metadata', 'name')}{_node(pod)}: {await _trouble(api, pod)}" for pod in bad[:_PODS_NAMED]]
    if len(bad) > _PODS_NAMED:
        told.append(f"and {len(bad) - _PODS_NAMED} more pods")
    if selector(live) and not found:
        told.append("no pod exists yet")
        if event := await _last_event(api, text(live, "kind"), namespace, text(live, "metadata", "name")):
            told.append(event)
    return "; ".join(told)


def _ready(pod: Value) -> bool:
    if text(pod, "status", "phase") == "Succeeded":
        return True
    return any(text(c, "type") == "Ready" and text(c, "status") == "True" for c in items(pod, "status", "conditions"))


def _node(pod: Value) -> str:
    node = text(pod, "spec", "nodeName")
    return f" on {node}" if node else ""


async def _trouble(api: Api, pod: Value) -> str:
    for container in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
        if said := _container(container):
            return said
    for condition in items(pod, "status", "conditions"):
        if text(condition, "status") == "False":
            words = text(condition, "message") or text(condition, "reason")
            return f"{text(condition, 'type')} is False" + (f": {words}" if words else "")
    event = await _last_event(api, "Pod", text(pod, "metadata", "namespace"), text(pod, "metadata", "name"))
    return event or f"phase {text(pod, 'status', 'phase') or 'unknown'}"


def _container(status: Value) -> str:
    name = text(status, "name")
    waiting, ended = at(status, "state", "waiting"), at(status, "state", "terminated")
    last = ended or at(status, "lastState", "terminated")
    exit_code = f" (exit {number(last, 'exitCode')})" if last else ""
    if waiting:
        words = f": {text(waiting, 'message')}" if text(waiting, "message") else ""
        return f"container {name} is waiting: {text(waiting, 'reason') or 'no reason given'}{exit_code}{words}"
    if ended and number(ended, "exitCode"):
        return f"container {name} ended: {text(ended, 'reason') or 'Error'}{exit_code}"
    if at(status, "ready") is False and at(status, "state", "running") is not None:
        return f"container {name} runs and is not ready{exit_code}"
    return ""


async def _last_event(api: Api, kind: str, namespace: str, name: str) -> str:
    events = await _find(
        api, "Event", namespace, fieldSelector=f"involvedObject.kind={kind},involvedObject.name={name},type=Warning"
    )
    events.sort(key=lambda event: text(event, "lastTimestamp") or text(event, "eventTime"))
    return f"{text(events[-1], 'reason')}: {text(events[-1], 'message')}" if events else ""


async def _find(api: Api, kind: str, namespace: str, **selectors: str) -> list[Value]:
    # An explanation that cannot be had must not hide the thing it was to explain.
    try:
        return await api.find("v1", kind, namespace, **selectors)
    except (ApiError, Refused):
        return []
