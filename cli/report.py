"""The tables at the end: what changes, what the policies found, what runs, what was simulated."""

import json
import shutil
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.result import Change, Json, Result, Step
from engine.review import Level, Review
from engine.running import Workload
from engine.target import Target
from policies.model import Enforcement, Outcome, RuleResult

_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "magenta"),
    "delete": ("-", "red"),
    "import": ("=", "cyan"),
}
_LEVELS = {Level.STOP: "red", Level.LOOK: "yellow", Level.SAFE: "green", Level.NOTHING: "green"}
_LONGEST_VALUE = 60
_MOST_SHOWN = 5
"""Findings of one rule and outcome; `--format json`, the comment and the audit have all."""
_EXPLAINED = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.EXEMPT)


def verdict(console: Console, review: Review) -> None:
    """The verdict, and what it is about."""
    console.print()
    console.print(Text(f"{review.level}: {review.summary}", style=f"bold {_LEVELS[review.level]}"), soft_wrap=True)
    if review.compared_with:
        _line(console, Text(f"compared with {review.compared_with}", style="dim"))


def changes(console: Console, result: Result) -> None:
    """What changes, property by property, and how much of each kind."""
    if result.drift:
        _title(console, "Changed outside Mainstay")
        for step in result.drift:
            _step(console, step, "the object is gone" if step.op == "delete" else "")
    if result.changed:
        _title(console, "Changes")
    for step in result.changed:
        _step(console, step, _loss(step))
    _title(console, summary(result))


def summary(result: Result) -> str:
    """E.g. `4 changes: 3 create, 1 update; 41 unchanged`."""
    counts = dict(result.counts)
    same = counts.pop("same", 0)
    counts.pop("read", None)
    total = sum(counts.values())
    parts = ", ".join(f"{count} {op}" for op, count in counts.items())
    text = f"{total} change{'' if total == 1 else 's'}" + (f": {parts}" if parts else "")
    return f"{text}; {same} unchanged" if same else text


def policies(console: Console, result: Result) -> None:
    """How many rules hold; each of the others with what it found, and why."""
    if result.policy is None:
        _title(console, "Policies: not evaluated, the run ended before")
        return
    _title(console, "Policies")
    rules = result.policy.rules
    told = [rule for rule in rules if any(rule.of(outcome) for outcome in _EXPLAINED)]
    rest = [rule for rule in rules if rule not in told]
    silent = [rule.id for rule in rest if rule.vacuous]
    passes = sum(rule.count(Outcome.PASS) for rule in rules)
    _line(console, Text(f"{len(rest) - len(silent)} of {len(rules)} rules hold everywhere, {passes} passes in all"))
    if silent:
        _line(console, Text(f"nothing here to ask for {len(silent)}: {', '.join(silent)}", style="dim"))
    if not told:
        return
    table = _table("rule", "enforcement", "pass", "fail", "exempt", "open")
    for rule in told:
        failed = rule.count(Outcome.FAIL) + rule.count(Outcome.ERROR)
        style = "red" if failed and rule.enforcement is Enforcement.MANDATORY else "yellow" if failed else ""
        table.add_row(
            rule.id,
            rule.enforcement.value,
            str(rule.count(Outcome.PASS)),
            Text(str(failed), style=style),
            str(rule.count(Outcome.EXEMPT)),
            str(rule.count(Outcome.INCONCLUSIVE)),
        )
    console.print(table)
    for line in _explanations(told):
        _line(console, Text(f"  {line}"))


def running(console: Console, workloads: Sequence[Workload]) -> None:
    """What runs where."""
    _title(console, "Runs")
    table = _table("kind", "name", "ready", "nodes", "zones", "image")
    for each in workloads:
        ready = Text(f"{each.ready}/{each.desired}", style="" if each.ready >= each.desired else "red")
        table.add_row(each.kind, each.name, ready, str(each.nodes), " ".join(each.zones), each.image)
    console.print(table)


def endpoints(console: Console, outputs: Json) -> None:
    """The exported endpoints: a mapping of names to addresses."""
    if not isinstance(outputs, dict) or not outputs:
        return
    _title(console, "Endpoints")
    table = _table("name", "address (inside the cluster)")
    for name, address in sorted(outputs.items()):
        table.add_row(name, str(address))
    console.print(table)


def simulated(console: Console, target: Target) -> None:
    """What is not real: said every time, so that nobody believes in a database that does not run."""
    if not target.embedded:
        return
    _title(console, "Simulated")
    for line in target.simulated:
        _line(console, Text(f"  {line}"))
    kubectl = "kubectl" if shutil.which("kubectl") else target.command.binary.with_name("kubectl")
    _line(console, Text(f"\nLook around: {kubectl} --kubeconfig {target.kubeconfig} get pods --all-namespaces"))


def warnings(console: Console, result: Result) -> None:
    """What the engine, the plugin and the program warned of."""
    for diagnostic in result.diagnostics:
        if diagnostic.severity == "warning":
            _line(console, Text(f"warning: {' '.join(diagnostic.message.split())}", style="yellow"))


def _step(console: Console, step: Step, remark: str = "") -> None:
    sign, style = _SIGNS.get(step.op, ("?", ""))
    _line(console, Text(f"  {sign} {step.op:8} {step.label}", style=style) + Text(f"  {remark}" if remark else ""))
    for change in step.changes:
        _line(console, Text(f"      {_change(change)}"))


def _loss(step: Step) -> str:
    return step.data.fate if step.data and step.op in ("delete", "replace") else ""


def _change(change: Change) -> str:
    forced = "  (forces replacement)" if change.forces_replacement else ""
    match change.kind:
        case "add":
            return f"{change.path}: + {_value(change.new)}{forced}"
        case "delete":
            return f"{change.path}: - {_value(change.old)}{forced}"
        case "update":
            return f"{change.path}: {_value(change.old)} → {_value(change.new)}{forced}"


def _value(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _explanations(rules: Iterable[RuleResult]) -> Iterable[str]:
    for rule in rules:
        for outcome in _EXPLAINED:
            found = rule.of(outcome)
            for finding in found[:_MOST_SHOWN]:
                yield f"{rule.id}: {outcome.value}: {finding.subject}: {'; '.join(finding.reasons)}"
            if len(found) > _MOST_SHOWN:
                yield f"{rule.id}: {outcome.value}: and {len(found) - _MOST_SHOWN} more"


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _line(console: Console, text: Text) -> None:
    """Long lines are the reader's to wrap: in a log or a pipe they stay whole."""
    console.print(text, soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold")
    return table
