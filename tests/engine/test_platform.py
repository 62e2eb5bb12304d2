"""The repository's own staging, whole: it stands on a real API server, twice the same, and tells nobody its secrets."""

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devcluster.cluster import Cluster
from devcluster.directory import Directory
from devcluster.toolchain import Toolchain
from engine import workspace
from engine.target import resolve
from stacks.environment import load
from stacks.render import render
from tests.canaries import canary, files_that_tell, told
from tests.engine.product import REPOSITORY, Ended, Product, changes

STACK = "staging"
NEEDED, ALL = (
    {key.partition(":")[2] for stack in stacks for key in load(REPOSITORY, stack).required_secrets}
    for stacks in ((STACK,), (STACK, "prod"))
)
"""Names of the secrets that staging needs; and with those that production alone needs."""


@dataclass
class Platform:
    """The product with all of staging, and all that it has written to a terminal."""

    product: Product
    kubectl: Path
    cluster: Cluster
    said: list[Ended] = field(default_factory=list[Ended])

    def run(self, *arguments: str) -> Ended:
        """A command that succeeds."""
        ended = self.product.run(*arguments)
        self.said.append(ended)
        assert ended.code == 0, ended.text
        return ended

    def set_secrets(self, generation: int) -> None:
        """Gives every secret the canary of a generation."""
        target = resolve(self.product.root, load(self.product.root, STACK), print)
        workspace.prepare(target)
        values = [f"secrets:{name}={canary(name, generation)}" for name in sorted(ALL)]
        flags = [word for value in values for word in ("--secret", value)]
        target.command.run("config", "set-all", "--stack", STACK, *flags)

    def in_the_cluster(self, generation: int) -> set[str]:
        """Names of the secrets whose canary of a generation stands in a Secret."""
        namespace = load(self.product.root, STACK).platform.namespace.name
        listing = subprocess.run(
            [self.kubectl, "--kubeconfig", self.cluster.kubeconfig, "-n", namespace, "get", "secrets", "-o", "json"],
            capture_output=True,
            check=True,
        )
        values = [value for item in json.loads(listing.stdout)["items"] for value in item.get("data", {}).values()]
        content = "\n".join(base64.b64decode(value).decode() for value in values)
        return {name for name in ALL if canary(name, generation) in content}


@pytest.fixture
def platform(toolchain: Toolchain, cluster: Cluster, cluster_root: Path) -> Platform:
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copy(file, cluster_root)
    return Platform(Product(cluster_root), toolchain.path("kubectl"), cluster)


def test_all_of_staging_deploys_rotates_its_secrets_and_tells_none(platform: Platform) -> None:
    """One deployment for all of it: it takes most of the time."""
    platform.set_secrets(1)
    platform.run("up", STACK)
    declared = {(each.kind, each.name) for each in render(load(REPOSITORY, STACK))}
    assert platform.product.recorded(STACK) == declared
    assert platform.in_the_cluster(1) == NEEDED

    platform.set_secrets(2)
    for form in ("terminal", "markdown", "json"):
        assert "api-env" in platform.run("preview", STACK, "--format", form).out
    assert changes(platform.run("up", STACK).out) > 0
    assert (platform.in_the_cluster(1), platform.in_the_cluster(2)) == (set(), NEEDED)
    assert changes(platform.run("up", STACK).out) == 0
    platform.run("render", STACK)
    kept = Directory.of(platform.product.root)
    assert told(b"".join(each.read_bytes() for each in kept.etcd.rglob("*") if each.is_file()), ALL) >= NEEDED
    assert files_that_tell(kept.path.parent, ALL, but=kept.etcd) == {}

    platform.run("down", STACK)
    assert files_that_tell(kept.path.parent, ALL, but=kept.etcd) == {}
    assert [each.text for each in platform.said if told(each.text, ALL)] == []
