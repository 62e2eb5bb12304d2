"""What users are promised, and how much of the promise is used up: all of it, and one objective closely."""

from components.observability.dashboards.model import BUDGET, Chart, Dashboard, Stat, Table, Variable, above

_PICKED = '{slo=~"$slo"}'
_BURN_COLOURS = above(1, 3, 6, 14.4)
"""The burn rates from which an alert fires: over 3 days, 1 day, 6 hours, 1 hour."""


def _burn(window: str, picked: str = "") -> str:
    """How many times too fast the budget burns. No value while there is nothing to count."""
    return f"max by (slo) (slo:burn:ratio{window}{picked})"


def _left(picked: str = "") -> str:
    return f"min by (slo) (slo:budget_left:ratio{picked})"


def _exhausted_in(picked: str = "") -> str:
    """Seconds until nothing is left, at the pace of the last six hours. No value while nothing burns."""
    days = " or ".join(f'0 * slo:error_budget:ratio{{window="{days}d"}} + {days}' for days in (28, 30))
    left = f"clamp_min({_left(picked)}, 0)"
    return f"86400 * max by (slo) ({days}) * {left} / ({_burn('6h', picked)} > 0)"


FLEET = Dashboard(
    "slo-fleet",
    "SLOs",
    [
        Stat("Objectives", "short", {"": "count(slo:error_budget:ratio)"}),
        Stat(
            "Budgets used up",
            "short",
            {"": "count(min by (slo) (slo:budget_left:ratio) <= 0) or vector(0)"},
            above(1),
        ),
        Stat("Smallest budget left", "percentunit", {"": "min(slo:budget_left:ratio)"}, BUDGET),
        Stat(
            "Alerts that fire",
            "short",
            {"": 'count(ALERTS{slo!="",alertstate="firing",escalation=""}) or vector(0)'},
            above(1),
        ),
        Table(
            "Worst first",
            "slo",
            {
                "Budget left": _left(),
                "Burn (1 h)": _burn("1h"),
                "Burn (6 h)": _burn("6h"),
                "Used up in": _exhausted_in(),
                "Objective": "1 - max by (slo) (slo:error_budget:ratio)",
            },
            {
                "Budget left": "percentunit",
                "Burn (1 h)": "short",
                "Burn (6 h)": "short",
                "Used up in": "s",
                "Objective": "percentunit",
            },
            ("Budget left", False),
            {"Budget left": BUDGET, "Burn (1 h)": _BURN_COLOURS, "Burn (6 h)": _BURN_COLOURS},
            page="slo-detail",
        ),
        Chart("Budget left", "percentunit", {"{{slo}}": _left()}),
        Chart("Burn rate (1 h)", "short", {"{{slo}}": _burn("1h")}, _BURN_COLOURS),
    ],
)

DETAIL = Dashboard(
    "slo-detail",
    "SLO",
    [
        Stat(
            "Objective",
            "percentunit",
            {"": f"1 - max by (slo) (slo:error_budget:ratio{_PICKED})"},
            page="slo-fleet",
        ),
        Stat("Budget left", "percentunit", {"": _left(_PICKED)}, BUDGET),
        Stat("Burn rate (1 h)", "short", {"": _burn("1h", _PICKED)}, _BURN_COLOURS),
        Stat("Used up in, at the pace of 6 h", "s", {"": _exhausted_in(_PICKED)}),
        Chart("Budget left over the window", "percentunit", {"left": _left(_PICKED)}),
        Chart(
            "Burn rates: alerts from 14.4 (1 h), 6 (6 h), 3 (1 d), 1 (3 d)",
            "short",
            {window: _burn(window, _PICKED) for window in ("1h", "6h", "1d", "3d")},
            _BURN_COLOURS,
        ),
        Chart(
            "Events within five minutes",
            "short",
            {
                "all": f"sum by (slo) (slo:total:increase5m{_PICKED})",
                "bad": f"sum by (slo) (slo:bad:increase5m{_PICKED})",
            },
        ),
        Chart(
            "Events of the whole window",
            "short",
            {
                "all": f"sum by (slo) (slo:total:events{_PICKED})",
                "bad": f"sum by (slo) (slo:bad:events{_PICKED})",
            },
        ),
        Table(
            "Alerts",
            "alertname",
            {
                "Waits": 'count by (alertname) (ALERTS{slo=~"$slo",alertstate="pending",escalation=""})',
                "Fires": 'count by (alertname) (ALERTS{slo=~"$slo",alertstate="firing",escalation=""})',
            },
            {"Waits": "short", "Fires": "short"},
            ("Fires", True),
            {"Fires": above(1)},
        ),
    ],
    (Variable("slo", "slo:error_budget:ratio", "slo", several=False),),
)
