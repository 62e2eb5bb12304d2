"""The real programs that engine tests run against: one toolchain and one embedded cluster for the whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster.cluster
import devcluster.toolchain
from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """Every program; built first where the cache does not hold it (use -s to see the progress)."""
    return devcluster.toolchain.ensure(print)


@pytest.fixture(scope="session")
def cluster_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project folder whose embedded cluster `cluster` is."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="session")
def cluster(toolchain: Toolchain, cluster_root: Path) -> Iterator[Cluster]:
    """A running embedded cluster. Tests share it: each keeps to namespaces of its own."""
    try:
        yield devcluster.cluster.start(cluster_root, print)
    finally:
        devcluster.cluster.stop(cluster_root, print, delete=True)
