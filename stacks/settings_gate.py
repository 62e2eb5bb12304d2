"""The sections `mainstay:gate` and `mainstay:status`: what follows from the error budgets."""

from typing import Annotated

from pydantic import Field

from stacks.settings import Name
from stacks.settings_section import Section

Url = Annotated[str, Field(pattern=r"^https?://[^@/\s]+(/[^@\s]*)?$")]
"""Without a user and a password."""
Text = Annotated[str, Field(min_length=1, max_length=80)]


class GateSettings(Section):
    """Whether a change waits for the error budgets."""

    prometheus: Url = Field(description="Address of the environment's Prometheus, as reached from where one deploys.")
    unreachable: Annotated[str, Field(pattern="^(refuse|allow)$")] = Field(
        "refuse", description="What becomes of a risky change while Prometheus cannot be asked."
    )


class StatusPageSettings(Section):
    """What everybody may know."""

    title: Text = Field(description="Heading of the page, e.g. the product's name.")
    slos: Annotated[dict[Name, Text], Field(min_length=1)] = Field(
        description="SLO -> what the public calls it, in this order. An SLO that is not here is not on the page."
    )
