"""The repository's own staging, whole: it stands on a real API server, twice the same, and tells nobody its secrets."""

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from audit import bundle
from devcluster.cluster import Cluster
from devcluster.directory import Directory
from devcluster.toolchain import Toolchain
from engine import operation, review, workspace
from engine.operation import Session
from engine.result import Result
from engine.target import resolve
from stacks.environment import Platform, load
from stacks.render import render
from tests.canaries import WRITERS, canary, files_that_tell, told
from tests.engine.product import REPOSITORY, Ended, Product, changes
from tests.renderings import rendering

STACK = "staging"
NEEDED, ALL = (
    {key.partition(":")[2] for stack in stacks for key in load(REPOSITORY, stack).required_secrets}
    for stacks in ((STACK,), (STACK, "prod"))
)
"""Names of the secrets that staging needs; and with those that production alone needs."""


@dataclass
class Deployed:
    """The product with all of staging, and all that it has told."""

    product: Product
    kubectl: Path
    cluster: Cluster
    said: list[str] = field(default_factory=list[str])

    def run(self, *arguments: str) -> Ended:
        """A command that succeeds. The engine keeps its state only at the end: for each of so many objects takes it as
        long as all else, and the files at the end are the same.
        """
        ended = self.product.run(*arguments, PULUMI_SKIP_CHECKPOINTS="true")
        self.said.append(ended.text)
        assert ended.code == 0, ended.text
        return ended

    def preview(self) -> Result:
        """One preview, told in every form."""
        session = Session(self.product.root, STACK, self.said.append, lambda progress: self.said.append(str(progress)))
        target, result = operation.preview(session, refresh=False)
        self.said += [write(review.of(result, target.description)) for write in WRITERS.values()]
        return result

    def audit(self, folder: Path) -> None:
        """An audit of what is deployed; it misses evidence, and nothing else."""
        ended = self.product.run("audit", STACK, "--output", str(folder))
        self.said.append(ended.text)
        rules = "restore-drill-fresh, secret-rotation-90d, slo-reviewed"
        assert ended.out.startswith("Failed: ")
        assert ended.out.splitlines()[0].endswith(f" mandatory rules: {rules}."), ended.text

    def set_secrets(self, generation: int) -> None:
        """Gives every secret the canary of a generation."""
        environment = load(self.product.root, STACK)
        target = resolve(self.product.root, environment, print)
        # A namespace needs no secrets; those of the environment would be generated first, one by one.
        bare = replace(environment, platform=Platform.model_validate({"namespace": environment.platform.namespace}))
        workspace.prepare(replace(target, environment=bare))
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
def platform(toolchain: Toolchain, cluster: Cluster, cluster_root: Path) -> Deployed:
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copy(file, cluster_root)
    return Deployed(Product(cluster_root), toolchain.path("kubectl"), cluster)


def rotated() -> set[tuple[str, str]]:
    """Kind and name of the objects that the second generation of secrets changes."""
    environment = load(REPOSITORY, STACK)
    before, after = (
        render(environment, {key: canary(key.partition(":")[2], generation) for key in environment.required_secrets})
        for generation in (1, 2)
    )
    return {(each.kind, each.name) for each, then in zip(before, after, strict=True) if each != then}


def test_all_of_staging_deploys_rotates_its_secrets_and_tells_none(platform: Deployed, tmp_path: Path) -> None:
    """One deployment for all of it: it takes most of the time."""
    platform.set_secrets(1)
    platform.run("up", STACK)
    assert platform.product.recorded(STACK) == {(each.kind, each.name) for each in rendering(STACK)}
    assert platform.in_the_cluster(1) == NEEDED

    platform.set_secrets(2)
    new = rotated()
    # These and no others: all else, looked at again, is as it was declared.
    assert {(step.kind, step.object_name) for step in platform.preview().changed} == new
    assert changes(platform.run("up", STACK).out) == len(new)
    assert (platform.in_the_cluster(1), platform.in_the_cluster(2)) == (set(), NEEDED)
    kept = Directory.of(platform.product.root)
    assert told(b"".join(each.read_bytes() for each in kept.etcd.rglob("*") if each.is_file()), ALL) >= NEEDED
    assert files_that_tell(kept.path.parent, ALL, but=kept.etcd) == {}

    platform.audit(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {bundle.RESULTS, bundle.STATEMENT, *bundle.FORMATS}
    assert files_that_tell(tmp_path, ALL, but=kept.etcd) == {}
    assert "Secret shop-staging/api-env" in (tmp_path / bundle.RESULTS).read_text()

    platform.run("down", STACK)
    assert files_that_tell(kept.path.parent, ALL, but=kept.etcd) == {}
    assert any("api-env" in each for each in platform.said)
    assert [each for each in platform.said if told(each, ALL)] == []
