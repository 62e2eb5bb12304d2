"""How many mutants the generated proofs notice.

Scenario by scenario, each on the mutants that the earlier ones have left, of which most fall to the first; one promtool
runs a scenario on many mutants. What is wrong with recordings mostly shows without the rules that read them.
"""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from components.slo.alerts import FAST, PAGES
from components.slo.objective import Slo
from components.slo.proof import proofs, window_proof
from components.slo.rules import BUDGET_GROUP, BURN_GROUP
from tests.slo import promtool as tool
from tests.slo.mutants import Mutant, mutants
from tests.slo.promtool import Groups

WORKERS = os.cpu_count() or 1
_COMPUTED = re.compile("ALERTS|slo:(burn|budget_left|bad:events|total:events)")
"""What the rules for all SLOs make of the recordings."""
_Proof = dict[str, Any]


class Score(NamedTuple):
    """What became of the mutants of some rules."""

    rules: str
    """Whose they are."""
    kinds: Counter[str]
    """How many mutants of each kind there were."""
    left: list[Mutant]
    """Those that no proof notices."""

    @property
    def total(self) -> int:
        """How many mutants there were."""
        return sum(self.kinds.values())

    @property
    def share(self) -> float:
        """Of the mutants that are noticed."""
        return 1 - len(self.left) / self.total


def of_recordings(promtool: Path, slo: Slo) -> Score:
    """The rules of an SLO, by its proofs."""
    groups = tool.groups([slo])
    own = [each for each in mutants(groups) if each.group == f"slo-{slo.name}"]
    alone = [each for each in map(_without_shared, _scenarios(slo, "minutes")) if each["tests"][0]["promql_expr_test"]]
    left = _survivors(promtool, groups, alone, own, only=groups[0]["name"])
    return _score(slo.name, own, _survivors(promtool, groups, _scenarios(slo, "minutes", "hours", "days"), left))


def of_shared(promtool: Path, slos: Sequence[Slo]) -> Score:
    """The rules of all SLOs, by the proofs of one; what only SLOs of another severity meet, by those of such a one."""
    every: list[Mutant] = []
    left: list[Mutant] = []
    for page in PAGES:
        slo = next(each for each in slos if each.page == page)
        groups = tool.groups([slo])
        chosen = [
            each
            for each in mutants(groups)
            if (each.rule == f"{FAST['name']} {page}" if each.rule.startswith(FAST["name"]) else page == PAGES[0])
        ]
        for group, paces in ((BURN_GROUP, ("hours", "minutes", "days")), (BUDGET_GROUP, ("days", "minutes", "hours"))):
            some = [each for each in chosen if each.group == group]
            every += some
            left += _survivors(promtool, groups, [*_scenarios(slo, *paces), window_proof(slo, "")], some)
    return _score("all SLOs", every, left)


def of_windows(promtool: Path, slos: Sequence[Slo]) -> Score:
    """The sums over whole windows, where SLOs have different ones."""
    each_window = list({slo.window_days: slo for slo in slos}.values())
    groups = tool.groups(each_window)
    order = [group["name"] for group in groups]
    sums = [each for each in mutants(groups) if each.rule in ("slo:bad:events", "slo:total:events")]
    scenarios = [{**window_proof(slo, ""), "group_eval_order": order} for slo in each_window]
    return _score("SLOs of two windows", sums, _survivors(promtool, groups, scenarios, sums))


def _score(rules: str, every: Sequence[Mutant], left: list[Mutant]) -> Score:
    return Score(rules, Counter(each.kind for each in every), left)


def _scenarios(slo: Slo, *paces: str) -> Iterator[_Proof]:
    """Each as a proof of its own; of a pace the shortest come first."""

    def length(test: _Proof) -> int:
        return max(int(check["eval_time"].removesuffix("m")) for check in test["promql_expr_test"])

    files = proofs(slo, "")
    for pace in paces:
        file = files[f"{slo.name}.{pace}.test.yaml"]
        yield from ({**file, "tests": [test]} for test in sorted(file["tests"], key=length))


def _without_shared(scenario: _Proof) -> _Proof:
    """What of it can be asked of recordings alone."""
    [test] = scenario["tests"]
    checks = [each for each in test["promql_expr_test"] if not _COMPUTED.search(each["expr"])]
    return {**scenario, "tests": [{**test, "promql_expr_test": checks}]}


def _survivors(
    promtool: Path, groups: Groups, scenarios: Iterable[_Proof], changed: Sequence[Mutant], only: str = ""
) -> list[Mutant]:
    """`only`: the group that is evaluated, if not all are.

    Raises ValueError where a mutant is no PromQL, or a scenario fails without one: each would notice anything.
    """
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(WORKERS) as pool:
        folder = Path(name)
        left: dict[int, Mutant] = dict(enumerate(changed))
        unchanged = -1
        for number, every in [(unchanged, groups), *((number, mutant.groups) for number, mutant in left.items())]:
            content = {"groups": [group for group in every if only in ("", group["name"])]}
            (folder / f"{number}.rules.json").write_text(json.dumps(content))
        if wrong := tool.check(promtool, sorted(folder.iterdir())):
            raise ValueError(f"a mutant is no PromQL:\n{wrong}")
        for scenario in scenarios:
            if not left:
                break
            files: dict[Path, int] = {folder / f"{number}.test.json": number for number in [unchanged, *left]}
            for file, number in files.items():
                file.write_text(json.dumps({**scenario, "rule_files": [f"{number}.rules.json"]}))
            parts = [list(files)[part::WORKERS] for part in range(WORKERS)]
            survive = {files[file] for passed in pool.map(partial(tool.passing, promtool), parts) for file in passed}
            if unchanged not in survive:
                raise ValueError(f"{scenario['tests'][0]['name']} does not hold: mend it first (pytest tests/slo)")
            left = {number: mutant for number, mutant in left.items() if number in survive}
        return list(left.values())
