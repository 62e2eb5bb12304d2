"""What the state records of a live object."""

from devcluster.plugin.imported import LAST_APPLIED
from devcluster.plugin.inputs import secret_object
from devcluster.plugin.values import (
    UNKNOWN,
    Object,
    Sealed,
    Value,
    mapping,
    reveal_object,
    seal_like,
    seal_texts,
    telling_secrets,
    text,
)

MANAGER = "__fieldManager"
# What the API server decides and a dry run can only pretend to.
_DECIDED_LATER = ("uid", "resourceVersion", "creationTimestamp", "generation")
_ALLOCATED = ("clusterIP", "clusterIPs", "healthCheckNodePort")


def record(live: Object, inputs: Object, manager: str) -> Object:
    """The resource's outputs: the live object, without bookkeeping, with every secret of `inputs` sealed.

    Besides the fields that are secret in the inputs, the data of a Secret is sealed, and every string that contains a
    secret's text, wherever a webhook or a default may have copied it.
    """
    metadata = {key: value for key, value in mapping(live, "metadata").items() if key != "managedFields"}
    annotations = {key: value for key, value in mapping(metadata, "annotations").items() if key != LAST_APPLIED}
    if "annotations" in metadata:
        metadata["annotations"] = annotations
    shown: Object = {**live, "metadata": metadata}
    secrets = telling_secrets(inputs)
    sealed = {key: seal_like(value, inputs.get(key)) for key, value in shown.items()}
    if secrets:
        sealed = {key: seal_texts(value, secrets) for key, value in sealed.items()}
    if secret_object(live):
        sealed = {key: Sealed(value) if key == "data" else value for key, value in sealed.items()}
    return {**sealed, MANAGER: manager}


def expected(dry: Object | None, inputs: Object, manager: str, created: bool) -> Object:
    """The outputs a preview promises: `dry` from a dry run, or only the inputs where there was none.

    What only the real run decides is unknown: a created object's identity, status and allocated addresses.
    """
    live = dry if dry is not None else reveal_object({key: item for key, item in inputs.items() if key != "stringData"})
    metadata: Object = dict(mapping(live, "metadata"))
    for key in _DECIDED_LATER if created else ("resourceVersion", "generation"):
        metadata[key] = UNKNOWN
    promised = record({**live, "metadata": metadata}, inputs, manager)
    if not created:
        return promised
    promised["status"] = UNKNOWN
    if text(live, "kind") == "Service" and text(live, "apiVersion") == "v1":
        spec: dict[str, Value] = dict(mapping(promised, "spec"))
        declared = mapping(inputs, "spec")
        promised["spec"] = {**spec, **{key: UNKNOWN for key in _ALLOCATED if key not in declared}}
    return promised
