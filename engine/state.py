"""The state of a stack, read: what was deployed, without a look at the cluster."""

import json
from pathlib import Path
from typing import Any

from devcluster import Report
from engine import EngineError
from engine.command import CommandFailed
from engine.target import command
from stacks.environment import Environment


def export(root: Path, environment: Environment, report: Report) -> Any:
    """What `pulumi stack export` prints, secrets in plaintext: for memory only, never for a file or a message.

    Encrypted, a whole list that holds one secret would be one unreadable value. Raises EngineError, DevclusterError.
    """
    stack = environment.stack
    place = command(root, environment, report)
    if environment.cluster is None and not (place.directory / "Pulumi.yaml").is_file():
        raise EngineError(f"{stack} was never deployed from this clone; `mainstay up {stack}` does that.")
    try:
        return json.loads(place.run("stack", "export", "--show-secrets", "--stack", stack))
    except CommandFailed as error:
        said = " ".join(str(error).split()).removeprefix("error: ").rstrip(".")
        raise EngineError(
            f"The state of {stack} cannot be read: {said}. "
            f"Was it ever deployed (`mainstay up {stack}`), and does `pulumi login` name its backend?"
        ) from None
