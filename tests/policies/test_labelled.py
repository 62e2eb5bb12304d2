"""Labelled things: an index must pick what comparing with every one of them would."""

from itertools import product

import pytest

from policies.label_selectors import Labelled, matches
from policies.values import SECRET, UNKNOWN, Marker, Node, Plain, Undecided

LABELS: list[Plain] = [
    {"app": "api", "tier": "web"},
    {"app": "api", "tier": "db"},
    {"app": "web"},
    {"app": 1},
    {"app": ["api"]},
    {},
    None,
    {"app": "api", "tier": UNKNOWN},
    {"app": SECRET},
    UNKNOWN,
]
NAMESPACES: list[str | Marker] = ["shop", "other", UNKNOWN]
SELECTORS: list[Plain] = [
    None,
    {},
    {"matchLabels": {"app": "api"}},
    {"matchLabels": {"app": "api", "tier": "web"}},
    {"matchLabels": {"app": "none"}},
    {"matchLabels": {"app": UNKNOWN, "tier": "web"}},
    {"matchLabels": UNKNOWN},
    {"matchExpressions": [{"key": "tier", "operator": "Exists"}]},
    {"matchLabels": {"app": "api"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]},
    SECRET,
]
THINGS = [
    (namespace, Node(labels, "labels"), number)
    for number, (namespace, labels) in enumerate(product(NAMESPACES, LABELS))
]


def compared(namespace: str | Marker, selector: Node) -> tuple[list[int], list[int]]:
    certain: list[int] = []
    possible: list[int] = []
    for its_namespace, labels, thing in THINGS:
        sure = isinstance(namespace, str) and isinstance(its_namespace, str)
        if sure and namespace != its_namespace:
            continue
        try:
            if matches(selector, labels):
                (certain if sure else possible).append(thing)
        except Undecided:
            possible.append(thing)
    return certain, possible


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("selector", SELECTORS, ids=str)
def test_it_picks_what_a_comparison_with_each_would(namespace: str | Marker, selector: Plain) -> None:
    node = Node(selector, "selector")
    found = Labelled(THINGS).picked(namespace, node)
    assert tuple(map(sorted, found)) == compared(namespace, node)


def test_it_does_not_look_at_all_of_them() -> None:
    class Counted(Node):
        read = 0

        def at(self, *keys: str) -> Node:
            Counted.read += 1
            return super().at(*keys)

    things = [("shop", Counted({"app": f"app-{number}"}, "labels"), number) for number in range(1000)]
    assert Labelled(things).picked("shop", Node({"matchLabels": {"app": "app-7"}}, "selector")) == ([7], [])
    assert Counted.read < 10
