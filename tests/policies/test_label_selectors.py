"""Label selectors: what Kubernetes would pick, and what is open where a value cannot be read."""

import pytest

from policies.label_selectors import matches, picks
from policies.values import SECRET, UNKNOWN, Node, Plain, Undecided


def requirement(operator: str, *values: Plain, key: Plain = "tier") -> Plain:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "labels", "picked"),
    [
        (None, {"tier": "web"}, False),
        ({}, {"tier": "web"}, True),
        ({}, None, True),
        ({"matchLabels": {"tier": "web"}}, {"tier": "web", "app": "x"}, True),
        ({"matchLabels": {"tier": "web"}}, {"tier": "db"}, False),
        ({"matchLabels": {"tier": "web"}}, None, False),
        ({"matchLabels": {"tier": "web", "app": "x"}}, {"tier": "web"}, False),
        (requirement("Exists"), {"tier": ""}, True),
        (requirement("Exists"), {"tier": None}, False),
        (requirement("Exists"), None, False),
        (requirement("DoesNotExist"), {"tier": "web"}, False),
        (requirement("DoesNotExist"), {"app": "x"}, True),
        (requirement("In", "db", "web"), {"tier": "web"}, True),
        (requirement("In", "db", "web"), {"tier": "we"}, False),
        (requirement("In", ""), {"app": "x"}, False),
        (requirement("NotIn", "db"), {"tier": "db"}, False),
        (requirement("NotIn", "db"), {"tier": "web"}, True),
        (requirement("NotIn", ""), {"app": "x"}, True),
        ({"matchLabels": {"tier": UNKNOWN, "app": "x"}}, {"tier": "web", "app": "y"}, False),
        (requirement("In", "web", UNKNOWN), {"tier": "web"}, True),
    ],
)
def test_what_is_picked(selector: Plain, labels: Plain, picked: bool) -> None:
    assert matches(Node(selector, "selector"), Node(labels, "labels")) is picked


@pytest.mark.parametrize(
    ("selector", "labels", "reason"),
    [
        (UNKNOWN, {}, "selector is not known before the deployment"),
        ({"matchLabels": SECRET}, {}, "selector.matchLabels is a secret"),
        ({"matchLabels": {"a": "x", "b": "y"}}, {"a": UNKNOWN, "b": SECRET}, "labels.a is not known"),
        (requirement("In", "db", UNKNOWN), {"tier": "web"}, r"selector.matchExpressions\[0\].values\[1\] is not known"),
        (requirement("NotIn", "db"), {"tier": SECRET}, "labels.tier is a secret"),
        (requirement("Exists"), UNKNOWN, "labels is not known"),
        (requirement("Is"), {}, r"matchExpressions\[0\] has the operator 'Is', which Kubernetes does not know"),
    ],
)
def test_what_is_open(selector: Plain, labels: Plain, reason: str) -> None:
    with pytest.raises(Undecided, match=reason):
        matches(Node(selector, "selector"), Node(labels, "labels"))


@pytest.mark.parametrize(("pairs", "picked"), [(None, False), ({}, False), ({"app": "x"}, True), ({"app": "y"}, False)])
def test_a_plain_map_picks_nothing_where_it_is_empty(pairs: Plain, picked: bool) -> None:
    assert picks(Node(pairs, "selector"), Node({"app": "x"})) is picked
