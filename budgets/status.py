"""The state of every SLO now: what is left of its budget, how fast that burns, how long it will last."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from budgets import BudgetsError
from budgets.prometheus import Prometheus, Sample

DAY = 86_400
_STEP = 300
_REST = 1e-9
"""What rounding may leave of a budget that is spent to the last event."""


@dataclass(frozen=True)
class Objective:
    """A promise, as Prometheus' inventory of SLOs has it."""

    slo: str
    service: str
    owner: str
    page: str
    """P0 or P1: how urgent it is when the budget burns fast."""
    objective: float
    """Share of events that must be good."""
    window_days: int


@dataclass(frozen=True)
class Budget:
    """An SLO now. None is what Prometheus cannot tell: no sample, or nothing happened."""

    promise: Objective
    attained: float | None
    """Share of the window's events that were good."""
    left: float | None
    """1: untouched, 0: spent, -1: spent twice."""
    burn_1h: float | None
    """1: just fast enough to be spent at the end of the window."""
    burn_6h: float | None
    hours_left: float | None
    """Until it is spent, at the pace of the last six hours; None if it is spent, or if nothing burns."""
    bad: float | None
    """Events of the window that were not good."""
    total: float | None
    """Events of the window."""
    exhausted_since: int | None
    """Unix seconds; None unless it is spent."""

    @property
    def exhausted(self) -> bool:
        """Nothing is left of it."""
        return self.left is not None and self.left <= _REST

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def inventory(prometheus: Prometheus, at: int) -> list[Objective]:
    """All SLOs by name. Raises BudgetsError if there is none: then nothing at all is known."""
    found = {sample.labels["slo"]: objective(sample) for sample in prometheus.instant("slo:error_budget:ratio", at)}
    if not found:
        raise BudgetsError(
            f"Prometheus at {prometheus.url} knows no SLO (it has no series slo:error_budget:ratio): declare SLOs and "
            "deploy, or correct the address."
        )
    return [found[name] for name in sorted(found)]


def objective(sample: Sample) -> Objective:
    """A sample of the inventory, read."""
    labels = sample.labels
    window = labels.get("window", "").removesuffix("d")
    return Objective(
        slo=labels["slo"],
        service=labels.get("service", ""),
        owner=labels.get("owner", ""),
        page=labels.get("page", ""),
        objective=round(1 - sample.value, 9),
        window_days=int(window) if window.isdigit() else 30,
    )


def ask(prometheus: Prometheus, now: int) -> list[Budget]:
    """Every SLO, least budget first, those without data last. Raises BudgetsError, Unreachable."""
    promises = inventory(prometheus, now)
    left, burn_1h, burn_6h, bad, total = (
        _by_slo(prometheus.instant(series, now))
        for series in (
            "slo:budget_left:ratio",
            "slo:burn:ratio1h",
            "slo:burn:ratio6h",
            "slo:bad:events",
            "slo:total:events",
        )
    )
    budgets: list[Budget] = []
    for promise in promises:
        name = promise.slo
        rest, burn = left.get(name), burn_6h.get(name)
        spent = rest is not None and rest <= _REST
        budgets.append(
            Budget(
                promise=promise,
                attained=1 - bad[name] / total[name] if total.get(name) and name in bad else None,
                left=rest,
                burn_1h=burn_1h.get(name),
                burn_6h=burn,
                hours_left=rest * promise.window_days * 24 / burn if rest and burn and not spent else None,
                bad=bad.get(name),
                total=total.get(name),
                exhausted_since=_since(prometheus, promise, now) if spent else None,
            )
        )
    return sorted(budgets, key=lambda each: (each.left is None, each.left or 0.0, each.promise.slo))


def exhausted(budgets: Sequence[Budget]) -> list[Budget]:
    """Those with nothing left."""
    return [each for each in budgets if each.exhausted]


def _since(prometheus: Prometheus, promise: Objective, now: int) -> int | None:
    """Since when, without a break, there is nothing left; at the most one window ago."""
    query = f'slo:budget_left:ratio{{slo="{promise.slo}"}}'
    start = now - promise.window_days * DAY
    series = prometheus.range(query, start - start % _STEP, now - now % _STEP, _STEP)
    # Its labels may have changed with its owner: what counts is the time.
    since: int | None = None
    for time, left in sorted(point for each in series for point in each.points):
        since = (since or time) if left <= _REST else None
    return since


def _by_slo(samples: Sequence[Sample]) -> Mapping[str, float]:
    return {sample.labels["slo"]: sample.value for sample in samples if "slo" in sample.labels}
