"""Every object of a rendering is accepted by a real API server that refuses unknown fields."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
import yaml

from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from stacks.environment import Environment
from stacks.procedures import procedures
from stacks.render import Manifest, render
from tests.conftest import COPIED, declared

DryRun = Callable[[Sequence[Manifest]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def dry_run(toolchain: Toolchain, cluster: Cluster) -> Iterator[DryRun]:
    """`kubectl apply --dry-run=server`, in namespaces that exist, as any server-side dry run needs it."""
    kubectl = [str(toolchain.path("kubectl")), "--kubeconfig", str(cluster.kubeconfig)]
    made: set[str] = set()

    def run(manifests: Sequence[Manifest]) -> subprocess.CompletedProcess[str]:
        for name in {each.namespace or "" for each in manifests} - made:
            if name.startswith("rendered-"):
                subprocess.run([*kubectl, "create", "namespace", name], check=True, capture_output=True)
                made.add(name)
        return subprocess.run(
            [*kubectl, "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": [each.manifest for each in manifests]}),
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    subprocess.run([*kubectl, "delete", "namespace", *made, "--wait=false"], check=True, capture_output=True)


def environment(name: str) -> Environment:
    """The environment, in a namespace that no other test deploys to."""
    found = declared(name)
    namespace = found.platform.namespace.model_copy(update={"name": f"rendered-{name}"})
    return replace(found, platform=found.platform.model_copy(update={"namespace": namespace}))


@pytest.mark.parametrize("stack", ["staging", "prod", COPIED])
def test_every_object_is_accepted_and_none_with_a_field_that_no_schema_knows(stack: str, dry_run: DryRun) -> None:
    manifests = render(environment(stack))
    done = dry_run(manifests)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied (server dry run)") == len(manifests)

    database = next(each for each in manifests if each.kind == "Cluster")
    database.manifest["spec"]["instancez"] = 3
    refused = dry_run([database])
    assert refused.returncode != 0
    assert "instancez" in refused.stderr


def applied_by_runbooks(stack: str) -> list[Manifest]:
    """What the commands of the procedures make: each text between `<<'END'` and `END`."""
    texts = [each["text"] for several in procedures(environment(stack)).values() for each in several]
    documents = [
        each
        for text in texts
        for block in re.findall(r"<<'END'\n(.*?)^END$", text, re.DOTALL | re.MULTILINE)
        for each in yaml.safe_load_all(block)
    ]
    return [Manifest(each) for each in documents]


def test_what_a_person_applies_in_an_emergency_is_accepted(dry_run: DryRun) -> None:
    manifests = applied_by_runbooks("prod")
    kinds = {"ObjectStore": 2, "NetworkPolicy": 2, "Cluster": 2, "Backup": 2}
    assert Counter(each.kind for each in manifests) == kinds
    for number, each in enumerate(manifests):
        # `kubectl create` makes the name, and `--namespace` says where.
        each.manifest["metadata"].setdefault("namespace", "rendered-prod")
        each.manifest["metadata"].setdefault("name", f"made-{number}")
        each.manifest["metadata"].pop("generateName", None)
    done = dry_run(manifests)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied (server dry run)") == len(manifests)
