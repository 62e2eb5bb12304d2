"""Changed rules: each mutant is one small mistake in one rule, which a proof must notice."""

import copy
import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.slo.promtool import Groups

_WINDOW = re.compile(r"\[(\d+)([smhd])(?=[\]:])")
_RECORDED_WINDOW = re.compile(r"slo:burn:ratio(\w+)")
_RECORDED = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
_MATCHER = re.compile(r'[{,](\w+(?:=~|!~|!=|=)"[^"]*")')
_AGE = re.compile(r"timestamp\((.+?)\) - \1")
"""Only series that stand on both sides count: a condition that one side lacks changes nothing, so none is left out."""
_NUMBER = re.compile(r'(?<![\w.:"$\[])(\d+(?:\.\d+)?)(?![\w.:"\]])')
_COMPARISON = re.compile(r" (>=|<=|==|>|<) ")
_OTHER_COMPARISON = {">": ("<",), "<": (">",), ">=": (">", "<"), "<=": (">",), "==": ("!=",)}
"""Not `>` for `>=` where shares are compared: they are floats, and hardly ever equal."""
_SET = re.compile(r"\b(unless|and|or)\b")
_OTHER_SET = {"unless": "and", "and": "or", "or": "and"}
_OPPOSITE = {"=~": "!~", "!~": "=~", "!=": "=", "=": "!="}


class Mutant(NamedTuple):
    """One changed rule among the others."""

    kind: str
    """`factor`, `window`, `selector`, `comparison`, `set`, `label` or `lasting`."""
    group: str
    """The changed rule's group."""
    rule: str
    """What it records, or its alert with its severity."""
    change: str
    """From what to what."""
    groups: Groups
    """All rules, that one changed."""

    @property
    def what(self) -> str:
        """Where the change is, and from what to what."""
        return f"{self.group}: {self.rule}: {self.change}"


def mutants(groups: Groups) -> Iterator[Mutant]:
    """Every rule of `groups` changed in every way, one at a time."""
    for g, group in enumerate(groups):
        for r, rule in enumerate(group["rules"]):
            name = rule.get("record") or f"{rule['alert']} {rule['labels']['severity']}"
            for kind, change, expr in _expressions(rule["expr"]):
                changed = copy.deepcopy(groups)
                changed[g]["rules"][r]["expr"] = expr
                yield Mutant(kind, group["name"], name, change, changed)
            for label in rule.get("labels", {}):
                changed = copy.deepcopy(groups)
                changed[g]["rules"][r]["labels"][label] = "wrong"
                yield Mutant("label", group["name"], name, f"label {label}", changed)
            if rule.get("for", "0m") != "0m":
                changed = copy.deepcopy(groups)
                changed[g]["rules"][r]["for"] = "0m"
                yield Mutant("lasting", group["name"], name, "for 0m", changed)


def _expressions(expr: str) -> Iterator[tuple[str, str, str]]:
    def with_(found: re.Match[str], new: str, part: int = 0) -> str:
        return expr[: found.start(part)] + new + expr[found.end(part) :]

    for found in _NUMBER.finditer(expr):
        number = float(found[1])
        for other in (number * 1.25, number / 1.25) if number else (1.0,):
            yield "factor", f"{found[1]} at {found.start()} -> {other:g}", with_(found, f"{other:.9g}")
    for found in _WINDOW.finditer(expr):
        length = int(found[1])
        seconds = length * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
        for other in (seconds * 2, seconds // 2):
            yield "window", f"[{found[1]}{found[2]}] at {found.start()} -> {other}s", with_(found, f"[{other}s")
    for found in _RECORDED_WINDOW.finditer(expr):
        place = _RECORDED.index(found[1])
        for other in _RECORDED[max(0, place - 1) : place] + _RECORDED[place + 1 : place + 2]:
            yield "window", f"{found[0]} at {found.start()} -> {other}", with_(found, f"slo:burn:ratio{other}")
    ages = [range(*found.span()) for found in _AGE.finditer(expr)]
    for found in _MATCHER.finditer(expr):
        if not any(found.start() in age for age in ages):
            yield "selector", f"without {found[1]} at {found.start()}", _tidy(with_(found, "", 1))
        operator = re.search(r"=~|!~|!=|=", found[1])
        assert operator
        opposite = found[1].replace(operator[0], _OPPOSITE[operator[0]], 1)
        yield "selector", f"{opposite} at {found.start()}", with_(found, opposite, 1)
    for found in _COMPARISON.finditer(expr):
        for other in _OTHER_COMPARISON[found[1]]:
            yield "comparison", f"{found[1]} at {found.start()} -> {other}", with_(found, other, 1)
    for found in _SET.finditer(expr):
        yield "set", f"{found[1]} at {found.start()} -> {_OTHER_SET[found[1]]}", with_(found, _OTHER_SET[found[1]])


def _tidy(expr: str) -> str:
    return expr.replace("{,", "{").replace(",,", ",").replace(",}", "}").replace("{}", "")
