"""Pulumi's property values as plain Python, and back.

A resource's properties are one `Object`: dicts, lists, strings, numbers, booleans and None, as JSON has them, plus two
things JSON lacks: `UNKNOWN` for a value that is known only after the update, and `Sealed(value)` around a secret.
Whole numbers arrive as floats over the wire and are made ints here, because the API server takes no 2.0 for 2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf import struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Sealed:
    """A secret: `value` must reach the cluster, and must not reach state, log or error in plain text."""

    value: "Value"


Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | Unknown | Sealed | None
Object: TypeAlias = dict[str, Value]
Path: TypeAlias = tuple[str | int, ...]

# How the engine spells "unknown" over the wire, one for each type it believes the value to have.
_UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWN_ON_THE_WIRE = {
    _UNKNOWN_STRING,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
# Shorter secrets are found by their place or in quotation marks only.
_TELLING_LENGTH = 8


def decode(properties: Mapping[str, PropertyValue]) -> Object:
    """The properties of a request. Raises ValueError for assets and resource references, which no manifest can hold."""
    return {key: _decode(value) for key, value in properties.items()}


def _decode(wire: PropertyValue) -> Value:
    if wire.is_secret:
        return Sealed(_decode(wire.with_secret(False)))
    value = wire.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN_ON_THE_WIRE else value
    if isinstance(value, Mapping):
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_decode(item) for item in value]
    raise ValueError(f"{type(value).__name__} cannot stand in a Kubernetes object; give its text instead")


def encode(properties: Object) -> dict[str, PropertyValue]:
    """The same properties for a response."""
    return {key: _encode(value) for key, value in properties.items()}


def _encode(value: Value) -> PropertyValue:
    if isinstance(value, Sealed):
        return _encode(value.value).with_secret(True)
    if isinstance(value, Unknown):
        return PropertyValue(_UNKNOWN_STRING)
    if isinstance(value, dict):
        return PropertyValue({key: _encode(item) for key, item in value.items()})
    if isinstance(value, list):
        return PropertyValue([_encode(item) for item in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)


def at(value: Value, *path: str | int) -> Value:
    """What stands at `path` below `value`; None where the path leads nowhere or into an unknown. Looks into secrets."""
    for step in path:
        if isinstance(value, Sealed):
            value = value.value
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value.value if isinstance(value, Sealed) else value


def text(value: Value, *path: str | int) -> str:
    """The string at `path`, "" where there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: Value, *path: str | int, default: int = 0) -> int:
    """The whole number at `path`, `default` where there is none."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def items(value: Value, *path: str | int) -> list[Value]:
    """The list at `path`, [] where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def mapping(value: Value, *path: str | int) -> Object:
    """The map at `path`, {} where there is none."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def reveal(value: Value) -> Value:
    """`value` with its secrets opened: what is sent to the API server and what is compared."""
    if isinstance(value, Sealed):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def reveal_object(properties: Object) -> Object:
    """`reveal` for the properties of a whole resource."""
    return {key: reveal(item) for key, item in properties.items()}


def has_unknown(value: Value) -> bool:
    """Whether anything below `value` is known only after the update."""
    if isinstance(value, Sealed):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return isinstance(value, Unknown)


def known_part(properties: Object) -> Object:
    """The properties without the fields and items that are unknown."""
    return {key: _known_part(item) for key, item in properties.items() if not _is_unknown(item)}


def _known_part(value: Value) -> Value:
    if isinstance(value, Sealed):
        return Sealed(_known_part(value.value))
    if isinstance(value, dict):
        return known_part(value)
    if isinstance(value, list):
        return [_known_part(item) for item in value if not _is_unknown(item)]
    return value


def _is_unknown(value: Value) -> bool:
    return isinstance(value.value if isinstance(value, Sealed) else value, Unknown)


def without_nulls(value: Value) -> Value:
    """`value` without the fields that are null: for a manifest, null says "not set"."""
    if isinstance(value, Sealed):
        return Sealed(without_nulls(value.value))
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def telling_secrets(properties: Object) -> frozenset[str]:
    """The secret texts by which a copy of a secret is recognised; short ones would match by accident."""
    return frozenset(found for found in _hidden_texts(properties) if len(found) >= _TELLING_LENGTH)


def _hidden_texts(properties: Object) -> set[str]:
    """The secret texts that do not also stand in the open, as a user name does that is part of the object's name."""
    secret = {found for value in properties.values() for found in _texts(value, False, True)}
    in_the_open = {found for value in properties.values() for found in _texts(value, False, False)}
    return {found for found in secret if found and not any(found in other for other in in_the_open)}


def _texts(value: Value, inside_secret: bool, wanted_secret: bool) -> Iterator[str]:
    if isinstance(value, Sealed):
        yield from _texts(value.value, True, wanted_secret)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item, inside_secret, wanted_secret)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, inside_secret, wanted_secret)
    elif isinstance(value, str) and inside_secret == wanted_secret:
        yield value


def seal_like(plain: Value, pattern: Value) -> Value:
    """`plain` with secrets wherever `pattern` has one at the same place.

    A list that changed its length is sealed as a whole when the pattern has a secret in it: which item is which is
    not known, and sealing too much is the harmless mistake.
    """
    if isinstance(pattern, Sealed):
        return plain if isinstance(plain, Sealed) else Sealed(plain)
    if isinstance(plain, dict) and isinstance(pattern, dict):
        return {key: seal_like(item, pattern.get(key)) for key, item in plain.items()}
    if isinstance(plain, list) and isinstance(pattern, list):
        if len(plain) == len(pattern):
            return [seal_like(item, other) for item, other in zip(plain, pattern, strict=True)]
        if next(_texts(pattern, False, True), None) is not None:
            return Sealed(plain)
    return plain


def seal_texts(value: Value, secrets: frozenset[str]) -> Value:
    """`value` with every string sealed that holds one of `secrets`, wherever it may have been copied to."""
    if isinstance(value, dict):
        return {key: seal_texts(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [seal_texts(item, secrets) for item in value]
    if isinstance(value, str) and any(secret in value for secret in secrets):
        return Sealed(value)
    return value


def censor(message: str, properties: Object) -> str:
    """`message` with the secrets of `properties` blotted out: the API server quotes the values it refuses."""
    for secret in sorted(_hidden_texts(properties), key=len, reverse=True):
        message = message.replace(f'"{secret}"', "[secret]")
        if len(secret) >= _TELLING_LENGTH:
            message = message.replace(secret, "[secret]")
    return message


def marshal(properties: Object) -> struct_pb2.Struct:
    """The properties as a protobuf message, for what goes past the experimental servicer."""
    return PropertyValue.marshal_map(encode(properties))
