"""A course of events, minute by minute, as the series that a service would have exposed: promtool's `input_series`.

Beside each series stand others that a selector must not pick: the same labels but for one, full of failures. A rule
whose selector loses a condition counts them, and its proof fails.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from components.slo.indicators import Freshness, Latency, Probe, Queue, Ratio, RawRatio, bound
from components.slo.objective import Slo
from components.slo.selector import Matcher, Selector, parse, value_of

STRANGERS = 7000
"""Failures a minute of those that must not be counted."""
_START = 1e6
"""What counters begin with: near zero, `increase` extrapolates less."""


class State(Enum):
    """Whether the service is there."""

    UP = "up"
    HICCUP = "up, and a scrape failed"
    DOWN = "wanted, and no scrape succeeds"
    GONE = "gone, and wanted"
    UNWANTED = "gone, and not wanted"
    SILENT = "up, without a series of its own"


class Stretch(NamedTuple):
    """Some minutes that are alike."""

    minutes: int
    total: float = 0.0
    """Events a minute. Looks and probes have their own pace: for them it says nothing, but for a raw ratio."""
    bad: float = 0.0
    """Bad ones of them; looks are all bad, or none, but for a raw ratio."""
    state: State = State.UP


Series = dict[str, str]
"""A series and its values, as promtool writes them."""


def exposed(slo: Slo, stretches: Sequence[Stretch]) -> Series:
    """What the service, Kubernetes and Prometheus itself expose, a sample a minute."""
    indicator = slo.indicator
    series: Series = {}
    match indicator:
        case Ratio():
            series |= _ratio(indicator, stretches)
        case Latency():
            series |= _latency(indicator, stretches)
        case Freshness():
            late = indicator.seconds + 1
            gauge = parse(indicator.timestamp)
            series |= _timestamps(gauge, stretches, indicator.seconds, late)
        case Queue():
            gauge = parse(indicator.depth)
            levels = _gauge(stretches, lambda each: indicator.limit + (each.bad > 0))
            series[_series(gauge, {})] = levels
            series |= {name: _steady(stretches, indicator.limit * 9 + 9) for name in _strangers(gauge, gauge)}
        case Probe():
            gauge = parse(indicator.success)
            series[_series(gauge, {})] = _gauge(stretches, lambda each: float(each.bad == 0))
            # Two of each, which neither fail nor succeed: else they would add up to what they stand beside.
            for name in _strangers(gauge, gauge):
                series |= dict.fromkeys((name, _twin(name)), _steady(stretches, STRANGERS))
        case RawRatio():
            gauge = parse(indicator.bad or indicator.good)
            series |= _shares(_series(gauge, {}), bool(indicator.bad), stretches)
            series |= {name: _steady(stretches, float(bool(indicator.bad))) for name in _strangers(gauge, gauge)}
    return series | _surroundings(slo, stretches)


def recorded(inventory: Mapping[str, str], slo: Slo, stretches: Sequence[Stretch]) -> Series:
    """The recordings of an SLO with the labels `inventory` and the budget of `slo`, a sample a step.

    `minutes` are steps here, and any share of bad events is possible.
    """
    name = inventory["slo"]
    labels = ",".join(f'{label}="{value}"' for label, value in inventory.items())
    return {
        f'slo:bad:increase5m{{slo="{name}"}}': _gauge(stretches, lambda each: each.bad * 5),
        f'slo:total:increase5m{{slo="{name}"}}': _gauge(stretches, lambda each: each.total * 5),
        f'slo:bad:minimum{{slo="{name}"}}': _steady(stretches, slo.minimum),
        f"slo:error_budget:ratio{{{labels}}}": _steady(stretches, slo.budget),
        # It has left the inventory.
        **{f'slo:{kind}:increase5m{{slo="removed"}}': _steady(stretches, STRANGERS) for kind in ("bad", "total")},
    }


def _ratio(indicator: Ratio, stretches: Sequence[Stretch]) -> Series:
    events, picked = parse(indicator.events), parse(indicator.bad or indicator.good)
    chosen = [each._replace(bad=each.bad if indicator.bad else each.total - each.bad) for each in stretches]
    total, part = _counter(chosen, lambda each: each.total), _counter(chosen, lambda each: each.bad)
    # As in life, a series of failures does not exist before the first of them.
    has_part = any(each.bad for each in chosen)
    if events.metric != picked.metric:
        names = {_series(events, {}): total} | ({_series(picked, {}): part} if has_part else {})
        strangers = [*_strangers(events, events), *_strangers(picked, picked)]
    else:
        both = events._replace(matchers=tuple(dict.fromkeys((*events.matchers, *picked.matchers))))
        rest = _counter(chosen, lambda each: each.total - each.bad)
        names = {_series(events, _not_of(events, picked)): rest} | ({_series(both, {}): part} if has_part else {})
        strangers = _strangers(both, events)
    return {name: _counter(chosen, lambda _: STRANGERS) for name in strangers} | names


def _latency(indicator: Latency, stretches: Sequence[Stretch]) -> Series:
    good = _counter(stretches, lambda each: each.total - each.bad)
    total = _counter(stretches, lambda each: each.total)
    nothing = _counter(stretches, lambda _: 0.0)
    series = {_series(indicator.bucket("+Inf"), {}): total}
    for each in indicator.buckets:
        counted = nothing if each < indicator.seconds else good if each == indicator.seconds else total
        series[_series(indicator.bucket(bound(each)), {})] = counted
    selector = parse(indicator.histogram)
    for end in ("+Inf", bound(indicator.seconds)):
        whole = indicator.bucket(end)
        strange = _counter(stretches, lambda _, end=end: STRANGERS if end == "+Inf" else STRANGERS / 2)
        series |= dict.fromkeys(_strangers(whole, selector), strange)
    return series


def _timestamps(gauge: Selector, stretches: Sequence[Stretch], fresh: float, late: float) -> Series:
    parts: list[str] = []
    minute = 0
    for each in stretches:
        start = minute * 60 - (late if each.bad else fresh)
        if each.state in (State.UP, State.HICCUP):
            parts.append(f"{start:g}{60:+}x{each.minutes - 1}")
        else:
            parts.append(_nothing(each.minutes))
        minute += each.minutes
    return {_series(gauge, {}): " ".join(parts)} | dict.fromkeys(_strangers(gauge, gauge), f"0+60x{minute}")


def _shares(name: str, bad: bool, stretches: Sequence[Stretch]) -> Series:
    """Two series whose mean is the share, as different as can be; no number while nothing happens."""

    def level(place: int, each: Stretch) -> float:
        if not each.total:
            return math.nan
        both = 2 * each.bad / each.total
        first = min(1.0, both)
        part = both - first if place else first
        return part if bad else 1 - part

    return {
        name: _gauge(stretches, lambda each: level(0, each)),
        _twin(name): _gauge(stretches, lambda each: level(1, each)),
    }


def _surroundings(slo: Slo, stretches: Sequence[Stretch]) -> Series:
    """Whether it is scraped, and how many replicas are wanted; another service is up, and wanted or not as well."""
    states = {State.UP: "1", State.SILENT: "1", State.HICCUP: "0", State.DOWN: "0"}
    up = " ".join(
        f"{states[each.state]}x{each.minutes - 1}" if each.state in states else _nothing(each.minutes)
        for each in stretches
    )
    series = {f'up{{job="{slo.service}",instance="a"}}': up, 'up{job="stranger",instance="a"}': _steady(stretches, 1)}
    if slo.workload:
        wanted = " ".join(f"{int(each.state is not State.UNWANTED)}x{each.minutes - 1}" for each in stretches)
        other = int(any(each.state is State.UNWANTED for each in stretches))
        desired = parse(slo.workload.desired())
        series[_series(desired, {})] = wanted
        series |= {name: _steady(stretches, other) for name in _strangers(desired, desired)}
    return series | {
        f'slo:{kind}:increase5m{{slo="stranger"}}': _steady(stretches, STRANGERS) for kind in ("bad", "total")
    }


def _series(selector: Selector, other: dict[str, str]) -> str:
    labels = {**selector.example(), **other}
    return selector.metric + "{" + ",".join(f'{name}="{value}"' for name, value in labels.items() if value) + "}"


def _strangers(selector: Selector, failing: Selector) -> list[str]:
    """Series that fail one condition of `failing` each, and pass all others of `selector`."""
    found: list[str] = []
    for each in failing.matchers:
        others = [other for other in selector.matchers if other.label == each.label and other != each]
        found.append(_series(selector, {each.label: value_of([_opposite(each), *others])}))
    return found


def _twin(series: str) -> str:
    return f'{series[:-1]},copy="b"}}'


def _not_of(events: Selector, picked: Selector) -> dict[str, str]:
    """A label that makes it one of the events, and not one that was picked."""
    for each in picked.matchers:
        if each not in events.matchers:
            return {
                each.label: value_of([_opposite(each), *(one for one in events.matchers if one.label == each.label)])
            }
    raise ValueError(f"{picked} picks all of {events}: name a condition that tells them apart")


def _opposite(matcher: Matcher) -> Matcher:
    operators = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
    return matcher._replace(operator=operators[matcher.operator])


def _counter(stretches: Sequence[Stretch], rate: Callable[[Stretch], float]) -> str:
    parts: list[str] = []
    value = _START
    for each in stretches:
        step = rate(each)
        if each.state not in (State.UP, State.HICCUP):
            parts.append(_nothing(each.minutes))
            value = _START
            continue
        parts.append(f"{value + step:.17g}+{step:.17g}x{each.minutes - 1}")
        value += step * each.minutes
    return " ".join(parts)


def _gauge(stretches: Sequence[Stretch], level: Callable[[Stretch], float]) -> str:
    there = (State.UP, State.HICCUP)
    return " ".join(
        _standing(level(each), each.minutes) if each.state in there else _nothing(each.minutes) for each in stretches
    )


def _standing(level: float, minutes: int) -> str:
    # Promtool's notation does not repeat what is no number.
    return " ".join(["NaN"] * minutes) if math.isnan(level) else f"{level:.17g}x{minutes - 1}"


def _steady(stretches: Sequence[Stretch], level: float) -> str:
    return f"{level:.9g}x{sum(each.minutes for each in stretches)}"


def _nothing(minutes: int) -> str:
    return "stale" + (f" _x{minutes - 1}" if minutes > 1 else "")
