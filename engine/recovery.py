"""What an interrupted run leaves behind, and how the next one gets past it without asking.

- One run at a time per stack: a lock of ours, which the kernel frees however its holder ends.
- Holding it, whatever lock the state still has belongs to an engine whose `mainstay` was killed: the engine is asked to
  stop if it still runs, and the lock is taken away. (Its plugins end themselves when it is gone.)
- Objects whose creation was cut off stand in the state as pending. On the embedded cluster they are removed and made
  again: nobody can say how far they came, and nothing in them is worth keeping. On a real cluster a person decides.
"""

import fcntl
import getpass
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from devcluster import Report
from engine import EngineError
from engine.command import CommandFailed
from engine.objects import Objects
from engine.sentences import explain
from engine.target import Target
from engine.workspace import checkpoint

_PATIENCE = 20.0
"""Seconds an orphaned engine has to save its state and stop."""


@contextmanager
def hold(root: Path, stack: str, verb: str) -> Generator[None]:
    """Keeps other runs of Mainstay away from the stack in this clone. Raises EngineError if one is under way."""
    path = root / ".mainstay" / f"{stack}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise EngineError(
                f"`mainstay {file.read().strip() or stack} is already running in this clone; "
                "wait until it has ended, or stop it with Ctrl-C there."
            ) from None
        file.truncate(0)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(f"{verb} {stack}` of {getpass.getuser()} (process {os.getpid()}, since {now})")
        file.flush()
        yield


def clear_locks(target: Target, report: Report) -> None:
    """Takes away the locks that a killed run left in the embedded state. Raises EngineError for one that is in use."""
    stack_file = checkpoint(target)
    project, state = stack_file.parent.name, stack_file.parents[3]
    locks = state / ".pulumi" / "locks" / "organization" / project / target.stack
    for path in sorted(locks.glob("*.json")):
        try:
            lock = cast(dict[str, Any], json.loads(path.read_text()))
        except (OSError, ValueError):
            lock = {}
        _end_holder(lock, target, report)
        path.unlink(missing_ok=True)
        report(f"cleared the lock of an interrupted run (process {lock.get('pid')}, since {lock.get('timestamp')})")


def _end_holder(lock: Mapping[str, Any], target: Target, report: Report) -> None:
    pid = lock.get("pid")
    if not isinstance(pid, int):
        return
    if lock.get("hostname") == socket.gethostname():
        if not _is_engine(pid):
            return
        if os.getsid(pid) == pid:
            # Engines are leaders of their sessions if Mainstay started them, and the Mainstay of this one is gone.
            report(f"an interrupted run is still at work (process {pid}); asking it to stop")
            _stop(pid)
            return
    raise EngineError(
        f"Stack {target.stack} is locked: {lock.get('username')} on {lock.get('hostname')} (process {pid}) has been "
        f"working on it since {lock.get('timestamp')}. Wait until that has ended; if it has died, remove "
        f"{target.root / '.mainstay/state/.pulumi/locks'}."
    )


def _is_engine(pid: int) -> bool:
    name = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return "pulumi" in name.stdout


def _stop(pid: int) -> None:
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + _PATIENCE
    while _is_engine(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def finish_pending(target: Target, report: Report) -> None:
    """Settles operations that were cut off. Raises EngineError where a person must decide."""
    try:
        if target.embedded and not _state_mentions_pending(target):
            return
        exported = json.loads(target.command.run("stack", "export", "--stack", target.stack))
        deployment = cast(dict[str, Any], exported["deployment"])
        pending = cast(list[dict[str, Any]], deployment.get("pending_operations") or [])
        known = {resource["urn"] for resource in cast(list[dict[str, Any]], deployment.get("resources") or [])}
        creating = [
            op["resource"]
            for op in pending
            # Components and providers are nothing outside the state.
            if op["type"] == "creating"
            and op["resource"]["type"].startswith("kubernetes:")
            and op["resource"]["urn"] not in known
        ]
        if not target.embedded:
            if creating:
                raise EngineError(_decide(target, creating))
            return
        if not pending:
            return
        objects = Objects(target.kubeconfig, target.context, local=True)
        for resource in creating:
            if objects.remove(resource["inputs"]):
                report(f"removed {_name(resource)}, which an interrupted run had only half made")
        deployment["pending_operations"] = []
        target.command.run("stack", "import", "--stack", target.stack, stdin=json.dumps(exported))
    except CommandFailed as error:
        raise EngineError(explain(str(error), target)) from None


def _state_mentions_pending(target: Target) -> bool:
    """Saves a run of the CLI in the usual case."""
    path = checkpoint(target)
    return path.is_file() and '"pending_operations"' in path.read_text(encoding="utf-8")


def _decide(target: Target, creating: list[dict[str, Any]]) -> str:
    names = ", ".join(_name(resource) for resource in creating)
    return (
        f"The last deployment of {target.stack} was cut off while it made {names}, and on a real cluster Mainstay "
        f"does not guess how far it came. Look with `kubectl --context {target.context} get`, delete what is half "
        f"made, run `pulumi refresh --stack {target.stack} --clear-pending-creates`, then deploy again."
    )


def _name(resource: Mapping[str, Any]) -> str:
    inputs = cast(dict[str, Any], resource.get("inputs") or {})
    metadata = cast(dict[str, Any], inputs.get("metadata") or {})
    kind = inputs.get("kind") or str(resource["type"]).rpartition(":")[2]
    name = metadata.get("name") or str(resource["urn"]).rpartition("::")[2]
    return f"{kind} {metadata['namespace']}/{name}" if metadata.get("namespace") else f"{kind} {name}"
