"""`mainstay audit`: judge what is deployed, exported or rendered, and write, verify or compare the evidence."""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit import AuditError, bundle, intake, judge, statement
from audit.assessment import Assessment, Input, Verdict, assess
from audit.comparison import Change, compare
from audit.readiness import Answer, checklist
from policies import evidence, exemptions
from policies.evidence import InvalidEvidence
from policies.facts import Facts
from policies.model import Enforcement, Outcome, RuleResult, Theme
from policies.pack import RULES
from policies.stack import Resource

if TYPE_CHECKING:
    from stacks.environment import Environment

SIMULATED = "the embedded cluster, whose containers are simulated"
_STYLES = {Verdict.PASSED: "green", Verdict.INCOMPLETE: "yellow", Verdict.FAILED: "red"}
_ANSWERS = {
    Answer.YES: "green",
    Answer.NO: "red",
    Answer.EXEMPT: "yellow",
    Answer.OPEN: "yellow",
    Answer.NOTHING: "dim",
    Answer.ASK: "dim",
}
_SHOWN = 3
"""Findings of a rule on the screen; the report has all."""
_WRONG = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE)


class NotPassed(AuditError):
    """The audit was made, and its verdict is not that all holds."""


@dataclass(frozen=True)
class _Taken:
    """What is to be judged."""

    kind: str
    source: str
    stack: str
    resources: list[Resource]
    weakened: Mapping[str, str]


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds `audit` and `ready` to the parser's. `root` finds the project."""
    _add_audit(verbs, root)
    _add_ready(verbs, root)


def _add_audit(verbs: Any, root: Callable[[], Path]) -> None:
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
    added.add_argument("--evidence", type=Path, metavar="DIR", help="dated evidence (default: evidence/STACK if there)")
    added.add_argument("--as-of", type=_time, metavar="TIME", help="judge as of this time, in UTC (default: now)")
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


def _add_ready(verbs: Any, root: Callable[[], Path]) -> None:
    about = "the production-readiness checklist, answered from what is deployed: code 1 if an answer is no"
    added = verbs.add_parser("ready", help=about, description=about)
    added.add_argument("stack", metavar="STACK", help="the environment: Pulumi.STACK.yaml describes it")
    added.add_argument("--evidence", type=Path, metavar="DIR", help="dated evidence (default: evidence/STACK if there)")
    added.add_argument("--as-of", type=_time, metavar="TIME", help="judge as of this time, in UTC (default: now)")

    def run(options: argparse.Namespace) -> None:
        options.state = options.manifests = None
        _ready(_assessed(root(), options.stack, options))

    added.set_defaults(verb=run)


def _ready(found: Assessment) -> None:
    console = _console()
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


def _audit(root: Path, stack: str | None, options: argparse.Namespace) -> None:
    key = statement.private_key(options.key) if options.key else None
    found = _assessed(root, stack, options)
    folder: Path = options.output or Path(f"audit-{found.input.stack}-{found.as_of.replace(':', '')}")
    bundle.write(found, folder, key)
    console = _console()
    _show(console, found)
    told = f"\nEvidence: {folder}/ (report.html is for people; {bundle.STATEMENT} binds it together)"
    console.print(Text(told), soft_wrap=True)
    sys.stdout.flush()
    if found.verdict is not Verdict.PASSED:
        raise NotPassed(_summary(found))


def _assessed(root: Path, stack: str | None, options: argparse.Namespace) -> Assessment:
    as_of: datetime = options.as_of or datetime.now(UTC).replace(microsecond=0)
    taken = _taken(root, stack, options)
    found_evidence = _evidence(root, taken, options)
    facts = Facts(taken.stack, as_of.date(), taken.kind != "manifests", exemptions.load(), found_evidence)
    judged = Input(taken.kind, taken.source, taken.stack, intake.digest(taken.resources), _commit(root))
    return assess(RULES, taken.resources, judged, judge.this(), facts, as_of, taken.weakened)


def _taken(root: Path, stack: str | None, options: argparse.Namespace) -> _Taken:
    if options.manifests:
        name = stack or "manifests"
        resources = intake.from_manifests(options.manifests, name)
        return _Taken("manifests", str(options.manifests), name, resources, _weakened(root, stack))
    if options.state:
        try:
            exported = json.loads(options.state.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise AuditError(f"{options.state} cannot be read as a state: {error}.") from error
        name, resources = intake.from_state(exported, str(options.state))
        if stack not in (None, name):
            raise AuditError(f"{options.state} is the state of {name}, not of {stack}.")
        return _Taken("state", str(options.state), name, resources, _weakened(root, stack))
    if stack is None:
        raise AuditError("What is to be judged? Name an environment, or give --state FILE or --manifests DIR.")
    # What is judged without an environment does not wait for the import of all that one can declare.
    from engine import state
    from stacks.environment import load

    environment = load(root, stack)
    exported = state.export(root, environment, lambda line: print(line, file=sys.stderr))
    _, resources = intake.from_state(exported, f"the state of {stack}")
    return _Taken("deployed", _cluster(environment), stack, resources, _weakened(root, stack))


def _cluster(environment: "Environment") -> str:
    if environment.cluster is None:
        return SIMULATED
    context = environment.cluster.context
    return f"the cluster of context {context!r}" if context else "the cluster of its kubeconfig"


def _weakened(root: Path, stack: str | None) -> Mapping[str, str]:
    """Rule -> why it only advises, as in a deployment; without an environment every rule is mandatory."""
    if stack is None:
        return {}
    from engine.target import ADVISORY_WHERE_EMBEDDED
    from stacks.environment import load

    environment = load(root, stack)
    advisory = environment.platform.policies.advisory
    return advisory if environment.cluster else {**ADVISORY_WHERE_EMBEDDED, **advisory}


def _evidence(root: Path, taken: _Taken, options: argparse.Namespace) -> tuple[evidence.Evidence, ...]:
    usual = evidence.folder_of(root, taken.stack)
    folder: Path | None = options.evidence or (usual if usual.is_dir() else None)
    try:
        return evidence.load(folder) if folder else ()
    except InvalidEvidence as error:
        raise AuditError(str(error)) from None


def _commit(root: Path) -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        return f"{commit}-dirty" if commit and git("status", "--porcelain") else commit
    except OSError:
        return ""


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
    console = _console()
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


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time, e.g. 2026-11-25 or 2026-11-25T10:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120
    return console
