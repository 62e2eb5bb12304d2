"""Measures Mainstay, and rewrites docs/performance.md. `make bench`; about two hours.

`python -m tests.bench PART …` measures some parts only, and leaves the figures of the others as they are. Figures, not
verdicts: nothing here fails on a time.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import deployments, policies, policy_mutation, slo_detection, slo_evaluation, slo_mutation

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PARTS: dict[str, Callable[[], dict[str, list[str]]]] = {
    "deployments": deployments.measured,
    "policies": policies.measured,
    "policy-mutation": policy_mutation.measured,
    "slo-mutation": slo_mutation.measured,
    "slo-detection": slo_detection.measured,
    "slo-evaluation": slo_evaluation.measured,
}
"""Each gives the lines of its sections by their headings."""


def main(names: Sequence[str]) -> None:
    """Runs the parts called `names`, all if there are none, and writes the sections of each when it is done."""
    if unknown := set(names) - set(PARTS):
        raise SystemExit(f"error: there is no {', '.join(sorted(unknown))}; the parts are: {', '.join(PARTS)}")
    for name in names or PARTS:
        print(f"{name}: measuring", flush=True)
        load = f"Load average when this began: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores."
        for heading, lines in PARTS[name]().items():
            PAGE.write_text(with_section(PAGE.read_text(), heading, [*lines, "", load]))


def with_section(page: str, heading: str, lines: Sequence[str]) -> str:
    """The page with that section: in place of the one of this heading, or else at its end."""
    head, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    every = dict(section.split("\n", 1) for section in sections)
    every[heading] = "\n".join(lines)
    parts = [head, *(f"## {heading}\n\n{text.strip()}" for heading, text in every.items())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
