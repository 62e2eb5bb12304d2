"""What ran before: the pod templates that the cluster itself keeps, so that a way back is known from a way on.

Kubernetes' controllers keep the last revisions of every Deployment (as ReplicaSets), StatefulSet and DaemonSet (as
ControllerRevisions); Mainstay asks for five. They are there whoever deployed, from wherever, with whichever backend.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from budgets.risk import Risk
from engine.changes import at, parts
from engine.objects import Objects
from engine.result import Json, Step

_TEMPLATE = ("spec", "template")

Workload = tuple[str, str, str]
"""Kind, namespace, name."""
Revisions = Mapping[Workload, Sequence[Json]]
"""Pod templates by workload."""


def goes_back(risks: Sequence[Risk], revisions: Callable[[], Revisions]) -> bool:
    """Whether all that is risky is a way back: each step changes a pod template alone, into what one revision had.

    `revisions` is only called where that is possible.
    """
    if not risks or not all(_only_template(risk.step) for risk in risks):
        return False
    known = revisions()
    return all(any(_as_in(risk.step, template) for template in known.get(_workload(risk.step), ())) for risk in risks)


def earlier(objects: Objects, namespaces: Sequence[str]) -> Revisions:
    """All revisions that the cluster keeps in these namespaces. Raises EngineError."""
    found: dict[Workload, list[Json]] = {}
    for namespace in namespaces:
        for kind in ("replicasets", "controllerrevisions"):
            for item in objects.list(f"/apis/apps/v1/namespaces/{namespace}/{kind}"):
                template = (item if kind == "replicasets" else item.get("data") or {}).get("spec", {}).get("template")
                for owner in _owners(item):
                    found.setdefault((owner["kind"], namespace, owner["name"]), []).append(template)
    return found


def namespaces(risks: Sequence[Risk]) -> list[str]:
    """Those that the risky steps touch."""
    return sorted({risk.step.namespace for risk in risks if risk.step.namespace})


def _owners(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    owners: list[dict[str, Any]] = item["metadata"].get("ownerReferences") or []
    return [each for each in owners if each.get("controller")]


def _workload(step: Step) -> Workload:
    return (step.kind or "", step.namespace or "", step.object_name or "")


def _only_template(step: Step) -> bool:
    return (
        step.op == "update"
        and step.kind in ("Deployment", "StatefulSet", "DaemonSet")
        and bool(step.changes)
        and all(parts(change.path)[:2] == _TEMPLATE for change in step.changes)
    )


def _as_in(step: Step, template: Json) -> bool:
    """Nothing can be said of secret values: what is masked is like no template's value, and so no way back."""
    return all(at(template, parts(change.path)[len(_TEMPLATE) :]) == change.new for change in step.changes)
