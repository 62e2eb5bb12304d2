"""What makes an alert fire and what does not: histories of metrics, a sample a minute in promtool's notation."""

from typing import NamedTuple

API, PG, POD = 'namespace="n",job="api"', 'namespace="n",job="postgres-main"', 'namespace="n",pod="p-0",container="c"'


class Case(NamedTuple):
    """Two histories, both judged at `minute`; a series is text as in PromQL, its values as promtool writes them."""

    trips: dict[str, str]
    near_miss: dict[str, str]
    minute: int = 30


def one(series: str, trips: str, near_miss: str, minute: int = 30) -> Case:
    """A single series."""
    return Case({series: trips}, {series: near_miss}, minute)


def against(series: str, trips: str, near_miss: str, other: str, value: str) -> Case:
    """A series compared with another one that stays as it is."""
    return Case({series: trips, other: value}, {series: near_miss, other: value})


def durations(metric: str, bounds: dict[str, int], labels: str = API) -> dict[str, str]:
    """Cumulative buckets: upper bound -> requests a minute at or below it."""
    return {f'{metric}{{{labels},le="{bound}"}}': f"0+{count}x40" for bound, count in bounds.items()}
