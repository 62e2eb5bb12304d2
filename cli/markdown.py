"""Text of others inside GitHub's Markdown: it shows as it is, formats nothing, links nothing and calls nobody."""

import re
from collections.abc import Iterable

_LONGEST = 500
_PUNCTUATION = re.compile(r"([\\`*_\[\]|~$#])")
_NOWHERE = "&#8203;"
"""A space of no width: seen by nobody, but what stands on its two sides is no mention, reference or address."""
_LIVE = (
    (re.compile("@"), f"@{_NOWHERE}"),
    (re.compile("://"), f":{_NOWHERE}//"),
    (re.compile(r"\\#(?=\d)"), rf"\#{_NOWHERE}"),
    (re.compile(r"\b(www|GH)([.-])", re.IGNORECASE), rf"\1{_NOWHERE}\2"),
)


def visible(text: str, longest: int = _LONGEST) -> str:
    """One line, cut at `longest`; what would turn, hide or overwrite text shows as its code, e.g. `\\u202e`."""
    line = " ".join(text.split())
    if len(line) > longest:
        line = f"{line[: longest - 1]}…"
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)


def code(text: str) -> str:
    """A code span, e.g. for names."""
    shown = visible(text)
    ticks = "`" * (_longest_run(shown) + 1)
    edge = " " if not shown or shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{edge}{shown}{edge}{ticks}"


def cell(text: str | None) -> str:
    """A code span inside a table, where a bar would end the cell even there; a dash for nothing."""
    return "–" if text is None else code(text.replace("|", "\\u007c"))


def prose(text: str) -> str:
    """Plain words. Not for the beginning of a line, where a digit or a dash would make a list."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = _PUNCTUATION.sub(r"\\\1", shown)
    for pattern, instead in _LIVE:
        shown = pattern.sub(instead, shown)
    return shown


def fenced(lines: Iterable[str], language: str) -> str:
    """A block of code; no line can end it."""
    block = "\n".join(lines)
    fence = "`" * max(3, _longest_run(block) + 1)
    return f"{fence}{language}\n{block}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
