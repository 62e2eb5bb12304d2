"""Locks: ours between runs, and the engine's own that a killed run leaves."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
import yaml

from engine import EngineError, recovery
from engine.command import Command
from engine.target import Target
from engine.workspace import checkpoint
from stacks.environment import Environment, NamespaceSettings, Platform

NAMESPACE = NamespaceSettings(name="shop", cpu="1", memory="1Gi", storage="1Gi", pods=1, protect=False)


def test_a_second_run_is_told_who_runs(tmp_path: Path) -> None:
    with (
        recovery.hold(tmp_path, "staging", "up"),
        pytest.raises(EngineError) as told,
        recovery.hold(tmp_path, "staging", "preview"),
    ):
        pass
    assert str(told.value).startswith("`mainstay up staging` of ")
    assert f"(process {os.getpid()}, since " in str(told.value)
    assert "is already running in this clone; wait until it has ended" in str(told.value)


def test_other_stacks_are_not_kept_waiting_and_the_end_frees(tmp_path: Path) -> None:
    with recovery.hold(tmp_path, "staging", "up"), recovery.hold(tmp_path, "prod", "up"):
        pass
    with recovery.hold(tmp_path, "staging", "up"):
        pass


def test_a_holder_that_is_killed_holds_no_longer(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\nfrom engine import recovery\n"
        f"with recovery.hold(pathlib.Path({str(tmp_path)!r}), 'staging', 'up'):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with recovery.hold(tmp_path, "staging", "up"):
        pass


def test_the_lock_of_a_process_that_is_gone_is_cleared_and_told(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    target = _target(tmp_path)
    lock = _lock(target, gone.pid, socket.gethostname())
    told: list[str] = []
    recovery.clear_locks(target, told.append)
    assert not lock.exists()
    assert told == [f"cleared the lock of an interrupted run (process {gone.pid}, since 2026-01-02T03:04:05Z)"]


def test_a_number_that_another_program_has_now_holds_nothing(tmp_path: Path) -> None:
    target = _target(tmp_path)
    lock = _lock(target, os.getpid(), socket.gethostname())
    recovery.clear_locks(target, lambda _: None)
    assert not lock.exists()


def test_half_a_lock_file_holds_nothing(tmp_path: Path) -> None:
    target = _target(tmp_path)
    lock = _lock(target, 1, "x")
    lock.write_text('{"pid": 1')
    recovery.clear_locks(target, lambda _: None)
    assert not lock.exists()


def test_the_lock_of_another_machine_is_left_and_named(tmp_path: Path) -> None:
    target = _target(tmp_path)
    lock = _lock(target, 17, "elsewhere")
    with pytest.raises(EngineError, match=r"ann on elsewhere \(process 17\).* if it has died, remove .*/locks\.$"):
        recovery.clear_locks(target, lambda _: None)
    assert lock.exists()


def test_an_engine_somebody_runs_by_hand_is_left_alone(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.symlink_to("/bin/sleep")
    target = _target(tmp_path)
    # Not the leader of a session: so not started by Mainstay.
    with subprocess.Popen([program, "60"]) as engine:
        lock = _lock(target, engine.pid, socket.gethostname())
        with pytest.raises(EngineError, match=f"process {engine.pid}"):
            recovery.clear_locks(target, lambda _: None)
        assert engine.poll() is None
        engine.kill()
    assert lock.exists()


def test_an_engine_whose_mainstay_was_killed_is_stopped(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.symlink_to("/bin/sleep")
    target = _target(tmp_path)
    with subprocess.Popen([program, "60"], start_new_session=True) as engine:
        Thread(target=engine.wait).start()  # else it would stay a zombie, with its name
        lock = _lock(target, engine.pid, socket.gethostname())
        told: list[str] = []
        recovery.clear_locks(target, told.append)
    assert not lock.exists()
    assert told[0] == f"an interrupted run is still at work (process {engine.pid}); asking it to stop"


def _target(root: Path) -> Target:
    workspace = root / ".mainstay" / "workspace"
    workspace.mkdir(parents=True)
    (workspace / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "mainstay", "runtime": "python"}))
    return Target(
        root=root,
        environment=Environment("staging", Platform.model_validate({"namespace": NAMESPACE}), None),
        embedded=True,
        command=Command(Path("pulumi"), workspace, {}),
        context="mainstay-devcluster",
        kubeconfig=None,
        server="https://127.0.0.1:1",
        simulated=(),
    )


def _lock(target: Target, pid: int, host: str) -> Path:
    state = checkpoint(target).parents[3]
    folder = state / ".pulumi" / "locks" / "organization" / "mainstay" / target.stack
    folder.mkdir(parents=True)
    lock = folder / "1234.json"
    content = {"pid": pid, "username": "ann", "hostname": host, "timestamp": "2026-01-02T03:04:05Z"}
    lock.write_text(json.dumps(content))
    return lock
