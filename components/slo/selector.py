"""A PromQL selector as data: a metric and what its labels must be."""

import re
from typing import NamedTuple

_SELECTOR = re.compile(r"\s*(?P<metric>[a-zA-Z_:][\w:]*)\s*(?:\{(?P<matchers>.*)\})?\s*", re.DOTALL)
_MATCHER = re.compile(r'\s*(?P<label>[a-zA-Z_]\w*)\s*(?P<operator>=~|!~|!=|=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*(?:,|$)')
_GUESSES = ("", "200", "500", "GET", "ok", "error", "other")


class Matcher(NamedTuple):
    """One condition on a label."""

    label: str
    operator: str
    """`=`, `!=`, `=~` or `!~`."""
    value: str
    """As PromQL writes it between the quotes."""

    def accepts(self, value: str) -> bool:
        """Whether a label of this value passes."""
        wanted = self.value.replace("\\\\", "\\").replace('\\"', '"')
        same = re.fullmatch(wanted, value) is not None if "~" in self.operator else wanted == value
        return same is not self.operator.startswith("!")

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


class Selector(NamedTuple):
    """The series of a metric whose labels pass all matchers."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        return self.metric + ("{" + ",".join(str(each) for each in self.matchers) + "}" if self.matchers else "")

    def also(self, label: str, value: str) -> "Selector":
        """With one more label, which must be `value`."""
        return self._replace(matchers=(*self.matchers, Matcher(label, "=", value)))

    def example(self) -> dict[str, str]:
        """Labels that pass. Raises ValueError where a regular expression is too involved to guess a match of."""
        labels: dict[str, str] = {}
        for label in dict.fromkeys(each.label for each in self.matchers):
            labels[label] = value_of([each for each in self.matchers if each.label == label])
        return labels


def value_of(matchers: list[Matcher]) -> str:
    """A value of a label that passes all `matchers` (of that label). Raises ValueError where none is found."""
    guesses = [*_GUESSES]
    for each in matchers:
        first = each.value.replace("\\\\.", ".").split("|")[0].strip("()^$")
        guesses[:0] = [each.value, first, re.sub(r"\.[*+]", "x", first).replace(".", "0"), re.sub(r"\.\*", "", first)]
    for guess in guesses:
        if all(each.accepts(guess) for each in matchers):
            return guess
    conditions = ",".join(str(each) for each in matchers)
    raise ValueError(f"no example of a label that passes {{{conditions}}} can be found: write simpler conditions")


def parse(text: str) -> Selector:
    """The selector that `text` is. Raises ValueError for everything else, such as a whole expression."""
    found = _SELECTOR.fullmatch(text)
    if found is None:
        raise ValueError(
            f'“{text}” is no plain selector such as http_requests_total{{job="api"}}: name one counter or gauge'
        )
    matchers: list[Matcher] = []
    rest = found["matchers"] or ""
    while rest.strip():
        each = _MATCHER.match(rest)
        if each is None:
            raise ValueError(f'“{text}”: “{rest.strip()}” is no condition on a label such as status=~"5.."')
        matchers.append(Matcher(each["label"], each["operator"], each["value"]))
        rest = rest[each.end() :]
    return Selector(found["metric"], tuple(matchers))
