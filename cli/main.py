"""`mainstay up|preview|down|render|gate|slo|audit|ready|cluster`.

Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from audit import AuditError
from budgets import BudgetsError
from cli import audit, embedded, gate, report, slo
from cli.manifests import write_manifests
from cli.preview import FORMATS, preview
from cli.preview import plan as show_plan
from cli.progress import Display
from devcluster import DevclusterError
from engine import EngineError, Interrupted, operation, running
from engine.objects import Objects
from engine.operation import Declined, Refused, Session
from engine.result import Result
from engine.target import Target
from stacks.environment import InvalidEnvironment

_NARROWEST = 80


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; its exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        options.verb(options)
        sys.stdout.flush()
        return 0
    except (InvalidEnvironment, EngineError, DevclusterError, BudgetsError, AuditError) as error:
        if options.debug:
            traceback.print_exc()
            if isinstance(error, Refused):
                sys.stderr.write(f"{error.completed.stdout}\n{error.completed.stderr}\n")
        sys.stderr.write(f"error: {error}\n")
        return 1
    except Interrupted as stopped:
        sys.stderr.write(f"{stopped}\n")
        return 130
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. The same command goes on from here.\n")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, e.g. `mainstay render staging | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as fault:
        if options.debug:
            raise
        sys.stderr.write(
            f"error: Mainstay itself failed ({type(fault).__name__}: {fault}); --debug shows where, for a bug report.\n"
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mainstay", description="Declare, preview and deploy a product's platform.")
    parser.add_argument("--debug", action="store_true", help="show tracebacks and all the engine wrote on a failure")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    stack = "name of the environment: Pulumi.STACK.yaml describes it"

    def verb(name: str, run: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=about, description=about)
        added.set_defaults(verb=run)
        if run is _preview:
            added.add_argument("stacks", metavar="STACK", nargs="+", help=f"{stack}; several with --format markdown")
        else:
            added.add_argument("stack", metavar="STACK", help=stack)
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
    gate.add_verb(verbs, project_root, _session)
    slo.add_verbs(verbs, project_root)
    audit.add_verb(verbs, project_root)
    audit.add_ready(verbs, project_root)
    embedded.add_verbs(verbs, project_root)
    return parser


def project_root() -> Path:
    """The folder with Pulumi.yaml: this one or one above it. Raises EngineError."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise EngineError(f"There is no Pulumi.yaml in {here} or above it; go to the project's folder first.")


def _up(options: argparse.Namespace) -> None:
    console = _console()
    budgets = gate.opened(options, project_root(), console)
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

        deployed = operation.up(_session(options.stack, display), confirm, lambda: budgets.message)
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


def _preview(options: argparse.Namespace) -> None:
    console = _console(stderr=options.format != "terminal")
    preview(options.stacks, options.refresh, options.format, console, _session)


def _down(options: argparse.Namespace) -> None:
    console = _console()
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

        result = operation.down(_session(options.stack, display), confirm)
    console.print(report.summary(result))


def _render(options: argparse.Namespace) -> None:
    write_manifests(
        project_root(), options.stack, options.output, options.show_secrets, lambda line: print(line, file=sys.stderr)
    )


def _session(stack: str, display: Display) -> Session:
    return Session(project_root(), stack, display.report, display.watch)


def _ask(console: Console, question: str, agreeing: set[str]) -> bool:
    if not sys.stdin.isatty():
        raise Declined("A real cluster is only changed after a question, and there is no terminal to ask; see --help.")
    return console.input(question).strip().lower() in agreeing


def _console(stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if console.width < _NARROWEST or not console.is_terminal:
        console.width = max(console.width, 120)
    return console


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
