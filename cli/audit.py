"""`mainstay audit`: judge, and write, verify or compare the evidence."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit import bundle, statement
from audit.assessment import Assessment, Verdict
from audit.comparison import Change, compare
from cli import terminal
from cli.judged import NotPassed, add_options, assessed
from policies.model import Enforcement, Outcome, RuleResult, Theme

_STYLES = {Verdict.PASSED: "green", Verdict.INCOMPLETE: "yellow", Verdict.FAILED: "red"}
_SHOWN = 3
"""Findings of a rule on the screen; the report has all."""
_WRONG = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE)


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds `audit` to the parser's. `root` finds the project."""
    about = "judge what is deployed (or a state, or manifests) and write evidence; `audit verify`, `audit compare`"
    usage = (
        "mainstay audit STACK [--output DIR] …\n"
        "       mainstay audit [STACK] --state FILE | --manifests DIR …\n"
        "       mainstay audit verify BUNDLE [--key PUBLIC_KEY]\n"
        "       mainstay audit compare OLD_BUNDLE NEW_BUNDLE"
    )
    added = verbs.add_parser("audit", help=about, description=about, usage=usage)
    added.add_argument("words", metavar="STACK", nargs="*", help="the environment: Pulumi.STACK.yaml describes it")
    source = added.add_mutually_exclusive_group()
    source.add_argument("--state", type=Path, metavar="FILE", help="what `pulumi stack export` wrote")
    source.add_argument("--manifests", type=Path, metavar="DIR", help="Kubernetes objects in YAML or JSON")
    add_options(added)
    added.add_argument("--output", type=Path, metavar="DIR", help="new folder (default: audit-STACK-TIME)")
    added.add_argument("--key", type=Path, metavar="FILE", help="Ed25519 key in PEM that signs, or verifies")

    def run(options: argparse.Namespace) -> None:
        words: list[str] = options.words
        match words:
            case ["verify", folder]:
                _verify(Path(folder), options.key)
            case ["compare", old, new]:
                _compare(Path(old), Path(new))
            case []:
                _audit(root(), None, options)
            case [stack]:
                _audit(root(), stack, options)
            case _:
                added.error("name one environment, or verify BUNDLE, or compare OLD_BUNDLE NEW_BUNDLE")

    added.set_defaults(verb=run)


def _audit(root: Path, stack: str | None, options: argparse.Namespace) -> None:
    key = statement.private_key(options.key) if options.key else None
    found = assessed(root, stack, options)
    folder: Path = options.output or Path(f"audit-{found.input.stack}-{found.as_of.replace(':', '')}")
    bundle.write(found, folder, key)
    console = terminal.console()
    _show(console, found)
    told = f"\nEvidence: {folder}/ (report.html is for people; {bundle.STATEMENT} binds it together)"
    console.print(Text(told), soft_wrap=True)
    sys.stdout.flush()
    if found.verdict is not Verdict.PASSED:
        raise NotPassed(_summary(found))


def _show(console: Console, found: Assessment) -> None:
    console.print(Text(_summary(found), style=f"bold {_STYLES[found.verdict]}"), soft_wrap=True)
    judged = found.input
    console.print(
        Text(f"{judged.stack}: {judged.source}; {len(found.population)} resources, as of {found.as_of}", style="dim")
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("theme", "rules", "asked nothing", *(each.replace("_", " ") for each in Outcome)):
        table.add_column(column, header_style="dim", justify="left" if column == "theme" else "right")
    for theme in Theme:
        results = [each for each in found.results if each.theme is theme]
        silent = sum(each.vacuous for each in results)
        counts = [sum(each.count(outcome) for each in results) for outcome in Outcome]
        table.add_row(theme.value, *map(str, (len(results), silent, *counts)))
    console.print()
    console.print(table)
    console.print()
    for result in sorted(found.results, key=lambda each: each.enforcement is not Enforcement.MANDATORY):
        for line in _wrong(result):
            console.print(Text(line), soft_wrap=True)
    for problem in found.exemption_problems:
        console.print(Text(f"  exemption: {problem}"), soft_wrap=True)
    for entry in found.exemptions:
        if entry.state in ("unused", "expired"):
            console.print(Text(f"  exemption {entry.exemption.id} is {entry.state}"), soft_wrap=True)


def _wrong(result: RuleResult) -> Iterator[str]:
    """Lines about what does not hold of a rule; none if all does."""
    wrong = [each for each in result.findings if each.outcome in _WRONG]
    if not wrong:
        return
    counts = ", ".join(f"{result.count(outcome)} {outcome}" for outcome in _WRONG if result.count(outcome))
    yield f"{result.id} ({result.enforcement}): {counts}, of {result.evaluated}"
    for each in wrong[:_SHOWN]:
        yield f"  {each.subject}: {'; '.join(each.reasons)}"
    if len(wrong) > _SHOWN:
        yield f"  … and {len(wrong) - _SHOWN} more"


def _summary(found: Assessment) -> str:
    mandatory = [each for each in found.results if each.enforcement is Enforcement.MANDATORY]
    match found.verdict:
        case Verdict.PASSED:
            return f"Passed: none of {len(mandatory)} mandatory rules fails."
        case Verdict.INCOMPLETE:
            names = [each.id for each in mandatory if each.count(Outcome.INCONCLUSIVE)]
            return f"Incomplete: {len(names)} of {len(mandatory)} mandatory rules are undecided: {', '.join(names)}."
        case Verdict.FAILED:
            names = [each.id for each in mandatory if each.count(Outcome.FAIL) or each.count(Outcome.ERROR)]
            return f"Failed: {len(names)} of {len(mandatory)} mandatory rules: {', '.join(names)}."


def _verify(folder: Path, key: Path | None) -> None:
    found, note = bundle.verify(folder, statement.public_key(key) if key else None)
    judged = found.input
    print(f"Nothing was changed: {folder}, {judged.stack} as of {found.as_of}, {found.verdict}; {note}.")


def _compare(old: Path, new: Path) -> None:
    before, after = bundle.verify(old, None)[0], bundle.verify(new, None)[0]
    found = compare(before, after)
    console = terminal.console()
    console.print(
        Text(f"{before.input.stack} as of {before.as_of} ({before.verdict}) → as of {after.as_of} ({after.verdict})")
    )
    for title, changes in (("Worse", found.worse), ("New", found.new), ("Better", found.better), ("Gone", found.gone)):
        console.print()
        console.print(Text(f"{title}: {len(changes)}", style="bold"))
        for each in changes:
            console.print(Text(f"  {_told(each)}"), soft_wrap=True)
    rules = [*(f"+ {each}" for each in found.rules_new), *(f"- {each}" for each in found.rules_gone)]
    console.print(Text(f"\nRules: {', '.join(rules) or 'the same'}"), soft_wrap=True)
    console.print(Text(f"Resources: {found.resources_new} new, {found.resources_gone} gone"))


def _told(change: Change) -> str:
    way = f"{change.before or 'not there'} → {change.after or 'gone'}"
    said = f": {'; '.join(change.reasons)}" if change.reasons else ""
    return f"{change.rule}: {change.subject}: {way}{said}"
