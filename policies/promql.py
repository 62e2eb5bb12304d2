"""PromQL, parsed by Prometheus' grammar: what an expression reads, what it is always worth, how far back it looks."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import cast

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": math.fmod,
    "^": lambda left, right: left**right,
}


class InvalidQuery(ValueError):
    """A text that is no PromQL; `str()` is the parser's complaint."""


@lru_cache(maxsize=8192)
def parse(text: str) -> Expr:
    """The expression. Raises InvalidQuery."""
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise InvalidQuery(str(error)) from None


def seconds(duration: str) -> float | None:
    """A duration such as `5m` or `1d12h`; `0s` is 0; None for what is none."""
    text = duration.strip()
    if re.fullmatch(r"0(ms|[smhdwy])?", text):
        return 0
    try:
        return promql_parser.parse_duration(text).total_seconds()
    except ValueError:
        return None


def parts(expr: Expr) -> list[Expr]:
    """The expressions that it is made of."""
    match expr:
        case BinaryExpr():
            return [expr.lhs, expr.rhs]
        case AggregateExpr():
            return [expr.expr, *([expr.param] if isinstance(expr.param, Expr) else [])]
        case Call():
            return [cast(Expr, each) for each in expr.args]
        case ParenExpr() | UnaryExpr() | SubqueryExpr():
            return [expr.expr]
        case MatrixSelector():
            return [expr.vector_selector]
        case _:
            return []


def selectors(expr: Expr) -> Iterator[VectorSelector]:
    """All series it reads, from left to right."""
    if isinstance(expr, VectorSelector):
        yield expr
    for part in parts(expr):
        yield from selectors(part)


def metric(selector: VectorSelector) -> str:
    """The metric's name; empty if it is given by no equality."""
    if selector.name:
        return selector.name
    for each in selector.matchers.matchers:
        if each.name == "__name__" and each.op == MatchOp.Equal:
            return each.value
    return ""


def conditions(selector: VectorSelector) -> list[tuple[str, str, str]]:
    """What it asks of labels other than the name: label, operator (`=`, `!=`, `=~`, `!~`), value.

    The alternatives of an `or` between braces are not among them.
    """
    operators = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    return [
        (each.name, operators[str(each.op).rpartition(".")[2]], each.value)
        for each in selector.matchers.matchers
        if each.name != "__name__"
    ]


def accepts(operator: str, wanted: str, value: str) -> bool:
    """Whether a label of this value (empty: it is missing) passes, as Prometheus and Alertmanager see it.

    A regular expression that cannot be read accepts nothing.
    """
    if "~" not in operator:
        return (wanted == value) is (operator == "=")
    try:
        same = re.fullmatch(wanted, value) is not None
    except re.error:
        return False
    return same is (operator == "=~")


def constant(expr: Expr) -> float | None:
    """What it is worth at any time, if it reads no series: `14.4 * 0.005`, `vector(1)`."""
    match expr:
        case NumberLiteral():
            return expr.val
        case ParenExpr():
            return constant(expr.expr)
        case UnaryExpr():
            inner = constant(expr.expr)
            return None if inner is None else -inner
        case Call() if expr.func.name in ("vector", "scalar"):
            return constant(cast(Expr, expr.args[0]))
        case BinaryExpr():
            left, right = constant(expr.lhs), constant(expr.rhs)
            return None if left is None or right is None else computed(str(expr.op), left, right)
        case _:
            return None


def computed(operator: str, left: float, right: float) -> float | None:
    """The result of arithmetic on two numbers; None where there is none, such as for a division by zero."""
    try:
        return _ARITHMETIC[operator](left, right)
    except (ArithmeticError, KeyError, ValueError):
        return None


def always(expr: Expr) -> bool:
    """Whether it yields a series at any time, whatever there is: an alert on it always fires."""
    match expr:
        case ParenExpr():
            return always(expr.expr)
        case Call():
            return expr.func.name == "vector" and constant(expr) is not None
        case AggregateExpr():
            return always(expr.expr)
        case BinaryExpr():
            return _always_binary(expr)
        case _:
            return False


def _always_binary(expr: BinaryExpr) -> bool:
    operator = str(expr.op)
    if operator == "or":
        return always(expr.lhs) or always(expr.rhs)
    if operator == "and":
        return always(expr.lhs) and always(expr.rhs)
    left, right = constant(expr.lhs), constant(expr.rhs)
    if left is None or right is None or operator == "unless":
        return False
    if operator in COMPARISONS:
        return bool(expr.modifier and expr.modifier.return_bool) or COMPARISONS[operator](left, right)
    return True


def lookback(expr: Expr) -> float:
    """How many seconds before now the oldest sample is that it reads."""
    below = max((lookback(part) for part in parts(expr)), default=0.0)
    match expr:
        case VectorSelector():
            return below + _length(expr.offset)
        case MatrixSelector():
            return below + expr.range.total_seconds()
        case SubqueryExpr():
            return below + _length(expr.range) + _length(expr.offset)
        case _:
            return below


def _length(duration: timedelta | None) -> float:
    return max(0.0, duration.total_seconds()) if duration else 0.0
