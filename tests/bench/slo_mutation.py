"""How many mistakes the generated proofs notice: `python -m tests.bench.slo_mutation [SLO …]`.

Changes every generated rule in every way, one at a time, and runs the proofs of its SLO. A mutant that no proof notices
survives and is printed; 95 % at least must be noticed.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from components.slo.objective import Slo
from components.slo.proof import proofs, window_proof
from devcluster import checks
from tests.slo import promtool as tool
from tests.slo.mutants import Mutant, mutants
from tests.slo.product_slos import SLOS

REQUIRED = 0.95
SHARED = ("slo-burn", "slo-budget")


def noticed(promtool: Path, slo: Slo, mutant: Mutant) -> bool:
    """Whether a proof of `slo` fails on the changed rules; those most likely to are tried first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tool.write(folder, mutant.groups)
        files = {**proofs(slo, tool.RULES), "window.test.yaml": window_proof(slo, tool.RULES)}
        pace = {SHARED[0]: "hours", SHARED[1]: "days"}.get(mutant.what.split(":")[0], "minutes")
        ordered = sorted(files, key=lambda file: f".{pace}." not in file)
        return any(tool.run(promtool, folder, files[file], file) for file in ordered)


def survivors(promtool: Path, slos: Sequence[Slo]) -> tuple[Counter[str], list[Mutant]]:
    """How many mutants of each kind there were, and those that nothing noticed."""
    work: list[tuple[Slo, Mutant]] = []
    for index, slo in enumerate(slos):
        # A proof that fails without a mutant would notice every mutant.
        if noticed(promtool, slo, Mutant("none", slo.name, tool.groups([slo]))):
            raise SystemExit(f"the proofs of {slo.name} do not hold: mend them first (pytest tests/slo)")
        # The shared rules are the same for all: one SLO a severity proves them.
        shared = not index or slo.page not in {each.page for each in slos[:index]}
        for mutant in mutants(tool.groups([slo])):
            other = next((page for page in ("P0", "P1") if f"SLOBurnsFast {page}" in mutant.what), str(slo.page))
            if other == slo.page and (shared or not mutant.what.startswith(SHARED)):
                work.append((slo, mutant))
    with ThreadPoolExecutor(2) as pool:
        found = list(_reported(pool.map(partial(noticed, promtool), *zip(*work, strict=True)), work))
    return Counter(mutant.kind for _, mutant in work), [
        mutant for (_, mutant), seen in zip(work, found, strict=True) if not seen
    ]


def _reported(found: Iterable[bool], work: Sequence[tuple[Slo, Mutant]]) -> Iterator[bool]:
    """Passes on what is found, and says at once what survives."""
    for done, (seen, (_, mutant)) in enumerate(zip(found, work, strict=True), start=1):
        if not seen:
            print(f"{done} of {len(work)}: survives: {mutant.kind}: {mutant.what}", flush=True)
        yield seen


def main(names: Sequence[str]) -> int:
    """Prints the score and the survivors. 1: the score is too low."""
    chosen = [slo for slo in SLOS if not names or slo.name in names]
    kinds, left = survivors(checks.ensure("promtool", print), chosen)
    total = sum(kinds.values())
    for kind, count in sorted(kinds.items()):
        print(f"{kind:12} {count - sum(each.kind == kind for each in left):4} of {count}")
    print(f"noticed      {total - len(left):4} of {total}: {1 - len(left) / total:.1%}")
    return int(1 - len(left) / total < REQUIRED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
