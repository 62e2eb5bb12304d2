"""`mainstay preview`: for a person at a terminal, for a pull request, for a program."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cli import comment, report
from cli.progress import Display
from devcluster import DevclusterError
from engine import EngineError, Interrupted, operation, review
from engine.operation import Refused
from engine.result import Result
from engine.review import Review
from stacks import InvalidEnvironment

FORMATS = ("terminal", "markdown", "json")


def preview(root: Path, stacks: Sequence[str], refresh: bool, form: str, console: Console) -> None:
    """Previews `stacks`, one after the other, and shows them in one of FORMATS; only Markdown takes more than one.

    Raises whatever ended a preview early, after showing that, too. Of the last two formats, stdout takes nothing but
    the document; `console` should then be one on stderr.
    """
    if len(stacks) > 1 and form != "markdown":
        raise EngineError("Several environments make one document: add --format markdown, or name one of them.")
    if form == "terminal":
        _on_terminal(root, stacks[0], refresh, console)
        return
    judged = [_judge(root, stack, refresh, console) for stack in stacks]
    reviews = [reviewed for reviewed, _ in judged]
    if form == "markdown":
        sys.stdout.write(comment.markdown(reviews))
    else:
        sys.stdout.write(f"{json.dumps(reviews[0].to_dict(), indent=1)}\n")
    sys.stdout.flush()
    errors = {reviewed.stack: error for reviewed, error in judged if error}
    if len(errors) > 1:
        raise EngineError("\n".join(f"{stack}: {error}" for stack, error in errors.items()))
    for error in errors.values():
        raise error


def plan(console: Console, result: Result) -> None:
    """What would change, and what the policies say."""
    report.changes(console, result)
    report.policies(console, result)


def _on_terminal(root: Path, stack: str, refresh: bool, console: Console) -> None:
    try:
        reviewed = _review(root, stack, refresh, console)
    except Refused as refused:
        # Who previews wants to see all of it, above all what a policy would stop.
        if refused.result.mandatory:
            _show(console, _refused(refused), refused.result)
        raise
    if reviewed.result:
        report.warnings(console, reviewed.result)
        _show(console, reviewed, reviewed.result)


def _judge(root: Path, stack: str, refresh: bool, console: Console) -> tuple[Review, Exception | None]:
    """The preview, and what ended it early, if anything did. An interrupt is raised: it says nothing of the change."""
    try:
        return _review(root, stack, refresh, console), None
    except Interrupted:
        raise
    except Refused as error:
        return _refused(error), error
    except (InvalidEnvironment, EngineError, DevclusterError) as error:
        return review.failed(stack, str(error)), error
    except Exception as fault:
        # Its words may be anything; the log has them, the world does not.
        return review.failed(stack, f"Mainstay itself failed ({type(fault).__name__}); the log says more."), fault


def _review(root: Path, stack: str, refresh: bool, console: Console) -> Review:
    with Display(console) as display:
        target, result = operation.preview(display.session(root, stack), refresh)
    return review.of(result, target.description)


def _refused(error: Refused) -> Review:
    return review.refused(str(error), error.result, error.target.description)


def _show(console: Console, reviewed: Review, result: Result) -> None:
    report.verdict(console, reviewed)
    plan(console, result)
