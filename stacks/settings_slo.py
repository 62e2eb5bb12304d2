"""The sections `slos` of an environment file: what is promised, beside what promises it."""

from typing import Annotated, Literal

from pydantic import Field

from components.observability.alert import Severity
from components.slo.promise import Promise
from stacks.settings_section import Section

Objective = Annotated[float, Field(ge=94, lt=100)]
"""Per cent. Below 94 even a total outage would burn the budget too slowly to call anybody."""


class SloSettings(Section):
    """One promise, counted at a pace of its own."""

    objective: Objective = Field(description="Per cent that must be good, e.g. 99.5.")
    window_days: Literal[28, 30] = Field(30, description="Over how many days.")
    page: Literal["P0", "P1"] = Field("P1", description="How urgent it is when the budget burns fast.")

    def promise(self, owner: str) -> Promise:
        """The promise; `owner` answers for it."""
        return Promise(round(self.objective / 100, 9), self.window_days, Severity(self.page), owner)


class EventSloSettings(SloSettings):
    """One promise, counted in events."""

    quiet_rate: Annotated[float, Field(gt=0)] = Field(
        description="Events a minute in a quiet hour: the least traffic at which it must still call somebody."
    )

    def promise(self, owner: str) -> Promise:
        """The promise; `owner` answers for it."""
        return super().promise(owner)._replace(quiet_rate=self.quiet_rate)


class TimedEventSloSettings(EventSloSettings):
    """One promise, counted in events that must end in time."""

    seconds: Annotated[float, Field(gt=0)] = Field(description="The longest time that is good; a bucket's bound.")


class TimedSloSettings(SloSettings):
    """One promise about the age of something."""

    seconds: Annotated[float, Field(gt=0)] = Field(description="The greatest age that is good.")


class ServiceSlos(Section):
    """What a service promises."""

    availability: EventSloSettings | None = Field(None, description="Requests without a fault of ours (5xx).")
    latency: TimedEventSloSettings | None = Field(None, description="Requests answered in time.")
    errors: EventSloSettings | None = Field(None, description="Requests without a fault nobody foresaw (500).")
    reachable: SloSettings | None = Field(None, description="Probes of its hosts from outside that succeed.")


class WorkerSlos(Section):
    """What a worker promises."""

    delivery: TimedEventSloSettings | None = Field(None, description="Jobs done in time, from being queued on.")
    model: TimedEventSloSettings | None = Field(None, description="Answers of the language model in time.")
    ticks: TimedSloSettings | None = Field(None, description="The last tick is not long ago.")


class KeycloakSlos(Section):
    """What sign-in promises."""

    availability: EventSloSettings | None = Field(None, description="Requests without a fault of ours.")
    latency: TimedEventSloSettings | None = Field(None, description="Requests answered in time.")


class PostgresSlos(Section):
    """What a database promises."""

    durability: TimedSloSettings | None = Field(
        None, description="What was written stands in the archive `seconds` later at the latest."
    )
