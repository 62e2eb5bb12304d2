"""One holder at a time for a thing on disk, across processes; the kernel frees it however the holder ends."""

import fcntl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, when_busy: Callable[[str], None]) -> Generator[None]:
    """Hold the lock file at `path` (made if missing, never removed) for the length of the block.

    While another process holds it, `when_busy` is called once at the start and then every 10 seconds with the waiting
    time as text ("0 s", "10 s"), and the call waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        started = time.monotonic()
        announced = -10.0
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = time.monotonic() - started
                if waited - announced >= 10:
                    announced = waited
                    when_busy(f"{waited:.0f} s")
                time.sleep(0.2)
        yield
