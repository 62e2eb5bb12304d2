"""The border: properties as the engine sends them become plain data.

On the wire numbers are floats, unknown values are magic strings, and secrets are decrypted objects with a signature.
Behind the border numbers are ints where they are whole, unknown values and secrets are markers, and no secret's value
exists.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from policies.stack import Resource
from policies.values import SECRET, UNKNOWN, Plain

# Fixed by the engine's protocol (sdk/go/common/resource/plugin/rpc.go and resource/sig).
_UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SIGNED_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
_UNDECRYPTED = "[secret]"
"""What the engine sends for a secret that it could not decrypt."""

PLAIN_KEYS = "mainstay.dev/plain-keys"
"""Annotation of a Secret that names, separated by commas, the keys that hold nothing secret, such as a file that an
operator wants in a Secret. They can be read, unless the engine calls them secret."""

_SECRET_KIND = "core/Secret"  # noqa: S105
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def resources(
    urn: str, type_token: str, name: str, declared: Mapping[str, Any], state: Mapping[str, Any]
) -> Iterator[Resource]:
    """One resource from its inputs and its outputs, both JSON-like; then the objects in it, if it is a list of them.

    Outputs win, property by property: they are what stands. Where there are none the inputs stand in: a component has
    few, and at preview a provider that is not configured yet sends nothing, which must not look like an empty spec.
    """
    inputs = {key: plain(value) for key, value in declared.items()}
    props = dict(inputs)
    for key, value in state.items():
        observed = plain(value, props.get(key))
        if key not in props or not (observed is None or observed is UNKNOWN):
            props[key] = observed
    # A patch as the provider knows it after a deployment is the whole object; as declared it is a part of one.
    patch = type_token.startswith("kubernetes:") and type_token.endswith("Patch") and not state
    # A state alone does not say what was declared.
    asked = dict.fromkeys(props, UNKNOWN) if state and not declared else inputs
    found = Resource(urn, type_token, name, props, patch, asked)
    if found.kind == _SECRET_KIND:
        readable = found.root.at("metadata", "annotations", PLAIN_KEYS).value
        keys = [key.strip() for key in readable.split(",")] if isinstance(readable, str) else []
        sealed, sealed_inputs = (
            {key: _sealed(key, value, keys) for key, value in values.items()} for values in (props, asked)
        )
        found = replace(found, props=sealed, declared=sealed_inputs)
    yield found
    items = props.get("items")
    if type_token.startswith("kubernetes:") and type_token.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict):
                yield from resources(f"{urn}[{index}]", _type_of(item, type_token), f"{name}[{index}]", item, {})


def _type_of(item: Mapping[str, Plain], listed: str) -> str:
    """The type token of an object in a list, which need not name its kind: a DeploymentList holds Deployments."""
    version, kind = item.get("apiVersion"), item.get("kind")
    if isinstance(version, str) and isinstance(kind, str):
        return object_type(version, kind)
    return listed.removesuffix("List")


def object_type(api_version: str, kind: str) -> str:
    """The type token of a Kubernetes object, e.g. `kubernetes:apps/v1:Deployment`."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def plain(value: Any, declared: Plain = None) -> Plain:
    """A JSON-like value of the engine, plain. A secret object or list keeps its shape, every value in it is hidden.

    Except for those that are `declared` in the clear at the same place: providers call a whole list of containers
    secret because of one variable in one of them.
    """
    if isinstance(value, dict):
        members = cast(dict[str, Any], value)
        if members.get(_SIGNATURE) == _SIGNED_SECRET:
            # A state that was exported encrypted has a ciphertext, or a plaintext that is JSON, in place of a value.
            if "value" not in members:
                return _opened(members.get("plaintext"), declared)
            return _hidden(plain(members["value"], declared), declared)
        return {key: plain(member, _at(declared, key)) for key, member in members.items() if key != _SIGNATURE}
    if isinstance(value, list):
        return [plain(item, _at(declared, index)) for index, item in enumerate(cast(list[Any], value))]
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN else SECRET if value == _UNDECRYPTED else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return cast(Plain, value)


def _opened(plaintext: Any, declared: Plain) -> Plain:
    try:
        return _hidden(plain(json.loads(plaintext), declared), declared)
    except (TypeError, ValueError):
        return SECRET


def _hidden(value: Plain, declared: Plain = None) -> Plain:
    if isinstance(value, dict):
        return {key: _hidden(member, _at(declared, key)) for key, member in value.items()}
    if isinstance(value, list):
        return [_hidden(item, _at(declared, index)) for index, item in enumerate(value)]
    in_the_clear = type(value) is type(declared) and value == declared
    return value if in_the_clear or value is UNKNOWN else SECRET


def _at(value: Plain, key: str | int) -> Plain:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None


def _sealed(key: str, value: Plain, readable: Collection[str]) -> Plain:
    """A property of a Kubernetes Secret: its data is secret even if nobody said so, and so is kubectl's copy of it."""
    if key in ("data", "stringData"):
        clear = {each: value.get(each) for each in readable} if isinstance(value, dict) else None
        return _hidden(value, clear)
    if key == "metadata" and isinstance(value, dict):
        annotations = value.get("annotations")
        if isinstance(annotations, dict) and _LAST_APPLIED in annotations:
            return {**value, "annotations": {**annotations, _LAST_APPLIED: SECRET}}
    return value
