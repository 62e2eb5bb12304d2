"""Plain values as rules see them, and reading them without guessing.

A value that is not known yet (at preview) or that is secret is a marker, never a stand-in such as None: reading it
raises `Undecided`, so that no rule passes or fails by what it cannot see.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")


class Marker(Enum):
    """Stands where a value is, but cannot be read."""

    UNKNOWN = "not known before the deployment"
    SECRET = "a secret"  # noqa: S105
    ELSEWHERE = "not set by this patch, and the patched object is not in this stack"


UNKNOWN: Final = Marker.UNKNOWN
SECRET: Final = Marker.SECRET
ELSEWHERE: Final = Marker.ELSEWHERE

Scalar: TypeAlias = bool | int | float | str | Marker | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"


class Undecided(Exception):
    """A rule needs a value that cannot be read. `str()` is a clause such as `spec.schedule is a secret`."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands, e.g. `spec.containers[0].image`. A missing value is None."""

    value: Plain
    path: str = ""
    partial: bool = False
    """Within a patch: what is not here may stand in the object that is patched."""

    def at(self, *keys: str) -> "Node":
        """The value below `keys`; below a marker it is that marker, which only reading stumbles over."""
        node = self
        for key in keys:
            if isinstance(node.value, Marker):
                return node
            path = f"{node.path}.{key}" if node.path else key
            value = node.value.get(key) if isinstance(node.value, dict) else None
            node = Node(ELSEWHERE if value is None and node.partial else value, path, node.partial)
        return node

    def known(self) -> Plain:
        """The value itself; raises `Undecided` for a marker (a marker further down stays)."""
        if isinstance(self.value, Marker):
            raise Undecided(f"{self.path} is {self.value.value}")
        return self.value

    def text(self) -> str:
        """The value if it is a string, else an empty one; blanks around it do not count."""
        value = self.known()
        return value.strip() if isinstance(value, str) else ""

    def number(self) -> float | None:
        """The value if it is a number, else None."""
        value = self.known()
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def items(self) -> list["Node"]:
        """The elements if it is a list, else none."""
        value = self.known()
        if not isinstance(value, list):
            return []
        return [Node(item, f"{self.path}[{index}]", self.partial) for index, item in enumerate(value)]

    def elements(self) -> list["Node"]:
        """The same, but a list that cannot be read stands for one element that cannot be read."""
        return [self] if isinstance(self.value, Marker) else self.items()

    def members(self) -> list["Node"]:
        """The members' values if it is an object, else none."""
        return [self.at(key) for key in self.keys()]

    def keys(self) -> list[str]:
        """Its keys if it is an object, else none."""
        value = self.known()
        return list(value) if isinstance(value, dict) else []


def any_of(items: Iterable[T], holds: Callable[[T], bool]) -> bool:
    """Whether it certainly holds of one of them. Raises `Undecided` where it does not and one cannot be read."""
    undecided: Undecided | None = None
    for item in items:
        try:
            if holds(item):
                return True
        except Undecided as reason:
            undecided = undecided or reason
    if undecided:
        raise undecided
    return False
