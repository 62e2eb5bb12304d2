"""Progress as plain lines; on a terminal the resources under way."""

from io import StringIO

from rich.console import Console

from cli.progress import Display
from engine.events import Progress

URN = "urn:api"
LABEL = "Deployment shop/api"


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines_tell_what_ended_with_times() -> None:
    display, clock, out = _display()
    display.report("starting")
    display.watch(Progress(URN, LABEL, "create", "started"))
    clock.now += 2.5
    display.watch(Progress(URN, LABEL, "create", "done"))
    display.watch(Progress(URN, LABEL, "update", "failed"))
    assert out.getvalue().splitlines() == [
        "   0.0 s  starting",
        "   2.5 s  created    Deployment shop/api (2.5 s)",
        "   2.5 s  updating failed Deployment shop/api",
    ]


def test_what_takes_long_is_told_now_and_then_with_what_it_waits_for() -> None:
    display, clock, out = _display()
    display.watch(Progress(URN, LABEL, "create", "started"))
    for seconds in (1, 5, 1, 1, 4):
        clock.now += seconds
        display.watch(Progress(URN, LABEL, "create", "note", f"waiting for {LABEL}: 0 of 2 pods ready"))
    assert out.getvalue().splitlines() == [
        "   6.0 s  waiting    Deployment shop/api: 0 of 2 pods ready",
        "  12.0 s  waiting    Deployment shop/api: 0 of 2 pods ready",
    ]


def test_a_note_about_nothing_under_way_is_not_shown() -> None:
    display, _, out = _display()
    display.watch(Progress(None, "", "", "note", "x"))
    assert out.getvalue() == ""


def test_lines_are_never_wrapped() -> None:
    display, _, out = _display()
    display.report("x" * 500)
    assert len(out.getvalue().splitlines()) == 1


def test_a_terminal_shows_what_is_under_way() -> None:
    out = StringIO()
    display = Display(Console(file=out, force_terminal=True, width=100))
    with display:
        display.watch(Progress(URN, LABEL, "create", "started"))
        display.watch(Progress(URN, LABEL, "create", "note", "0 of 2 pods ready"))
        display.pause()
    assert "creating" in out.getvalue()
    assert "0 of 2 pods ready" in out.getvalue()


def _display() -> tuple[Display, Clock, StringIO]:
    clock, out = Clock(), StringIO()
    return Display(Console(file=out, width=80), clock), clock, out
