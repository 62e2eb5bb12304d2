"""Brings a cluster whose processes have been started to the state in which it can be used."""

import contextlib
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from devcluster import DevclusterError, Report, crds, simulation
from devcluster.api import Api, ApiError
from devcluster.components import LOOPBACK
from devcluster.directory import Directory, write
from devcluster.supervisor import Plan, State, api_of
from devcluster.toolchain import Toolchain

_READY_WITHIN = 120.0  # seconds for each step; all take seconds unless the machine is very busy
_TRIES = 3  # ends of a component in a row after which waiting for it is given up
_DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


def make_ready(tools: Toolchain, directory: Directory, plan: Plan, report: Report) -> None:
    """Wait for the components and bring in what the cluster is furnished with; quick if all is there.

    Raises DevclusterError: a component or the supervisor keeps ending, or something is not ready in time.
    """
    api = api_server(directory, plan)
    wells = {each.name: partial(api_of(each, directory).healthy, each.health) for each in plan.components}
    _wait(directory, plan, "the API server", wells["kube-apiserver"])
    if not crds_installed(tools, directory) or crds.missing(api, tools.crds):
        crds.install(api, tools.crds, report)
        _wait(directory, plan, "the operators' CRDs", lambda: not crds.missing(api, tools.crds))
        write(directory.installed_crds, tools.directory.name)
    pieces = simulation.furniture()
    try:
        for piece in pieces:
            api.apply(piece.path, piece.manifest)
    except ApiError as error:
        raise DevclusterError(f"the embedded cluster's nodes and storage class cannot be set up: {error}") from error
    wanted = sum(piece.manifest["kind"] == "Node" for piece in pieces)
    for name, well in wells.items():
        _wait(directory, plan, name, well)
    _wait(directory, plan, f"{wanted} ready nodes", lambda: ready_nodes(api) >= wanted)
    _wait(directory, plan, "the namespace default", lambda: bool(api.get(_DEFAULT_ACCOUNT)))


def _wait(directory: Directory, plan: Plan, what: str, done: Callable[[], bool]) -> None:
    """Poll until `done`; DevclusterError once a component keeps ending, or after _READY_WITHIN."""
    deadline = time.monotonic() + _READY_WITHIN
    while True:
        with contextlib.suppress(ApiError):
            if done():
                return
        state = State.read(directory.state)
        if state is None or not state.supervisor.alive:
            raise DevclusterError(
                f"the embedded cluster's supervisor has ended: {_last_words(directory, 'supervisor')}; start again"
            )
        for component in plan.components:
            child = state.children[component.name]
            if child.failures >= _TRIES and child.process is None:
                raise DevclusterError(f"{component.name} cannot start: {_last_words(directory, component.name)}")
        if time.monotonic() > deadline:
            raise DevclusterError(
                f"the embedded cluster did not get ready within {_READY_WITHIN:.0f} s, waiting for {what}: "
                f"{_last_words(directory, 'supervisor')}"
            )
        time.sleep(0.1)


def _last_words(directory: Directory, component: str) -> str:
    log = directory.log(component)
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    words = lines[-1] if lines else "it said nothing"
    with contextlib.suppress(ValueError, TypeError, AttributeError):  # etcd and kwok log JSON, with stack traces
        entry = json.loads(words)
        words = ": ".join(str(entry[key]) for key in ("msg", "error", "err") if key in entry)
    return f"{words} (log: {log})"


def crds_installed(tools: Toolchain, directory: Directory) -> bool:
    """Whether the cluster's data hold the CRDs of this toolchain, as far as was noted."""
    try:
        return directory.installed_crds.read_text() == tools.directory.name
    except OSError:
        return False


def ready_nodes(api: Api) -> int:
    """How many nodes are Ready. Raises ApiError."""
    nodes = cast("list[dict[str, Any]]", api.get("/api/v1/nodes")["items"])
    return sum(
        any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", []))
        for node in nodes
    )


def api_server(directory: Directory, plan: Plan) -> Api:
    """Requests to the API server as administrator."""
    port = next(component.port for component in plan.components if component.name == "kube-apiserver")
    return Api(port, directory.certificate("ca"), directory.certificate("admin"), directory.key("admin"))


def server(plan: Plan) -> str:
    """The API server's address."""
    port = next(component.port for component in plan.components if component.name == "kube-apiserver")
    return f"https://{LOOPBACK}:{port}"
