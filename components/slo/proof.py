"""Tests of the rules of an SLO, as files of `promtool test rules`: each says what happens, and what must follow."""

from collections.abc import Sequence
from typing import Any

from components.slo.episodes import minutes
from components.slo.objective import Slo
from components.slo.rules import BUDGET_GROUP, BURN_GROUP
from components.slo.scenario import Scenario
from components.slo.windows import FAST_STEP, SLOW_STEP, WINDOW_STEP, days, forgets, hours


def proofs(slo: Slo, rule_file: str) -> dict[str, dict[str, Any]]:
    """File name -> promtool test file. `rule_file`: holds at least the groups of `rules([slo], …)`."""
    return {
        f"{slo.name}.minutes.test.yaml": _file(slo, rule_file, 1, minutes(slo)),
        f"{slo.name}.hours.test.yaml": _file(slo, rule_file, FAST_STEP, hours(slo)),
        f"{slo.name}.days.test.yaml": _file(slo, rule_file, SLOW_STEP, days(slo)),
    }


def window_proof(slo: Slo, rule_file: str) -> dict[str, Any]:
    """A test of the budget over the whole window. The rule is shared: one SLO of each window will do."""
    return _file(slo, rule_file, WINDOW_STEP, [forgets(slo)])


def _file(slo: Slo, rule_file: str, step: int, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    return {
        "rule_files": [rule_file],
        "evaluation_interval": f"{step}m",
        # Promtool evaluates every group at every step, whatever its interval.
        "group_eval_order": [f"slo-{slo.name}", BURN_GROUP, BUDGET_GROUP],
        "tests": [
            {
                "name": f"{slo.name}: {scenario.name}",
                "interval": f"{step}m",
                "input_series": [{"series": name, "values": values} for name, values in scenario.series.items()],
                "promql_expr_test": [
                    {
                        "expr": check.expr,
                        "eval_time": f"{check.step * step}m",
                        "exp_samples": [{"labels": labels, "value": value} for labels, value in check.samples],
                    }
                    for check in scenario.checks
                ],
            }
            for scenario in scenarios
        ],
    }
