"""What a refresh finds: the stored inputs, changed where the live object was changed by someone else.

Three versions are compared: the inputs as stored, the object as the API server returned it after our last write, and
the object as it is now. Where the last two agree nothing has drifted and the input is kept as it was written, so that
defaults, "1000m" that came back as "1" and empty maps that were dropped are no drift. Only fields of the inputs count;
what others add beside them (annotations, injected containers) is theirs, except in lists and maps that belong to one
manager as a whole ("atomic").
"""

import base64

from devcluster.plugin.inputs import secret_object
from devcluster.plugin.ownership import Owned, by_anyone
from devcluster.plugin.values import Object, Value, at, mapping, reveal_object, seal_like, text


class _Absent:
    """The type of `_ABSENT`: no such field, where None would be a value."""


_ABSENT = _Absent()


def drifted(inputs: Object, recorded: Object, live: Object) -> Object:
    """`inputs` as they would have to be to describe `live`; `recorded` is the state's output. Secrets stay sealed."""
    wanted, before = reveal_object(inputs), reveal_object(recorded)
    texts = wanted.pop("stringData", None) if secret_object(wanted) else None
    found = _map(wanted, before, live, by_anyone(live))
    if isinstance(texts, dict):
        found["stringData"] = _texts(texts, live)
    return {key: seal_like(value, inputs.get(key)) for key, value in found.items()}


def _texts(wanted: Object, live: Object) -> Object:
    """A Secret's stringData as the live data has it; the API server never gives stringData back."""
    found: Object = {}
    for key, value in wanted.items():
        if key in mapping(live, "data"):
            decoded = base64.b64decode(text(live, "data", key)).decode(errors="replace")
            found[key] = value if decoded == value else decoded
    return found


def _value(wanted: Value, before: Value | _Absent, live: Value, owned: Owned) -> Value:
    if before == live or wanted == live:
        return wanted
    if isinstance(wanted, dict) and isinstance(live, dict):
        return _map(wanted, before if isinstance(before, dict) else {}, live, owned)
    if isinstance(wanted, list) and isinstance(live, list):
        return _list(wanted, before if isinstance(before, list) else [], live, owned)
    return live


def _map(wanted: Object, before: Object, live: Object, owned: Owned) -> Object:
    found: Object = {}
    for key, value in wanted.items():
        if key in live:
            found[key] = _value(value, before.get(key, _ABSENT), live[key], owned.below(f"f:{key}"))
        elif key not in before:
            found[key] = value  # the API server drops it whenever it is sent: empty, or the zero of its type
    if owned.atomic:
        found |= {key: live[key] for key in live if key not in wanted and before.get(key, _ABSENT) != live[key]}
    return found


def _list(wanted: list[Value], before: list[Value], live: list[Value], owned: Owned) -> list[Value]:
    if owned.set_list:
        return [item for item in wanted if item in live]
    found: list[Value] = []
    if keys := owned.merge_keys:
        for item in wanted:
            now = _find(item, live, keys)
            if not isinstance(now, _Absent):
                found.append(_value(item, _find(item, before, keys), now, owned.item(now)))
        return found
    for index, item in enumerate(live):
        if index < len(wanted):
            was = before[index] if index < len(before) else _ABSENT
            found.append(_value(wanted[index], was, item, Owned({}, atomic=True)))
        else:
            found.append(item)
    return found


def _find(item: Value, among: list[Value], keys: list[str]) -> Value | _Absent:
    """The item with the same keys; a key that the inputs leave to its default matches anything."""
    named = [key for key in keys if at(item, key) is not None]
    return next((other for other in among if all(at(other, key) == at(item, key) for key in named)), _ABSENT)
