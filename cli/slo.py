"""`mainstay slo …`: the state of the SLOs now, the review of a month, the public status page."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from budgets import BudgetsError, days, month, overrides, page, status
from budgets.prometheus import Prometheus, Unreachable
from budgets.status import Budget
from budgets.wording import about, percent
from cli import gate, slo_review, terminal
from stacks.environment import Environment, environment_file, load

_KEPT = "days.json"


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds `slo` and its verbs to the parser's. `root` finds the project."""
    about = "service-level objectives: what was promised, and what is kept"
    slo = verbs.add_parser("slo", help=about, description=about)
    actions = slo.add_subparsers(title="verbs", metavar="VERB", required=True)

    def action(name: str, run: Callable[[Path, argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=about, description=about)
        added.add_argument("stack", metavar="STACK", help="name of the environment: Pulumi.STACK.yaml describes it")
        added.add_argument("--prometheus", metavar="URL", help="instead of mainstay:gate.prometheus in the environment")

        def begin(options: argparse.Namespace) -> None:
            run(root(), options)

        added.set_defaults(verb=begin)
        return added

    action("status", _status, "the state of every SLO now, least budget first")
    report = action("report", _report, "the review of a month")
    report.add_argument("--month", metavar="YYYY-MM", help="in UTC (default: the last complete month)")
    report.add_argument("--format", choices=("markdown", "json"), default="markdown", help="default: markdown")
    shown = action("page", _page, "write the public status page")
    shown.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        required=True,
        help=f"folder for index.html and {_KEPT}, kept for the next",
    )


def _status(root: Path, options: argparse.Namespace) -> None:
    budgets = status.ask(_server(load(root, options.stack), options.prometheus), int(time.time()))
    terminal.console().print(table(budgets))


def _report(root: Path, options: argparse.Namespace) -> None:
    now = int(time.time())
    found = month.ask(
        _server(load(root, options.stack), options.prometheus), options.month or month.last_complete(now), now
    )
    passed = overrides.read(root, options.stack, found.start, found.end)
    if options.format == "json":
        document = {**found.to_dict(), "stack": options.stack, "overrides": [vars(each) for each in passed]}
        sys.stdout.write(f"{json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)}\n")
    else:
        sys.stdout.write(slo_review.markdown(options.stack, found, passed))


def _page(root: Path, options: argparse.Namespace) -> None:
    environment = load(root, options.stack)
    settings = environment.platform.status
    if settings is None:
        raise BudgetsError(
            f"{environment_file(options.stack)} has no section mainstay:status, which says what everybody may know."
        )
    server, now = _server(environment, options.prometheus), int(time.time())
    folder: Path = options.output
    known = days.read(folder / _KEPT)
    try:
        parts = days.ask(server, settings.slos, known, now)
    except Unreachable as error:
        # Just then people look at the page: it must say so, and not what was true before.
        sys.stderr.write(f"warning: {error} The page says that nothing can be measured.\n")
        parts = days.unmeasured(settings.slos, known, now)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((_KEPT, days.finished(parts, now)), ("index.html", page.render(settings.title, parts, now))):
        unfinished = folder / f".{name}.new"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / name)
    print(folder / "index.html")


def table(budgets: Sequence[Budget]) -> Table:
    """One line an SLO."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in (
        "SLO",
        "promised",
        "attained",
        "window",
        "budget left",
        "burn 1 h",
        "burn 6 h",
        "lasts",
        "bad of all",
    ):
        shown.add_column(column, header_style="dim", overflow="fold")
    for each in budgets:
        promise = each.promise
        left = "no data" if each.left is None else about(each.left)
        shown.add_row(
            promise.slo,
            percent(promise.objective),
            "–" if each.attained is None else percent(each.attained),
            f"{promise.window_days} d",
            Text(left, style="red" if each.exhausted else ""),
            *("–" if burn is None else f"{burn:.1f}×" for burn in (each.burn_1h, each.burn_6h)),
            _lasts(each),
            "–" if each.bad is None or each.total is None else f"{each.bad:.0f} of {each.total:.0f}",
        )
    return shown


def _lasts(budget: Budget) -> str:
    if budget.exhausted:
        return "spent"
    hours = budget.hours_left
    if hours is None or hours > budget.promise.window_days * 24:
        return "for its window" if budget.left is not None else "–"
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} h"


def _server(environment: Environment, address: str | None) -> Prometheus:
    server = gate.prometheus(environment, address, embedded=environment.cluster is None)
    if server is None:
        raise BudgetsError(f"{gate.SIMULATED} Name a Prometheus with --prometheus URL.")
    return server
