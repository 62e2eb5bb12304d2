"""The stand-in plugin with the real engine and API server: the life of objects from preview to deletion."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pulumi import ResourceOptions

from devcluster.cluster import Cluster
from devcluster.plugin.provider import INTRODUCTION
from devcluster.toolchain import Toolchain
from tests.engine.plugin_stack import Stack

CANARY = "canary-d41d8cd98f"
NAMESPACE = "plugin-shop-made"


class Shop:
    """The stack's program; a test changes an attribute and runs it again."""

    label = "a"
    colour = "red"
    extra = True
    typing_error = False

    def __call__(self) -> None:
        namespace = kubernetes.core.v1.Namespace("ns", metadata={"name": NAMESPACE})
        inside = ResourceOptions(depends_on=[namespace])
        kubernetes.core.v1.ConfigMap(
            "settings",
            metadata={"name": "settings", "namespace": NAMESPACE, "labels": {"colour": self.colour}},
            data={"number": "1"},
            opts=inside,
        )
        kubernetes.core.v1.Secret(
            "login",
            metadata={"name": "login", "namespace": NAMESPACE},
            string_data={"password": CANARY},
            opts=inside,
        )
        self._deployment(inside)
        generated = kubernetes.core.v1.ConfigMap(
            "generated", metadata={"namespace": NAMESPACE}, data={"uid": namespace.metadata.uid}, opts=inside
        )
        if self.extra:
            kubernetes.core.v1.ConfigMap(
                "extra",
                metadata={"name": "extra", "namespace": NAMESPACE},
                data={"name": generated.metadata.name, "id": generated.id},
                opts=inside,
            )

    def _deployment(self, inside: ResourceOptions) -> None:
        container: dict[str, Any] = {
            "name": "app",
            "image": "registry.invalid/app:1",
            "args": ["--quiet"],
            "env": [{"name": "TOKEN", "value": pulumi.Output.secret(CANARY)}],
            # The API server returns these as "1" and "1Gi".
            "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
        }
        if self.typing_error:
            container["imagePolicy"] = "Always"
        spec: Any = {
            "replicas": 1,
            "selector": {"match_labels": {"app": self.label}},
            "template": {
                "metadata": {"labels": {"app": self.label}, "annotations": {}},
                "spec": {"containers": [container], "host_network": False},
            },
        }
        kubernetes.apps.v1.Deployment("api", metadata={"name": "api", "namespace": NAMESPACE}, spec=spec, opts=inside)


@pytest.fixture(scope="module")
def program() -> Shop:
    return Shop()


@pytest.fixture(scope="module")
def shop(program: Shop, tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain, cluster: Cluster) -> Stack:
    return Stack(tmp_path_factory.mktemp("shop"), toolchain, cluster, "shop", program)


# The tests of this module follow one stack through its life, in this order.


def test_preview_refuses_an_unknown_field_even_before_its_namespace_exists(shop: Stack, program: Shop) -> None:
    program.typing_error = True
    preview = shop.preview()
    program.typing_error = False
    assert not preview.succeeded
    expected = (
        "The API server refuses Deployment plugin-shop-made/api: "
        '.spec.template.spec.containers[name="app"].imagePolicy: field not declared in schema.'
    )
    assert expected in preview.said()


def test_up_creates_and_says_what_it_is(shop: Stack) -> None:
    up = shop.up()
    assert up.succeeded, up.output
    assert up.changes == {"create": 7}
    assert up.said().count(INTRODUCTION) == 1
    generated = shop.resource("generated")
    name = generated["outputs"]["metadata"]["name"]
    assert name.startswith("generated-")
    assert shop.live("configmap", "extra", NAMESPACE)["data"] == {"name": name, "id": f"{NAMESPACE}/{name}"}
    # The uid was unknown at preview; no placeholder may have been sent in its place.
    assert shop.live("configmap", name, NAMESPACE)["data"]["uid"] == (shop.resource("ns")["outputs"]["metadata"]["uid"])
    assert shop.live("deployment", "api", NAMESPACE)["status"]["availableReplicas"] == 1


def test_secrets_are_not_in_the_state(shop: Stack) -> None:
    live = shop.live("secret", "login", NAMESPACE)
    assert base64.b64decode(live["data"]["password"]).decode() == CANARY
    for form in (CANARY, base64.b64encode(CANARY.encode()).decode()):
        assert form not in shop.raw_state


def test_second_up_changes_nothing_and_refresh_finds_nothing(shop: Stack) -> None:
    again = shop.up()
    assert again.succeeded, again.output
    assert again.changes == {}
    refresh = shop.refresh()
    assert refresh.succeeded, refresh.output
    assert refresh.changes == {}


def test_drift_is_shown_by_refresh_and_mended_by_up(shop: Stack) -> None:
    shop.kubectl("set", "env", "deployment/api", "-n", NAMESPACE, "TOKEN=drifted-token")
    shop.kubectl("label", "configmap/settings", "-n", NAMESPACE, "colour=blue", "--overwrite")
    shop.kubectl("label", "configmap/settings", "-n", NAMESPACE, "other=theirs")

    preview = shop.preview("--refresh")
    assert preview.succeeded, preview.output
    assert preview.changes == {"update": 2}
    assert preview.fields("settings") == {"metadata.labels.colour"}
    assert preview.fields("api") == {"spec.template.spec.containers[0].env[0].value"}
    assert "drifted-token" not in preview.output

    up = shop.up("--refresh")
    assert up.succeeded, up.output
    assert "ConfigMap plugin-shop-made/settings: takes .metadata.labels.colour back from kubectl-label" in up.said()
    assert shop.live("configmap", "settings", NAMESPACE)["metadata"]["labels"] == {"colour": "red", "other": "theirs"}
    container = shop.live("deployment", "api", NAMESPACE)["spec"]["template"]["spec"]["containers"][0]
    assert container["env"][0]["value"] == CANARY


def test_update_in_place_and_replacement_on_an_immutable_field(shop: Stack, program: Shop) -> None:
    before = {kind: shop.live(kind, name, NAMESPACE) for kind, name in PLACES}
    program.label, program.colour, program.extra = "b", "green", False
    up = shop.up()
    assert up.succeeded, up.output
    assert up.operations("settings") == ["update"]
    # The Deployment's name is fixed, so the old one goes first.
    assert up.operations("api") == ["delete-replaced", "replace", "create-replacement"]
    assert up.operations("extra") == ["delete"]
    after = {kind: shop.live(kind, name, NAMESPACE) for kind, name in PLACES}
    assert after["configmap"]["metadata"]["uid"] == before["configmap"]["metadata"]["uid"]
    assert after["configmap"]["metadata"]["labels"]["colour"] == "green"
    assert after["deployment"]["metadata"]["uid"] != before["deployment"]["metadata"]["uid"]
    assert after["deployment"]["spec"]["selector"]["matchLabels"] == {"app": "b"}
    assert not shop.kubectl("get", "configmap/extra", "-n", NAMESPACE, "--ignore-not-found")


PLACES = (("configmap", "settings"), ("deployment", "api"))


def test_an_object_that_was_deleted_by_hand_is_made_again(shop: Stack) -> None:
    shop.kubectl("delete", "secret/login", "-n", NAMESPACE)
    up = shop.up("--refresh")
    assert up.succeeded, up.output
    assert up.operations("login")[-1] == "create"
    assert shop.live("secret", "login", NAMESPACE)["data"]


def test_destroy_waits_until_everything_is_gone(shop: Stack) -> None:
    destroy = shop.destroy()
    assert destroy.succeeded, destroy.output
    assert not shop.kubectl("get", f"namespace/{NAMESPACE}", "--ignore-not-found")


def test_data_of_a_config_map_replaces_it_unless_configured(
    tmp_path: Path, toolchain: Toolchain, cluster: Cluster
) -> None:
    stack = Stack(tmp_path, toolchain, cluster, "mutable", config_map("mutable", data={"a": "1"}))
    assert stack.up().succeeded
    stack.program = config_map("mutable", data={"a": "2"})
    assert stack.preview().operations("mutable") == ["delete-replaced", "replace", "create-replacement"]
    stack.configure(enableConfigMapMutable="true")
    assert stack.preview().operations("mutable") == ["update"]


def config_map(name: str, data: dict[str, str]) -> Callable[[], None]:
    def program() -> None:
        kubernetes.core.v1.ConfigMap(name, metadata={"name": name}, data=data)

    return program
