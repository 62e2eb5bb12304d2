"""From what a program declares to the manifest it means: apiVersion and kind, namespace and name."""

import random
import re
import string
from dataclasses import dataclass

from devcluster.plugin.api import Ref
from devcluster.plugin.conditions import WAIT_FOR, parse_wait_for
from devcluster.plugin.errors import Refused
from devcluster.plugin.values import UNKNOWN, Object, Sealed, Unknown, Value, at, mapping, text, without_nulls

AUTONAMED = "pulumi.com/autonamed"
PLAIN_KEYS = "mainstay.dev/plain-keys"
"""Annotation of a Secret: the keys that hold nothing secret, which is for policies to read."""
DEFAULT_NAMESPACE = "default"
_SUFFIX_LENGTH = 8
_TOKEN = re.compile(r"kubernetes:(?P<group>[a-z0-9.-]+)/(?P<version>v[a-z0-9]+):(?P<kind>[A-Za-z0-9]+)")
_OTHER_MODULES = {
    "helm.sh": "Helm charts",
    "yaml": "YAML files",
    "kustomize": "kustomize directories",
}


@dataclass(frozen=True)
class Token:
    """A resource type such as `kubernetes:apps/v1:Deployment`, as apiVersion and kind."""

    api_version: str
    kind: str

    @property
    def group(self) -> str:
        """The API group, "" for the core."""
        return self.api_version.rpartition("/")[0]


def parse_token(token: str) -> Token:
    """The kind a type token stands for. Raises Refused for what is no Kubernetes object: charts, files, patches."""
    # The engine puts the types of the components above before it: mainstay:index:Redis$kubernetes:apps/v1:StatefulSet.
    token = token.rsplit("$", 1)[-1]
    match = _TOKEN.fullmatch(token)
    module = token.removeprefix("kubernetes:").split("/")[0].split(":")[0]
    if match is None or module in _OTHER_MODULES:
        thing = _OTHER_MODULES.get(module, f"{token!r}")
        raise Refused(
            f"The stand-in for pulumi-resource-kubernetes does not do {thing}: declare the objects themselves, or "
            f"install the genuine plugin with `pulumi plugin install resource kubernetes`."
        )
    group, version, kind = match["group"], match["version"], match["kind"]
    return Token(version if group == "core" else f"{group}/{version}", kind)


def normalise(
    declared: Object, old: Object, token: Token, resource_name: str, seed: bytes, namespace: str
) -> tuple[Object, list[str]]:
    """The inputs to store and apply, and what is wrong with them, a sentence for each fault.

    `namespace` is where an object goes that names none, "" for a kind that lives in no namespace. A name the program
    leaves out is the old one if that was generated, else `resource_name` with a random suffix drawn from `seed`.
    """
    checked = {key: without_nulls(item) for key, item in declared.items() if item is not None}
    faults: list[str] = []
    for key, meant in (("apiVersion", token.api_version), ("kind", token.kind)):
        given = at(checked, key)
        if given is not None and given != meant and not (key == "apiVersion" and given == f"core/{meant}"):
            faults.append(f"{key} is {given!r}, and the resource's type says {meant!r}: make them agree.")
        checked[key] = meant
    metadata = checked.get("metadata", {})
    if isinstance(metadata, Unknown) or (isinstance(metadata, Sealed) and isinstance(metadata.value, Unknown)):
        return checked, faults
    filled = dict(mapping(metadata))
    checked["metadata"] = Sealed(filled) if isinstance(metadata, Sealed) else filled
    if namespace and not at(filled, "namespace"):
        filled["namespace"] = namespace
    if "generateName" in filled:
        faults.append(
            "metadata.generateName cannot be applied: leave it and metadata.name out, and a name is generated."
        )
    elif not at(filled, "name"):
        _name(filled, old, resource_name, seed)
    if token.kind == "Secret" and token.api_version == "v1":
        for key in ("data", "stringData"):
            if key in checked and not isinstance(checked[key], Sealed) and not _holds_no_secret(checked, key):
                checked[key] = Sealed(checked[key])
    try:
        parse_wait_for(text(filled, "annotations", WAIT_FOR))
    except ValueError as error:
        faults.append(str(error))
    return checked, faults


def _holds_no_secret(secret: Object, key: str) -> bool:
    """Whether the object itself says so of all that stands under `key`."""
    data = secret[key]
    return isinstance(data, dict) and set(data) <= {each.strip() for each in annotation(secret, PLAIN_KEYS).split(",")}


def _name(metadata: Object, old: Object, resource_name: str, seed: bytes) -> None:
    annotations = metadata.get("annotations", {})
    if is_autonamed(old) and (kept := text(old, "metadata", "name")):
        metadata["name"] = kept
    else:
        draw = random.Random(seed)  # noqa: S311 - a name, not a secret; the engine gives the same seed in preview and update
        suffix = "".join(draw.choices(string.ascii_lowercase + string.digits, k=_SUFFIX_LENGTH))
        metadata["name"] = f"{resource_name.lower()}-{suffix}"
    if isinstance(annotations, dict):
        metadata["annotations"] = {**annotations, AUTONAMED: "true"}


def is_autonamed(inputs: Object) -> bool:
    """Whether the object's name was generated, so that a replacement can be created beside it."""
    return text(inputs, "metadata", "annotations", AUTONAMED) == "true"


def ref_of(inputs: Object) -> Ref | None:
    """The object that checked inputs describe, None while its name or namespace is unknown."""
    name, namespace = _known(inputs, "name"), _known(inputs, "namespace")
    if not isinstance(name, str) or isinstance(namespace, Unknown):
        return None
    return Ref(text(inputs, "apiVersion"), text(inputs, "kind"), namespace if isinstance(namespace, str) else "", name)


def _known(inputs: Object, field: str) -> Value:
    metadata = at(inputs, "metadata")
    return UNKNOWN if isinstance(metadata, Unknown) else at(metadata, field)


def annotation(inputs: Object, name: str) -> str:
    """One annotation's text, "" where it is absent."""
    return text(inputs, "metadata", "annotations", name)


def secret_object(inputs: Object) -> bool:
    """Whether the object is a Secret, whose data is secret whoever wrote it."""
    return text(inputs, "kind") == "Secret" and text(inputs, "apiVersion") == "v1"
