"""Schedules as CloudNativePG reads them: six fields, seconds first.

The operator also takes five fields, but reads them as seconds to month: `0 3 * * *`, meant as three o'clock, runs every
hour. Five fields are therefore refused here.
"""

from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_SHORTHANDS = {
    "@hourly": "0 0 * * * *",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@weekly": "0 0 0 * * 0",
    "@monthly": "0 0 0 1 * *",
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
}


class InvalidSchedule(ValueError):
    """`str()` is a clause that completes `the schedule …`, e.g. `has 5 fields instead of 6 (seconds come first)`."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("second", 0, 59, {}),
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def runs_daily(schedule: str) -> bool:
    """Whether a schedule comes due on every day of the year. Raises `InvalidSchedule`."""
    fields = _SHORTHANDS.get(schedule.strip(), schedule).split()
    if len(fields) != len(_FIELDS):
        raise InvalidSchedule(f"has {len(fields)} fields instead of 6 (seconds come first)")
    _, _, _, days, months, weekdays = (_values(text, field) for text, field in zip(fields, _FIELDS, strict=True))
    every_day, every_weekday = len(days) == 31, len(weekdays) == 7
    # If both are restricted a day needs to match only one of them; if one is a star, both count.
    restricted = not any(text.startswith(("*", "?")) for text in (fields[3], fields[5]))
    matches_all = every_day or every_weekday if restricted else every_day and every_weekday
    return matches_all and len(months) == 12


def _values(text: str, field: _Field) -> set[int]:
    return {value for part in text.split(",") for value in _range(part, field)}


def _range(part: str, field: _Field) -> range:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if first in ("*", "?") and not dash:
        low, high = field.low, field.high
    else:
        low = _number(first, field)
        # `5/10` means from 5 on.
        high = _number(last, field) if dash else field.high if slash else low
    every = int(step) if step.isascii() and step.isdigit() else 0 if slash else 1
    if not (field.low <= low <= high <= field.high and every > 0):
        raise InvalidSchedule(f"has no valid {field.name}: {part!r}")
    return range(low, high + 1, every)


def _number(text: str, field: _Field) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return field.names[text.lower()]
    except KeyError:
        raise InvalidSchedule(f"has no valid {field.name}: {text!r}") from None
