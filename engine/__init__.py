"""Runs an environment through Pulumi's engine and says what happened.

- `target`     where an environment is deployed: a real cluster it names (`kubeconfig`), or the embedded one
- `workspace`  the embedded deployments' own project, state, passphrase and secrets, below `.mainstay/`
- `command`    one run of the Pulumi CLI, with the program in this process and the engine's events as they happen
- `events`     the engine's events folded into a `result.Result`: plain data for every renderer
- `changes`    the values of what differs, secrets masked
- `contents`   which images an object runs, which data it holds
- `recovery`   what an interrupted run left: locks, orphaned processes, half-created objects
- `operation`  preview, up, down
- `review`     a preview's verdict
- `sentences`  the engine's failures, said to the person who must act
- `running`    what stands in the cluster now, asked through `objects`
- `secret_values`  an environment's secrets in clear text, for who asks for them
"""


class EngineError(Exception):
    """A deployment cannot start or has failed; the message is complete sentences for the person who must act."""


class Interrupted(Exception):
    """The person stopped the run; the message says what was done and how to go on."""
