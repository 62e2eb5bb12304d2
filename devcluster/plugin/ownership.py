"""managedFields: which parts of a live object are merged item by item, and which belong to one manager as a whole."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from devcluster.plugin.values import Object, Value, at, items, mapping, text


@dataclass(frozen=True)
class Owned:
    """The fields below one place that some manager has set, all managers together."""

    children: "dict[str, Owned]"
    atomic: bool = False
    """The value belongs to one manager as a whole: an atomic list or map, or a scalar."""

    def below(self, key: str) -> "Owned":
        """What is owned under a map's key. Everything inside an atomic value is atomic."""
        return self.children.get(key, Owned({}, self.atomic))

    @property
    def merge_keys(self) -> list[str]:
        """The fields by which a list's items are told apart, [] for lists that are not merged by key."""
        key = next((key for key in self.children if key.startswith("k:")), None)
        return list(json.loads(key[2:])) if key else []

    @property
    def set_list(self) -> bool:
        """Whether the list is a set of scalars, to which each manager may add its own."""
        return any(key.startswith("v:") for key in self.children)

    def item(self, item: Value) -> "Owned":
        """What is owned inside one item of a list that is merged by key."""
        return next((below for key, below in self.children.items() if is_for(key, item)), Owned({}))


def by_anyone(live: Object) -> Owned:
    """The fields of a live object that anyone has set; status apart."""
    entries = (entry for entry in items(live, "metadata", "managedFields") if text(entry, "subresource") != "status")
    return Owned(_tree(merged(entries)).children)


def by_apply(live: Object) -> Object:
    """The merged fieldsV1 of all that was set by server-side apply, {} when nothing was."""
    entries = items(live, "metadata", "managedFields")
    return merged(entry for entry in entries if text(entry, "operation") == "Apply" and not text(entry, "subresource"))


def applied_by(live: Object, manager: str) -> bool:
    """Whether `manager` has applied any field of the object."""
    return any(
        text(entry, "manager") == manager and text(entry, "operation") == "Apply"
        for entry in items(live, "metadata", "managedFields")
    )


def without_owner(live: Object) -> bool:
    """Whether nobody has set any field of the object: it was created with nothing but its name."""
    return all(text(entry, "subresource") for entry in items(live, "metadata", "managedFields"))


def merged(entries: Iterable[Value]) -> Object:
    """The fieldsV1 of several managedFields entries as one."""
    fields: Object = {}
    for entry in entries:
        _merge(fields, mapping(entry, "fieldsV1"))
    return fields


def _merge(into: Object, fields: Object) -> None:
    for key, below in fields.items():
        child = into.setdefault(key, {})
        if isinstance(child, dict) and isinstance(below, dict):
            _merge(child, below)


def _tree(fields: Object) -> Owned:
    children = {key: _tree(below) for key, below in fields.items() if isinstance(below, dict) and key != "."}
    return Owned(children, atomic=not fields)


def is_for(key: str, item: Value) -> bool:
    """Whether a key of fieldsV1 (`k:{"name":"a"}`, `v:"a"`) stands for this item of a list."""
    if key.startswith("v:"):
        return json.loads(key[2:]) == item
    if not key.startswith("k:"):
        return False
    return all(at(item, name) == value for name, value in json.loads(key[2:]).items())
