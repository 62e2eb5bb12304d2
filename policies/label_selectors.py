"""Label selectors, matched as Kubernetes does: no selector picks nothing, an empty one everything."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from policies.values import Marker, Node, Plain, Undecided

T = TypeVar("T")


def matches(selector: Node, labels: Node) -> bool:
    """Whether a `LabelSelector` picks an object with these labels.

    Raises Undecided where a value that cannot be read decides; one that certainly differs decides before that.
    """
    if selector.known() is None:
        return False
    undecided: Undecided | None = None
    for requirement in (*_equalities(selector.at("matchLabels")), *selector.at("matchExpressions").items()):
        try:
            if not _holds(requirement, labels):
                return False
        except Undecided as reason:
            undecided = undecided or reason
    if undecided:
        raise undecided
    return True


def picks(pairs: Node, labels: Node) -> bool:
    """The same for a plain map of labels, as Services have it; there, an empty one picks nothing."""
    if not pairs.keys():
        return False
    return matches(Node({"matchLabels": pairs.value}, pairs.path), labels)


def _equalities(pairs: Node) -> list[Node]:
    return [
        Node({"key": key, "operator": "In", "values": [pairs.at(key).value]}, pairs.at(key).path)
        for key in pairs.keys()  # noqa: SIM118 (a Node, whose keys are read)
    ]


def _holds(requirement: Node, labels: Node) -> bool:
    key, operator = requirement.at("key").text(), requirement.at("operator").text()
    labels.known()
    there = isinstance(labels.value, dict) and labels.value.get(key) is not None
    match operator:
        case "Exists":
            return there
        case "DoesNotExist":
            return not there
        case "In":
            return there and _among(requirement, labels.at(key))
        case "NotIn":
            return not there or not _among(requirement, labels.at(key))
        case _:
            raise Undecided(f"{requirement.path} has the operator {operator!r}, which Kubernetes does not know")


def _among(requirement: Node, label: Node) -> bool:
    wanted = label.text()
    if any(value.value == wanted for value in requirement.at("values").items()):
        return True
    for value in requirement.at("values").items():
        value.known()
    return False


class Labelled(Generic[T]):
    """Things with labels in namespaces, from which selectors pick without being compared with all of them."""

    def __init__(self, things: Iterable[tuple[str | Marker, Node, T]]) -> None:
        """`things`: namespace, labels and the thing itself."""
        self._all: defaultdict[str, list[tuple[Node, T]]] = defaultdict(list)
        self._by_label: defaultdict[tuple[str, str, Plain], list[tuple[Node, T]]] = defaultdict(list)
        self._unread: list[tuple[str | Marker, Node, T]] = []
        for namespace, labels, thing in things:
            values = labels.value
            readable = not isinstance(values, dict) or not any(isinstance(each, Marker) for each in values.values())
            if isinstance(namespace, Marker) or isinstance(values, Marker) or not readable:
                self._unread.append((namespace, labels, thing))
                continue
            self._all[namespace].append((labels, thing))
            for key, value in values.items() if isinstance(values, dict) else ():
                if isinstance(value, str):
                    self._by_label[namespace, key, value].append((labels, thing))

    def picked(self, namespace: str | Marker, selector: Node) -> tuple[list[T], list[T]]:
        """What the selector certainly picks, and what it picks if a value that cannot be read is the right one."""
        certain: list[T] = []
        possible: list[T] = []
        for its_namespace, labels, thing in self._candidates(namespace, selector):
            try:
                if not matches(selector, labels):
                    continue
            except Undecided:
                possible.append(thing)
                continue
            known = isinstance(namespace, str) and its_namespace == namespace
            (certain if known else possible).append(thing)
        return certain, possible

    def _candidates(self, namespace: str | Marker, selector: Node) -> Iterator[tuple[str | Marker, Node, T]]:
        if isinstance(namespace, Marker):
            yield from ((name, *thing) for name, things in self._all.items() for thing in things)
        else:
            pairs = selector.at("matchLabels").value
            narrowed = [
                self._by_label.get((namespace, key, value), [])
                for key, value in (pairs.items() if isinstance(pairs, dict) else ())
                if isinstance(value, str)
            ]
            fewest = min(narrowed, key=len, default=self._all.get(namespace, []))
            yield from ((namespace, *thing) for thing in fewest)
        for its_namespace, labels, thing in self._unread:
            if isinstance(namespace, Marker) or its_namespace in (namespace, *Marker):
                yield its_namespace, labels, thing
