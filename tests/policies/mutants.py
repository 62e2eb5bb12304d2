"""Changed predicates: each mutant is one small mistake in a module, which a test must notice."""

import ast
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

_OPPOSITES = ((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn))
_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])
}
_OPERATIONS = (
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Add),
    (ast.Div, ast.Mult),
    (ast.FloorDiv, ast.Mult),
    (ast.Mod, ast.Mult),
)
_OTHER_OPERATION: dict[type[ast.operator], type[ast.operator]] = {
    **dict(_OPERATIONS),
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_FOR_READERS = {"annotation", "returns", "decorator_list"}
"""Fields of the syntax that say nothing about what is true."""


class Mutant(NamedTuple):
    """One change."""

    line: int
    change: str


def mutants(tree: Any) -> Iterator[Mutant]:
    """Changes a syntax tree in every way, one at a time: each change stands until the next one is asked for."""
    for field, value in ast.iter_fields(tree):
        for index, node in enumerate(cast(list[Any], value) if isinstance(value, list) else [value]):
            if field in _FOR_READERS or not isinstance(node, ast.AST) or _for_readers(node):
                continue
            for change, other in _variants(node):
                _put(tree, field, index, other)
                yield Mutant(_line(node), change)
                _put(tree, field, index, node)
            yield from mutants(node)


def _line(node: ast.AST) -> int:
    """Where it begins, or its first part that stands anywhere."""
    return next(line for each in ast.walk(node) if (line := getattr(each, "lineno", 0)))


def _put(tree: Any, field: str, index: int, node: ast.AST) -> None:
    value = getattr(tree, field)
    if isinstance(value, list):
        value[index] = node
    else:
        setattr(tree, field, node)


def _for_readers(node: ast.AST) -> bool:
    """Imports, docstrings, messages, types, and what a rule says of itself."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Call(func=ast.Name(id="TypeVar" | "Rule")) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Subscript(value=ast.Name(id="list" | "dict" | "set" | "tuple" | "Literal")):
            return True
        case _:
            return False


def _variants(node: Any) -> Iterator[tuple[str, ast.AST]]:
    """What could stand in place of a node, and how it differs."""
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                swapped = _SWAPPED[type(op)]()
                yield f"{_name(op)} is {_name(swapped)}", _with(node, ops=[*ops[:index], swapped, *ops[index + 1 :]])
        case ast.BoolOp(op=op, values=values):
            swapped = ast.And() if isinstance(op, ast.Or) else ast.Or()
            yield f"{_name(op)} is {_name(swapped)}", _with(node, op=swapped)
            for index, value in enumerate(values):
                rest = [*values[:index], *values[index + 1 :]]
                other = rest[0] if len(rest) == 1 else _with(node, values=rest)
                yield f"without `{ast.unparse(value)}`", other
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "without not", operand
        case ast.BinOp(op=op) if type(op) in _OTHER_OPERATION:
            swapped = _OTHER_OPERATION[type(op)]()
            yield f"{_name(op)} is {_name(swapped)}", _with(node, op=swapped)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            for forced in (True, False):
                yield f"`{ast.unparse(test)}` is {forced}", _with(node, test=ast.Constant(forced))
        case ast.match_case(guard=ast.expr() as guard):
            for forced in (True, False):
                yield f"`{ast.unparse(guard)}` is {forced}", _with(node, guard=ast.Constant(forced))
        case ast.comprehension(ifs=ifs):
            for index, condition in enumerate(ifs):
                yield f"without if `{ast.unparse(condition)}`", _with(node, ifs=[*ifs[:index], *ifs[index + 1 :]])
        case ast.Constant(value=bool() as value):
            yield f"{value} is {not value}", _with(node, value=not value)
        case ast.Constant(value=int() | float() as value):
            yield f"{value} is {value + 1}", _with(node, value=value + 1)
        case ast.Constant(value=str() as value) if " " not in value:
            yield f"{value!r} is {value + 'x'!r}", _with(node, value=value + "x")
        case _:
            pass


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    other = copy.copy(node)
    for field, value in fields.items():
        setattr(other, field, value)
    return other


def _name(operator: ast.AST) -> str:
    return type(operator).__name__.lower()
