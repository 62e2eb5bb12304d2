"""What changes between two versions of an object's inputs, field by field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from devcluster.plugin.immutable import replaces
from devcluster.plugin.inputs import is_autonamed
from devcluster.plugin.values import Object, Path, Unknown, Value, has_unknown, reveal_object, text

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]*")


class Kind(Enum):
    """What happens to a field."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Change:
    """One field's change; `replaces` when it needs a new object."""

    path: Path
    kind: Kind
    replaces: bool

    @property
    def field(self) -> str:
        """The path as the engine writes it: `spec.containers[0].env`, `metadata.labels["a.b/c"]`."""
        return field_path(self.path)


@dataclass(frozen=True)
class Difference:
    """Every change, and whether a replacement must delete the old object first because both bear the same name."""

    changes: list[Change]
    delete_before_replace: bool

    @property
    def replaced_by(self) -> list[Change]:
        """The changes that need a new object."""
        return [change for change in self.changes if change.replaces]


def compare(old_inputs: Object, new_inputs: Object, mutable_kinds: frozenset[str]) -> Difference:
    """Both sides are checked inputs; `mutable_kinds` as in `immutable.replaces`."""
    old, new = reveal_object(old_inputs), reveal_object(new_inputs)
    changes = [Change(path, kind, replaces(path, old, new, mutable_kinds)) for path, kind in _walk(old, new, ())]
    same_place = all(text(old, "metadata", key) == text(new, "metadata", key) for key in ("name", "namespace"))
    replaced = any(change.replaces for change in changes)
    return Difference(changes, replaced and same_place and not is_autonamed(new))


def _walk(old: Value, new: Value, path: Path) -> Iterator[tuple[Path, Kind]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if key not in new:
                yield (*path, key), Kind.DELETE
            elif key not in old:
                yield (*path, key), Kind.ADD
            else:
                yield from _walk(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(new):
                yield (*path, index), Kind.DELETE
            elif index >= len(old):
                yield (*path, index), Kind.ADD
            else:
                yield from _walk(old[index], new[index], (*path, index))
    elif isinstance(new, Unknown) or has_unknown(old) or not _same(old, new):
        yield path, Kind.UPDATE


def _same(old: Value, new: Value) -> bool:
    # In Python True == 1; in a manifest they are two things.
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def field_path(path: Path) -> str:
    """A path as text, in the engine's spelling."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            written += f".{step}" if written else step
        else:
            escaped = step.replace('"', '\\"')
            written += f'["{escaped}"]'
    return written
