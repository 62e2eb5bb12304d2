"""Deleting an object, and knowing that it is gone."""

from devcluster.plugin.api import Api, ApiError, Ref
from devcluster.plugin.errors import Refused
from devcluster.plugin.inputs import annotation
from devcluster.plugin.readiness import SKIP
from devcluster.plugin.values import Object, text
from devcluster.plugin.waiting import Waiter

_POLICY = "pulumi.com/deletionPropagationPolicy"


async def delete(api: Api, waiter: Waiter, urn: str, ref: Ref, recorded: Object, asked_seconds: float) -> None:
    """Returns when the object is gone; one that is gone already, or whose kind is, is no error. Raises Refused.

    `recorded` is the state's output of the object, `asked_seconds` its own time limit, 0 for the default.
    """
    if await api.served(ref.api_version, ref.kind) is None:
        return
    live = await api.get(ref)
    if live is None:
        return
    try:
        await api.delete(ref, propagation(recorded))
    except ApiError as error:
        raise Refused(error.sentence(ref)) from error
    if annotation(recorded, SKIP) != "true":
        await waiter.until_gone(urn, ref, text(live, "metadata", "uid"), asked_seconds)


def propagation(recorded: Object) -> str:
    """How what the object made goes with it: the annotation says, else the kind.

    In the foreground where there may be dependents, so that gone means gone with all it made; in the background for the
    built-in kinds that make nothing, because the garbage collector need not be waited for then.
    """
    chosen = annotation(recorded, _POLICY).capitalize()
    if chosen in ("Foreground", "Background", "Orphan"):
        return chosen
    group = text(recorded, "apiVersion").rpartition("/")[0]
    return "Background" if group in ("", "policy") or group.endswith(".authorization.k8s.io") else "Foreground"
