"""An SLO: what users are promised of a service, how it is counted, and who is called when it is not kept."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from components.observability.alert import Severity
from components.slo.indicators import Indicator, looks_per_minute

WINDOWS = (28, 30)
FASTEST = 14.4
"""The burn rate that pages within the hour: 2 % of a 30-day budget an hour."""
_LEAST = 0.94
"""Below this not even a total outage would burn FASTEST times as fast as promised: 1 / 14.4 = 6.9 %."""
_CHANCE = 1e-4
"""How likely a false page an hour may be at the quiet rate while the promise is just kept: less than one a year."""

_MANY = 10_000
"""From so many bad events an hour on, a normal distribution is as good, and needs no sum."""
_DEVIATIONS = 3.72
"""So many standard deviations above the mean has the chance _CHANCE in a normal distribution."""


class Workload(NamedTuple):
    """The Kubernetes object whose desired replicas say that the service should be there."""

    kind: str
    """`Deployment` or `StatefulSet`."""
    name: str

    def desired(self) -> str:
        """PromQL: how many replicas it is meant to have."""
        if self.kind == "StatefulSet":
            return f'kube_statefulset_replicas{{statefulset="{self.name}"}}'
        return f'kube_deployment_spec_replicas{{deployment="{self.name}"}}'


class Slo(NamedTuple):
    """A service-level objective."""

    name: str
    """Unique in the environment, e.g. `api-availability`."""
    service: str
    """The `job` of the service's series."""
    title: str
    """One sentence for everyone: what users are promised."""
    objective: float
    """The share of events that must be good, e.g. 0.995."""
    window_days: int
    """Over how many days: 28 or 30."""
    indicator: Indicator
    """What is counted."""
    owner: str
    """Who answers for it."""
    page: Severity
    """P0 or P1: how urgent a page is when the budget burns fast."""
    quiet_rate: float | None = None
    """Events a minute in a quiet hour, the least traffic at which it must still page; None for looks and probes."""
    workload: Workload | None = None
    """Whose replicas say that the service should be there. None: it cannot vanish (a probe, an operator's pods)."""

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return round(1 - self.objective, 9)

    @property
    def rate(self) -> float:
        """Events a minute in a quiet hour."""
        return looks_per_minute(self.indicator) or self.quiet_rate or 0.0

    @property
    def minimum(self) -> int:
        """The least number of bad events that is more than bad luck.

        At the quiet rate, with the promise just kept, bad events come as a Poisson process; this many within an hour
        has a chance below _CHANCE. Never fewer than two: one failure says nothing. Above the quiet rate the burn rates
        ask for more than this; below it they would call for a single failure, and this number holds them back: pages
        and tickets alike, since one failure in a day of 240 events burns a budget of 0.1 % four times too fast.
        """
        expected = self.budget * self.rate * 60
        if expected > _MANY:
            return math.ceil(expected + _DEVIATIONS * math.sqrt(expected))
        tail, count = 1.0, 0
        while tail >= _CHANCE:
            # By logarithms: e to the power of minus a thousand would be zero, and the sum would never end.
            tail -= math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
            count += 1
        return max(2, count)


def problems(slos: Sequence[Slo]) -> list[str]:
    """What is wrong with them, a sentence each; empty: nothing."""
    found = [f"SLO {slo.name}: {problem}" for slo in slos for problem in _problems(slo)]
    names = [slo.name for slo in slos]
    return found + [
        f"SLO {name}: there are two of this name; rename one" for name in sorted(set(names)) if names.count(name) > 1
    ]


def _problems(slo: Slo) -> list[str]:
    found: list[str] = []
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,51}[a-z0-9])?", slo.name):
        found.append("a name is small letters, digits and dashes, 53 at most, such as api-availability")
    if slo.objective >= 1:
        found.append(f"an objective of {slo.objective:g} leaves no budget: write a share below 1, such as 0.995")
    elif slo.objective < _LEAST:
        found.append(
            f"an objective of {slo.objective:g} can never page, as even an outage burns too slowly: "
            f"promise {_LEAST:g} or more"
        )
    if slo.window_days not in WINDOWS:
        found.append(f"a window of {slo.window_days} days is not known: choose 28 (whole weeks) or 30")
    if slo.page not in (Severity.P0, Severity.P1):
        found.append(f"{slo.page} calls nobody: `page` is P0 or P1")
    if slo.workload and slo.workload.kind not in ("Deployment", "StatefulSet"):
        found.append(f"the replicas of a {slo.workload.kind} are not known: name a Deployment or a StatefulSet")
    own = looks_per_minute(slo.indicator)
    if own is None and not (slo.quiet_rate and slo.quiet_rate > 0):
        found.append("`quiet_rate` is missing: how many events a minute are there in a quiet hour?")
    if own is not None and slo.quiet_rate is not None:
        found.append(f"`quiet_rate` is not for a {type(slo.indicator).__name__}, which has its own pace: leave it out")
    if not slo.title.strip() or not slo.owner.strip() or not slo.service.strip():
        found.append("title, owner and service must say something")
    if problem := slo.indicator.problem():
        found.append(problem)
    return found
