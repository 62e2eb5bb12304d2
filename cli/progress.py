"""What goes on, while it goes on: on a terminal the resources under way, each with its time; elsewhere plain lines."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.events import Progress
from engine.operation import Session

_WORDS = {
    "create": ("creating", "created"),
    "update": ("updating", "updated"),
    "replace": ("replacing", "replaced"),
    "delete": ("deleting", "deleted"),
    "import": ("importing", "imported"),
}
_SHOWN_AT_ONCE = 12
_SECONDS_BEFORE_A_NOTE = 5.0
"""In plain lines: what is over sooner needs no words."""


@dataclass
class _Active:
    """A resource under way."""

    progress: Progress
    since: float
    last_note: float
    note: str = ""


class Display:
    """Takes lines (`report`) and the progress of resources (`watch`), from any thread."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._active: dict[str, _Active] = {}
        self._lock = RLock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()

    def resume(self) -> None:
        """Shows what is under way from now on."""
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=4, transient=True)
            self._live.start()

    def pause(self) -> None:
        """Leaves the terminal to others, e.g. for a question."""
        if self._live:
            self._live.stop()
            self._live = None

    def session(self, root: Path, stack: str) -> Session:
        """A run of the engine that tells its progress here."""
        return Session(root, stack, self.report, self.watch)

    def report(self, line: str) -> None:
        """One plain line, with the time since the start."""
        self._print(line)

    def watch(self, progress: Progress) -> None:
        """The progress of one resource."""
        with self._lock:
            if progress.state == "note":
                self._note(progress)
            elif progress.state == "started":
                self._active[progress.urn or ""] = _Active(progress, self._clock(), self._clock())
            else:
                self._ended(progress, self._active.pop(progress.urn or "", None))

    def _ended(self, progress: Progress, active: _Active | None) -> None:
        took = f" ({self._clock() - active.since:.1f} s)" if active else ""
        doing, done = _WORDS.get(progress.op, (progress.op, progress.op))
        word = done if progress.state == "done" else f"{doing} failed"
        style = "green" if progress.state == "done" else "bold red"
        self._print(f"{word:10} {progress.label}{took}", style)

    def _note(self, progress: Progress) -> None:
        active = self._active.get(progress.urn or "")
        if active is None:
            return
        active.note = progress.message.removeprefix(f"waiting for {progress.label}: ")
        if self._live is None and self._clock() - active.last_note >= _SECONDS_BEFORE_A_NOTE:
            active.last_note = self._clock()
            self._print(f"{'waiting':10} {progress.label}: {active.note}")

    def _print(self, line: str, style: str = "") -> None:
        stamp = Text(f"{self._clock() - self._began:6.1f} s  ", style="dim")
        # Not wrapped: in a log a line is a line.
        self._console.print(stamp + Text(line, style=style), soft_wrap=True)

    def _render(self) -> Group:
        with self._lock:
            active = sorted(self._active.values(), key=lambda each: each.since)
        table = Table.grid(padding=(0, 2))
        now = self._clock()
        for each in active[:_SHOWN_AT_ONCE]:
            doing, _ = _WORDS.get(each.progress.op, (each.progress.op, ""))
            table.add_row(f"{now - each.since:6.1f} s", doing, each.progress.label, Text(each.note, style="dim"))
        rest = len(active) - _SHOWN_AT_ONCE
        lines = [table, Text(f"and {rest} more", style="dim")] if rest > 0 else [table]
        return Group(*lines, Text(f"{now - self._began:6.1f} s  working", style="dim"))
