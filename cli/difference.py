"""A step as lines in the form of `diff`: what is there begins with a minus, what will be with a plus."""

import json
from collections.abc import Iterator
from difflib import unified_diff

from cli.manifests import as_yaml
from cli.markdown import visible
from engine.result import MASK, Change, Json, Step

_SIGNS = {"create": "+", "delete": "-"}
_LONG = 100
"""Characters of a value from which on it is taken apart."""
_MOST_LINES = 200
"""Of one property: a whole dashboard must not leave the rest of the comment no room."""
_CONTEXT = 2


def lines(step: Step, remark: str = "") -> list[str]:
    """The step's own line, then its properties."""
    found = [f"{_SIGNS.get(step.op, '!')} {step.op} {visible(step.label)}{remark}"]
    if isinstance(step.declared, dict):
        found += _cut([f"+     {_indented(line)}" for line in as_yaml(step.declared).splitlines()])
    for change in step.changes:
        found += _property(change)
    return found


def _property(change: Change) -> list[str]:
    path = visible(change.path)
    forced = "  (forces replacement)" if change.forces_replacement else ""
    old = None if change.kind == "add" else _texts(change.old)
    new = None if change.kind == "delete" else _texts(change.new)
    if old == new != [MASK]:  # "1" and 1, or a text that ends in a line break and one that does not
        old, new = [json.dumps(change.old)], [json.dumps(change.new)]
    if len(old or ()) < 2 and len(new or ()) < 2:
        found = [f"-   {path}: {text}{forced}" for text in old or ()]
        return [*found, *(f"+   {path}: {text}{forced}" for text in new or ())]
    return [f"    {path}:{forced}", *_cut(list(_apart(old or [], new or [])))]


def _cut(found: list[str]) -> list[str]:
    left = len(found) - _MOST_LINES
    return found if left <= 0 else [*found[:_MOST_LINES], f"      … {left} more lines of this value"]


def _apart(old: list[str], new: list[str]) -> Iterator[str]:
    for number, line in enumerate(unified_diff(old, new, n=_CONTEXT, lineterm="")):
        if number < 2:  # the names of two files
            continue
        yield "      …" if line.startswith("@@") else f"{line[0]}     {line[1:]}"


def _texts(value: Json) -> list[str]:
    """A value as lines: short ones in one, long ones one line for each of their parts."""
    if isinstance(value, str):
        parsed = _structure(value)
        if parsed is None:
            return [_indented(line.expandtabs(4)) for line in value.splitlines()] or ['""']
        value = parsed
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _LONG:
        text = json.dumps(value, ensure_ascii=False, indent=1)
    return [_indented(line) for line in text.splitlines()]


def _structure(text: str) -> Json:
    """What a long JSON text holds, e.g. a dashboard; None for every other text."""
    if len(text) <= _LONG or text == MASK or text[0] not in "[{":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _indented(line: str) -> str:
    bare = line.lstrip(" ")
    return " " * (len(line) - len(bare)) + visible(bare)
