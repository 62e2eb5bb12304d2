"""PromQL: what an expression reads, what it is always worth, whether it always yields something."""

import pytest
from promql_parser import VectorSelector

from policies.promql import (
    COMPARISONS,
    InvalidQuery,
    accepts,
    always,
    computed,
    conditions,
    constant,
    lookback,
    metric,
    parse,
    seconds,
    selectors,
)


def selector(text: str) -> VectorSelector:
    (found,) = selectors(parse(text))
    return found


def test_what_an_expression_reads_from_left_to_right() -> None:
    text = "topk(scalar(a), -(b)) + on () quantile_over_time(0.5, c[5m]) / max_over_time(sum(d)[1h:5m])"
    assert [metric(each) for each in selectors(parse(text))] == ["b", "a", "c", "d"]
    assert [metric(each) for each in selectors(parse("topk(5, x)"))] == ["x"]
    with pytest.raises(InvalidQuery):
        parse("x +")


@pytest.mark.parametrize(
    ("text", "name", "asked"),
    [
        ("up", "up", []),
        (
            'up{job="a",pod!="b",x=~"c",y!~"d"}',
            "up",
            [("job", "=", "a"), ("pod", "!=", "b"), ("x", "=~", "c"), ("y", "!~", "d")],
        ),
        ('{job="a",__name__="up"}', "up", [("job", "=", "a")]),
        ('{__name__=~"up",job="a"}', "", [("job", "=", "a")]),
        ('{job="a"}', "", [("job", "=", "a")]),
    ],
)
def test_what_a_selector_asks_for(text: str, name: str, asked: list[tuple[str, str, str]]) -> None:
    assert metric(selector(text)) == name
    assert sorted(conditions(selector(text))) == sorted(asked)


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "passes"),
    [
        *(("=", "a", "a", True), ("=", "a", "b", False), ("!=", "a", "a", False), ("!=", "a", "b", True)),
        *(("=", "a.", "ab", False), ("=~", "a.", "ab", True), ("=~", "a", "ab", False), ("=~", "b", "ab", False)),
        *(("!~", "a.", "ab", False), ("!~", "a", "ab", True), ("=~", "(", "(", False), ("!~", "(", "x", False)),
    ],
)
def test_what_a_condition_lets_pass(operator: str, wanted: str, value: str, passes: bool) -> None:
    assert accepts(operator, wanted, value) is passes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("14.4 * 0.5", 7.2),
        ("-(1 + 2)", -3),
        ("7 - 2", 5),
        ("7 / 2", 3.5),
        ("7 % 4", 3),
        ("2 ^ 3", 8),
        ("vector(1) + 1", 2),
        ("scalar(vector(3))", 3),
        ("1 / 0", None),
        ("0 % 0", None),
        ("-up", None),
        ("-(-up)", None),
        ("up + 1", None),
        ("1 + up", None),
        ("abs(vector(1))", None),
        ("1 > bool 2", None),
        ("vector(1) or vector(2)", None),
        ("up", None),
    ],
)
def test_what_it_is_worth_at_any_time(text: str, value: float | None) -> None:
    assert constant(parse(text)) == value


def test_numbers_are_compared_as_they_are() -> None:
    less, equal, more = (1, 2), (2, 2), (2, 1)
    assert {name: [holds(*each) for each in (less, equal, more)] for name, holds in COMPARISONS.items()} == {
        ">": [False, False, True],
        ">=": [False, True, True],
        "<": [True, False, False],
        "<=": [True, True, False],
        "==": [False, True, False],
        "!=": [True, False, True],
    }
    assert computed("and", 1, 2) is None


@pytest.mark.parametrize(
    ("text", "yields"),
    [
        ("vector(1)", True),
        ("(vector(1))", True),
        ("sum(vector(1))", True),
        ("vector(time())", False),
        ("abs(vector(1))", False),
        ("scalar(vector(1))", False),
        ("up", False),
        ("1", False),
        ("vector(1) or up", True),
        ("up or vector(1)", True),
        ("up or up", False),
        ("vector(1) and vector(1)", True),
        ("vector(1) and up", False),
        ("vector(1) and (vector(1) or up)", True),
        ("up and vector(1)", False),
        ("vector(1) unless vector(2)", False),
        ("vector(1) + vector(1)", True),
        ("vector(1) + up", False),
        ("up + vector(1)", False),
        ("vector(1) > 0", True),
        ("vector(1) > 1", False),
        ("vector(1) > bool 1", True),
        ("up > bool 1", False),
        ("vector(1) > on () vector(1)", False),
    ],
)
def test_what_always_yields_a_series(text: str, yields: bool) -> None:
    assert always(parse(text)) is yields


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("up", 0),
        ("up offset 5m", 300),
        ("up offset -5m", 0),
        ("rate(up[5m])", 300),
        ("rate(up[5m] offset 1m)", 360),
        ("max_over_time(rate(up[5m])[1h:1m])", 3900),
        ("max_over_time(rate(up[5m])[1h:1m] offset 1m)", 3960),
        ("rate(a[5m]) + rate(b[1h])", 3600),
        ("1", 0),
    ],
)
def test_how_far_back_it_looks(text: str, back: float) -> None:
    assert lookback(parse(text)) == back


@pytest.mark.parametrize(
    ("text", "length"),
    [("5m", 300), ("1d12h", 129600), (" 0s ", 0), ("0", 0), ("0ms", 0), ("", None), ("5", 5), ("soon", None)],
)
def test_a_duration(text: str, length: float | None) -> None:
    assert seconds(text) == length
