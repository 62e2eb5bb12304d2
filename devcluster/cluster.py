"""The embedded cluster of one clone: start, status, stop."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from devcluster import DevclusterError, Report, certificates, ports, processes, readiness, simulation, toolchain
from devcluster.api import ApiError
from devcluster.components import PORTS, components
from devcluster.directory import CONTEXT, Directory, write
from devcluster.locks import exclusive
from devcluster.supervisor import Plan, State, api_of
from devcluster.toolchain import Toolchain


@dataclass(frozen=True)
class Cluster:
    """A running embedded cluster."""

    kubeconfig: Path
    context: str
    server: str
    simulated: tuple[str, ...]
    """One phrase for each thing that is simulated; to be shown wherever the cluster is reported."""


@dataclass(frozen=True)
class ComponentStatus:
    """One process. `pid` is 0, `memory` (bytes) and `uptime` (seconds) too, while it does not run."""

    name: str
    pid: int
    healthy: bool
    memory: int
    uptime: float
    restarts: int
    port: int


@dataclass(frozen=True)
class Status:
    """What runs. `cluster` is None unless `running`; `nodes` counts those that are Ready."""

    running: bool
    components: tuple[ComponentStatus, ...] = ()
    nodes: int = 0
    cluster: Cluster | None = None


def start(root: Path, report: Report, port: int | None = None) -> Cluster:
    """Start the cluster of the project at `root`, or finish or repair a start; returns when all of it is ready.

    `port` is the API server's; default: the one of last time, else any free one. Raises DevclusterError: the port is
    taken, a component cannot start (with the last line of its log), the toolchain cannot be had.
    """
    tools = toolchain.ensure(report)
    directory = Directory.of(root)
    with _changing(directory, report):
        state = _running(directory)
        kept = _kept_ports(directory)
        if state is not None and port is not None and port != kept.get("kube-apiserver"):
            raise DevclusterError(
                f"the embedded cluster already runs on port {kept.get('kube-apiserver')}: "
                f"run `mainstay cluster stop` before starting it on {port}"
            )
        began = time.monotonic()
        plan = _plan(tools, directory, kept) if set(kept) == set(PORTS) else None
        as_planned = state is not None and plan is not None and plan.digest == state.digest
        launched = plan is None or not as_planned or not certificates.good(directory.certificates)
        if plan is None or launched:
            if state is not None:
                report("the embedded cluster's programs or settings have changed: restarting it")
            _end(directory)
            plan = _prepare(tools, directory, port, kept)
            _launch(directory, report)
        try:
            readiness.make_ready(tools, directory, plan, report)
        except DevclusterError:
            if launched:  # no half cluster stays behind; one that ran before is left as it was
                _end(directory)
            raise
        seconds = time.monotonic() - began
        what = ", ".join(each.partition(":")[0] for each in simulation.SIMULATED)
        report(f"embedded cluster ready after {seconds:.1f} s at {readiness.server(plan)} (simulated: {what})")
        return _cluster(directory, plan)


def status(root: Path) -> Status:
    """What runs of the cluster of the project at `root`; starts and changes nothing."""
    directory = Directory.of(root)
    state = _running(directory)
    if state is None:
        return Status(running=False)
    plan = Plan.read(directory.plan)
    seen: list[ComponentStatus] = []
    for component in plan.components:
        child = state.children[component.name]
        process = child.process if child.process is not None and child.process.alive else None
        seen.append(
            ComponentStatus(
                component.name,
                process.pid if process else 0,
                process is not None and api_of(component, directory).healthy(component.health),
                processes.memory(process.pid) if process else 0,
                time.time() - child.since if process else 0,
                child.restarts,
                component.port,
            )
        )
    try:
        nodes = readiness.ready_nodes(readiness.api_server(directory, plan))
    except ApiError:
        nodes = 0
    return Status(running=True, components=tuple(seen), nodes=nodes, cluster=_cluster(directory, plan))


def stop(root: Path, report: Report, delete: bool = False) -> None:
    """End every process of the cluster; with `delete` also remove its data. Does nothing if there is nothing."""
    directory = Directory.of(root)
    if not directory.path.exists():
        report("there is no embedded cluster to stop")
        return
    with _changing(directory, report):
        was_running = _end(directory)
        report("embedded cluster stopped" if was_running else "the embedded cluster was not running")
        if delete:
            shutil.rmtree(directory.path)
            report(f"its data is removed from {directory.path}")


def _changing(directory: Directory, report: Report) -> AbstractContextManager[None]:
    return exclusive(
        directory.lock, lambda waited: report(f"another process changes the embedded cluster: waiting, {waited}")
    )


def _running(directory: Directory) -> State | None:
    state = State.read(directory.state)
    return state if state is not None and state.supervisor.alive else None


def _end(directory: Directory) -> bool:
    """Leave no process of ours, also after a supervisor that was killed. Whether there was one."""
    state = State.read(directory.state)
    if state is None:
        return False
    was_running = state.supervisor.alive
    state.supervisor.end(patience=40)
    # The supervisor may have started more since; what it wrote last is what counts. It removes the file when it ends.
    for child in (State.read(directory.state) or state).children.values():
        if child.process is not None and child.process.alive:
            was_running = True
            child.process.end(patience=5)
    directory.state.unlink(missing_ok=True)
    return was_running


def _prepare(tools: Toolchain, directory: Directory, port: int | None, kept: dict[str, int]) -> Plan:
    """Write all that the supervisor and the components read."""
    if port is not None and not ports.is_free(port):
        who = ports.owner(port)
        raise DevclusterError(
            f"port {port} is taken{f' by {who}' if who else ''}: free it, or start the embedded cluster on another port"
        )
    certificates.ensure(directory.certificates)
    chosen = ports.choose(PORTS, kept, {} if port is None else {"kube-apiserver": port})
    write(directory.ports, json.dumps(chosen))
    plan = _plan(tools, directory, chosen)
    for client in certificates.CLIENTS:
        directory.write_client_config(client, readiness.server(plan))
    if not readiness.crds_installed(tools, directory):
        directory.installed_crds.unlink(missing_ok=True)
    plan.write(directory.plan)
    return plan


def _plan(tools: Toolchain, directory: Directory, chosen: dict[str, int]) -> Plan:
    stages = simulation.stages()
    wanted = components(tools, directory, chosen, stages)
    # A stage is read by kwok once, when it starts: another text is another plan.
    content = repr(wanted).encode() + b"".join(stage.read_bytes() for stage in stages)
    return Plan(hashlib.sha256(content).hexdigest()[:16], wanted)


def _launch(directory: Directory, report: Report) -> None:
    report("starting etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok")
    log = directory.log("supervisor")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        # It detaches itself and this returns at once.
        subprocess.run(
            [sys.executable, "-m", "devcluster.supervisor", str(directory.path)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    deadline = time.monotonic() + 10
    while _running(directory) is None and time.monotonic() < deadline:
        time.sleep(0.02)


def _cluster(directory: Directory, plan: Plan) -> Cluster:
    return Cluster(directory.kubeconfig, CONTEXT, readiness.server(plan), simulation.SIMULATED)


def _kept_ports(directory: Directory) -> dict[str, int]:
    try:
        return cast("dict[str, int]", json.loads(directory.ports.read_bytes()))
    except (OSError, ValueError):
        return {}
