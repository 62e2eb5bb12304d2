"""Property differences: the engine gives paths and kinds, the values are looked up here and secrets masked."""

import re
from collections.abc import Mapping
from typing import Any, cast

from engine.result import MASK, Change, Json

UNKNOWN = "[known after apply]"
"""Stands for a value that only the update itself will know."""

_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SIGNATURE_VALUE = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[\]]+)')

Part = str | int
Bag = Mapping[str, Any]


def plain(value: Any) -> Json:
    """A property value of an event as plain data: secrets and unknowns replaced by markers."""
    if isinstance(value, dict):
        bag = cast(dict[str, Any], value)
        if bag.get(_SIGNATURE_KEY) == _SIGNATURE_VALUE:
            return MASK
        return {key: plain(each) for key, each in bag.items()}
    if isinstance(value, list):
        return [plain(each) for each in cast(list[Any], value)]
    if value == _UNKNOWN_VALUE:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return cast(Json, value)


def parts(path: str) -> tuple[Part, ...]:
    """`spec.ports[0]["a.b"]` -> ("spec", "ports", 0, "a.b")."""
    found: list[Part] = []
    for quoted, index, name in _PART.findall(path):
        if index:
            found.append(int(index))
        else:
            found.append(quoted.replace('\\"', '"') if quoted else name)
    return tuple(found)


def at(bag: Json, path: tuple[Part, ...]) -> Json:
    """The value at a path: None if there is none, the secret marker if it lies within a secret."""
    value: Json = bag
    for part in path:
        if value == MASK:
            return MASK
        if isinstance(part, int):
            if not isinstance(value, list) or part >= len(value):
                return None
            value = value[part]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def changes(metadata: Bag) -> tuple[Change, ...]:
    """The changes a step event tells, sorted by path. `metadata` is the event's own dictionary."""
    old, new = _state(metadata, "old"), _state(metadata, "new")
    detailed = cast(dict[str, dict[str, Any]], metadata.get("detailedDiff") or {})
    if not detailed:
        detailed = {key: {"diffKind": "update"} for key in cast(list[str], metadata.get("diffs") or [])}
    replacing = set(cast(list[str], metadata.get("keys") or []))
    found: list[Change] = []
    for text, difference in detailed.items():
        path, kind = parts(text), str(difference["diffKind"])
        there = at(old["inputs"] if difference.get("inputDiff") else old["outputs"], path)
        if there is None:
            there = at(old["inputs"], path)
        asked = at(new["inputs"], path)
        if _is_secret(path, (old, new)):
            there = MASK if there is not None else None
            asked = MASK if asked is not None else None
        found.append(
            Change(
                path=text,
                kind=_kind(kind),
                forces_replacement=kind.endswith("-replace") or text in replacing,
                old=None if kind.startswith("add") else there,
                new=None if kind.startswith("delete") else asked,
            )
        )
    return tuple(sorted(found, key=lambda change: change.path))


def drift(metadata: Bag) -> tuple[Change, ...]:
    """What a refresh found: old is the state's value, new the cluster's."""
    old, new = _state(metadata, "old"), _state(metadata, "new")
    paths = cast(list[str], list(metadata.get("detailedDiff") or metadata.get("diffs") or []))
    found: list[Change] = []
    for text in paths:
        path = parts(text)
        before, after = at(old["outputs"], path), at(new["outputs"], path)
        if before is None:
            before = at(old["inputs"], path)
        if _is_secret(path, (old, new)):
            before = MASK if before is not None else None
            after = MASK if after is not None else None
        kind = "add" if before is None else "delete" if after is None else "update"
        found.append(Change(text, kind, False, before, after))
    return tuple(sorted(found, key=lambda change: change.path))


def declared(inputs: Bag) -> Json:
    """All that is asked for of an object."""
    bag = {key: plain(value) for key, value in inputs.items()}
    if bag.get("kind") == "Secret":
        bag |= {key: MASK for key in ("data", "stringData") if key in bag}
    return bag


def _kind(kind: str) -> Any:
    return kind.removesuffix("-replace")


def _state(metadata: Bag, side: str) -> dict[str, Json]:
    state = cast(dict[str, Any], metadata.get(side) or {})
    return {"inputs": plain(state.get("inputs") or {}), "outputs": plain(state.get("outputs") or {})}


def _is_secret(path: tuple[Part, ...], states: tuple[dict[str, Json], ...]) -> bool:
    """Secret in one of the bags is secret in all: a live value read back carries no mark of its own."""
    bags = [bag for state in states for bag in state.values()]
    if any(at(bag, ("kind",)) == "Secret" for bag in bags) and path[:1] in (("data",), ("stringData",)):
        return True
    return any(_holds_secret(at(bag, path)) for bag in bags)


def _holds_secret(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_holds_secret(each) for each in value.values())
    if isinstance(value, list):
        return any(_holds_secret(each) for each in value)
    return value == MASK
