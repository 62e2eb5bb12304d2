"""Go templates, as Prometheus fills them in for the texts of alerts: what they read, and what comes of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_LABEL = re.compile(r'\$labels\.(\w+)|index\s+\$labels\s+"(\w+)"')
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|`([^`]*)`')
_BLOCK = re.compile(r"(if|with|range|define|block)\b")
_NOTHING = re.compile(r"/\*|\$\w+\s*:?=|break\b|continue\b")


class InvalidTemplate(ValueError):
    """A template that Prometheus cannot read."""


@dataclass
class _Block:
    """Branches of an `if`, `with` or `range`; the template itself is a block with one."""

    kind: str = ""
    branches: list[list["str | _Block"]] = field(default_factory=lambda: [[]])
    """Of each branch: texts, actions (with their braces), blocks."""
    complete: bool = False
    """Whether there is an `else` for all other cases."""


def labels_read(template: str) -> list[str]:
    """Labels of the alert's series that it reads, `{{ $labels.job }}`."""
    found = [
        name for action in _ACTION.finditer(template) for pair in _LABEL.findall(action[1]) for name in pair if name
    ]
    return list(dict.fromkeys(found))


def says_something(template: str, has: Callable[[str], bool]) -> bool:
    """Whether more than blanks comes of it. `has`: whether the series may have a label. Raises InvalidTemplate."""
    return _says(_parsed(template).branches[0], has)


def _parsed(template: str) -> _Block:
    stack = [_Block()]
    position = 0
    for action in _ACTION.finditer(template):
        stack[-1].branches[-1].append(template[position : action.start()])
        position = action.end()
        word = action[1]
        if opened := _BLOCK.match(word):
            block = _Block(opened[1])
            stack[-1].branches[-1].append(block)
            stack.append(block)
        elif word == "end" or re.match(r"else\b", word):
            if len(stack) == 1:
                raise InvalidTemplate(f"{{{{ {word} }}}} ends nothing")
            if word == "end":
                stack.pop()
            else:
                stack[-1].branches.append([])
                stack[-1].complete = word == "else"
        else:
            stack[-1].branches[-1].append(f"{{{{{word}}}}}")
    if len(stack) > 1:
        raise InvalidTemplate(f"its {{{{ {stack[-1].kind} }}}} has no end")
    rest = template[position:]
    if "{{" in rest:
        raise InvalidTemplate("a {{ has no }}")
    stack[0].branches[-1].append(rest)
    return stack[0]


def _says(parts: list["str | _Block"], has: Callable[[str], bool]) -> bool:
    return any(_says_part(part, has) for part in parts)


def _says_part(part: "str | _Block", has: Callable[[str], bool]) -> bool:
    if isinstance(part, _Block):
        return part.complete and all(_says(branch, has) for branch in part.branches)
    if not part.startswith("{{"):
        return bool(part.strip())
    pipeline = part[2:-2]
    if _NOTHING.match(pipeline):
        return False
    if read := labels_read(part):
        return any(has(label) for label in read)
    literals = [one or other for one, other in _LITERAL.findall(pipeline)]
    rest = _LITERAL.sub("", pipeline)
    # A text alone says what it says; what a function or a variable comes to is not known, and mostly something.
    return any(literal.strip() for literal in literals) or bool(re.search(r"[$.\w]", rest))
