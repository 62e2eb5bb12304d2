"""Runs cut off at any moment: the next `up` finishes the job, and nothing is there twice."""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from tests.engine.product import OBJECTS, Product, objects, project

NAMESPACE = "shop-cut"
MOMENTS = random.Random(20260115)  # noqa: S311 (the same moments each time, chosen by nobody)


@pytest.fixture(scope="module")
def product(cluster: Cluster, cluster_root: Path) -> Product:
    """A project whose embedded cluster is the one of this test run."""
    return project(cluster_root)


def mainstay_and_engine(process: subprocess.Popen[str]) -> None:
    """As when the machine's last memory is taken, or the power."""
    for pid in [process.pid, *_children(process.pid)]:
        os.kill(pid, signal.SIGKILL)


def mainstay(process: subprocess.Popen[str]) -> None:
    """The engine goes on alone."""
    process.kill()


def engine(process: subprocess.Popen[str]) -> None:
    """Mainstay sees its engine die."""
    for pid in _children(process.pid):
        os.kill(pid, signal.SIGKILL)


def ctrl_c(process: subprocess.Popen[str]) -> None:
    """The person changes their mind."""
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("cut", [mainstay_and_engine, mainstay, engine, ctrl_c])
def test_the_next_up_finishes_what_was_cut_off_and_none_runs_beside_it(
    product: Product, cluster: Cluster, toolchain: Toolchain, cut: Callable[[subprocess.Popen[str]], None]
) -> None:
    stack = cut.__name__.replace("_", "-")
    product.declare(stack, _environment(f"{NAMESPACE}-{stack}"))
    moment = MOMENTS.randrange(1, 16)
    with product.start("up", stack) as process:
        reached = _wait_for_changes(process, moment)
        beside = product.run("up", stack)
        cut(process)
        out, err = process.communicate(timeout=60)
    assert reached, f"it ended before {moment} changes were made: {out}{err}"
    assert beside.code == 1
    assert beside.err.startswith(f"error: `mainstay up {stack}` of ")
    assert f"(process {process.pid}, since " in beside.err
    if cut is ctrl_c:
        assert process.returncode == 130
        assert f"`mainstay up {stack}` goes on from here" in err
    elif cut is engine:
        assert process.returncode == 1
        assert "signal 9" in err
    assert "Traceback" not in out + err

    finished = product.run("up", stack)
    assert finished.code == 0, finished.text
    assert "Traceback" not in finished.text
    recorded = product.recorded(stack)
    assert not product.state(stack).get("pending_operations")
    standing = objects(toolchain.path("kubectl"), cluster.kubeconfig, f"{NAMESPACE}-{stack}", OBJECTS)
    assert standing == {each for each in recorded if each[0] not in ("Namespace", "ResourceQuota", "LimitRange")}


def test_down_removes_everything_the_protected_included(
    product: Product, cluster: Cluster, toolchain: Toolchain
) -> None:
    config = _environment(f"{NAMESPACE}-down", services=())
    config["mainstay:namespace"]["protect"] = True
    product.declare("down", config)
    assert product.run("up", "down").code == 0
    removed = product.run("down", "down")
    assert removed.code == 0, removed.text
    assert not product.recorded("down")
    assert not objects(toolchain.path("kubectl"), cluster.kubeconfig, f"{NAMESPACE}-down", OBJECTS)


def _environment(namespace: str, services: tuple[str, ...] = ("api", "web")) -> dict[str, Any]:
    service = {
        "image": "registry.example/shop/api:1.4.2",
        "port": 8000,
        "replicas": 2,
        "resources": {"cpu": "50m", "memory": "64Mi", "memoryLimit": "64Mi"},
        "secretEnv": {"KEY": "session-key"},
        "slos": {"availability": {"objective": 99.5, "quietRate": 1}},
    }
    return {
        "mainstay:namespace": {
            "name": namespace,
            "cpu": 4,
            "memory": "4Gi",
            "storage": "10Gi",
            "pods": 20,
        },
        "mainstay:services": {name: dict(service) for name in services},
    }


def _wait_for_changes(process: subprocess.Popen[str], count: int) -> bool:
    """Reads what it writes until `count` objects are made. False if it ended before."""
    assert process.stdout is not None
    for line in process.stdout:
        count -= "  created  " in line
        if count == 0:
            return True
    return False


def _children(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
    return [child for child, parent in pairs if parent == pid]
