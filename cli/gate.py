"""`mainstay gate`, and the same gate inside `mainstay up`: it asks for the budgets, judges, records overrides."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from budgets import BudgetsError, gate, overrides, revisions
from budgets.gate import Changes
from budgets.overrides import Override
from budgets.prometheus import Prometheus
from budgets.risk import risks
from cli.progress import Display
from engine import operation
from engine.objects import Objects
from engine.result import Result
from engine.target import Target
from stacks.environment import Environment, environment_file, load

SIMULATED = "The embedded cluster runs no Prometheus (its pods are simulated), so there are no budgets to ask for."
_DAY = 86_400
_SHOWN_DAYS = 30
_ADVICE = (
    "Nothing was changed. More replicas, what only watches, and going back to what ran before pass at once; all else "
    "waits until the budget recovers, or somebody answers for it with --override REASON, which is recorded."
)


class Closed(BudgetsError):
    """The gate refuses the change."""


def prometheus(environment: Environment, address: str | None, embedded: bool) -> Prometheus | None:
    """The Prometheus to ask: at `address`, else the environment's own. None on the embedded cluster, which has none.

    Raises BudgetsError if none is named.
    """
    if address:
        return Prometheus(address)
    # The address in the file is that of the real cluster's Prometheus.
    if embedded:
        return None
    if declared := environment.platform.gate:
        return Prometheus(declared.prometheus)
    raise BudgetsError(
        "Which Prometheus? Name it with --prometheus URL, or as mainstay:gate.prometheus in "
        f"{environment_file(environment.stack)}."
    )


@dataclass
class Gate:
    """The gate for one run of a verb."""

    root: Path
    environment: Environment
    console: Console
    address: str | None
    """Of Prometheus; None: the environment's own."""
    reason: str | None
    """Why the change is to pass nevertheless; None: it is not."""
    by: str | None
    overriding: Override | None = None
    """By what the change passes that was checked; None: by itself."""

    @property
    def message(self) -> str | None:
        """What to keep of an override in the deployment's history."""
        return f"Budget gate overridden by {self.by}: {self.reason}" if self.overriding else None

    def unasked(self) -> None:
        """Says why the embedded cluster was not judged, if the environment has a gate."""
        if self.environment.platform.gate:
            self.say(f"Budget gate: {SIMULATED}")

    def check(self, embedded: bool, plan: Callable[[], tuple[Target, Result]]) -> None:
        """Says what it finds. Raises Closed if the change must wait. `plan` is only called if it matters.

        What passes by an override goes on only after `record`.
        """
        server = prometheus(self.environment, self.address, embedded)
        if server is None:
            self.say(f"Budget gate: {SIMULATED}")
            return
        now = int(time.time())
        self.past(now)
        found: list[Changes] = []

        def changes() -> Changes:
            target, result = plan()
            risky = risks(result)
            found.append(Changes(risky, lambda: revisions.goes_back(risky, lambda: _earlier(target, found[0]))))
            return found[0]

        asked = gate.ask(server, now)
        declared = self.environment.platform.gate
        verdict = gate.judge(asked, declared.unreachable if declared else "refuse", changes)
        if verdict.passes:
            self.say(f"Budget gate: passes. {verdict.why}")
        elif self.reason is None or self.by is None:
            raise Closed(f"The budget gate refuses this change.\n{verdict.why}\n{_ADVICE}")
        else:
            risky = [str(risk) for risk in found[0].risks]
            stack = self.environment.stack
            self.overriding = Override(overrides.stamp(now), stack, self.by, self.reason, asked.reasons, risky)
            self.say(verdict.why)

    def past(self, now: int) -> None:
        """Earlier overrides: nobody should have to look for them."""
        stack = self.environment.stack
        for each in overrides.read(self.root, stack, now - _SHOWN_DAYS * _DAY, now + _DAY):
            self.say(f"Budget gate: overridden at {each}")

    def record(self) -> None:
        """Records the override, if there is one. Raises BudgetsError: then the change does not pass."""
        if self.overriding:
            overrides.record(self.root, self.overriding)
            self.say(f"Budget gate: overridden by {self.by}: {self.reason} (recorded in {overrides.FILE}).")

    def say(self, text: str) -> None:
        """A line, whole in a log or a pipe, too."""
        self.console.print(Text(text), soft_wrap=True)


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds `gate` to the parser's. `root` finds the project."""
    about = "ask the error budgets whether a change may be deployed: code 1 if it must wait"
    added = verbs.add_parser("gate", help=about, description=about)
    added.add_argument("stack", metavar="STACK", help="name of the environment: Pulumi.STACK.yaml describes it")
    added.add_argument("--prometheus", metavar="URL", help="instead of mainstay:gate.prometheus in the environment")
    add_override(added)

    def run(options: argparse.Namespace) -> None:
        _gate(root(), options)

    added.set_defaults(verb=run)


def add_override(parser: argparse.ArgumentParser) -> None:
    """Adds the two options of an override."""
    parser.add_argument("--override", type=_said, metavar="REASON", help="let it pass nevertheless; this is recorded")
    parser.add_argument("--by", type=_said, metavar="WHO", help="who answers for the override")


def opened(options: argparse.Namespace, root: Path, console: Console) -> Gate:
    """The gate for the options of a verb. Raises InvalidEnvironment, BudgetsError."""
    if bool(options.override) != bool(options.by):
        raise BudgetsError("--override REASON and --by WHO belong together: somebody answers for it, with a reason.")
    address = getattr(options, "prometheus", None)
    return Gate(root, load(root, options.stack), console, address, options.override, options.by)


def _gate(root: Path, options: argparse.Namespace) -> None:
    console = Console(highlight=False, soft_wrap=True)
    own = opened(options, root, console)

    def plan() -> tuple[Target, Result]:
        # Progress is not the answer.
        with Display(Console(stderr=True, highlight=False)) as display:
            return operation.preview(display.session(root, options.stack), refresh=True)

    own.check(own.environment.cluster is None, plan)
    own.record()
    sys.stdout.flush()


def _earlier(target: Target, changes: Changes) -> revisions.Revisions:
    objects = Objects(target.kubeconfig, target.context, target.embedded)
    return revisions.earlier(objects, revisions.namespaces(changes.risks))


def _said(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise argparse.ArgumentTypeError("it must say something")
    return said
