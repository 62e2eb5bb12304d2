"""The pack as a process: started as the engine starts it, and gone when the engine is."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2_grpc

import policies

ROOM = Path(policies.__file__).parent
COMMAND = [str(ROOM / "bin" / "pulumi-analyzer-policy-python"), "127.0.0.1:1", "."]

# An engine that starts the pack, says its process id and port, and is killed.
ENGINE = """
import os, subprocess, sys
pack = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
print(pack.pid, pack.stdout.readline(), flush=True)
os.kill(os.getpid(), 9)
"""


def environment() -> dict[str, str]:
    # Nothing but what the engine gives: the pack has to find its own modules.
    return {"PATH": os.defpath, "MAINSTAY_PYTHON": sys.executable}


def test_it_tells_its_port_answers_and_ends_without_a_word() -> None:
    with subprocess.Popen(
        COMMAND, cwd=ROOM, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as pack:
        assert pack.stdout is not None
        assert pack.stderr is not None
        port = pack.stdout.readline().strip()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = analyzer_pb2_grpc.AnalyzerStub(channel)
            name: str = stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=10).name
        pack.send_signal(2)
        pack.wait(timeout=10)
        assert name == "mainstay"
        assert (pack.stdout.read(), pack.stderr.read()) == ("", "")


def test_it_does_not_outlive_an_engine_that_was_killed() -> None:
    engine = subprocess.run(
        [sys.executable, "-c", ENGINE, *COMMAND],
        cwd=ROOM,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=20,
    )
    pack, port = map(int, engine.stdout.split())
    assert port
    deadline = time.monotonic() + 10
    while _runs(pack):
        assert time.monotonic() < deadline, "the pack still runs"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that has ended may wait for the system to take note of it.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
