"""A dashboard as plain data: a page is panels, and a panel is a title, a unit and its queries."""

import math
from typing import NamedTuple

Colours = tuple[tuple[float, str], ...]
"""From which value on -> which colour, upwards; the first stands for everything below the second."""

LOWEST = -math.inf
"""Where the first colour begins."""


def above(*bounds: float) -> Colours:
    """Green, and from each bound on a step worse: more is worse."""
    return ((LOWEST, "green"), *zip(bounds, ("yellow", "orange", "red", "dark-red"), strict=False))


BUDGET: Colours = ((LOWEST, "red"), (0, "orange"), (0.25, "green"))
"""Of a share that is left."""


class Chart(NamedTuple):
    """A graph over time."""

    title: str
    """What it shows."""
    unit: str
    """Grafana's unit: `reqps`, `percentunit`, `s`, `bytes`, `short`."""
    queries: dict[str, str]
    """Legend -> PromQL. The legend may hold `{{label}}`."""
    colours: Colours = ()
    """Drawn as lines at the values where one begins. Default: no lines."""
    exemplars: bool = False
    """Show single requests as points; each leads to its trace. Of histograms only."""
    width: int = 12
    """Of the page's 24 columns."""


class Stat(NamedTuple):
    """The newest value, as a number."""

    title: str
    """What it shows."""
    unit: str
    """As of a chart."""
    queries: dict[str, str]
    """Legend -> PromQL."""
    colours: Colours = ()
    """Of the number. Default: no colour."""
    page: str = ""
    """Uid of the page that tells more. Default: none."""
    width: int = 6
    """Of 24."""


class Table(NamedTuple):
    """The newest values, a row for each value of `key`."""

    title: str
    """What it shows."""
    key: str
    """The label that every query keeps, and no other."""
    queries: dict[str, str]
    """Title of a column -> PromQL."""
    units: dict[str, str]
    """Title of a column -> unit."""
    first: tuple[str, bool]
    """The column that rows are sorted by, and whether the highest comes first."""
    colours: dict[str, Colours]
    """Title of a column -> colours of its cells."""
    page: str = ""
    """Uid of the page that a row leads to; the key is handed to its variable of that name. Default: none."""
    width: int = 24
    """Of 24."""


class Logs(NamedTuple):
    """Lines of logs, the newest first."""

    title: str
    """What it shows."""
    query: str
    """LogQL."""
    width: int = 24
    """Of 24."""


Panel = Chart | Stat | Table | Logs


class Variable(NamedTuple):
    """What a person picks at the head of a page; queries read it as `$name`."""

    name: str
    """Its name in queries and addresses."""
    metric: str
    """Whose label values are offered."""
    label: str
    """That label."""
    several: bool = True
    """Several at once, and all of them to begin with; queries compare with `=~`. Default: yes."""


class Dashboard(NamedTuple):
    """One page."""

    uid: str
    """Its address, `/d/<uid>`; never changes."""
    title: str
    """Its name."""
    panels: list[Panel]
    """From left to right and downwards."""
    variables: tuple[Variable, ...] = ()
    """What is picked on it. Default: nothing."""

    @property
    def charts(self) -> list[Chart | Stat | Table]:
        """The panels that ask Prometheus."""
        return [panel for panel in self.panels if not isinstance(panel, Logs)]
