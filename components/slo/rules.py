"""Prometheus' rules of all SLOs: four recordings for each, and a fixed number for all together.

Recorded, labels in brackets:
    slo:bad:increase5m      [slo]   bad events of the last five minutes
    slo:total:increase5m    [slo]   all events of the last five minutes
    slo:bad:minimum         [slo]   the least number of bad events that may alert
    slo:error_budget:ratio  [slo, service, owner, page, window, workload]   the inventory: the share that may be bad
    slo:burn:ratio5m … 3d   [as the inventory]   how many times too fast the budget burns
    slo:bad:events, slo:total:events   [slo]   events of the SLO's whole window
    slo:budget_left:ratio   [as the inventory]   1: untouched, 0: spent, below 0: overspent

Ratios are of sums of events, never means of ratios. Counts carry no label but `slo`, so that an SLO keeps its history
when its owner changes; whatever has left the inventory is no longer computed.
"""

from collections.abc import Sequence
from typing import Any

from components.observability import alert
from components.observability.alert import Level
from components.slo.alerts import BURN_WINDOWS, EXHAUSTED, FAST, MINUTES_OF_AN_INCREASE, PAGES, SLOW, WITHOUT_DATA
from components.slo.indicators import looks_per_minute
from components.slo.objective import Slo, Workload, problems

RULES_PER_SLO = 4
BURN_GROUP, BUDGET_GROUP = "slo-burn", "slo-budget"

Rule = dict[str, Any]


def rules(
    slos: Sequence[Slo], runbooks: str, dashboards: str | None = None, escalation: Sequence[Level] = ()
) -> list[dict[str, Any]]:
    """Rule groups for a PrometheusRule: one an SLO, and two for all of them; none where there is no SLO.

    `runbooks`: URL the alerts' pages are below. `dashboards`: URL of Grafana, without which no alert has a link to a
    dashboard. `escalation`: who is told of a page that still fires. Raises ValueError, a sentence a line, where an SLO
    is wrong.
    """
    if found := problems(slos):
        raise ValueError("\n".join(found))
    own = [{"name": f"slo-{slo.name}", "interval": "60s", "rules": recordings(slo)} for slo in slos]
    return own + _shared(sorted({slo.window_days for slo in slos}), runbooks, dashboards, escalation) if own else []


def recordings(slo: Slo) -> list[Rule]:
    """The rules of one SLO. Bad before total: both must see the same past of the total."""
    labels = {"slo": slo.name}
    inventory = {
        **labels,
        "service": slo.service,
        "owner": slo.owner,
        "page": str(slo.page),
        "window": f"{slo.window_days}d",
    }
    if slo.workload:
        inventory["workload"] = f"{slo.workload.kind}/{slo.workload.name}"
    bad, total = slo.indicator.bad_expr(), slo.indicator.total_expr()
    lost = f"{_lost(slo, slo.workload)}\nor\n" if slo.workload else ""
    return [
        # Before the first failure there is no series of failures.
        {"record": "slo:bad:increase5m", "expr": f"{lost}{bad}\nor\nvector(0)", "labels": labels},
        {"record": "slo:total:increase5m", "expr": f"{lost}{total}", "labels": labels},
        {"record": "slo:bad:minimum", "expr": f"vector({slo.minimum})", "labels": labels},
        {"record": "slo:error_budget:ratio", "expr": f"vector({slo.budget:.9g})", "labels": inventory},
    ]


def _lost(slo: Slo, workload: Workload) -> str:
    """What a service that should be there and is not fails to do: as much as in the hour before, a quiet hour at least.

    The quiet rate alone would hardly count beside the past hour of a busy service; looks have one pace at all times. A
    single missed scrape is no outage.
    """
    quiet = f"{slo.rate * MINUTES_OF_AN_INCREASE:g}"
    lost = f"vector({quiet})"
    if looks_per_minute(slo.indicator) is None:
        lost = f'(max(avg_over_time(slo:total:increase5m{{slo="{slo.name}"}}[1h])) > {quiet} or {lost})'
    return (
        f"(\n  {lost}\n"
        f"  and (max({workload.desired()}) > 0\n"
        f'    unless sum(max_over_time(up{{job="{slo.service}"}}[2m])) > 0)\n)'
    )


def _shared(
    windows: Sequence[int], runbooks: str, dashboards: str | None, escalation: Sequence[Level]
) -> list[dict[str, Any]]:
    def rule(each: alert.Alert) -> list[Rule]:
        return alert.rules(each, each.get("owner", ""), runbooks, dashboards, escalation)

    pages: list[Rule] = []
    for severity in PAGES:
        # The longer window comes first in each pair, and its labels are the alert's.
        picked = f'{{page="{severity}"}}'
        expr = FAST["expr"].replace("ratio1h", f"ratio1h{picked}").replace("ratio6h", f"ratio6h{picked}")
        # What is told to the next level is told once, whatever the severity.
        pages += [each for each in rule({**FAST, "severity": severity, "expr": expr}) if each not in pages]
    tickets = [each for one in (SLOW, EXHAUSTED, WITHOUT_DATA) for each in rule(one)]
    fast, slow = ([_burn(window) for window in BURN_WINDOWS[pace]] for pace in ("fast", "slow"))
    return [
        {"name": BURN_GROUP, "interval": "60s", "rules": [*fast, *pages]},
        # These read days, so less often; yet within the five minutes for which Prometheus remembers a value.
        {"name": BUDGET_GROUP, "interval": "4m", "rules": [*slow, *_budget(windows), *tickets]},
    ]


def _burn(window: str) -> Rule:
    return {
        "record": f"slo:burn:ratio{window}",
        "expr": (
            f"sum_over_time(slo:bad:increase5m[{window}])\n"
            f"  / (sum_over_time(slo:total:increase5m[{window}]) > 0)\n"
            "  / on (slo) group_right () slo:error_budget:ratio"
        ),
    }


def _budget(windows: Sequence[int]) -> list[Rule]:
    def events(kind: str) -> Rule:
        return {
            "record": f"slo:{kind}:events",
            "expr": "\nor\n".join(
                f"(sum_over_time(slo:{kind}:increase5m[{days}d]) / {MINUTES_OF_AN_INCREASE}\n"
                f'  and on (slo) slo:error_budget:ratio{{window="{days}d"}})'
                for days in windows
            ),
        }

    return [
        events("bad"),
        events("total"),
        {
            "record": "slo:budget_left:ratio",
            # Nothing happened, nothing is spent: never 0 / 0.
            "expr": (
                "1 - slo:bad:events / clamp_min(slo:total:events, 1)\n"
                "  / on (slo) group_right () slo:error_budget:ratio"
            ),
        },
    ]
