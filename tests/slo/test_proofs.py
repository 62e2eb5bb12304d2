"""The proofs that are generated with the rules of an SLO hold, on the genuine promtool."""

import subprocess
from pathlib import Path

import pytest

from components.slo.objective import Slo
from components.slo.proof import proofs, window_proof
from tests.slo import promtool as tool
from tests.slo.product_slos import SLOS

BY_BUDGET = {slo.budget: slo for slo in SLOS}
"""What lasts for hours and days is decided by rules that all SLOs share: they read the budget, and little else."""


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_the_proofs_of_minutes_hold(promtool: Path, tmp_path: Path, slo: Slo) -> None:
    tool.write(tmp_path, tool.groups([slo]))
    name = f"{slo.name}.minutes.test.yaml"
    assert not tool.run(promtool, tmp_path, proofs(slo, tool.RULES)[name], name)


@pytest.mark.parametrize("pace", ["hours", "days"])
@pytest.mark.parametrize("slo", BY_BUDGET.values(), ids=lambda slo: slo.name)
def test_the_proofs_of_hours_and_days_hold(promtool: Path, tmp_path: Path, slo: Slo, pace: str) -> None:
    tool.write(tmp_path, tool.groups([slo]))
    name = f"{slo.name}.{pace}.test.yaml"
    assert not tool.run(promtool, tmp_path, proofs(slo, tool.RULES)[name], name)


@pytest.mark.parametrize("days", [28, 30])
def test_the_budget_is_that_of_the_window(promtool: Path, tmp_path: Path, days: int) -> None:
    # With SLOs of both windows in the rules, as an environment has them.
    slo = next(slo for slo in SLOS if slo.window_days == days)
    tool.write(tmp_path, tool.groups(SLOS))
    proof = window_proof(slo, tool.RULES)
    alone = {**proof, "group_eval_order": [group["name"] for group in tool.groups(SLOS)]}
    assert not tool.run(promtool, tmp_path, alone)


def test_promtool_finds_no_fault(promtool: Path, tmp_path: Path) -> None:
    tool.write(tmp_path, tool.groups(SLOS))
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", tmp_path / tool.RULES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
