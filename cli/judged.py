"""What `audit` and `ready` judge: what is deployed, exported or rendered, as of a time, with dated evidence."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from audit import AuditError, intake, judge
from audit.assessment import Assessment, Input, assess
from policies import evidence, exemptions
from policies.evidence import InvalidEvidence
from policies.facts import Facts
from policies.pack import RULES
from policies.stack import Resource

if TYPE_CHECKING:
    from stacks.environment import Environment

SIMULATED = "the embedded cluster, whose containers are simulated"


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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options about time and evidence."""
    parser.add_argument(
        "--evidence", type=Path, metavar="DIR", help="dated evidence (default: evidence/STACK if there)"
    )
    parser.add_argument("--as-of", type=_time, metavar="TIME", help="judge as of this time, in UTC (default: now)")


def assessed(root: Path, stack: str | None, options: argparse.Namespace) -> Assessment:
    """What the rules say of what `options` name: `state`, `manifests`, else what is deployed. Raises AuditError."""
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


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time, e.g. 2026-11-25 or 2026-11-25T10:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
