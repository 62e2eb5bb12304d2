"""A scenario: what happens to a service, and what the rules must make of it."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.observability.alert import Severity
from components.slo.alerts import EXHAUSTED, FAST, SLOW
from components.slo.histories import Series
from components.slo.objective import FASTEST, Slo

PAGE = FAST["name"]
BURNS = "|".join(each["name"] for each in (FAST, SLOW, EXHAUSTED))
"""Alerts that say that something goes wrong."""


class Check(NamedTuple):
    """What an expression must yield at a minute: a number, or series with labels and a value."""

    step: int
    expr: str
    samples: Sequence[tuple[str, float]]


class Scenario(NamedTuple):
    """What happens, and what must follow."""

    name: str
    series: Series
    checks: Sequence[Check]


def traffic_of(slo: Slo) -> float:
    """Events a minute: never less than a quiet hour has, and enough for the fewest bad events that count."""
    return float(math.ceil(max(slo.rate, 5 * slo.minimum / (FASTEST * slo.budget * 60))))


def inventory(slo: Slo) -> dict[str, str]:
    """The labels of the SLO in the inventory, and so of its alerts."""
    labels = {
        "slo": slo.name,
        "service": slo.service,
        "owner": slo.owner,
        "page": str(slo.page),
        "window": f"{slo.window_days}d",
    }
    return labels | ({"workload": f"{slo.workload.kind}/{slo.workload.name}"} if slo.workload else {})


def fires(step: int, name: str, severity: Severity, labels: Mapping[str, str]) -> Check:
    """The alert fires once for the SLO that `labels` name, and is labelled so."""
    every = {"alertname": name, "alertstate": "firing", "severity": str(severity), **labels}
    written = ",".join(f'{label}="{value}"' for label, value in every.items())
    expr = f'ALERTS{{alertname="{name}",alertstate="firing",slo="{labels["slo"]}"}}'
    return Check(step, expr, [(f"ALERTS{{{written}}}", 1)])


def alert(step: int, name: str, slo: str, count: int) -> Check:
    """Whether the alert fires for an SLO."""
    expr = f'count(ALERTS{{alertname="{name}",alertstate="firing",slo="{slo}"}}) or vector(0)'
    return Check(step, expr, [("{}", count)])


def never(names: str, until: int) -> Check:
    """None of the alerts has fired so far, for whatever SLO."""
    expr = f'count(max_over_time(ALERTS{{alertname=~"{names}",alertstate="firing"}}[40d])) or vector(0)'
    return Check(until, expr, [("{}", 0)])


def holds(step: int, condition: str) -> Check:
    """A comparison of one series, which yields 1."""
    return Check(step, f"sum({condition})", [("{}", 1)])


def counted(step: int, selector: str, count: int) -> Check:
    """How many series there are."""
    return Check(step, f"count({selector}) or vector(0)", [("{}", count)])


def near(expr: str, value: float) -> str:
    """The condition that an expression yields `value`, to a thousandth."""
    return f"abs({expr} - {value:.12g}) < bool {max(abs(value), 1e-3) / 1e3:.6g}"
