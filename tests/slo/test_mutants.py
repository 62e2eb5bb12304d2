"""A proof that cannot fail proves nothing: one mutant of each kind in each rule is noticed.

`python -m tests.bench.slo_mutation` tries all of them.
"""

from pathlib import Path

import pytest

from tests.bench.slo_mutation import noticed
from tests.slo import promtool as tool
from tests.slo.mutants import Mutant, mutants
from tests.slo.product_slos import SLOS

SLO = SLOS[0]


def representative() -> list[Mutant]:
    """The last mutant of each kind in each recording of the SLO, and in each rule that calls somebody."""
    found: dict[tuple[str, str], Mutant] = {}
    for mutant in mutants(tool.groups([SLO])):
        group, rule = mutant.what.split(": ")[:2]
        kinds = ("factor", "window", "selector", "comparison")
        if mutant.kind in kinds and (
            group.startswith(f"slo-{SLO.name}") or rule in ("SLOBurnsFast P0", "SLOBurnsSlowly P2")
        ):
            found[rule, mutant.kind] = mutant
    return list(found.values())


@pytest.mark.parametrize("mutant", representative(), ids=lambda mutant: mutant.what)
def test_a_changed_rule_is_noticed(promtool: Path, mutant: Mutant) -> None:
    assert noticed(promtool, SLO, mutant)
