"""The annotation `pulumi.com/waitFor`: when an object counts as ready, as its author says.

Forms, alone or several in a JSON list (all must hold):
    condition=Ready              status.conditions has Ready with status "True"
    condition=Ready=False        ... with another status
    jsonpath={.status.phase}=Running     the value is "Running"
    jsonpath={.status.phase}             there is a value

A jsonpath is fields, quoted fields and indices: `{.status.loadBalancer.ingress[0].ip}`, `{.metadata.labels['a.b/c']}`.
Filters and wildcards, which the genuine provider knows, are refused at check.
"""

import json
import re
from dataclasses import dataclass

from devcluster.plugin.values import Object, Path, Value, at, items, number, text

WAIT_FOR = "pulumi.com/waitFor"
_EXPRESSION = re.compile(r"jsonpath=\{?(?P<path>[^{}]+?)\}?(?:==?(?P<value>[^{}]*))?")
_STEP = re.compile(r"\.(?P<field>(?:[^.\[\]\\]|\\.)+)|\[(?P<index>-?\d+)\]|\[(?P<quote>['\"])(?P<key>.+?)(?P=quote)\]")


@dataclass(frozen=True)
class Condition:
    """`type` must stand in status.conditions with `status`."""

    type: str
    status: str

    def holds(self, live: Object) -> bool:
        """A condition that says it was observed for an older generation does not count."""
        found = _condition(live, self.type)
        seen = number(found, "observedGeneration", default=-1)
        if seen != -1 and seen < number(live, "metadata", "generation"):
            return False
        return text(found, "status") == self.status

    def missing(self, live: Object) -> str:
        """What stands in its way, for progress and time-out messages."""
        found = _condition(live, self.type)
        if not found:
            return f"condition {self.type} is not reported yet"
        words = ": ".join(filter(None, (text(found, "reason"), text(found, "message"))))
        return f"condition {self.type} is {text(found, 'status') or 'not set'}" + (f" ({words})" if words else "")


@dataclass(frozen=True)
class JsonPath:
    """The value at `path` must be there, and be `value` unless that is None."""

    source: str
    path: Path
    value: str | None

    def holds(self, live: Object) -> bool:
        """Numbers and booleans are compared by their JSON text."""
        found = at(live, *self.path)
        if found is None:
            return False
        return self.value is None or _shown(found) == self.value

    def missing(self, live: Object) -> str:
        """What stands in its way, for progress and time-out messages."""
        found = at(live, *self.path)
        wanted = "" if self.value is None else f", not {self.value!r}"
        return f"{self.source} is {'not set' if found is None else repr(_shown(found))}{wanted}"


def parse_wait_for(annotation: str) -> list[Condition | JsonPath]:
    """The conditions an annotation names, [] for "". Raises ValueError with a sentence when it is malformed."""
    if not annotation.strip():
        return []
    expressions: list[object] = [annotation]
    if annotation.lstrip().startswith("["):
        try:
            expressions = json.loads(annotation)
        except json.JSONDecodeError as error:
            raise ValueError(f"{WAIT_FOR} is not a valid JSON list: {error}.") from error
    return [_parse(expression) for expression in expressions]


def _parse(expression: object) -> Condition | JsonPath:
    if isinstance(expression, str) and expression.startswith("condition="):
        kind, _, status = expression.removeprefix("condition=").partition("=")
        if kind:
            return Condition(kind, status or "True")
    if isinstance(expression, str) and (match := _EXPRESSION.fullmatch(expression)):
        path = _steps(match["path"])
        if path:
            return JsonPath(match["path"], path, match["value"])
    raise ValueError(
        f"{WAIT_FOR} holds {expression!r}, which is neither condition=TYPE[=STATUS] nor "
        f"jsonpath={{.field[0].other}}[=VALUE]."
    )


def _steps(source: str) -> Path:
    steps: list[str | int] = []
    position = 0
    while position < len(source):
        match = _STEP.match(source, position)
        if match is None:
            return ()
        if match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append((match["field"] or match["key"]).replace("\\", ""))
        position = match.end()
    return tuple(steps)


def _condition(live: Object, kind: str) -> Value:
    conditions = items(live, "status", "conditions")
    return next((found for found in conditions if text(found, "type").lower() == kind.lower()), None)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)
