"""What a preview amounts to, for who has two minutes: one verdict, then all the rest."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.result import Result, Step
from policies.model import Enforcement, Outcome

_DONE = {"delete": "deleted", "replace": "replaced"}
_WEIGHT = {noun: place for place, noun in enumerate(("namespace", "database", "volume", "StatefulSet"))}
_TIMES = ("started", "seconds")


class Level(StrEnum):
    """How a person should go on reading."""

    STOP = "Stop"
    """It will not be deployed like this."""
    LOOK = "Look closely"
    """Something ends, is made anew, touches data, or could not be judged."""
    SAFE = "Safe"
    """Objects are made or updated in place, nothing ends."""
    NOTHING = "No changes"


@dataclass(frozen=True)
class Review:
    """A preview of one environment."""

    stack: str
    level: Level
    summary: str
    """Why, as a clause; with the level it makes the verdict."""
    result: Result | None
    """None: it did not get as far as the engine."""
    failure: str | None
    """What stopped it, as sentences; None if nothing did."""
    compared_with: str | None
    """The cluster, in a person's words; None if it did not get that far."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON, the verdict first; without times, so that the same preview gives the same bytes."""
        result = self.result.to_dict() if self.result else None
        if result:
            result = {key: value for key, value in result.items() if key not in _TIMES}
            for key in ("diagnostics", "violations"):
                result[key] = sorted(result[key], key=str)
        return {
            "verdict": f"{self.level}: {self.summary}",
            "stack": self.stack,
            "level": self.level,
            "failure": self.failure,
            "compared_with": self.compared_with,
            "result": result,
        }


def of(result: Result, compared_with: str) -> Review:
    """A preview that went through."""
    level, summary = _verdict(result)
    return Review(result.stack, level, summary, result, None, compared_with)


def refused(message: str, result: Result, compared_with: str) -> Review:
    """A preview that the engine ended: a mandatory policy, or any other failure."""
    rules = sorted({each.rule for each in result.mandatory})
    if rules:
        fails = "1 mandatory policy fails" if len(rules) == 1 else f"{len(rules)} mandatory policies fail"
        summary = "; ".join([f"{fails} ({', '.join(rules)})", *_endings(result)])
    else:
        summary = "the preview failed"
    return Review(result.stack, Level.STOP, summary, result, message, compared_with)


def failed(stack: str, message: str) -> Review:
    """A preview that never began: an environment that is not valid, a cluster that does not answer."""
    return Review(stack, Level.STOP, "the preview failed", None, message, None)


def _verdict(result: Result) -> tuple[Level, str]:
    touched = [step for step in result.changed if reaches_data(step)]
    looks = [*_endings(result), *_unjudged(result)]
    if touched:
        looks.append(f"{_listed(_kinds(touched))} would be changed in place")
    if result.drift:
        looks.append(f"{_counted(len(result.drift), 'object')} changed outside Mainstay")
    counts = Counter(step.op for step in result.changed)
    counts["update"] -= len(touched)
    rest = [
        *([f"{counts['create']} new"] if counts["create"] else []),
        *([f"{_counted(counts['update'], 'update')} in place"] if counts["update"] else []),
        *([f"{counts['import']} imported"] if counts["import"] else []),
    ]
    if looks:
        return Level.LOOK, "; ".join([*looks, *([f"also {', '.join(rest)}"] if rest else [])])
    if rest:
        return Level.SAFE, ", ".join(rest)
    if result.has_changes:
        return Level.SAFE, "no object changes, only outputs or settings of the deployment itself"
    return Level.NOTHING, f"{_counted(result.counts.get('same', 0), 'object')} as declared"


def _endings(result: Result) -> Iterable[str]:
    """What would be deleted or replaced: what holds data by its name, all else as a number."""
    for op, done in _DONE.items():
        if steps := [step for step in result.changed if step.op == op]:
            yield f"{_listed(_kinds(steps))} would be {done}"


def reaches_data(step: Step) -> bool:
    """An update of what holds data, and of more than its labels and annotations."""
    return (
        step.op == "update" and step.data is not None and any(change.path.startswith("spec") for change in step.changes)
    )


def _kinds(steps: Iterable[Step]) -> list[str]:
    """E.g. `1 database`, `3 objects without data`; what weighs most first."""
    nouns = Counter(step.data.noun if step.data else "" for step in steps)
    others = nouns.pop("", 0)
    weighed = sorted(nouns.items(), key=lambda item: (_WEIGHT.get(item[0], len(_WEIGHT)), item[0]))
    found = [_counted(count, noun) for noun, count in weighed]
    return [*found, *([f"{_counted(others, 'object')} without data"] if others else [])]


def _listed(items: list[str]) -> str:
    """E.g. `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def _unjudged(result: Result) -> Iterable[str]:
    if result.policy is None:
        yield "policies were not evaluated"
        return
    unsure = [
        rule
        for rule in result.policy.rules
        if rule.enforcement is Enforcement.MANDATORY and (rule.count(Outcome.INCONCLUSIVE) or rule.count(Outcome.ERROR))
    ]
    if unsure:
        names = " ".join(rule.id for rule in unsure)
        yield f"mandatory policies left open: {names}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
