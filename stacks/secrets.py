"""The secret values of an environment, from the stack's encrypted config."""

from collections.abc import Sequence

import pulumi

from stacks import InvalidEnvironment
from stacks.environment import SECRETS, Environment, environment_file
from stacks.settings_sentry import dsn_fault


def missing_secrets_message(stack: str, keys: Sequence[str]) -> str:
    """What to say when secrets are not set: the commands that set them, all of them."""
    commands = "\n".join(f"  pulumi config set --secret --stack {stack} {key}" for key in sorted(keys))
    count = "One secret is" if len(keys) == 1 else f"{len(keys)} secrets are"
    return f"{environment_file(stack)}: {count} missing; set each, it will be asked for and encrypted:\n{commands}"


def read_secrets(environment: Environment) -> dict[str, pulumi.Output[str]]:
    """Secret values by name, without the `secrets:` prefix. Raises InvalidEnvironment naming all that are missing."""
    config = pulumi.Config(SECRETS)
    values: dict[str, pulumi.Output[str]] = {}
    missing: list[str] = []
    for key in environment.required_secrets:
        name = key.removeprefix(f"{SECRETS}:")
        value = config.get_secret(name)
        if value is None:
            missing.append(key)
        else:
            values[name] = value
    if missing:
        raise InvalidEnvironment(missing_secrets_message(environment.stack, missing))
    return values


def check_dsns(environment: Environment) -> None:
    """Raises InvalidEnvironment, without the value, if a DSN is none or cannot be reached: errors would be lost unseen.

    All secrets must be there. On the embedded cluster they are made up, and nothing there reports.
    """
    sentry = environment.platform.sentry
    if sentry is None or environment.cluster is None:
        return
    keys = [f"{SECRETS}:{name}" for name in sorted(environment.platform.dsns)]
    faults = {key: dsn_fault(pulumi.runtime.get_config(key) or "", sentry.port) for key in keys}
    if lines := [f"{environment_file(environment.stack)}: {key} {fault}." for key, fault in faults.items() if fault]:
        raise InvalidEnvironment("\n".join(lines))
