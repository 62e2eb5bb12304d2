"""Processes told apart for certain: a number alone may since have been given to another program."""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Process:
    """A process of this machine: its number and when it started (opaque text, comparable only for equality)."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal it, unless it is gone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, patience: float) -> None:
        """SIGTERM, after `patience` seconds SIGKILL; returns when it is gone."""
        self.send(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while self.alive:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            time.sleep(0.02)


def started(pid: int) -> str | None:
    """When process `pid` started, unique also across restarts of the machine; None if there is no such process."""
    if sys.platform == "linux":
        try:
            # The program's name is in brackets and may hold any character; state is the first field after it.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # A zombie with threads left still holds its ports.
        if fields[0] in "ZX" and int(fields[17]) <= 1:
            return None
        # Counted from the start of the machine, hence together with that.
        return f"{_boot()} {fields[19]}"
    done = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not done or done.startswith("Z") else done.partition(" ")[2].strip()


@functools.cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def memory(pid: int) -> int:
    """Resident memory in bytes; 0 if the process is gone."""
    if sys.platform == "linux":
        try:
            pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(done.stdout.strip() or 0) * 1024


def bound(command: list[str]) -> list[str]:
    """The command line that runs `command` as a child which the kernel kills when the caller ends, however it ends.

    To be started from the thread that waits for it. Linux only: elsewhere the child outlives a caller that is killed.
    """
    # An intermediate program that replaces itself, because code between fork and exec is unsafe beside threads.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _replace_with(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request above
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    _replace_with(int(sys.argv[1]), sys.argv[2:])
