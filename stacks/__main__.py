"""What the Pulumi engine runs on `pulumi preview|up -s <stack>`: a real cluster, named by the stack."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

# Python puts the folder of the program it runs first on the path, where this room's platform.py and secrets.py would
# take the place of the standard library's modules of that name.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

import pulumi  # noqa: E402

from stacks import InvalidEnvironment  # noqa: E402
from stacks.drills import last_drills  # noqa: E402
from stacks.environment import PROJECT, environment_file, from_config  # noqa: E402
from stacks.platform import declare  # noqa: E402


def main() -> None:
    """Declares the stack's environment. Refuses a stack that does not say which cluster it is for."""
    stack = pulumi.get_stack()
    config: dict[str, Any] = {
        key: json.loads(value) if key.startswith(f"{PROJECT}:") else value
        for key, value in pulumi.runtime.get_config_env().items()
    }
    root = Path(__file__).resolve().parent.parent
    environment = replace(from_config(config, stack), drills=last_drills(root, stack))
    if environment.cluster is None:
        raise InvalidEnvironment(
            f"{environment_file(stack)}: neither kubernetes:context nor kubernetes:kubeconfig is set, and Mainstay "
            "does not guess which cluster is meant; set one with "
            f"`pulumi config set --stack {stack} kubernetes:context <context>`, "
            f"or use the embedded cluster with `mainstay up {stack}`."
        )
    declare(environment)


try:
    main()
except InvalidEnvironment as fault:
    # The sentence alone, not a traceback.
    raise pulumi.RunError(str(fault)) from None
