"""The stand-in plugin with the real engine and API server: whose object it is, whose field, and which cluster."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi_kubernetes as kubernetes
import pytest
import yaml
from pulumi import ResourceOptions

from devcluster.cluster import Cluster
from devcluster.plugin.applying import manager_of
from devcluster.toolchain import Toolchain
from tests.engine.plugin_stack import PROJECT, Stack

TYPE = "kubernetes:core/v1:ConfigMap"


def config_map(
    name: str, annotations: dict[str, str] | None = None, opts: ResourceOptions | None = None, **data: str
) -> Callable[[], None]:
    def program() -> None:
        metadata: Any = {
            "name": name,
            "labels": {"made": "here"},
            **({"annotations": annotations} if annotations else {}),
        }
        kubernetes.core.v1.ConfigMap(name, metadata=metadata, data=data, opts=opts)

    return program


@pytest.fixture
def new(tmp_path: Path, toolchain: Toolchain, cluster: Cluster) -> Callable[[str, Callable[[], None]], Stack]:
    return lambda name, program: Stack(tmp_path, toolchain, cluster, name, program)


NewStack = Callable[[str, Callable[[], None]], Stack]


def test_a_field_of_another_manager_is_not_taken_without_force(new: NewStack) -> None:
    stack = new("conflict", config_map("contested"))
    assert stack.up().succeeded
    labels = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: contested, labels: {made: elsewhere}}\n"
    apply = ("apply", "--server-side", "--force-conflicts", "--field-manager=label-controller", "-f", "-")
    stack.kubectl(*apply, stdin=labels)

    stack.program = config_map("contested", annotations={"changed": "yes"})
    preview = stack.preview()
    assert not preview.succeeded
    assert (
        "ConfigMap plugin-conflict/contested: .metadata.labels.made is managed by label-controller; leave"
        in preview.said()
    )

    stack.program = config_map("contested", annotations={"pulumi.com/patchForce": "true"})
    up = stack.up()
    assert up.succeeded, up.output
    assert stack.live("configmap", "contested")["metadata"]["labels"]["made"] == "here"


def test_an_object_of_someone_else_is_neither_created_over_nor_lost(new: NewStack) -> None:
    stack = new("existing", config_map("theirs", a="1"))
    stack.kubectl("create", "configmap", "theirs", "--from-literal=a=1")
    stack.kubectl("label", "configmap", "theirs", "made=here")
    preview = stack.preview()
    assert not preview.succeeded
    assert f"`pulumi import {TYPE} theirs plugin-existing/theirs`" in preview.said()

    stack.program = config_map("theirs", a="1", opts=ResourceOptions(import_="plugin-existing/theirs"))
    imported = stack.up()
    assert imported.succeeded, imported.output
    assert imported.changes == {"create": 1, "import": 1}

    stack.program = config_map("theirs", a="1")
    assert stack.up().changes == {}

    stack.program = config_map("missing", opts=ResourceOptions(import_="plugin-existing/missing"))
    missing = stack.preview()
    assert not missing.succeeded
    assert "ConfigMap plugin-existing/missing does not exist, so it can be neither" in missing.said()


def test_a_creation_that_was_killed_is_resumed(new: NewStack) -> None:
    stack = new("resumed", config_map("half", a="1"))
    # What is in the cluster when the engine is killed between the API server's answer and its own record.
    urn = f"urn:pulumi:resumed::{PROJECT}::{TYPE}::half"
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: half}\ndata: {a: half}\n"
    stack.kubectl("apply", "--server-side", f"--field-manager={manager_of(urn)}", "-f", "-", stdin=manifest)
    up = stack.up()
    assert up.succeeded, up.output
    assert "ConfigMap plugin-resumed/half: resumes its own interrupted creation" in up.said()
    assert stack.live("configmap", "half")["data"] == {"a": "1"}


def test_every_other_cluster_is_refused(new: NewStack, cluster: Cluster, tmp_path: Path) -> None:
    stack = new("guard", config_map("never"))
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text())
    entry = kubeconfig["clusters"][0]["cluster"]

    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(yaml.safe_dump(kubeconfig).replace(entry["server"], "https://10.0.0.1:6443"))
    stack.configure(kubeconfig=str(elsewhere))
    refused = stack.preview()
    assert not refused.succeeded
    assert "works with Mainstay's embedded cluster only" in refused.said()
    assert "is https://10.0.0.1:6443 with the certificate authority 'mainstay-devcluster'" in refused.said()

    stopped = tmp_path / "stopped"
    stopped.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:9", yaml.safe_dump(kubeconfig)))
    stack.configure(kubeconfig=str(stopped))
    unreachable = stack.preview()
    assert not unreachable.succeeded
    assert f"The cluster at https://127.0.0.1:9 (the kubeconfig {stopped}, context" in unreachable.said()
    assert base64.b64decode(entry["certificate-authority-data"])  # the same authority: only the address differs
