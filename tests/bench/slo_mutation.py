"""How many mistakes the generated proofs notice: `python -m tests.bench.slo_mutation [SLO …]`.

Changes every generated rule in every way, one at a time, and runs the proofs on it. A mutant that no proof notices
survives and is printed; 95 % at least must be noticed, of each SLO.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence

from devcluster import checks
from tests.slo.mutation import Score, of_recordings, of_shared, of_windows
from tests.slo.product_slos import SLOS

REQUIRED = 0.95


def scores(names: Sequence[str] = ()) -> Iterator[Score]:
    """Of each SLO's own rules, and of those that all share; of the SLOs called `names` alone, if there are any."""
    promtool = checks.ensure("promtool", print)
    yield from (of_recordings(promtool, slo) for slo in SLOS if not names or slo.name in names)
    if not names:
        yield of_shared(promtool, SLOS)
        yield of_windows(promtool, SLOS)


def table(found: Sequence[Score]) -> list[str]:
    """As Markdown: a row for each, and one for all."""
    kinds = sorted({kind for score in found for kind in score.kinds})
    rows = ["| rules of | noticed | " + " | ".join(kinds) + " |", "|---|---:|" + "---:|" * len(kinds)]
    for score in found:
        cells = [_cell(score.kinds[kind], sum(each.kind == kind for each in score.left)) for kind in kinds]
        rows.append(f"| {score.rules} | {_cell(score.total, len(score.left))} | {' | '.join(cells)} |")
    total, left = sum(score.total for score in found), sum(len(score.left) for score in found)
    return [*rows, f"| **all** | {_cell(total, left)}, {1 - left / total:.1%} |" + " |" * len(kinds)]


def _cell(total: int, left: int) -> str:
    return f"{total - left} of {total}" if total else ""


def measured() -> dict[str, list[str]]:
    """The scores, all SLOs', and what survives."""
    found = list(_told(scores()))
    survivors = [f"- {each.kind}: {each.what}" for score in found for each in score.left]
    return {
        "Mistakes in SLO rules that their proofs notice": [
            "Every rule of the reference product's SLOs, and of kinds that it has not, is changed in every way, one "
            f"change at a time; then the generated promtool tests are run. {REQUIRED:.0%} at least must be noticed.",
            "",
            *table(found),
            *(["", "Not noticed:", "", *survivors] if survivors else []),
        ]
    }


def _told(found: Iterable[Score]) -> Iterator[Score]:
    for score in found:
        print(f"{score.rules}: {score.total - len(score.left)} of {score.total} noticed: {score.share:.1%}", flush=True)
        for each in score.left:
            print(f"  survives: {each.kind}: {each.what}", flush=True)
        yield score


def main(names: Sequence[str]) -> int:
    """Prints the scores and the survivors. 1: a score is too low."""
    found = list(_told(scores(names)))
    print(*table(found), sep="\n")
    return int(min(score.share for score in found) < REQUIRED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
