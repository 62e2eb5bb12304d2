"""`mainstay preview`: for a person at a terminal, for a pull request, for a program."""

import json
import sys
from collections.abc import Callable

from rich.console import Console

from cli import comment, report
from cli.progress import Display
from devcluster import DevclusterError
from engine import EngineError, Interrupted, operation, review
from engine.operation import Refused, Session
from engine.result import Result
from engine.review import Review
from stacks.environment import InvalidEnvironment

FORMATS = ("terminal", "markdown", "json")


def preview(stack: str, refresh: bool, form: str, console: Console, session: Callable[[Display], Session]) -> None:
    """Previews `stack` and shows it in one of FORMATS. Raises whatever ended it early, after showing that, too.

    Of the last two, stdout takes nothing but the document; `console` should then be one on stderr.
    """
    if form == "terminal":
        _on_terminal(refresh, console, session)
        return
    try:
        reviewed = _review(refresh, console, session)
    except Interrupted:
        raise
    except Refused as error:
        _write(_refused(error), form)
        raise
    except (InvalidEnvironment, EngineError, DevclusterError) as error:
        _write(review.failed(stack, str(error)), form)
        raise
    except Exception as fault:
        # Its words may be anything; the log has them, the world does not.
        _write(review.failed(stack, f"Mainstay itself failed ({type(fault).__name__}); the log says more."), form)
        raise
    _write(reviewed, form)


def plan(console: Console, result: Result) -> None:
    """What would change, and what the policies say."""
    report.changes(console, result)
    report.policies(console, result)


def _on_terminal(refresh: bool, console: Console, session: Callable[[Display], Session]) -> None:
    try:
        reviewed = _review(refresh, console, session)
    except Refused as refused:
        # Who previews wants to see all of it, above all what a policy would stop.
        if refused.result.mandatory:
            _show(console, _refused(refused), refused.result)
        raise
    if reviewed.result:
        report.warnings(console, reviewed.result)
        _show(console, reviewed, reviewed.result)


def _review(refresh: bool, console: Console, session: Callable[[Display], Session]) -> Review:
    with Display(console) as display:
        target, result = operation.preview(session(display), refresh)
    return review.of(result, target.description)


def _refused(error: Refused) -> Review:
    return review.refused(str(error), error.result, error.target.description)


def _show(console: Console, reviewed: Review, result: Result) -> None:
    report.verdict(console, reviewed)
    plan(console, result)


def _write(reviewed: Review, form: str) -> None:
    text = comment.markdown(reviewed) if form == "markdown" else f"{json.dumps(reviewed.to_dict(), indent=1)}\n"
    sys.stdout.write(text)
    sys.stdout.flush()
