"""The supervisor with components that only sleep: what it starts, restarts, and takes with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster import certificates
from devcluster.directory import Directory
from devcluster.processes import Process
from devcluster.supervisor import Component, Plan, State

ROOT = Path(__file__).parent.parent.parent


def until(done: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Running:
    """A supervisor over `components`."""

    def __init__(self, folder: Path, *components: Component) -> None:
        self.directory = Directory(folder)
        certificates.ensure(self.directory.certificates)
        Plan("test", components).write(self.directory.plan)
        # As devcluster.cluster starts it: it detaches itself and this returns.
        subprocess.run([sys.executable, "-m", "devcluster.supervisor", str(folder)], cwd=ROOT, check=True)
        until(lambda: State.read(self.directory.state) is not None)
        self.supervisor = self.state.supervisor

    @property
    def state(self) -> State:
        state = State.read(self.directory.state)
        assert state is not None
        return state

    def process(self, name: str) -> Process | None:
        return self.state.children[name].process


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(*components: Component) -> Running:
        running.append(Running(tmp_path, *components))
        return running[-1]

    yield start
    for each in running:
        each.supervisor.end(patience=10)


def sleeper(name: str, **settings: str) -> Component:
    return Component(name, 0, "/", ("sleep", "1000"), **settings)


def started(running: Running, name: str) -> Process:
    until(lambda: running.process(name) is not None)
    process = running.process(name)
    assert process is not None
    return process


def test_a_killed_component_is_started_again(run: Callable[..., Running]) -> None:
    running = run(sleeper("one"))
    first = started(running, "one")
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: running.process("one") not in (None, first))
    assert running.state.children["one"].restarts == 1


def test_a_component_that_keeps_ending_is_tried_ever_more_slowly(run: Callable[..., Running]) -> None:
    running = run(Component("bad", 0, "/", ("sh", "-c", "echo cannot; exit 3")))
    until(lambda: running.state.children["bad"].failures >= 3)
    time.sleep(0.5)
    assert running.state.children["bad"].failures <= 4
    assert running.directory.log("bad").read_text().startswith("cannot\n")


def test_one_that_waits_for_a_file_is_started_once_it_exists(run: Callable[..., Running], tmp_path: Path) -> None:
    running = run(sleeper("first"), sleeper("second", once_exists=str(tmp_path / "go")))
    started(running, "first")
    time.sleep(0.3)
    assert running.process("second") is None
    (tmp_path / "go").touch()
    started(running, "second")


def test_one_that_waits_for_an_unwell_component_is_not_started(run: Callable[..., Running]) -> None:
    running = run(sleeper("first"), sleeper("second", after="first"))
    started(running, "first")
    time.sleep(0.5)
    assert running.process("second") is None


def test_sigterm_ends_all(run: Callable[..., Running]) -> None:
    running = run(sleeper("one"), sleeper("two"))
    children = [started(running, "one"), started(running, "two")]
    running.supervisor.end(patience=10)
    assert not any(child.alive for child in children)
    assert State.read(running.directory.state) is None


def test_it_ends_when_its_folder_is_deleted(run: Callable[..., Running]) -> None:
    running = run(sleeper("one"))
    child = started(running, "one")
    running.directory.state.unlink()
    until(lambda: not running.supervisor.alive and not child.alive)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_a_killed_supervisor_takes_its_components_with_it(run: Callable[..., Running]) -> None:
    running = run(sleeper("one"))
    child = started(running, "one")
    os.kill(running.supervisor.pid, signal.SIGKILL)
    until(lambda: not child.alive)


def test_a_program_that_is_missing_says_so_in_its_log(run: Callable[..., Running]) -> None:
    running = run(Component("gone", 0, "/", ("/nowhere/program",)))
    until(lambda: running.state.children["gone"].failures >= 1)
    assert running.directory.log("gone").read_text().startswith("/nowhere/program: No such file or directory\n")
