"""What an environment says of a promise; what is counted, and how, the component knows."""

from typing import NamedTuple

from components.observability.alert import Severity
from components.slo.indicators import Indicator
from components.slo.objective import Slo, Workload


class Promise(NamedTuple):
    """The values of one promise."""

    objective: float
    """Share of events that must be good, e.g. 0.995."""
    window_days: int
    """Over how many days: 28 or 30."""
    page: Severity
    """P0 or P1: how urgent it is when the budget burns fast."""
    owner: str
    """Who answers for it."""
    quiet_rate: float | None = None
    """Events a minute in a quiet hour; None where the indicator has a pace of its own."""

    def of(self, service: str, kind: str, title: str, indicator: Indicator, workload: Workload | None) -> Slo:
        """The SLO called `<service>-<kind>`. `title`: what users are promised, a sentence."""
        return Slo(
            name=f"{service}-{kind}",
            service=service,
            title=title,
            objective=self.objective,
            window_days=self.window_days,
            indicator=indicator,
            owner=self.owner,
            page=self.page,
            quiet_rate=self.quiet_rate,
            workload=workload,
        )
