"""`mainstay ready`: the production-readiness checklist, answered from what is deployed."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from audit.assessment import Assessment
from audit.readiness import Answer, checklist
from cli import terminal
from cli.judged import NotPassed, add_options, assessed

_ANSWERS = {
    Answer.YES: "green",
    Answer.NO: "red",
    Answer.EXEMPT: "yellow",
    Answer.OPEN: "yellow",
    Answer.NOTHING: "dim",
    Answer.ASK: "dim",
}


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds `ready` to the parser's. `root` finds the project."""
    about = "the production-readiness checklist, answered from what is deployed: code 1 if an answer is no"
    added = verbs.add_parser("ready", help=about, description=about)
    added.add_argument("stack", metavar="STACK", help="the environment: Pulumi.STACK.yaml describes it")
    add_options(added)

    def run(options: argparse.Namespace) -> None:
        options.state = options.manifests = None
        _ready(assessed(root(), options.stack, options))

    added.set_defaults(verb=run)


def _ready(found: Assessment) -> None:
    console = terminal.console()
    lines = [*checklist(found)]
    counts = Counter(line.answer for line in lines)
    told = ", ".join(f"{counts[answer]} {answer}" for answer in Answer if counts[answer])
    console.print(Text(f"{found.input.stack}: {told}", style="bold"))
    console.print(Text(f"{found.input.source}, as of {found.as_of}\n", style="dim"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("", "item", "answer", "what is behind it"):
        table.add_column(column, header_style="dim", overflow="fold")
    group = ""
    for line in lines:
        title = line.item.group if line.item.group != group else ""
        group = line.item.group
        table.add_row(title, line.item.title, Text(line.answer, style=_ANSWERS[line.answer]), line.behind)
    console.print(table)
    sys.stdout.flush()
    if counts[Answer.NO]:
        raise NotPassed(f"{found.input.stack} is not ready: {counts[Answer.NO]} of {len(lines)} answers are no.")
