"""Preview, up, down: each validates first, then finds the cluster, then lets the engine work."""

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devcluster import Report
from engine import EngineError, Interrupted, recovery, sentences, workspace
from engine.command import Completed
from engine.events import Recorder, Watch
from engine.objects import Objects
from engine.result import Result
from engine.target import ADVISORY_WHERE_EMBEDDED, POLICY_PACK, Target, resolve
from policies import results
from policies.model import Enforcement
from stacks.environment import environment_file, load
from stacks.platform import declare

Verb = Literal["preview", "up", "destroy"]
_OPERATION: dict[Verb, Literal["preview", "up", "down"]] = {"preview": "preview", "up": "up", "destroy": "down"}
_DOING: dict[Verb, str] = {"preview": "previewing, with policies", "up": "deploying", "destroy": "deleting"}


class Refused(EngineError):
    """The engine stopped or failed; `result` is what it had found or done until then."""

    def __init__(self, message: str, target: Target, result: Result, completed: Completed) -> None:
        super().__init__(message)
        self.target = target
        self.result = result
        self.completed = completed


class Declined(EngineError):
    """The person did not agree."""


@dataclass(frozen=True)
class Session:
    """A run by one person: how to tell them what goes on, and how to ask them."""

    root: Path
    stack: str
    report: Report
    """Takes a plain line."""
    watch: Watch
    """Takes the progress of single resources. Called from another thread."""


@dataclass(frozen=True)
class Deployed:
    """An `up` that went well."""

    target: Target
    plan: Result
    """The preview before it, with the policies' results."""
    result: Result | None
    """The update; None if there was nothing to change."""


def preview(session: Session, refresh: bool) -> tuple[Target, Result]:
    """What `up` would change. Raises Refused, with the result, if a mandatory policy would stop it."""
    with ExitStack() as held:
        target = _ready(session, "preview", held)
        return target, _run(session, target, "preview", ["--refresh"] if refresh else [])


def up(
    session: Session, confirm: Callable[[Target, Result], bool], message: Callable[[], str | None] = lambda: None
) -> Deployed:
    """Deploys. A preview with refresh and policies comes first; if it finds nothing to change, it is the end.

    `confirm` is asked on a real cluster only, with the preview. `message`, asked after it, is kept in the deployment's
    history. Raises EngineError, Declined, Interrupted, and whatever `confirm` raises.
    """
    with ExitStack() as held:
        target = _ready(session, "up", held)
        plan = _run(session, target, "preview", ["--refresh"])
        if not plan.has_changes:
            return Deployed(target, plan, None)
        if not target.embedded and not confirm(target, plan):
            raise Declined("Nothing was changed: not confirmed.")
        said = ["--message", text] if (text := message()) else []
        return Deployed(target, plan, _run(session, target, "up", ["--refresh", "--yes", "--skip-preview", *said]))


def down(session: Session, confirm: Callable[[Target], bool]) -> Result:
    """Deletes all the stack deployed. What is protected stays protected on a real cluster, and stops it there.

    `confirm` is asked on a real cluster only. Raises EngineError, Declined, Interrupted.
    """
    with ExitStack() as held:
        target = _ready(session, "down", held)
        if not target.embedded and not confirm(target):
            raise Declined("Nothing was changed: not confirmed.")
        unprotect = ["--ignore-protect"] if target.embedded else []
        return _run(session, target, "destroy", ["--refresh", "--yes", "--skip-preview", *unprotect])


def _ready(session: Session, verb: str, held: ExitStack) -> Target:
    """The target, past all that can be wrong before the engine starts, and kept from other runs."""
    environment = load(session.root, session.stack)
    if environment.cluster is None:
        held.enter_context(recovery.hold(session.root, session.stack, verb))
    target = resolve(session.root, environment, session.report)
    if target.embedded:
        workspace.prepare(target)
        recovery.clear_locks(target, session.report)
    else:
        Objects(target.kubeconfig, target.context, local=False).ping(
            f"kubernetes:context in {environment_file(session.stack)}"
        )
    if verb != "preview":
        recovery.finish_pending(target, session.report)
    return target


def _run(session: Session, target: Target, verb: Verb, options: Sequence[str]) -> Result:
    session.report(_DOING[verb])
    recorder = Recorder(_OPERATION[verb], target.stack, session.watch)
    with tempfile.TemporaryDirectory(prefix="mainstay-") as folder:
        found = Path(folder) / "policies.json"
        packs = [] if verb == "destroy" else policy_options(target, Path(folder))
        completed = target.command.deploy(
            [verb, "--stack", target.stack, *options, *packs],
            program=lambda: declare(target.environment),
            on_event=recorder.take,
            on_interrupt=lambda count: session.report(_stopping(count)),
            environment={results.VARIABLE: str(found)},
        )
        policy = results.read(found)
    if completed.interrupted and completed.code:
        raise Interrupted(_stopped(recorder.result("interrupted", policy)))
    result = recorder.result("failed" if completed.code else "succeeded", policy)
    if completed.code:
        raise Refused(sentences.failure(result, completed, target), target, result, completed)
    return result


def policy_options(target: Target, folder: Path) -> list[str]:
    """The engine's options for the policy pack; a file with the levels that the target changes goes into `folder`."""
    options = ["--policy-pack", str(POLICY_PACK)]
    if target.embedded:
        levels = folder / "levels.json"
        levels.write_text(json.dumps(dict.fromkeys(ADVISORY_WHERE_EMBEDDED, Enforcement.ADVISORY)))
        options += ["--policy-pack-config", str(levels)]
    return options


def _stopping(count: int) -> str:
    if count == 1:
        return "stopping: waiting for what is under way (Ctrl-C again stops at once)"
    return "stopping at once: what was half made will be settled by the next run"


def _stopped(result: Result) -> str:
    if result.operation == "preview":
        return "Stopped during the preview: nothing was changed."
    changed = result.changed
    done = sum(step.state == "done" for step in changed)
    verb = result.operation
    return (
        f"Stopped: {done} of the {len(changed)} changes begun are made and recorded; "
        f"`mainstay {verb} {result.stack}` goes on from here."
    )
