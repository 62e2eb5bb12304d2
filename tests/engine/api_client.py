"""What the tests of the embedded cluster ask the API server with."""

import time
from collections.abc import Callable
from typing import Any

from devcluster.api import Api, ApiError
from devcluster.cluster import Cluster
from devcluster.directory import Directory

Json = dict[str, Any]


def admin(cluster: Cluster) -> Api:
    """Requests as the cluster's administrator."""
    directory = Directory(cluster.kubeconfig.parent)
    port = int(cluster.server.rpartition(":")[2])
    return Api(port, directory.certificate("ca"), directory.certificate("admin"), directory.key("admin"))


def eventually(what: str, read: Callable[[], object], seconds: float = 30) -> None:
    """Wait until `read` gives something true; refusals of the API server count as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if read():
                return
        except ApiError:
            pass
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def apply(api: Api, path: str, manifest: Json) -> Json:
    """Server-side apply of `manifest`, whose name and namespace `path` says."""
    return api.apply(path, {**manifest, "metadata": {"name": path.rpartition("/")[2]}})


def condition(api: Api, path: str, kind: str) -> Json:
    """The condition `kind` in the object's status; empty if there is none."""
    conditions: list[Json] = api.get(path).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), Json())


def gone(api: Api, path: str) -> bool:
    """Whether there is nothing at `path`."""
    try:
        api.get(path)
    except ApiError as error:
        return error.status == 404
    return False
