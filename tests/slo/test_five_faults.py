"""Five ways in which SLO arithmetic in use is wrong: what the usual expression says, and what these rules say."""

from pathlib import Path
from typing import Any

import pytest

from components.slo.histories import Series, State, Stretch, exposed
from components.slo.rules import BUDGET_GROUP, BURN_GROUP
from tests.slo import promtool as tool
from tests.slo.product_slos import SLOS

SLO = SLOS[0]._replace(objective=0.999, quiet_rate=1)
BAD = 'http_request_duration_seconds_count{job="api",status=~"5.."}'
ALL = 'http_request_duration_seconds_count{job="api"}'
MEAN = "slo:sli_error:ratio_rate5m"
USUAL: list[dict[str, Any]] = [
    {"record": MEAN, "expr": f"sum(rate({BAD}[5m])) / sum(rate({ALL}[5m]))", "labels": {"of": "usual"}},
    {
        "record": "slo:usual_budget_left:ratio",
        # The mean of ratios, not the ratio of sums; Sloth 0.16 writes both these rules so.
        "expr": f"1 - sum_over_time({MEAN}[30d]) / count_over_time({MEAN}[30d]) / 0.001",
    },
    {
        "alert": "UsualPage",
        "expr": (
            f"avg_over_time({MEAN}[1h]) > 14.4 * 0.001 and avg_over_time({MEAN}[5m]) > 14.4 * 0.001"
            f" or avg_over_time({MEAN}[6h]) > 6 * 0.001 and avg_over_time({MEAN}[30m]) > 6 * 0.001"
        ),
    },
]
LEFT, USUAL_LEFT = "sum(slo:budget_left:ratio)", "sum(slo:usual_budget_left:ratio)"


def ever(alert: str) -> str:
    return f'count(max_over_time(ALERTS{{alertname=~"{alert}",alertstate="firing"}}[9d])) or vector(0)'


@pytest.fixture
def judge(promtool: Path, tmp_path: Path) -> Any:
    """Runs a history, and holds expressions at its end against what they must yield; None: nothing at all."""
    own = tool.groups([SLO])
    tool.write(tmp_path, [*own, {"name": "usual", "rules": USUAL}])

    def run(stretches: list[Stretch], expected: dict[str, float | None]) -> None:
        series: Series = exposed(SLO, stretches)
        end = sum(each.minutes for each in stretches) - 1
        proof = {
            "rule_files": [tool.RULES],
            "evaluation_interval": "1m",
            "fuzzy_compare": True,
            "group_eval_order": [own[0]["name"], BURN_GROUP, BUDGET_GROUP, "usual"],
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": name, "values": values} for name, values in series.items()],
                    "promql_expr_test": [
                        {
                            "expr": expr,
                            "eval_time": f"{end}m",
                            "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
                        }
                        for expr, value in expected.items()
                    ],
                }
            ],
        }
        assert not tool.run(promtool, tmp_path, proof)

    return run


def test_no_failure_yet_is_a_full_budget(judge: Any) -> None:
    # The usual indicator and budget are empty: no series of failures, no value.
    judge([Stretch(60, 100)], {LEFT: 1, USUAL_LEFT: None, f"sum({MEAN})": None})


def test_a_pause_of_the_traffic_does_not_poison_the_budget(judge: Any) -> None:
    # 0 / 0 is NaN, and so is every sum with it, for the next thirty days.
    stretches = [Stretch(60, 100, 0.125), Stretch(15), Stretch(60, 100, 0.125)]
    nan = f"count({USUAL_LEFT} != {USUAL_LEFT})"
    judge(stretches, {f"abs({LEFT} + 0.25) < bool 0.001": 1, nan: 1, f"count({LEFT} != {LEFT})": None})


def test_one_failure_of_a_quiet_service_wakes_nobody(judge: Any) -> None:
    stretches = [Stretch(120, 1), Stretch(1, 1, 1), Stretch(20, 1)]
    judge(stretches, {ever("SLO.*"): 0, ever("UsualPage"): 1})


def test_a_service_that_vanishes_is_noticed(judge: Any) -> None:
    judge([Stretch(60, 100), Stretch(30, state=State.GONE)], {ever("SLOBurnsFast"): 1, ever("UsualPage"): 0})


def test_a_busy_half_and_a_quiet_half_are_weighed_by_their_events(judge: Any) -> None:
    # Of 60 x 30,000 and 60 x 1 requests all of the latter fail: 0.0033 %, not half of them.
    stretches = [Stretch(60, 30_000), Stretch(60, 1, 1)]
    left = 1 - 60 / (60 * 30_001) / 0.001
    judge(stretches, {f"abs({LEFT} - {left}) < bool 0.002": 1, f"{USUAL_LEFT} < bool -400": 1})
