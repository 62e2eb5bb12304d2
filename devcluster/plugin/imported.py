"""Inputs for an object that Pulumi did not make.

After server-side apply (managedFields) and after `kubectl apply` (an annotation) it is known what was asked for. After
`kubectl create` nobody can tell a default from a choice: then everything but the server's own part becomes input, and
the first `up` after the import takes the defaults out again without changing the object.
"""

import json

from devcluster.plugin.ownership import by_apply, is_for
from devcluster.plugin.values import Object, Sealed, Value, mapping, text

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SERVER_METADATA = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_SERVER_ANNOTATIONS = (LAST_APPLIED, "deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")


def imported(live: Object) -> Object:
    """The inputs an import records; a Secret's data is sealed."""
    if last := text(live, "metadata", "annotations", LAST_APPLIED):
        found = mapping(json.loads(last))
    elif applied := by_apply(live):
        found = mapping(_only(live, applied))
    else:
        found = {key: value for key, value in live.items() if key != "status"}
    metadata = {key: value for key, value in mapping(found, "metadata").items() if key not in _SERVER_METADATA}
    annotations = mapping(metadata.pop("annotations", None))
    annotations = {key: value for key, value in annotations.items() if key not in _SERVER_ANNOTATIONS}
    if annotations:
        metadata["annotations"] = annotations
    for key in ("name", "namespace"):
        if where := text(live, "metadata", key):
            metadata[key] = where
    identity: Object = {"apiVersion": text(live, "apiVersion"), "kind": text(live, "kind"), "metadata": metadata}
    if identity["kind"] == "Secret":
        found = {key: Sealed(value) if key in ("data", "stringData") else value for key, value in found.items()}
    return {**found, **identity}


def _only(value: Value, fields: Object) -> Value:
    """The part of `value` that the fieldsV1 tree `fields` names."""
    if not fields:
        return value
    named = {key: below for key, below in fields.items() if key != "."}
    if isinstance(value, dict):
        return {key: _only(item, mapping(named, f"f:{key}")) for key, item in value.items() if f"f:{key}" in named}
    if isinstance(value, list):
        return [_only(item, mapping(named, key)) for item in value for key in named if is_for(key, item)]
    return value
