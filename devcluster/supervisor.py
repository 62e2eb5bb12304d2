"""Keeps the components of one embedded cluster running: `python -m devcluster.supervisor <data folder>`.

It detaches itself, starts what plan.json says, restarts what ends (at once, then with growing pauses), and writes to
state.json what runs. SIGTERM, or the disappearance of that file, makes it stop everything and end. If it is killed the
kernel kills the components.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from devcluster import processes
from devcluster.api import Api
from devcluster.directory import Directory, write

_TICK = 0.1  # seconds
_SHORTEST_PAUSE = 0.25  # seconds before a component that ended is started again, doubled with each failure
_LONGEST_PAUSE = 30.0
_STABLE = 60.0  # seconds after which an earlier crash no longer counts
_PATIENCE = 3.0  # seconds to end after SIGTERM; nothing is lost by a kill, etcd's data are with the operating system
_LARGEST_LOG = 10 * 2**20  # bytes; beyond this the log is put aside when its component starts


@dataclass(frozen=True)
class Component:
    """A program to keep running."""

    name: str
    port: int
    """Where it listens on loopback, with TLS."""
    health: str
    """The path there that answers 200 when it is well."""
    command: tuple[str, ...]
    after: str = ""
    """The component that must be well before this one is started."""
    once_exists: str = ""
    """The file that must exist before this one is started."""


@dataclass(frozen=True)
class Plan:
    """What a supervisor runs. `digest` tells one plan from another."""

    digest: str
    components: tuple[Component, ...]

    @staticmethod
    def read(path: Path) -> "Plan":
        """From JSON. Raises OSError or ValueError."""
        content = cast("dict[str, Any]", json.loads(path.read_bytes()))
        components: list[Component] = []
        for each in content["components"]:
            each["command"] = tuple(each["command"])
            components.append(Component(**each))
        return Plan(content["digest"], tuple(components))

    def write(self, path: Path) -> None:
        """As JSON."""
        write(path, json.dumps(asdict(self), indent=2))


@dataclass
class Child:
    """What became of one component. `process` is None while it does not run."""

    process: processes.Process | None = None
    restarts: int = 0
    failures: int = 0
    """How often it ended since it last ran for a minute."""
    since: float = 0.0
    """When it was last started, in seconds since the epoch."""


@dataclass
class State:
    """What a supervisor says of itself: its own process, the plan it runs, and each component."""

    supervisor: processes.Process
    digest: str
    children: dict[str, Child] = field(default_factory=dict[str, Child])

    @staticmethod
    def read(path: Path) -> "State | None":
        """From JSON; None if there is none that can be read."""
        try:
            content = json.loads(path.read_bytes())
            children = {
                name: Child(
                    processes.Process(**child["process"]) if child["process"] else None,
                    child["restarts"],
                    child["failures"],
                    child["since"],
                )
                for name, child in content["children"].items()
            }
            return State(processes.Process(**content["supervisor"]), content["digest"], children)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """As JSON."""
        write(path, json.dumps(asdict(self), indent=2))


class _Keeper:
    """One component: starts it when its time has come, notices its end, decides when to try again."""

    def __init__(self, component: Component, directory: Directory) -> None:
        self.component = component
        self.child = Child()
        self._directory = directory
        self._running: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def reap(self) -> bool:
        """Whether it has ended since the last call."""
        if self._running is None or self._running.poll() is None:
            return False
        if time.time() - self.child.since > _STABLE:
            self.child.failures = 0
        pause = min(_SHORTEST_PAUSE * 2**self.child.failures, _LONGEST_PAUSE)
        _note(f"{self.component.name} ended: {_ending(self._running.returncode)}; again in {pause:.1f} s")
        self._not_before = time.monotonic() + pause
        self._running = None
        self.child.process = None
        self.child.restarts += 1
        self.child.failures += 1
        return True

    @property
    def due(self) -> bool:
        return (
            self._running is None
            and time.monotonic() >= self._not_before
            and (not self.component.once_exists or Path(self.component.once_exists).exists())
        )

    def start(self) -> None:
        with _open_log(self._directory.log(self.component.name)) as log:
            self._running = subprocess.Popen(
                processes.bound(list(self.component.command)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory.path,
            )
        pid = self._running.pid
        self.child.process = processes.Process(pid, processes.started(pid) or "")
        self.child.since = time.time()
        _note(f"{self.component.name} started as process {pid}")

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            try:
                self._running.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                self._running.kill()
                self._running.wait()


def supervise(directory: Directory) -> None:
    """Run the plan until SIGTERM."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan = Plan.read(directory.plan)
    me = os.getpid()
    state = State(processes.Process(me, processes.started(me) or ""), plan.digest)
    keepers = [_Keeper(component, directory) for component in plan.components]
    state.children = {keeper.component.name: keeper.child for keeper in keepers}
    state.write(directory.state)
    apis = {component.name: api_of(component, directory) for component in plan.components}
    try:
        # Without its file nobody could find it any more: the clone has been deleted under it.
        while not stopping and directory.state.exists():
            changed = bool([keeper for keeper in keepers if keeper.reap()])
            due = [keeper for keeper in keepers if keeper.due]
            # Asked once for all, because one that hangs takes its time to be found unwell.
            well = {
                name: apis[name].healthy(_health(plan, name)) for name in {each.component.after for each in due} - {""}
            }
            for keeper in due:
                if well.get(keeper.component.after, True):
                    keeper.start()
                    changed = True
            if changed:
                state.write(directory.state)
            time.sleep(_TICK)
    finally:
        for keeper in reversed(keepers):
            keeper.stop()
        directory.state.unlink(missing_ok=True)
        _note("stopped")


def api_of(component: Component, directory: Directory) -> Api:
    """Requests to one component as administrator, short of patience: it answers at once or it is not well."""
    certificate, key = directory.certificate("admin"), directory.key("admin")
    return Api(component.port, directory.certificate("ca"), certificate, key, timeout=1)


def _health(plan: Plan, name: str) -> str:
    return next(component.health for component in plan.components if component.name == name)


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(".log.old"))
    return path.open("ab")


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _note(words: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {words}", flush=True)


if __name__ == "__main__":
    # Detached: no child of whoever started it, no terminal, no part of its process group.
    if os.fork():
        os._exit(0)
    os.setsid()
    supervise(Directory(Path(sys.argv[1])))
