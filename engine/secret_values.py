"""The secret values of an environment in clear text, for the one who asks for them."""

import json
from pathlib import Path
from typing import Any, cast

from devcluster import Report
from engine import EngineError
from engine.command import CommandFailed
from engine.target import command
from stacks.environment import Environment
from stacks.secrets import missing_secrets_message


def secret_values(root: Path, environment: Environment, report: Report) -> dict[str, str]:
    """Value of each of `environment.required_secrets`. Raises EngineError if any is missing or cannot be decrypted."""
    pulumi = command(root, environment, report)
    if not (pulumi.directory / "Pulumi.yaml").is_file():
        raise EngineError(f"No secrets were generated yet: `mainstay up {environment.stack}` does it.")
    try:
        text = pulumi.run("config", "--show-secrets", "--json", "--stack", environment.stack)
    except CommandFailed as error:
        raise EngineError(f"The secrets of {environment.stack} cannot be read: {error}") from None
    config = cast(dict[str, dict[str, Any]], json.loads(text))
    missing = [key for key in environment.required_secrets if key not in config]
    if missing:
        raise EngineError(missing_secrets_message(environment.stack, missing))
    return {key: str(config[key]["value"]) for key in environment.required_secrets}
