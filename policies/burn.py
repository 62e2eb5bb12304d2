"""How fast an error budget burns when an alert fires: the windows and factors that its expression comes to.

The expression is worked out for one SLO, through the recordings it reads: shares of events over a window, scaled by
numbers and by the SLO's budget, compared with numbers, and combined by `and` and `or`. What is not about shares of
events (a least number of failures) only restricts an alert and is left aside.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import cast

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorSelector,
)

from policies.promql import COMPARISONS, InvalidQuery, computed, conditions, constant, metric, parse, selectors
from policies.series import ANY, Labels, labels, matches, union
from policies.values import Undecided
from policies.watching import Entry, Rules

INVENTORY = "slo:error_budget:ratio"
"""What is recorded once for every SLO, with its name as the label `slo`: the share of events that may be bad."""

_COUNTS = frozenset({"increase", "rate", "sum_over_time", "count_over_time"})
_SWAPPED = {"<": ">", "<=": ">="}
"""Comparisons that a share is to pass, with the number on their left -> with the share there."""
_DIGITS = 9


@dataclass(frozen=True)
class Burning:
    """A condition: of the events of a window, more than a share are bad."""

    window: float
    """Seconds."""
    share: float


@dataclass(frozen=True)
class _Number:
    value: float


@dataclass(frozen=True)
class _Events:
    """`scale` times what was counted within a window."""

    window: float
    scale: float
    what: str


@dataclass(frozen=True)
class _Share:
    """`scale` times a share of the events of a window."""

    window: float
    scale: float


_Value = _Number | _Events | _Share | None
Way = frozenset[Burning]
"""Burning that comes together when an alert fires."""


class Burn:
    """What the alerts of some rules come to, for one SLO."""

    def __init__(self, slo: Entry, rules: Rules) -> None:
        """`slo`: its entry in the inventory. Raises Undecided, InvalidQuery."""
        self._rules = rules
        self.name = slo.labels.get("slo") or ""
        self.budget = constant(parse(slo.expression)) or 0.0
        """The share of events that may be bad; 0 if its recording is no number."""
        self.missing: set[str] = set()
        """Recordings that were read, and that no rule makes."""
        self._labels: dict[str, Labels | None] = {}
        self._open: set[str] = set()

    def ways(self, alert: Entry) -> list[Way]:
        """In which ways an alert fires for this SLO: never, if there is none. Raises Undecided, InvalidQuery."""
        expression = parse(alert.expression)
        found = labels(expression, self)
        if found is None or found.also(alert.labels).values.get("slo") != self.name:
            for selector in selectors(expression):
                self._is_there(selector)
            return []
        return self._ways(expression)

    def labels_of(self, name: str, wanted: Mapping[str, str]) -> Labels | None:
        """Labels of what is recorded for this SLO (see series.Recorded)."""
        if name in self._open:
            return ANY
        if name not in self._labels:
            self._open.add(name)
            try:
                found = [self._made(entry) for entry in self._rules.recordings(name, self.name)]
            finally:
                self._open.remove(name)
            self._labels[name] = union(found)
        return self._labels[name]

    def _made(self, entry: Entry) -> Labels:
        try:
            return (labels(parse(entry.expression), self) or ANY).also(entry.labels)
        except (InvalidQuery, Undecided):
            return ANY

    def _ways(self, expr: Expr) -> list[Way]:
        match expr:
            case ParenExpr() | UnaryExpr() | AggregateExpr():
                return self._ways(expr.expr)
            case BinaryExpr():
                return self._ways_of_two(expr)
            case Call() if expr.func.name != "absent":
                vectors = [
                    cast(Expr, arg)
                    for arg, kind in zip(expr.args, expr.func.arg_types, strict=False)
                    if kind == ValueType.Vector
                ]
                return self._ways(vectors[0]) if vectors else [frozenset()]
            case VectorSelector():
                return self._ways_of_series(expr)
            case _:
                return [frozenset()]

    def _ways_of_series(self, selector: VectorSelector) -> list[Way]:
        if not self._is_there(selector):
            return []
        recordings = self._rules.recordings(metric(selector), self.name)
        if len(recordings) != 1 or metric(selector) in self._open:
            return [frozenset()]
        self._open.add(metric(selector))
        try:
            return self._ways(parse(recordings[0].expression))
        finally:
            self._open.remove(metric(selector))

    def _is_there(self, selector: VectorSelector) -> bool:
        """Whether it may find anything of this SLO."""
        name = metric(selector)
        if ":" in name and not self._rules.recordings(name, self.name):
            # By Prometheus' own convention only recordings have colons in their names.
            self.missing.add(name)
            return False
        found = self.labels_of(name, {}) or ANY
        return all(found.passes(*condition) is not False for condition in conditions(selector))

    def _ways_of_two(self, expr: BinaryExpr) -> list[Way]:
        operator = str(expr.op)
        left, right = self._ways(expr.lhs), self._ways(expr.rhs)
        match operator:
            case "or":
                return [*left, *right]
            case "unless":
                return [] if isinstance(self._value(expr.rhs), _Number) else left
            case _:
                pass
        if not self._match(expr):
            return []
        own: list[Way] = [frozenset()]
        if operator in COMPARISONS and not (expr.modifier and expr.modifier.return_bool):
            own = _compared(operator, self._value(expr.lhs), self._value(expr.rhs))
        elif operator in COMPARISONS:
            # With `bool` it yields 0 or 1, which are both series: the alert would fire at any rate.
            left = right = list[Way]([frozenset()])
        return [Way().union(*ways) for ways in product(left, right, own)]

    def _match(self, expr: BinaryExpr) -> bool:
        left, right = labels(expr.lhs, self), labels(expr.rhs, self)
        return left is not None and right is not None and matches(expr, left, right)

    def _value(self, expr: Expr) -> _Value:
        number = constant(expr)
        if number is not None:
            return _Number(number)
        match expr:
            case ParenExpr():
                return self._value(expr.expr)
            case AggregateExpr() if str(expr.op) in ("sum", "max", "min", "avg"):
                return self._value(expr.expr)
            case VectorSelector():
                return self._recorded(expr)
            case Call():
                return self._counted(expr)
            case BinaryExpr():
                return self._calculated(expr)
            case _:
                return None

    def _recorded(self, selector: VectorSelector) -> _Value:
        name = metric(selector)
        if selector.offset or selector.at or not self._is_there(selector) or name in self._open:
            return None
        self._open.add(name)
        try:
            found = {self._value(parse(each.expression)) for each in self._rules.recordings(name, self.name)}
        finally:
            self._open.remove(name)
        return found.pop() if len(found) == 1 else None

    def _counted(self, call: Call) -> _Value:
        if not call.args:
            return None
        name, first = call.func.name, cast(Expr, call.args[0])
        if name in ("clamp_min", "label_replace", "label_join", "scalar", "sort"):
            return self._value(first)
        match first:
            case MatrixSelector():
                of, window = first.vector_selector, first.range.total_seconds()
                if of.offset or of.at or not self._is_there(of):
                    return None
            case SubqueryExpr() if first.range and not first.offset and not first.at:
                of, window = first.expr, first.range.total_seconds()
            case _:
                return None
        if name in _COUNTS:
            return _Events(window, 1, str(of))
        share = self._value(of) if name == "avg_over_time" else None
        return _Share(max(window, share.window), share.scale) if isinstance(share, _Share) else None

    def _calculated(self, expr: BinaryExpr) -> _Value:
        operator = str(expr.op)
        left, right = self._value(expr.lhs), self._value(expr.rhs)
        if operator in COMPARISONS:
            # A filter lets pass what stands on its left, or what is no number.
            return right if constant(expr.lhs) is not None else left
        match left, right:
            case _, _ if operator in ("and", "unless"):
                return left
            case _Number(a), _Number(b):
                result = computed(operator, a, b)
                return None if result is None else _Number(result)
            case _Events(window, a, what), _Events(other, b, others) if operator == "/" and window == other and b:
                return _Number(a / b) if what == others else _Share(window, a / b)
            case ((_Events() | _Share()), _Number(b)) if operator in ("*", "/") and b:
                return _scaled(left, b if operator == "*" else 1 / b)
            case _Number(a), (_Events() | _Share()) if operator == "*":
                return _scaled(right, a)
            case _Number(1), _Share(window, 1) if operator == "-":
                # What is left of all events, when those that went well are taken away.
                return right
            case _:
                return None


def _scaled(value: _Events | _Share, by: float) -> _Value:
    if isinstance(value, _Share):
        return _Share(value.window, value.scale * by)
    return _Events(value.window, value.scale * by, value.what)


def _compared(operator: str, left: _Value, right: _Value) -> list[Way]:
    match left, right:
        case _Number(a), _Number(b):
            return [frozenset()] if COMPARISONS[operator](a, b) else []
        case _Number(), _Share() if operator in _SWAPPED:
            return _compared(_SWAPPED[operator], right, left)
        case _Share(window, scale), _Number(bound) if operator in (">", ">=") and scale > 0:
            return [frozenset({Burning(window, round(bound / scale, _DIGITS))})]
        case _:
            return [frozenset()]


def slos(entries: Iterable[Entry]) -> list[Entry]:
    """The SLOs among recordings: their entries in the inventory."""
    return [entry for entry in entries if entry.record == INVENTORY]
