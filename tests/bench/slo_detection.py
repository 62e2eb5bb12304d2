"""How soon an outage is told: computed from the burn rates, and measured on promtool, by these rules and Sloth's."""

import itertools
import json
import math
import random
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.observability.alert import Severity
from components.slo.objective import Slo
from components.slo.promise import Promise
from components.slo.rules import rules
from components.workload.slos import availability
from devcluster import checks
from tests.bench import sloth

OBJECTIVE = 0.995
SAMPLE = 30
"""Seconds between samples, as Mainstay scrapes; rules are evaluated each minute."""
HOUR, DAY = 60, 24 * 60
TOLD = {
    "page": ('alertname="SLOBurnsFast"', 'severity="page"', ((14.4, HOUR), (6, 6 * HOUR))),
    "ticket": ('alertname="SLOBurnsSlowly"', 'severity="ticket"', ((3, DAY), (1, 3 * DAY))),
}
"""The alert here, in Sloth's rules, and the burn rates that call, each with its longer window in minutes."""


_MISSED = 2
"""Minutes without a scrape that are no outage yet."""


class Outage(NamedTuple):
    """What happens after a healthy past."""

    name: str
    rate: float
    """Requests a minute."""
    share: float
    """Of them that fail."""
    told: str
    """`page` or `ticket`."""
    lasts: int
    """Minutes; then an hour in which all is well."""
    gone: bool = False
    """Nothing answers, so nothing is counted either."""

    @property
    def past(self) -> int:
        """Minutes before it: the longest window that is asked, so that it is full."""
        return max(window for _, window in TOLD[self.told][2])

    @property
    def slo(self) -> Slo:
        """What is promised of the service."""
        return availability("api", Promise(OBJECTIVE, 30, Severity.P0, "product", self.rate))

    def computed(self) -> float | None:
        """Minutes from the first failure until a burn rate is exceeded and enough has failed; None: never."""
        found: list[float] = []
        for factor, window in TOLD[self.told][2]:
            exceeding = math.floor(factor * self.slo.budget * self.rate * window) + 1
            wait = (max(exceeding, self.slo.minimum) - 1) / (self.rate * self.share)
            if wait < min(window, self.lasts):
                found.append(wait)
        return min(found) + (_MISSED if self.gone else 0) if found else None


OUTAGES = [
    Outage("all fail", 600, 1, "page", 30),
    Outage("10 % fail", 600, 0.1, "page", 2 * HOUR),
    Outage("1 % fail", 600, 0.01, "ticket", 3 * DAY),
    Outage("nothing answers", 600, 1, "page", 30, gone=True),
    Outage("all fail", 1, 1, "page", 30),
    Outage("10 % fail", 1, 0.1, "page", 2 * HOUR),
    Outage("1 % fail", 1, 0.01, "ticket", 3 * DAY),
    Outage("a single one fails", 1 / 6, 1, "page", 6),
]


class Row(NamedTuple):
    """Minutes from an outage's begin until it is told; None: never."""

    outage: Outage
    computed: float | None
    mainstay: float | None
    sloth: float | None


def measured() -> dict[str, list[str]]:
    """Every outage, by both sets of rules."""
    return {
        "How soon an outage is told": [
            f"An SLO of {OBJECTIVE:.1%} over 30 days; from the first failure until the alert fires, before "
            "Alertmanager's own patience. Computed: until the first pair of burn rates is exceeded, and as much has "
            "failed as the SLO asks for. Measured: on promtool, with a sample each 30 s and a round of rules each "
            "minute; the healthy past is as long as the longest window.",
            "",
            *table(rows()),
        ]
    }


def rows() -> list[Row]:
    """Every outage, by both sets of rules."""
    promtool = checks.ensure("promtool", print)
    found: list[Row] = []
    for outage in OUTAGES:
        slo = outage.slo
        ours, theirs, _ = TOLD[outage.told]
        found.append(
            Row(
                outage,
                outage.computed(),
                _told(promtool, outage, rules([slo], "https://runbooks.example"), ours),
                _told(promtool, outage, sloth.rules([slo]), theirs),
            )
        )
    return found


def _told(promtool: Path, outage: Outage, groups: Sequence[dict[str, Any]], alert: str) -> float | None:
    """Minutes until the alert fires. Promtool says what it got where something else was expected."""
    history, end = _history(outage), outage.past + outage.lasts + HOUR
    fired = f'min(min_over_time(timestamp(ALERTS{{{alert},alertstate="firing"}})[{end}m:{SAMPLE}s]))'
    check: dict[str, Any] = {"expr": f"{fired} / 60 - {history.first:.3f}", "eval_time": f"{end}m", "exp_samples": []}
    series = [{"series": name, "values": " ".join(values)} for name, values in history.series.items()]
    proof: dict[str, Any] = {
        "rule_files": ["rules.json"],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in groups],
        "tests": [{"interval": f"{SAMPLE}s", "input_series": series, "promql_expr_test": [check]}],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.json").write_text(json.dumps({"groups": list(groups)}))
        (folder / "proof.json").write_text(json.dumps(proof))
        command = [promtool, "test", "rules", folder / "proof.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.returncode:
        return None
    got = re.search(r'got: *"?\{\} ([\d.E+-]+)', done.stdout + done.stderr)
    if got is None:
        raise RuntimeError(done.stdout + done.stderr)
    return float(got[1])


class _History(NamedTuple):
    """Samples of what the service and Kubernetes expose."""

    series: dict[str, list[str]]
    first: float
    """Minutes until the first failure."""


def _history(outage: Outage) -> _History:
    """Requests come at the rate, each at some time of its own; failures are spread evenly among them."""
    chance = random.Random(0)  # noqa: S311 (not for secrets)
    requests = ((number + chance.random()) / outage.rate for number in itertools.count())
    good, bad, first = 0, 0, float(outage.past)
    within, request = 0, next(requests)
    counts: list[tuple[str, str]] = []
    end = outage.past + outage.lasts
    seconds = range(0, (end + HOUR) * 60 + SAMPLE, SAMPLE)
    for at in seconds:
        while request * 60 <= at:
            within += outage.past < request <= end
            if int(within * outage.share + 1e-9) > bad:
                bad += 1
                first = request if bad == 1 else first
            else:
                good += 1
            request = next(requests)
        away = outage.gone and outage.past < at / 60 <= end
        counts.append(("stale", "stale") if away else (str(good), str(bad)))
    answers = 'http_request_duration_seconds_count{job="api",status="%s"}'
    series = {
        answers % 200: [of_good for of_good, _ in counts],
        answers % 503: [of_bad for _, of_bad in counts],
        'up{job="api",instance="a"}': ["stale" if each == "stale" else "1" for each, _ in counts],
        'kube_deployment_spec_replicas{deployment="api"}': ["1"] * len(seconds),
    }
    return _History(series, float(outage.past) if outage.gone else first)


def table(rows: Sequence[Row]) -> list[str]:
    """As Markdown."""

    def minutes(value: float | None) -> str:
        if value is None:
            return "never"
        return f"{value / HOUR:.1f} h" if value >= 3 * HOUR else f"{value:.0f} min"

    return [
        "| requests a minute | what happens | told by | computed | measured | Sloth, measured |",
        "|---:|---|---|---:|---:|---:|",
        *(
            f"| {row.outage.rate:.3g} | {row.outage.name} | {row.outage.told} | {minutes(row.computed)} | "
            f"{minutes(row.mainstay)} | {minutes(row.sloth)} |"
            for row in rows
        ),
    ]


if __name__ == "__main__":
    print(*table(rows()), sep="\n")
