"""`mainstay up`, `preview`, `down` and `render`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from cli import gate, report, terminal
from cli.manifests import write_manifests
from cli.preview import FORMATS, preview
from cli.preview import plan as show_plan
from cli.progress import Display
from engine import operation, running
from engine.objects import Objects
from engine.operation import Declined
from engine.result import Result
from engine.target import Target


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds the four to the parser's. `root` finds the project."""
    stack = "name of the environment: Pulumi.STACK.yaml describes it"

    def verb(name: str, run: Callable[[Path, argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=about, description=about)
        if run is _preview:
            added.add_argument("stacks", metavar="STACK", nargs="+", help=f"{stack}; several with --format markdown")
        else:
            added.add_argument("stack", metavar="STACK", help=stack)

        def begin(options: argparse.Namespace) -> None:
            run(root(), options)

        added.set_defaults(verb=begin)
        return added

    up = verb("up", _up, "deploy an environment: to the cluster it names, else to the embedded one")
    up.add_argument("--yes", action="store_true", help="do not ask before changing a real cluster")
    gate.add_override(up)
    shown = verb("preview", _preview, "show what `up` would change, and what the policies say")
    shown.add_argument("--format", choices=FORMATS, default="terminal", help="markdown: a comment for a pull request")
    shown.add_argument("--refresh", action="store_true", help="look at the cluster first: shows what others changed")
    verb("down", _down, "delete all that was deployed")
    render = verb("render", _render, "print the manifests an environment would send; needs no cluster")
    render.add_argument("--output", type=Path, metavar="DIR", help="write one file for each object into a new folder")
    render.add_argument("--show-secrets", action="store_true", help="secret values instead of a marker")


def _up(root: Path, options: argparse.Namespace) -> None:
    console = terminal.console()
    budgets = gate.opened(options, root, console)
    with Display(console) as display:

        def confirm(target: Target, plan: Result) -> bool:
            display.pause()
            show_plan(console, plan)
            if budgets.environment.platform.gate:
                budgets.check(target.embedded, lambda: (target, plan))
            agreed = options.yes or _ask(
                console, f"Deploy this to context {target.context!r} ({target.server})? [y/N] ", {"y", "yes"}
            )
            if agreed:
                budgets.record()
            display.resume()
            return agreed

        deployed = operation.up(display.session(root, options.stack), confirm, lambda: budgets.message)
    last = deployed.result or deployed.plan
    report.warnings(console, last)
    report.policies(console, last)
    target = deployed.target
    namespace = last.outputs.get("namespace")
    if isinstance(namespace, str):
        report.running(
            console, running.workloads(Objects(target.kubeconfig, target.context, target.embedded), namespace)
        )
    report.endpoints(console, last.outputs.get("endpoints"))
    report.simulated(console, target)
    if target.embedded:
        budgets.unasked()
    console.print(f"\n{report.summary(last)}")


def _preview(root: Path, options: argparse.Namespace) -> None:
    console = terminal.console(stderr=options.format != "terminal")
    preview(root, options.stacks, options.refresh, options.format, console)


def _down(root: Path, options: argparse.Namespace) -> None:
    console = terminal.console()
    with Display(console) as display:

        def confirm(target: Target) -> bool:
            display.pause()
            question = (
                f"This deletes all that {target.stack} deployed to context {target.context!r} ({target.server}).\n"
                "Type the stack's name to go on: "
            )
            agreed = _ask(console, question, {target.stack})
            display.resume()
            return agreed

        result = operation.down(display.session(root, options.stack), confirm)
    console.print(report.summary(result))


def _render(root: Path, options: argparse.Namespace) -> None:
    write_manifests(
        root, options.stack, options.output, options.show_secrets, lambda line: print(line, file=sys.stderr)
    )


def _ask(console: Console, question: str, agreeing: set[str]) -> bool:
    if not sys.stdin.isatty():
        raise Declined("A real cluster is only changed after a question, and there is no terminal to ask; see --help.")
    return console.input(question).strip().lower() in agreeing
