"""The pairs of windows that alert, and the budget: scenarios of hours and days, from what is recorded.

What is recorded can be any share of bad events, at any pace, while looks at a state are all bad or none. It is given
here as that of an SLO `recorded`, with the budget of the one to prove, since that one's own recordings are its rules'.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from components.observability.alert import Severity
from components.slo.alerts import EXHAUSTED, PAGES, SLOW
from components.slo.histories import Series, Stretch, recorded
from components.slo.objective import FASTEST, WINDOWS, Slo
from components.slo.scenario import PAGE, Check, Scenario, alert, counted, fires, holds, inventory, near, traffic_of

_NAME = "recorded"
_TICKET = SLOW["name"]
_LEFT = f'slo:budget_left:ratio{{slo="{_NAME}"}}'
FAST_STEP = 5
"""Minutes between the samples of the tests that last for hours."""
SLOW_STEP = 60
"""The same, of those that last for days."""
WINDOW_STEP = 120
"""The same, of those that last for a whole window."""


class _Pair(NamedTuple):
    """A pair of windows, in steps, and what keeps the other pair of the same alert silent."""

    alert: str
    step: int
    """Minutes a step."""
    windows: tuple[str, str]
    """As the recordings name them, long and short."""
    long: int
    short: int
    factor: float
    before: int
    """Steps of the past, in which nothing went wrong."""
    busy: float
    """How many times the later traffic there was in the past."""


_HOUR = _Pair(PAGE, FAST_STEP, ("1h", "5m"), 12, 1, FASTEST, 62, 1)
_SIX_HOURS = _Pair(PAGE, FAST_STEP, ("6h", "30m"), 72, 6, 6, 36, 1)
# At even traffic a day above 3 is three days above 1; behind a busy past it is the day's pair alone that notices.
_DAY = _Pair(_TICKET, SLOW_STEP, ("1d", "2h"), 24, 2, 3, 50, 1e6)
_THREE_DAYS = _Pair(_TICKET, SLOW_STEP, ("3d", "6h"), 72, 6, 1, 36, 1)


def hours(slo: Slo) -> list[Scenario]:
    """The pairs of windows that page."""
    found = [*_edges(slo, _HOUR), *_edges(slo, _SIX_HOURS), _even(slo, FAST_STEP, ("30m", "1h", "6h"), 150)]
    return [*found, _recovers(slo), _recovers_late(slo), _few(slo, _HOUR, 1e6), _few(slo, _SIX_HOURS, 0), _twin(slo)]


def days(slo: Slo) -> list[Scenario]:
    """The pairs of windows that write a ticket, and the budget."""
    found = [*_edges(slo, _DAY), *_edges(slo, _THREE_DAYS), _even(slo, SLOW_STEP, ("2h", "1d", "3d"), 150)]
    found += [_ticket_ends(slo), _ticket_ends_late(slo), _few(slo, _DAY, 1e6), _few(slo, _THREE_DAYS, 0)]
    return [*found, _exhausted(slo), _few_exhaust(slo), _nothing(slo), _hardly_anything(slo)]


def forgets(slo: Slo) -> Scenario:
    """What lies before the SLO's window is no longer counted, nor what is of another window or of no SLO at all."""
    window = slo.window_days * 24 * 60 // WINDOW_STEP
    stretches = [_burning(slo, WINDOW_STEP, 6, 3), _burning(slo, WINDOW_STEP, window, 0)]
    total = traffic_of(slo) * WINDOW_STEP * window
    checks = [holds(step, near(f'slo:total:events{{slo="{_NAME}"}}', total)) for step in (window - 1, window + 5)]
    checks += [holds(window - 1, near(f"1 - {_LEFT}", 18 / window)), holds(window + 5, f"{_LEFT} == bool 1")]
    checks += [counted(window, f'slo:{kind}:events{{slo=~"weekly|removed"}}', 0) for kind in ("bad", "total")]
    series = _series(slo, stretches) | recorded({"slo": "weekly", "window": "7d"}, slo, stretches)
    return Scenario("what lies before the window is forgotten", series, checks)


def _series(slo: Slo, stretches: Sequence[Stretch]) -> Series:
    return recorded(inventory(slo._replace(name=_NAME)), slo, stretches)


def _burning(slo: Slo, step: int, count: int, burn: float, busy: float = 1) -> Stretch:
    """`count` steps of `step` minutes during which the budget burns `burn` times too fast."""
    traffic = traffic_of(slo) * step * busy
    return Stretch(count, traffic, traffic * slo.budget * burn)


def _edges(slo: Slo, pair: _Pair) -> list[Scenario]:
    """Each window of the pair just below its burn rate, while the other is above; then just above."""
    found: list[Scenario] = []
    for edge in (0.98, 1.02):
        # The long window at the edge, and the short one far above it; then the other way round.
        rest = (edge * pair.long - 2 * pair.short) / (pair.long - pair.short)
        for window, early, late in ((pair.windows[0], rest, 2.0), (pair.windows[1], 1.2, edge)):
            stretches = [
                _burning(slo, pair.step, pair.before, 0, pair.busy),
                _burning(slo, pair.step, pair.long - pair.short, early * pair.factor),
                _burning(slo, pair.step, pair.short, late * pair.factor),
            ]
            name = f"{window} just {'above' if edge > 1 else 'below'} {pair.factor:g}"
            end = pair.before + pair.long - 1
            found.append(Scenario(name, _series(slo, stretches), [alert(end, pair.alert, _NAME, int(edge > 1))]))
    return found


def _even(slo: Slo, step: int, windows: Sequence[str], count: int) -> Scenario:
    """A steady burn is the same in every window."""
    stretches = [_burning(slo, step, count, 0.5)]
    checks = [holds(count - 1, near(f'slo:burn:ratio{window}{{slo="{_NAME}"}}', 0.5)) for window in windows]
    return Scenario(f"half the budget's pace, for {' '.join(windows)}", _series(slo, stretches), checks)


def _recovers(slo: Slo) -> Scenario:
    # 25 times too fast over an hour, 4.2 times over six: the first pair alone.
    steps = max(2, math.ceil(300 * slo.budget))
    end = 72 + steps
    stretches = ((72, 0.0), (steps, 300 / steps), (4, 0.0))
    checks = [alert(end - 1, PAGE, _NAME, 1), alert(end + 1, PAGE, _NAME, 0), _burns(end + 1, "1h", FASTEST)]
    series = _series(slo, [_burning(slo, FAST_STEP, count, burn) for count, burn in stretches])
    return Scenario("a page ends within minutes of the trouble", series, checks)


def _recovers_late(slo: Slo) -> Scenario:
    stretches = [(48, 12), (9, 0)]
    checks = [alert(step, PAGE, _NAME, count) for step, count in ((47, 1), (49, 1), (54, 0))]
    series = _series(slo, [_burning(slo, FAST_STEP, *each) for each in stretches])
    return Scenario("a page of hours ends half an hour after the trouble", series, [*checks, _burns(54, "6h", 6)])


def _ticket_ends(slo: Slo) -> Scenario:
    past = _burning(slo, SLOW_STEP, 72, 0, busy=1e6)
    stretches = ((24, 0), (10, 14), (3, 0))
    checks = [alert(106, _TICKET, _NAME, 1), alert(107, _TICKET, _NAME, 0), _burns(107, "1d", 3)]
    series = _series(slo, [past, *(_burning(slo, SLOW_STEP, *each) for each in stretches)])
    return Scenario("a ticket ends two hours after the trouble", series, checks)


def _ticket_ends_late(slo: Slo) -> Scenario:
    stretches = [(72, 0), (5, 14.7), (7, 0)]
    checks = [alert(81, _TICKET, _NAME, 1), alert(82, _TICKET, _NAME, 0), _burns(82, "3d", 1)]
    series = _series(slo, [_burning(slo, SLOW_STEP, *each) for each in stretches])
    return Scenario("a ticket of days ends six hours after the trouble", series, checks)


def _few(slo: Slo, pair: _Pair, busy: float) -> Scenario:
    """Hardly any traffic: one failure too few within the long window, and then as many as count.

    Many failures lie just before the window, and all but two of those in it within its older half.
    """
    few, quiet = (slo.minimum - 2) / 2, pair.long - 2 - 1
    past = [Stretch(pair.before, busy * 1e3)] if busy else []
    old = Stretch(2, slo.minimum, slo.minimum)
    now = [Stretch(1, 0.01), Stretch(2, few, few), Stretch(quiet - 1, 0.01), Stretch(1, 1, 1), Stretch(1, 1, 1)]
    end = sum(each.minutes for each in [*past, old, *now]) - 1
    labels = inventory(slo._replace(name=_NAME))
    checks = [
        alert(end - 1, pair.alert, _NAME, 0),
        fires(end, pair.alert, slo.page if pair.alert == PAGE else Severity.P2, labels),
    ]
    return Scenario(f"the fewest failures of {pair.windows[0]} that count", _series(slo, [*past, old, *now]), checks)


def _exhausted(slo: Slo) -> Scenario:
    stretches = [_burning(slo, SLOW_STEP, 50, 0.98), _burning(slo, SLOW_STEP, 50, 1.04)]
    name, labels = EXHAUSTED["name"], inventory(slo._replace(name=_NAME))
    checks = [alert(49, name, _NAME, 0), fires(99, name, Severity.P2, labels)]
    return Scenario("a budget nearly spent, and spent", _series(slo, stretches), checks)


def _few_exhaust(slo: Slo) -> Scenario:
    few, name = (slo.minimum - 1) / 8, EXHAUSTED["name"]
    stretches = [Stretch(10, 0.01), Stretch(8, few, few), Stretch(1, 1, 1)]
    checks = [alert(17, name, _NAME, 0), alert(18, name, _NAME, 1), holds(17, f"{_LEFT} < bool 0")]
    return Scenario("the fewest failures that exhaust a budget", _series(slo, stretches), checks)


def _nothing(slo: Slo) -> Scenario:
    """A share of nothing is no number, and must not be recorded as one."""
    checks = [counted(3, '{__name__=~"slo:burn:.+"}', 0), holds(3, f"{_LEFT} == bool 1")]
    return Scenario("nothing happens", _series(slo, [Stretch(4)]), checks)


def _hardly_anything(slo: Slo) -> Scenario:
    checks = [
        counted(3, '{__name__=~"slo:burn:.+"}', 7),
        # Of a part of an event there is no share worth mentioning.
        holds(3, near(f"1 - {_LEFT}", 4 / 1024 / slo.budget)),
        counted(3, "slo:bad:events", 2),
        counted(3, "slo:total:events", 1),
    ]
    return Scenario("hardly anything happens", _series(slo, [Stretch(4, 1 / 512, 1 / 1024)]), checks)


def _twin(slo: Slo) -> Scenario:
    """Another SLO that burns as fast: of the other severity, and of the other window where no rule counts that."""
    page = next(each for each in PAGES if each != slo.page)
    window = next(each for each in WINDOWS if each != slo.window_days)
    labels = inventory(slo._replace(name=_NAME, page=page, window_days=window))
    # By the hour's pair, which a busy past leaves alone; then by that of six hours.
    past = _burning(slo, FAST_STEP, 60, 0, busy=1e6)
    stretches = [past, _burning(slo, FAST_STEP, 12, 17), _burning(slo, FAST_STEP, 72, 7)]
    checks = [fires(71, PAGE, page, labels), fires(143, PAGE, page, labels)]
    checks += [counted(143, f'slo:{kind}:events{{slo="{_NAME}"}}', 0) for kind in ("bad", "total")]
    return Scenario("the other severity, and the other window", recorded(labels, slo, stretches), checks)


def _burns(step: int, window: str, factor: float) -> Check:
    return holds(step, f'slo:burn:ratio{window}{{slo="{_NAME}"}} > bool {factor:g}')
