"""`mainstay cluster …`: the embedded cluster by itself."""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import devcluster.cluster
import devcluster.toolchain


def add_verbs(verbs: Any, root: Callable[[], Path]) -> None:
    """Adds `cluster` and its verbs to the parser's. `root` finds the project."""
    about = "the embedded cluster: real API server, simulated pods"
    cluster = verbs.add_parser("cluster", help=about, description=about)
    actions = cluster.add_subparsers(title="verbs", metavar="VERB", required=True)

    def action(name: str, run: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=about, description=about)
        added.set_defaults(verb=run)
        return added

    start = action("start", lambda options: _start(root(), options.port), "start it, unless it runs")
    start.add_argument("--port", type=_port, metavar="N", help="port of the API server (default: a free one)")
    action("status", lambda _: _status(root()), "say whether it runs, and what of it")
    stop = action("stop", lambda options: _stop(root(), options.delete), "stop it")
    stop.add_argument("--delete", action="store_true", help="remove its data, too, and all that was deployed to it")
    action("prepare", lambda _: _prepare(), "build the programs it needs, unless they are there")


def _start(root: Path, port: int | None) -> None:
    cluster = devcluster.cluster.start(root, _say, port)
    _say(f"the embedded cluster runs at {cluster.server}")
    for line in cluster.simulated:
        _say(f"simulated: {line}")
    _say(f"use it: kubectl --kubeconfig {cluster.kubeconfig} get nodes")


def _status(root: Path) -> None:
    status = devcluster.cluster.status(root)
    if not status.running or status.cluster is None:
        _say("the embedded cluster does not run; `mainstay cluster start` starts it")
        return
    _say(f"the embedded cluster runs at {status.cluster.server}")
    _say(f"{status.nodes} nodes are ready")
    for each in status.components:
        state = f"process {each.pid}, {each.memory // 1_000_000} MB, up {each.uptime:.0f} s" if each.pid else "down"
        health = "" if each.healthy else ", not healthy"
        _say(f"  {each.name:24} {state}{health}, {each.restarts} restarts")
    for line in status.cluster.simulated:
        _say(f"simulated: {line}")


def _stop(root: Path, delete: bool) -> None:
    devcluster.cluster.stop(root, _say, delete)
    if delete:
        # What the engine remembers of a cluster that is gone is of no use.
        for folder in ("state", "workspace"):
            shutil.rmtree(root / ".mainstay" / folder, ignore_errors=True)


def _prepare() -> None:
    devcluster.toolchain.ensure(_say)


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
