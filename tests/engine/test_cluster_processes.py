"""The embedded cluster's processes: started once, brought back, and gone without a trace.

They are those of the cluster that all engine tests share; each test leaves it running.
"""

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import devcluster.cluster
from devcluster import DevclusterError
from devcluster.cluster import Cluster
from devcluster.directory import Directory
from devcluster.processes import Process
from devcluster.supervisor import State
from tests.engine.api_client import admin, apply, eventually


@pytest.fixture
def root(cluster: Cluster, cluster_root: Path) -> Iterator[Path]:
    """The project folder of the running cluster, which runs afterwards whatever the test did."""
    assert cluster.kubeconfig.is_relative_to(cluster_root)
    yield cluster_root
    devcluster.cluster.start(cluster_root, print)


def processes_of(root: Path) -> dict[str, Process]:
    """What runs, the supervisor included."""
    state = State.read(Directory.of(root).state)
    assert state is not None
    running = {name: child.process for name, child in state.children.items() if child.process is not None}
    return {"supervisor": state.supervisor, **running}


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def remember(cluster: Cluster, name: str) -> str:
    """Put a ConfigMap into the cluster; its path."""
    path = f"/api/v1/namespaces/default/configmaps/{name}"
    apply(admin(cluster), path, {"apiVersion": "v1", "kind": "ConfigMap", "data": {"kept": "yes"}})
    return path


def test_a_second_start_changes_nothing(root: Path, cluster: Cluster) -> None:
    before = processes_of(root)
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        started_again = list(pool.map(devcluster.cluster.start, (root, root), (print, print)))
    assert started_again == [cluster, cluster]
    assert processes_of(root) == before
    assert time.monotonic() - began < 5


def test_another_port_is_refused_while_it_runs(root: Path) -> None:
    with pytest.raises(DevclusterError, match=r"already runs on port \d+: run `mainstay cluster stop`"):
        devcluster.cluster.start(root, print, port=1)


def test_only_the_owner_reads_the_credentials(cluster: Cluster) -> None:
    folder = cluster.kubeconfig.parent
    secret = [cluster.kubeconfig, *folder.glob("certificates/*.key"), *folder.glob("clients/*")]
    assert len(secret) > 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_the_status_names_every_process(root: Path) -> None:
    status = devcluster.cluster.status(root)
    assert (status.running, status.nodes) == (True, 6)
    assert [each.name for each in status.components] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok",
    ]
    assert all(each.healthy and each.memory > 10**7 and listening(each.port) for each in status.components)


def test_every_component_comes_back_after_a_kill(root: Path, cluster: Cluster) -> None:
    path = remember(cluster, "after-a-kill")
    before = processes_of(root)
    for name, process in before.items():
        if name != "supervisor":
            os.kill(process.pid, signal.SIGKILL)

    def back() -> bool:
        status = devcluster.cluster.status(root)
        return all(each.healthy and each.pid != before[each.name].pid for each in status.components)

    eventually("all components to be back", back, seconds=60)
    assert processes_of(root)["supervisor"] == before["supervisor"]
    assert admin(cluster).get(path)["data"] == {"kept": "yes"}


@dataclass(frozen=True)
class Stopped:
    """The cluster after a stop: what had been running, and what the stop said."""

    root: Path
    processes: dict[str, Process]
    ports: list[int]
    said: list[str]


@pytest.fixture(scope="module")
def stopped(cluster: Cluster, cluster_root: Path) -> Iterator[Stopped]:
    """Stopped once for the tests below, and running again after them, where the other tests expect it."""
    ports = [each.port for each in devcluster.cluster.status(cluster_root).components]
    before = processes_of(cluster_root)
    said: list[str] = []
    devcluster.cluster.stop(cluster_root, said.append)
    yield Stopped(cluster_root, before, ports, said)
    if devcluster.cluster.start(cluster_root, print) != cluster:
        devcluster.cluster.stop(cluster_root, print)
        devcluster.cluster.start(cluster_root, print, port=ports[1])


class TestStopped:
    def test_there_is_no_process_and_no_open_port(self, stopped: Stopped) -> None:
        assert len(stopped.processes) == 6
        assert not any(process.alive for process in stopped.processes.values())
        assert not any(listening(port) for port in stopped.ports)
        assert stopped.said == ["embedded cluster stopped"]
        assert devcluster.cluster.status(stopped.root).running is False

    def test_a_second_stop_has_nothing_to_do(self, stopped: Stopped) -> None:
        said: list[str] = []
        devcluster.cluster.stop(stopped.root, said.append)
        assert said == ["the embedded cluster was not running"]

    def test_a_process_that_is_not_ours_is_left_alone(self, stopped: Stopped) -> None:
        """A state file left by a crash, whose process numbers have since been given to others."""
        State(Process(os.getpid(), "another time"), "old", {}).write(Directory.of(stopped.root).state)
        assert devcluster.cluster.status(stopped.root).running is False
        devcluster.cluster.stop(stopped.root, print)  # would end this very process

    def test_a_component_that_cannot_start_is_named_with_its_last_words(self, stopped: Stopped) -> None:
        etcd = Directory.of(stopped.root).etcd
        aside = etcd.with_name("aside")
        etcd.rename(aside)
        etcd.write_text("no folder")
        try:
            with pytest.raises(DevclusterError, match=r"^etcd cannot start: .+ \(log: .*logs/etcd\.log\)$"):
                devcluster.cluster.start(stopped.root, print)
        finally:
            etcd.unlink()
            aside.rename(etcd)
        assert devcluster.cluster.status(stopped.root).running is False

    def test_a_taken_port_is_named_and_a_kept_one_that_is_taken_is_replaced(self, stopped: Stopped) -> None:
        port = stopped.ports[1]
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port))
            other.listen()
            with pytest.raises(
                DevclusterError, match=rf"port {port} is taken by .* \(process {os.getpid()}\): free it"
            ):
                devcluster.cluster.start(stopped.root, print, port=port)
            moved = devcluster.cluster.start(stopped.root, print)
        assert not moved.server.endswith(f":{port}")
        assert moved.server in moved.kubeconfig.read_text()
        assert admin(moved).healthy()

    def test_a_killed_supervisor_takes_all_with_it_and_the_data_stay(self, stopped: Stopped, cluster: Cluster) -> None:
        """It moves back, too: each start takes a while."""
        path = remember(devcluster.cluster.start(stopped.root, print), "after-the-supervisor")
        before = processes_of(stopped.root)
        os.kill(before["supervisor"].pid, signal.SIGKILL)
        eventually("every process to end", lambda: not any(process.alive for process in before.values()), seconds=5)
        assert devcluster.cluster.status(stopped.root).running is False

        began = time.monotonic()
        assert devcluster.cluster.start(stopped.root, print, port=stopped.ports[1]) == cluster
        assert time.monotonic() - began < 30
        assert admin(cluster).get(path)["data"] == {"kept": "yes"}
