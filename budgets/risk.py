"""Which steps of a preview may hurt users. Everything may that is not known to be harmless:

- what watches: Prometheus, alerts, dashboards, logs, traces, and all of `monitoring.coreos.com`
- more of the same: more replicas, a larger quota
- GitHub's settings, which nothing that runs depends on
- the very first deployment, as long as nothing runs
"""

from dataclasses import dataclass

from components.quantity import parse
from engine.result import Change, Result, Step

_WATCHING = ("mainstay:index:Observability$", "kubernetes:monitoring.coreos.com/")
_NUMBERS = frozenset(
    ("spec.replicas", "spec.minReplicas", "spec.maxReplicas", "spec.minReplicaCount", "spec.maxReplicaCount")
)
_QUOTA = "spec.hard"
_MOST_PATHS = 3


@dataclass(frozen=True)
class Risk:
    """A step that may hurt users."""

    step: Step
    why: str
    """What it does, a clause about `step.label`."""

    def __str__(self) -> str:
        return f"{self.step.label}: {self.why}"


def risks(plan: Result) -> list[Risk]:
    """The risky steps of a preview, in its order."""
    if _nothing_runs(plan):
        return []
    return [Risk(step, _why(step)) for step in plan.changed if not _harmless(step)]


def _nothing_runs(plan: Result) -> bool:
    return not plan.drift and set(plan.counts) <= {"create", "read"}


def _harmless(step: Step) -> bool:
    if step.type.startswith("github:") or any(each in step.urn for each in _WATCHING):
        return True
    return step.op == "update" and bool(step.changes) and all(_is_more(step, change) for change in step.changes)


def _is_more(step: Step, change: Change) -> bool:
    """More of what is there already."""
    if change.path in _NUMBERS:
        return isinstance(change.old, int) and isinstance(change.new, int) and change.new >= change.old
    if step.kind == "ResourceQuota" and change.path.startswith(_QUOTA):
        try:
            return parse(str(change.new)) >= parse(str(change.old))
        except ValueError:
            return False
    return False


def _why(step: Step) -> str:
    if step.op != "update":
        return {"create": "is new", "delete": "is deleted", "replace": "is deleted and made anew"}.get(step.op, step.op)
    parts = [f"image {image.old or 'none'} → {image.new or 'none'}" for image in step.images]
    numbers = [change for change in step.changes if change.path in _NUMBERS]
    parts += [f"{change.path.partition('.')[2]} {change.old} → {change.new}" for change in numbers]
    paths = [change.path for change in step.changes if change not in numbers and not _names_image(change)]
    if paths:
        more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
        parts.append(f"changes {', '.join(paths[:_MOST_PATHS])}{more}")
    return "; ".join(parts)


def _names_image(change: Change) -> bool:
    return change.path.endswith((".image", ".imageName"))
