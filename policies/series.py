"""The labels that the series of an expression have, as far as its text and the rules that record what it reads say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Protocol, cast

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    LabelModifierType,
    MatrixSelector,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorMatchCardinality,
    VectorSelector,
)

from policies.promql import accepts, conditions, metric


@dataclass(frozen=True)
class Labels:
    """Which labels a series has."""

    values: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Those that are there; None: with a value that the rules do not tell."""
    possible: frozenset[str] = frozenset()
    """Those that may be there."""
    open: bool = False
    """Whether any other may be there: its metric is made elsewhere."""
    gone: frozenset[str] = frozenset()
    """Those that are not there even so."""

    def may_have(self, label: str) -> bool:
        """Whether it may be there."""
        return label in self.values or label in self.possible or (self.open and label not in self.gone)

    def passes(self, label: str, operator: str, wanted: str) -> bool | None:
        """Whether a condition on a label holds. None: that cannot be told."""
        value = self.values.get(label, "" if not self.may_have(label) else None)
        return None if value is None else accepts(operator, wanted, value)

    def also(self, more: Mapping[str, str | None]) -> "Labels":
        """With these, whatever was there under their names; an empty value takes a label away."""
        added = {label: value for label, value in more.items() if value != ""}
        rest = self.without(more)
        return replace(rest, values={**rest.values, **added}, gone=rest.gone - added.keys())

    def without(self, labels: Iterable[str]) -> "Labels":
        """Without these."""
        dropped = frozenset(labels)
        return Labels(
            {label: value for label, value in self.values.items() if label not in dropped},
            self.possible - dropped,
            self.open,
            self.gone | dropped if self.open else self.gone,
        )

    def only(self, labels: Iterable[str]) -> "Labels":
        """With no others than these."""
        kept = [label for label in labels if self.may_have(label)]
        values = {label: self.values[label] for label in kept if label in self.values}
        return Labels(values, frozenset(kept) - values.keys())

    def or_else(self, other: "Labels") -> "Labels":
        """Of a series that is like this one or like the other."""
        both = self.values.keys() & other.values.keys()
        values = {label: self.values[label] if self.values[label] == other.values[label] else None for label in both}
        named = self.values.keys() | other.values.keys() | self.possible | other.possible
        gone = {label for label in self.gone | other.gone if not self.may_have(label) and not other.may_have(label)}
        return Labels(values, frozenset(named - both), self.open or other.open, frozenset(gone))

    def meets(self, other: "Labels", labels: Iterable[str]) -> bool:
        """Whether the two may agree in these labels."""
        return all(
            self.passes(label, "=", value) is not False
            if (value := other.values.get(label))
            else other.may_have(label) or label not in self.values
            for label in labels
        )


ANY = Labels(open=True)
"""Of a series of which nothing is known."""


class Recorded(Protocol):
    """Where series come from."""

    def labels_of(self, name: str, wanted: Mapping[str, str]) -> Labels | None:
        """Labels of the series that rules record under a name; None if none does.

        `wanted`: labels that must have a value, by which some may be left out.
        """
        ...


def labels(expr: Expr, recorded: Recorded) -> Labels | None:
    """Labels of what it yields; None if it can never yield anything."""
    match expr:
        case ParenExpr() | UnaryExpr() | SubqueryExpr():
            return labels(expr.expr, recorded)
        case MatrixSelector():
            return labels(expr.vector_selector, recorded)
        case VectorSelector():
            return _selected(expr, recorded)
        case AggregateExpr():
            return _aggregated(expr, recorded)
        case Call():
            return _called(expr, recorded)
        case BinaryExpr():
            return _joined(expr, recorded)
        case _:
            return Labels()


def _selected(selector: VectorSelector, recorded: Recorded) -> Labels | None:
    asked = conditions(selector)
    equal = {label: value for label, operator, value in asked if operator == "="}
    found = recorded.labels_of(metric(selector), equal)
    found = ANY if found is None else found
    if any(found.passes(*condition) is False for condition in asked):
        return None
    there = {label: found.values.get(label) for label, operator, value in asked if not accepts(operator, value, "")}
    return found.also({**there, **equal})


def _aggregated(expr: AggregateExpr, recorded: Recorded) -> Labels | None:
    below = labels(expr.expr, recorded)
    if below is None or str(expr.op) in ("topk", "bottomk", "limitk", "limit_ratio"):
        return below
    named = expr.modifier.labels if expr.modifier else []
    kept = expr.modifier is None or expr.modifier.type == AggModifierType.By
    found = below.only(named) if kept else below.without(named)
    if isinstance(expr.param, StringLiteral):
        # Of count_values: the label that holds what is counted.
        return found.also({expr.param.val: None})
    return found


def _called(expr: Call, recorded: Recorded) -> Labels | None:
    name, args = expr.func.name, [cast(Expr, each) for each in expr.args]
    if name in ("absent", "absent_over_time"):
        selector = args[0].vector_selector if isinstance(args[0], MatrixSelector) else args[0]
        if not isinstance(selector, VectorSelector):
            return Labels()
        return Labels({label: value for label, operator, value in conditions(selector) if operator == "=" and value})
    vectors = [
        arg
        for arg, kind in zip(args, expr.func.arg_types, strict=False)
        if kind in (ValueType.Vector, ValueType.Matrix)
    ]
    if not vectors or expr.func.return_type != ValueType.Vector:
        return Labels()
    below = labels(vectors[0], recorded)
    if below is None:
        return None
    if name == "histogram_quantile":
        return below.without(["le"])
    if name in ("label_replace", "label_join"):
        # Where the expression does not match, what was there stays.
        target = cast(StringLiteral, args[1]).val
        return below.or_else(below.also({target: None}))
    return below


def _joined(expr: BinaryExpr, recorded: Recorded) -> Labels | None:
    operator = str(expr.op)
    left, right = labels(expr.lhs, recorded), labels(expr.rhs, recorded)
    if operator == "or":
        return left.or_else(right) if left and right else left or right
    if operator == "unless":
        return left
    if left is None or right is None:
        return None
    if is_scalar(expr.lhs):
        # A number has no labels, and matches everything.
        return right
    if not matches(expr, left, right):
        return None
    modifier = expr.modifier
    if modifier is None or operator == "and":
        return left
    on = modifier.matching is not None and modifier.matching.type == LabelModifierType.Include
    named = modifier.matching.labels if modifier.matching else []
    if modifier.card == VectorMatchCardinality.OneToOne:
        return left.only(named) if on else left.without(named)
    many, one = (left, right) if modifier.card == VectorMatchCardinality.ManyToOne else (right, left)
    borrowed = modifier.group_labels or []
    lent = one.only(borrowed)
    found = many.without(borrowed).also(lent.values)
    return replace(found, possible=found.possible | lent.possible)


def matches(expr: BinaryExpr, left: Labels, right: Labels) -> bool:
    """Whether series of the two sides may be matched with each other, by their labels."""
    if is_scalar(expr.lhs) or is_scalar(expr.rhs):
        return True
    modifier = expr.modifier
    named = modifier.matching.labels if modifier and modifier.matching else []
    if modifier and modifier.matching and modifier.matching.type == LabelModifierType.Include:
        return left.meets(right, named)
    every = (left.values.keys() | right.values.keys()) - set(named)
    return left.meets(right, every) and right.meets(left, every)


def is_scalar(expr: Expr) -> bool:
    """Whether it is a number, not series."""
    match expr:
        case ParenExpr() | UnaryExpr():
            return is_scalar(expr.expr)
        case Call():
            return expr.func.return_type == ValueType.Scalar
        case BinaryExpr():
            return is_scalar(expr.lhs) and is_scalar(expr.rhs)
        case VectorSelector() | AggregateExpr() | MatrixSelector() | SubqueryExpr():
            return False
        case _:
            return True


def union(found: Iterable[Labels]) -> Labels | None:
    """Of a series that is like one of these; None if there are none."""
    every = list(found)
    return reduce(Labels.or_else, every) if every else None
