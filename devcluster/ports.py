"""Free TCP ports on loopback, and who has one that is taken."""

import os
import socket
import sys
from pathlib import Path


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As Go's servers do: connections of an earlier run that are still winding down do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def choose(names: tuple[str, ...], kept: dict[str, int], fixed: dict[str, int]) -> dict[str, int]:
    """A port for each name: the `fixed` one, else the `kept` one if it is still free, else any free one."""
    chosen = dict(fixed)
    for name in names:
        port = kept.get(name, 0)
        if name not in chosen and port and port not in chosen.values() and is_free(port):
            chosen[name] = port
    # Held together until all are known, so that no number is given out twice.
    holders = [socket.socket() for _ in names]
    try:
        for name, holder in zip(names, holders, strict=True):
            if name not in chosen:
                holder.bind(("127.0.0.1", 0))
                chosen[name] = int(holder.getsockname()[1])
    finally:
        for holder in holders:
            holder.close()
    return chosen


def owner(port: int) -> str | None:
    """ "nginx (process 4711)" for the process that listens on `port`; None when it cannot be told."""
    if sys.platform != "linux":
        return None
    sockets: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(entry) in sockets for entry in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # gone meanwhile, or another user's
            continue
    return None
