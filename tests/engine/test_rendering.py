"""Every object of a rendering is accepted by a real API server that refuses unknown fields."""

import subprocess

import pytest
import yaml

from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from stacks.environment import load
from stacks.render import Manifest, render
from tests.conftest import ROOT


def dry_run(toolchain: Toolchain, cluster: Cluster, manifests: list[Manifest]) -> subprocess.CompletedProcess[str]:
    """`kubectl apply --dry-run=server`, in a namespace that exists, as any server-side dry run needs it."""
    kubectl = [str(toolchain.path("kubectl")), "--kubeconfig", str(cluster.kubeconfig)]
    names = {each.namespace for each in manifests if each.namespace}
    # Another test of this cluster may have deployed to it.
    made = [
        name for name in names if subprocess.run([*kubectl, "create", "namespace", name], check=False).returncode == 0
    ]
    try:
        return subprocess.run(
            [*kubectl, "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"],
            input=yaml.safe_dump_all([each.manifest for each in manifests], allow_unicode=True),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for name in made:
            subprocess.run([*kubectl, "delete", "namespace", name, "--wait=true"], check=True, capture_output=True)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_object_is_accepted(stack: str, toolchain: Toolchain, cluster: Cluster) -> None:
    manifests = render(load(ROOT, stack))
    done = dry_run(toolchain, cluster, manifests)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied (server dry run)") == len(manifests)


def test_a_field_that_no_schema_knows_is_refused(toolchain: Toolchain, cluster: Cluster) -> None:
    manifests = render(load(ROOT, "staging"))
    database = next(each for each in manifests if each.kind == "Cluster")
    database.manifest["spec"]["instancez"] = 3
    done = dry_run(toolchain, cluster, manifests)
    assert done.returncode != 0
    assert "instancez" in done.stderr
