"""How good and bad events are counted: each indicator is two PromQL expressions over five minutes.

Both yield one series without labels, or none where there is nothing to count. Two kinds:
- `Ratio` and `Latency` count what happened (requests, jobs), so that a busy hour weighs more than a quiet one;
- `Freshness`, `Queue`, `Probe` and `RawRatio` count looks at a state, at a fixed pace.
"""

from typing import NamedTuple

from components.slo.selector import Selector, parse

LOOK_SECONDS = 30
"""How often a state is looked at; the scrape interval of the platform."""
PROBE_MINUTES = 5
"""How often Mainstay probes a public address."""


class Ratio(NamedTuple):
    """Availability, or any share of counted events. Give `bad` or `good`, as selectors of counters.

    `Ratio('http_request_duration_seconds_count{job="api"}', bad='…{job="api",status=~"5.."}')`
    """

    events: str
    """Selector of the counter of all events; the `_count` of a histogram is one."""
    bad: str = ""
    """Selector of the counter of bad events; it need not exist before the first of them."""
    good: str = ""
    """Selector of the counter of good events, where bad ones are not counted; none counted: all are bad."""

    def total_expr(self) -> str:
        """All events of five minutes."""
        return f"sum(increase({parse(self.events)}[5m]))"

    def bad_expr(self) -> str:
        """The bad ones."""
        if self.bad:
            return f"sum(increase({parse(self.bad)}[5m]))"
        return _rest(self.total_expr(), f"sum(increase({parse(self.good)}[5m]))")

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        if bool(self.bad) == bool(self.good):
            return "a ratio takes either `bad` or `good`, one of them"
        return _unreadable(self.events, self.bad or self.good)


class Latency(NamedTuple):
    """Events that take longer than `seconds` are bad. Also the time between two ticks, if a histogram has it."""

    histogram: str
    """Selector of a classic histogram without suffix, e.g. `http_request_duration_seconds{job="api"}`."""
    seconds: float
    """The longest time that is good; one of `buckets`."""
    buckets: tuple[float, ...]
    """The upper bounds that the service declares, in seconds."""

    def bucket(self, bound: str) -> Selector:
        """The counter of events up to a bound."""
        selector = parse(self.histogram)
        return selector._replace(metric=f"{selector.metric}_bucket").also("le", bound)

    def total_expr(self) -> str:
        """All events of five minutes."""
        return f"sum(increase({self.bucket('+Inf')}[5m]))"

    def bad_expr(self) -> str:
        """The slow ones. A bound that the service does not expose makes all of them slow, which is noticed."""
        return _rest(self.total_expr(), f"sum(increase({self.bucket(bound(self.seconds))}[5m]))")

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        if self.seconds not in self.buckets:
            known = ", ".join(f"{each:g}" for each in self.buckets)
            return (
                f"{self.seconds:g} s is no bucket of {self.histogram} ({known}): choose one of them, "
                "or add the bucket to the service"
            )
        return _unreadable(self.histogram)


class Freshness(NamedTuple):
    """What happens regularly is late when the last time is more than `seconds` ago; the best of all replicas counts."""

    timestamp: str
    """Selector of a gauge that holds the last time, in seconds since 1970."""
    seconds: float
    """The greatest age that is good."""

    def total_expr(self) -> str:
        """Looks within five minutes."""
        return _looks(f"max({parse(self.timestamp)})")

    def bad_expr(self) -> str:
        """Looks that found it late: at the time of the scrape, since later ones would add the scrape's own age."""
        gauge = parse(self.timestamp)
        return _looks(f"min(timestamp({gauge}) - {gauge}) > {self.seconds:g}")

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        return _unreadable(self.timestamp)


class Queue(NamedTuple):
    """Time is bad while a gauge stands above `limit`: jobs that wait, connections in use."""

    depth: str
    """Selector of the gauge; the greatest of its series counts."""
    limit: float
    """The greatest value that is good."""

    def total_expr(self) -> str:
        """Looks within five minutes."""
        return _looks(f"max({parse(self.depth)})")

    def bad_expr(self) -> str:
        """Looks that found it above the limit."""
        return _looks(f"max({parse(self.depth)}) > {self.limit:g}")

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        return _unreadable(self.depth)


class Probe(NamedTuple):
    """An address is asked from outside; no answer, or a wrong one, is bad."""

    success: str
    """Selector of the gauge `probe_success`, e.g. `probe_success{instance="https://shop.example.com"}`."""

    def total_expr(self) -> str:
        """Probes within five minutes."""
        return f"sum(count_over_time({parse(self.success)}[5m]))"

    def bad_expr(self) -> str:
        """Probes that failed."""
        selector = parse(self.success)
        return f"{self.total_expr()} - sum(sum_over_time({selector}[5m]))"

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        return _unreadable(self.success)


class RawRatio(NamedTuple):
    """A share that somebody else has computed, such as the error ratio of a CDN. Give `bad` or `good`, as a selector.

    Of how many events it is a share is not told, so looks weigh alike: one at a quiet minute as much as one at a busy
    minute, and the only failure of a quiet hour may page. Where there are counters, a `Ratio` is right. Of several
    series the mean counts. A look that finds no number (0 / 0, when nothing happens) is no event.
    """

    bad: str = ""
    """Selector of a gauge that holds the share of bad events, 0 to 1."""
    good: str = ""
    """The same of good ones."""

    def total_expr(self) -> str:
        """Looks within five minutes that found a number."""
        return f"sum_over_time((max({parse(self.bad or self.good)} >= bool 0))[5m:{LOOK_SECONDS}s])"

    def bad_expr(self) -> str:
        """The sum of their bad shares. What is no share, such as per cent, makes all of them bad, which is noticed."""
        share = f"avg({parse(self.bad or self.good)} >= 0)"
        bad = share if self.bad else f"abs(1 - {share})"
        return f"sum_over_time(clamp_max({bad}, 1)[5m:{LOOK_SECONDS}s])"

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty: nothing."""
        if bool(self.bad) == bool(self.good):
            return "a raw ratio takes either `bad` or `good`, one of them"
        return _unreadable(self.bad or self.good)


Indicator = Ratio | Latency | Freshness | Queue | Probe | RawRatio


def looks_per_minute(indicator: Indicator) -> float | None:
    """How many events a minute an indicator counts by itself; None: as many as there is traffic."""
    if isinstance(indicator, Probe):
        return 1 / PROBE_MINUTES
    return 60 / LOOK_SECONDS if isinstance(indicator, Freshness | Queue | RawRatio) else None


def bound(seconds: float) -> str:
    """A bucket's bound as Prometheus 3 stores it: `1.0`, `0.5`."""
    return str(float(seconds))


def _looks(expr: str) -> str:
    return f"count_over_time(({expr})[5m:{LOOK_SECONDS}s])"


def _rest(total: str, good: str) -> str:
    # Extrapolation treats the two counters not quite alike: a hair below zero is zero.
    return f"clamp_min({total} - ({good} or vector(0)), 0)"


def _unreadable(*selectors: str) -> str:
    for each in selectors:
        try:
            parse(each).example()
        except ValueError as error:
            return str(error)
    return ""
