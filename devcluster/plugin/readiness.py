"""When an object counts as ready, kind by kind, judged from its live state alone.

A kind that is not listed here is ready as soon as it exists, unless `pulumi.com/waitFor` says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

from devcluster.plugin.conditions import WAIT_FOR, Condition, parse_wait_for
from devcluster.plugin.inputs import annotation
from devcluster.plugin.values import Object, at, items, number, text

SKIP = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
DEFAULT_SECONDS = 300
_SECONDS = {"Job": 600}


@dataclass(frozen=True)
class Verdict:
    """Whether the object is ready; if not, `message` says what it lacks, and `final` that waiting cannot help."""

    ready: bool
    message: str = ""
    final: bool = False


_READY = Verdict(True)
_UNSEEN = Verdict(False, "its controller has not seen this version yet")


def judge(live: Object) -> Verdict:
    """The verdict on a live object; its annotations decide before its kind does."""
    if annotation(live, SKIP) == "true":
        return _READY
    if conditions := parse_wait_for(annotation(live, WAIT_FOR)):
        missing = [condition.missing(live) for condition in conditions if not condition.holds(live)]
        return Verdict(not missing, "; ".join(missing))
    by_kind = _KINDS.get((text(live, "apiVersion"), text(live, "kind")))
    return by_kind(live) if by_kind else _READY


def seconds(live: Object, asked: float) -> float:
    """How long to wait: the resource's customTimeouts (`asked`, 0 if none), else its annotation, else the default."""
    if asked > 0:
        return asked
    given = annotation(live, TIMEOUT)
    return int(given) if given.isdigit() else _SECONDS.get(text(live, "kind"), DEFAULT_SECONDS)


def selector(live: Object) -> str | None:
    """The label selector of the pods an object runs, None for a kind that runs none."""
    labels = at(live, "spec", "selector", "matchLabels")
    if text(live, "kind") == "Job":
        labels = {"batch.kubernetes.io/job-name": text(live, "metadata", "name")}
    if not isinstance(labels, dict) or text(live, "apiVersion") not in ("apps/v1", "batch/v1"):
        return None
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _unseen(live: Object) -> bool:
    return number(live, "status", "observedGeneration") < number(live, "metadata", "generation")


def _deployment(live: Object) -> Verdict:
    if _unseen(live):
        return _UNSEEN
    wanted = number(live, "spec", "replicas", default=1)
    status = at(live, "status")
    updated, available = number(status, "updatedReplicas"), number(status, "availableReplicas")
    old = number(status, "replicas") - updated
    if updated >= wanted and available >= wanted and old <= 0:
        return _READY
    message = f"{min(available, updated)} of {wanted} replicas ready"
    if updated < wanted:
        message += f", {updated} updated"
    elif old > 0:
        message += f", {old} old still running"
    failing = next((c for c in items(status, "conditions") if text(c, "type") == "ReplicaFailure"), None)
    return Verdict(False, message + (f"; {text(failing, 'message')}" if failing else ""))


def _stateful_set(live: Object) -> Verdict:
    if _unseen(live):
        return _UNSEEN
    wanted = number(live, "spec", "replicas", default=1)
    status = at(live, "status")
    rolling = (
        text(live, "spec", "updateStrategy", "type") != "OnDelete"
        and number(live, "spec", "updateStrategy", "rollingUpdate", "partition") == 0
    )
    updated = number(status, "updatedReplicas") if rolling else wanted
    ready = number(status, "readyReplicas")
    if ready >= wanted and updated >= wanted and number(status, "replicas") == wanted:
        return _READY
    return Verdict(False, f"{min(ready, updated)} of {wanted} replicas ready")


def _daemon_set(live: Object) -> Verdict:
    if _unseen(live):
        return _UNSEEN
    status = at(live, "status")
    wanted, ready = number(status, "desiredNumberScheduled"), number(status, "numberAvailable")
    updated = number(status, "updatedNumberScheduled")
    if text(live, "spec", "updateStrategy", "type") == "OnDelete":
        updated = wanted
    if ready >= wanted and updated >= wanted:
        return _READY
    return Verdict(False, f"{min(ready, updated)} of {wanted} nodes have a ready pod")


def _job(live: Object) -> Verdict:
    if at(live, "spec", "suspend") is True or Condition("Complete", "True").holds(live):
        return _READY
    failed = Condition("Failed", "True")
    if failed.holds(live):
        return Verdict(False, f"the job failed: {failed.missing(live)}", final=True)
    done, wanted = number(live, "status", "succeeded"), number(live, "spec", "completions", default=1)
    return Verdict(False, f"{done} of {wanted} completions, {number(live, 'status', 'failed')} pods failed")


def _claim(live: Object) -> Verdict:
    phase = text(live, "status", "phase")
    return Verdict(phase == "Bound", f"the claim is {phase or 'not bound'}", final=phase == "Lost")


def _pod(live: Object) -> Verdict:
    phase = text(live, "status", "phase")
    if phase == "Succeeded" or Condition("Ready", "True").holds(live):
        return _READY
    return Verdict(False, f"the pod is {phase or 'not started'}", final=phase == "Failed")


def _definition(live: Object) -> Verdict:
    established = Condition("Established", "True")
    return _READY if established.holds(live) else Verdict(False, established.missing(live))


_KINDS: dict[tuple[str, str], Callable[[Object], Verdict]] = {
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("batch/v1", "Job"): _job,
    ("v1", "PersistentVolumeClaim"): _claim,
    ("v1", "Pod"): _pod,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): _definition,
}
