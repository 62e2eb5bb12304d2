"""docs/dashboards.md: every page and panel with what its queries answer over an hour of made-up series.

`python -m tests.data.dashboard_listing > docs/dashboards.md` renews it; a test fails while it is out of date.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from components.observability.dashboards import DASHBOARDS, Dashboard, Logs, Panel, Table
from tests.data.dashboard_servers import Prometheus, filled, prometheus

PICKED = {"slo": "api-availability"}
"""What is picked where only one value can be."""
SHOWN = 8
"""Series of a panel that are listed."""
HEAD = """\
# Dashboards

Written by `python -m tests.data.dashboard_listing > docs/dashboards.md` from `components/observability/dashboards/`; a
test fails while it is out of date. Grafana shows these pages; nobody edits them there.

The values are what the genuine Prometheus answered to each query. Its series are made up: an hour of an environment
with a trouble in its second half (`tests/data/dashboard_hour.py`), under the names and labels that the real exporters
use (`tests/data/metrics_known.py`). A line such as `▂▂▅█▃▂` is that hour, from the lowest to the highest value of its
series. Panels with logs are asked of the genuine Loki by the tests. There are no pictures: Grafana does not run
in the tests.

"""
BARS = "▁▂▃▄▅▆▇█"


class NoData(Exception):
    """Panels that show nothing in an hour in which everything happens."""


def listing(server: Prometheus) -> str:
    """The page. Raises NoData."""
    index = "".join(f"- [{page.title}](#{page.title.lower()}), `/d/{page.uid}`\n" for page in DASHBOARDS)
    return f"{HEAD}{index}\n" + "\n".join(_page(server, page) for page in DASHBOARDS)


def _page(server: Prometheus, page: Dashboard) -> str:
    picks = ", ".join(f"`{each.name}` ({'several' if each.several else 'one'})" for each in page.variables)
    head = f"## {page.title}\n\n" + (f"Picked at the head of the page: {picks}.\n\n" if picks else "")
    return head + "\n".join(_panel(server, page, panel) for panel in page.panels)


def _panel(server: Prometheus, page: Dashboard, panel: Panel) -> str:
    kind = type(panel).__name__.lower()
    head = f"### {panel.title} ({kind})\n\n"
    if isinstance(panel, Logs):
        return f"{head}`{panel.query}`\n"
    rows: list[str]
    if isinstance(panel, Table):
        rows = _rows(server, page, panel)
    else:
        rows = ["| series | at the end | highest | over the hour |", "|---|---|---|---|"]
        series = [
            f"| {_legend(legend, labels)} | {_number(values[-1], panel.unit)} | {_number(max(values), panel.unit)} "
            f"| {_bars(values)} |"
            for legend, query in panel.queries.items()
            for labels, values in server.course(filled(query, page.variables, PICKED))
        ]
        if not series:
            raise NoData(f"{page.uid}: “{panel.title}” shows nothing")
        rows += sorted(series)[:SHOWN]
        if len(series) > SHOWN:
            rows.append(f"| {len(series) - SHOWN} more | | | |")
    return head + "\n".join(rows) + "\n"


def _rows(server: Prometheus, page: Dashboard, table: Table) -> list[str]:
    cells: dict[str, dict[str, float]] = {}
    for title, query in table.queries.items():
        answer = server.newest(filled(query, page.variables, PICKED))
        if not answer:
            raise NoData(f"{page.uid}: column “{title}” of “{table.title}” is empty")
        for labels, value in answer:
            assert set(labels) == {table.key}, f"{page.uid}: “{title}” of “{table.title}” keeps {set(labels)}"
            cells.setdefault(labels[table.key], {})[title] = value
    column, highest = table.first
    keys = sorted(cells, key=lambda key: cells[key].get(column, float("inf")) * (-1 if highest else 1))
    titles = list(table.queries)
    return [
        f"| {table.key} | {' | '.join(titles)} |",
        "|---" * (len(titles) + 1) + "|",
        *(
            f"| {key} | "
            + " | ".join(
                _number(cells[key][title], table.units[title]) if title in cells[key] else "" for title in titles
            )
            + " |"
            for key in keys
        ),
    ]


def _legend(legend: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend).strip() or "all"


def _number(value: float, unit: str) -> str:
    match unit:
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "bytes":
            power = next((power for power in (3, 2, 1) if value >= 1000 * 1024 ** (power - 1)), 0)
            return f"{value / 1024**power:.3g} {('B', 'KiB', 'MiB', 'GiB')[power]}"
        case "s":
            return _duration(value)
        case "short":
            return _short(value)
        case _:
            return f"{_short(value)} {unit}"


def _short(value: float) -> str:
    for power, letter in ((9, " G"), (6, " M"), (3, " k")):
        if abs(value) >= 10**power:
            return f"{value / 10**power:.3g}{letter}"
    return f"{value:.3g}"


def _duration(seconds: float) -> str:
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {name}"
    return f"{seconds:.3g} s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:.3g} ms"


def _bars(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    # A wave in the last digit is none.
    if high - low <= 1e-9 * max(abs(high), 1):
        return BARS[0] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as running:
        print(listing(running), end="")
