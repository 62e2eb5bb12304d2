"""What a month amounted to: for each SLO what was promised and kept, the worst hour, and when somebody was called.

All numbers come from the recorded increases of five minutes, one point for each five minutes of the month: they do not
overlap, so that their sums count every event once. A sum over nothing is nothing, so what was not measured is told.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import fsum
from typing import Any

from budgets import BudgetsError
from budgets.prometheus import Prometheus, Sample
from budgets.status import Objective, objective

_STEP = 300
_POINTS_AN_HOUR = 12
_HOUR = 3600
_MINUTE = 60
_PAUSE = 5 * _MINUTE
"""An alert that is silent for no longer than this has not ended."""
_FIRING = 'max by (slo) (present_over_time(ALERTS{alertname="SLOBurnsFast", alertstate="firing"}[1m]))'

Points = Mapping[int, float]
"""Unix seconds -> events of the five minutes before."""


class Outcome(StrEnum):
    """What became of a promise. In the order in which one wants to read of it."""

    MISSED = "missed"
    UNKNOWN = "no data"
    IDLE = "nothing happened"
    MET = "met"


@dataclass(frozen=True)
class Hour:
    """The hour in which the budget burned fastest."""

    end: int
    """Unix seconds."""
    burn: float
    """1: just fast enough to spend a budget within its window."""
    bad: float
    total: float


@dataclass(frozen=True)
class Incident:
    """A time in which somebody was called: Unix seconds, by the minute."""

    start: int
    end: int


@dataclass(frozen=True)
class Kept:
    """One SLO in one month."""

    promise: Objective
    outcome: Outcome
    attained: float | None
    """Share of the month's events that were good; None if there were none."""
    spent: float | None
    """Of the month's budget: 1 is all of it."""
    bad: float
    total: float
    worst: Hour | None
    """None if nothing failed."""
    incidents: tuple[Incident, ...]
    measured: float
    """Share of the time so far for which there is data."""


@dataclass(frozen=True)
class Month:
    """The review of a month; `slos` worst first."""

    name: str
    """E.g. `2026-10`."""
    start: int
    end: int
    """Where it ends, or how far it has come: Unix seconds."""
    complete: bool
    slos: tuple[Kept, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def last_complete(now: int) -> str:
    """The month before this one."""
    today = datetime.fromtimestamp(now, UTC)
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year}-{month:02}"


def bounds(name: str) -> tuple[int, int]:
    """First and last moment of a month such as `2026-10`, in UTC. Raises BudgetsError."""
    if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", name):
        raise BudgetsError(f"{name!r} is not a month such as 2026-10.")
    year, month = map(int, name.split("-"))
    start = int(datetime(year, month, 1, tzinfo=UTC).timestamp())
    return start, start + calendar.monthrange(year, month)[1] * 24 * _HOUR


def ask(prometheus: Prometheus, name: str, now: int) -> Month:
    """The review of a month, as far as it has come. Raises BudgetsError, Unreachable."""
    start, whole = bounds(name)
    end = min(whole, now - now % _STEP)
    if end <= start:
        raise BudgetsError(f"{name} has not begun.")
    promises = _inventory(prometheus, start, end)
    if not promises:
        raise BudgetsError(f"Prometheus at {prometheus.url} knows of no SLO in {name}: it is younger, or keeps less.")
    bad, total = (_increases(prometheus, kind, start, end) for kind in ("bad", "total"))
    fired = prometheus.range(_FIRING, start + _MINUTE, end, _MINUTE)
    incidents = {each.labels["slo"]: _incidents([time for time, _ in each.points]) for each in fired}
    kept = [
        _kept(each, bad.get(each.slo, {}), total.get(each.slo, {}), incidents.get(each.slo, ()), start, end)
        for each in promises
    ]
    order = list(Outcome)
    kept.sort(key=lambda each: (order.index(each.outcome), -(each.spent or 0.0), each.promise.slo))
    return Month(name, start, end, end == whole, tuple(kept))


def _kept(promise: Objective, bad: Points, total: Points, incidents: Sequence[Incident], start: int, end: int) -> Kept:
    failed, happened = fsum(bad.values()), fsum(total.values())
    attained = 1 - failed / happened if happened else None
    # A budget that is spent to the last event is kept, whatever rounding says.
    spent = round(failed / happened / (1 - promise.objective), 9) if happened else None
    if spent is None:
        outcome = Outcome.IDLE if total else Outcome.UNKNOWN
    else:
        outcome = Outcome.MISSED if spent > 1 else Outcome.MET
    return Kept(
        promise=promise,
        outcome=outcome,
        attained=attained,
        spent=spent,
        bad=failed,
        total=happened,
        worst=_worst(bad, total, start + _HOUR, 1 - promise.objective),
        incidents=tuple(incidents),
        measured=len(total) * _STEP / (end - start),
    )


def _worst(bad: Points, total: Points, first: int, budget: float) -> Hour | None:
    """The hour with the highest share of failures, none before `first` is over; of several the first."""
    worst: Hour | None = None
    for end in sorted(time for time in total if time >= first):
        times = [end - place * _STEP for place in range(_POINTS_AN_HOUR)]
        failed, happened = fsum(bad.get(time, 0.0) for time in times), fsum(total.get(time, 0.0) for time in times)
        if failed > 0 and happened > 0:
            burn = failed / happened / budget
            if worst is None or burn > worst.burn * (1 + 1e-9):
                worst = Hour(end, burn, failed, happened)
    return worst


def _inventory(prometheus: Prometheus, start: int, end: int) -> list[Objective]:
    """The promises of the month; of one that changed, the last."""
    last: dict[str, tuple[int, Objective]] = {}
    for each in prometheus.range("last_over_time(slo:error_budget:ratio[1h])", start + _HOUR, end, _HOUR):
        time, budget = each.points[-1]
        promise = objective(Sample(each.labels, budget))
        if promise.slo not in last or last[promise.slo][0] < time:
            last[promise.slo] = (time, promise)
    return [last[name][1] for name in sorted(last)]


def _increases(prometheus: Prometheus, kind: str, start: int, end: int) -> dict[str, Points]:
    query = f"max by (slo) (last_over_time(slo:{kind}:increase5m[5m]))"
    found = prometheus.range(query, start + _STEP, end, _STEP)
    return {each.labels["slo"]: dict(each.points) for each in found}


def _incidents(minutes: Sequence[int]) -> tuple[Incident, ...]:
    found: list[Incident] = []
    for minute in minutes:
        if found and minute - found[-1].end <= _PAUSE:
            found[-1] = Incident(found[-1].start, minute)
        else:
            found.append(Incident(minute, minute))
    return tuple(found)
