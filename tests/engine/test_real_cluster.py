"""An environment that names its cluster: nothing is guessed, nothing generated, nothing done unasked.

The cluster is the embedded one, but named by its kubeconfig, as a team names theirs.
"""

import os
import subprocess
from collections.abc import Mapping

import pytest

from devcluster.cluster import Cluster
from devcluster.plugin_choice import choose
from devcluster.toolchain import Toolchain
from stacks.environment import load
from tests.engine.product import Product, changes, project

SERVICE = {
    "image": "registry.example/shop/api:1.4.2",
    "port": 8000,
    "replicas": 1,
    "resources": {"cpu": "50m", "memory": "64Mi", "memoryLimit": "64Mi"},
    "secretEnv": {"KEY": "session-key", "TOKEN": "token"},
    "slos": {"availability": {"objective": 99.5, "quietRate": 1}},
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Product:
    """A project with one environment, `real`, that names the cluster."""
    product = project(tmp_path_factory.mktemp("real"))
    (product.root / "stacks").mkdir()
    product.declare(
        "real",
        {
            "kubernetes:context": cluster.context,
            "kubernetes:kubeconfig": str(cluster.kubeconfig),
            "mainstay:namespace": {"name": "shop-real", "cpu": 4, "memory": "4Gi", "storage": "1Gi", "pods": 20},
            "mainstay:services": {"api": SERVICE},
            # A registry is asked through the docker plugin, which a closed network does not give.
            "mainstay:images": {"pin": "none"},
        },
    )
    return product


@pytest.fixture(scope="module")
def team(product: Product, toolchain: Toolchain) -> Mapping[str, str]:
    """A team's own settings: their backend, their passphrase, their plugins and tools."""
    plugin = choose(toolchain, print).path_entry
    first = [str(toolchain.bin), *([str(plugin)] if plugin else [])]
    backend = product.root / "backend"
    backend.mkdir()
    return {
        "PATH": os.pathsep.join([*first, os.environ["PATH"]]),
        "PULUMI_HOME": str(product.root / "home"),
        "PULUMI_BACKEND_URL": f"{backend.as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "theirs",
    }


def test_a_stack_the_backend_does_not_have_is_told(product: Product, team: Mapping[str, str]) -> None:
    ended = product.run("preview", "real", **team)
    assert ended.code == 1
    assert ended.err.startswith("error: Your Pulumi backend has no stack real: `pulumi stack init real` makes it")


def test_missing_secrets_are_listed_as_the_commands_that_set_them(product: Product, team: Mapping[str, str]) -> None:
    _pulumi(product, team, "stack", "init", "real")
    ended = product.run("up", "real", "--yes", **team)
    assert ended.code == 1
    assert ended.err.splitlines()[1:] == [
        "  pulumi config set --secret --stack real secrets:session-key",
        "  pulumi config set --secret --stack real secrets:token",
    ]
    assert "Traceback" not in ended.text


def test_it_is_deployed_only_after_a_question(product: Product, team: Mapping[str, str]) -> None:
    for key in load(product.root, "real").required_secrets:
        _pulumi(product, team, "config", "set", "--secret", "--stack", "real", key, "value")
    asked = product.run("up", "real", **team)
    assert asked.code == 1
    assert "Namespace shop-real" in asked.out
    assert asked.err.startswith("error: A real cluster is only changed after a question")
    agreed = product.run("up", "real", "--yes", **team)
    assert agreed.code == 0, agreed.text
    assert changes(agreed.out.splitlines()[-1]) > 5
    assert "Simulated" not in agreed.out
    assert not (product.root / ".mainstay" / "state").exists()


def test_down_wants_the_name_typed(product: Product, team: Mapping[str, str]) -> None:
    ended = product.run("down", "real", **team)
    assert ended.code == 1
    assert "there is no terminal to ask" in ended.err


def _pulumi(product: Product, team: Mapping[str, str], *arguments: str) -> None:
    subprocess.run(
        ["pulumi", "--non-interactive", *arguments],
        cwd=product.root,
        env={**os.environ, **team},
        check=True,
        capture_output=True,
    )
