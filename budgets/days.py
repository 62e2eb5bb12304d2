"""Good and bad days of the SLOs that are public: what the status page shows, and nothing that it does not.

Prometheus keeps a month or so. Finished days are therefore kept beside the page, in a file as public as the page: names
that everybody may know, dates, and the share of that day that was good.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from budgets import BudgetsError
from budgets.prometheus import Prometheus
from budgets.status import DAY

DAYS = 90
_STEP = 300
_BAD_DAY = 0.9
"""A day of which less than this share was good counts as down."""
_DOWN = 0.5
"""Somebody is called and at least this share fails right now: it is down, not just degraded."""

Days = Mapping[date, float]
"""Day (UTC) -> share of it that was good; without the days of which nothing is known."""


class State(StrEnum):
    """How it goes, now or on a day."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "no data"


@dataclass(frozen=True)
class Part:
    """Something the public knows."""

    title: str
    state: State
    attained: float | None
    """Share of the SLO's window that was good."""
    window_days: int
    days: tuple[tuple[date, float | None, State], ...]
    """The last 90 days, oldest first, today included."""


def ask(prometheus: Prometheus, public: Mapping[str, str], known: Mapping[str, Days], now: int) -> list[Part]:
    """The parts in the order of `public`, which has titles by SLO. `known`: finished days by title.

    Raises BudgetsError, Unreachable.
    """
    pick = f'slo=~"{"|".join(public)}"'
    series = {
        name: {sample.labels["slo"]: sample for sample in prometheus.instant(f"{name}{{{pick}{more}}}", now)}
        for name, more in (
            ("slo:error_budget:ratio", ""),
            ("slo:bad:increase5m", ""),
            ("slo:total:increase5m", ""),
            ("slo:bad:events", ""),
            ("slo:total:events", ""),
            ("ALERTS", ', alertname="SLOBurnsFast", alertstate="firing"'),
        )
    }

    def share(slo: str, period: str) -> float | None:
        bad, total = series[f"slo:bad:{period}"].get(slo), series[f"slo:total:{period}"].get(slo)
        return 1 - bad.value / total.value if bad and total and total.value else None

    days = _days(prometheus, pick, now)
    parts: list[Part] = []
    for slo, title in public.items():
        budget = series["slo:error_budget:ratio"].get(slo)
        if budget is None or slo not in series["slo:total:increase5m"]:
            state = State.UNKNOWN
        elif slo not in series["ALERTS"]:
            state = State.OK
        else:
            good = share(slo, "increase5m")
            state = State.DOWN if good is not None and good <= 1 - _DOWN else State.DEGRADED
        window = budget.labels.get("window", "").removesuffix("d") if budget else ""
        parts.append(
            Part(
                title=title,
                state=state,
                attained=share(slo, "events"),
                window_days=int(window) if window.isdigit() else 30,
                days=calendar({**days.get(slo, {}), **known.get(title, {})}, budget.value if budget else None, now),
            )
        )
    return parts


def unmeasured(public: Mapping[str, str], known: Mapping[str, Days], now: int) -> list[Part]:
    """The parts while Prometheus cannot be asked: nothing is known of now, and of before what was kept."""
    return [
        Part(title, State.UNKNOWN, None, 30, calendar(known.get(title, {}), None, now)) for title in public.values()
    ]


def calendar(days: Days, budget: float | None, now: int) -> tuple[tuple[date, float | None, State], ...]:
    """The last 90 days, judged. `budget`: share of a day that may be bad; None: unknown, so one in a hundred."""
    today = _day(now)
    listed = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return tuple((day, days.get(day), _judged(days.get(day), 0.01 if budget is None else budget)) for day in listed)


def _judged(good: float | None, budget: float) -> State:
    if good is None:
        return State.UNKNOWN
    if good < _BAD_DAY:
        return State.DOWN
    return State.OK if 1 - good <= budget + 1e-9 else State.DEGRADED


def _days(prometheus: Prometheus, pick: str, now: int) -> dict[str, dict[date, float]]:
    """Share of each day that was good, by SLO, as far as Prometheus remembers."""
    midnight = now - now % DAY

    def events(kind: str, seconds: int) -> str:
        return f"sum by (slo) (sum_over_time(last_over_time(slo:{kind}:increase5m{{{pick}}}[5m])[{seconds}s:{_STEP}s]))"

    counted: dict[str, dict[tuple[str, date], float]] = {}
    for kind in ("bad", "total"):
        found = counted.setdefault(kind, {})
        for each in prometheus.range(events(kind, DAY), midnight - (DAYS - 2) * DAY, midnight, DAY):
            # What is counted at midnight is the day before.
            found.update({(each.labels["slo"], _day(time - DAY)): value for time, value in each.points})
        if now - midnight >= _STEP:
            for sample in prometheus.instant(events(kind, now - midnight), now):
                found[sample.labels["slo"], _day(now)] = sample.value
    shares: dict[str, dict[date, float]] = {}
    for (slo, day), total in counted["total"].items():
        if total:
            shares.setdefault(slo, {})[day] = 1 - counted["bad"].get((slo, day), 0.0) / total
    return shares


def read(path: Path) -> dict[str, Days]:
    """Finished days by title, as kept beside an earlier page; none if there is no file. Raises BudgetsError."""
    if not path.is_file():
        return {}
    try:
        content = cast(dict[str, dict[str, Any]], json.loads(path.read_text(encoding="utf-8")))
        return {
            title: {date.fromisoformat(day): float(good) for day, good in days.items()}
            for title, days in content.items()
        }
    except (ValueError, AttributeError, TypeError):
        raise BudgetsError(f"{path} does not hold days; restore it, or delete it to begin anew.") from None


def finished(parts: list[Part], now: int) -> str:
    """What to keep for the next page: days that are over and will not change."""
    today = _day(now)
    kept = {
        part.title: {day.isoformat(): round(good, 6) for day, good, _ in part.days if good is not None and day < today}
        for part in parts
    }
    return json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _day(time: int) -> date:
    return datetime.fromtimestamp(time, UTC).date()
