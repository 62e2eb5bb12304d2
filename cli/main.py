"""`mainstay up|preview|down|render|gate|slo|audit|ready|cluster`.

Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

from audit import AuditError
from budgets import BudgetsError
from devcluster import DevclusterError
from engine import EngineError, Interrupted
from stacks import InvalidEnvironment

_MODULES = {
    "up": "cli.deploy",
    "preview": "cli.deploy",
    "down": "cli.deploy",
    "render": "cli.deploy",
    "gate": "cli.gate",
    "slo": "cli.slo",
    "audit": "cli.audit",
    "ready": "cli.ready",
    "cluster": "cli.embedded",
}
"""Verb -> where it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser(next((word for word in words if not word.startswith("-")), None)).parse_args(words)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        options.verb(options)
        sys.stdout.flush()
        return 0
    except (InvalidEnvironment, EngineError, DevclusterError, BudgetsError, AuditError) as error:
        if options.debug:
            traceback.print_exc()
            from engine.operation import Refused

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


def _parser(verb: str | None = None) -> argparse.ArgumentParser:
    """Of all verbs; of the rooms, those that `verb` needs, if it is one: to import all takes as long as many a verb."""
    parser = argparse.ArgumentParser(prog="mainstay", description="Declare, preview and deploy a product's platform.")
    parser.add_argument("--debug", action="store_true", help="show tracebacks and all the engine wrote on a failure")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for module in [_MODULES[verb]] if verb in _MODULES else dict.fromkeys(_MODULES.values()):
        import_module(module).add_verbs(verbs, project_root)
    return parser


def project_root() -> Path:
    """The folder with Pulumi.yaml: this one or one above it. Raises EngineError."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise EngineError(f"There is no Pulumi.yaml in {here} or above it; go to the project's folder first.")


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
