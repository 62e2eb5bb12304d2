"""Images are pinned to digests, each in one version. The registry's look-up is mocked: no registry is asked here."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.stack import run_pulumi_func

from components.image_pin import ImagePins, parse_reference
from components.images import POSTGRES, REDIS
from stacks.settings_images import ImagesSettings, faults_of_images, own_images
from tests.conftest import ROOT

FIRST, MOVED, GIVEN = (f"sha256:{digit * 64}" for digit in "abc")
API = "registry.example/shop/api:1.4.2"


class Registry(Mocks):
    """A mocked registry in which every tag has one digest; keeps what it was asked, and the objects declared."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        self.asked: list[str] = []
        self.objects: dict[str, Mapping[str, Any]] = {}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        assert args.token == "docker:index/getRegistryImage:getRegistryImage"
        asked = cast(dict[str, str], args.args)["name"]
        self.asked.append(asked)
        return {"name": asked, "sha256Digest": self.digest, "id": self.digest}, []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = cast(dict[str, Any], args.inputs)
        self.objects[args.name] = inputs
        return args.name, inputs


def declared(registry: Registry, digests: dict[str, str], ask: bool) -> dict[str, Any]:
    """Objects of four kinds declared under the pins, by name."""

    def program() -> None:
        ImagePins(digests, ask).apply_to_stack()
        component = pulumi.ComponentResource("test:index:Whole", "whole")
        inside = pulumi.ResourceOptions(parent=component)
        pod: kubernetes.core.v1.PodSpecArgsDict = {
            "containers": [{"name": "api", "image": API}],
            "init_containers": [{"name": "redis", "image": REDIS}],
        }
        kubernetes.apps.v1.Deployment(
            "deployment",
            spec={"selector": {"match_labels": {"a": "b"}}, "template": {"spec": pod}},
            opts=inside,
        )
        kubernetes.core.v1.Pod("pod", spec=pod, opts=inside)
        kubernetes.apiextensions.CustomResource(
            "cluster", api_version="postgresql.cnpg.io/v1", kind="Cluster", spec={"imageName": POSTGRES}, opts=inside
        )
        kubernetes.core.v1.ConfigMap("config", data={"image": API}, opts=inside)

    async def run() -> None:
        monitor = MockMonitor(registry)
        pulumi.runtime.set_mocks(registry, project="mainstay", stack="test", preview=False, monitor=monitor)
        await run_pulumi_func(program)

    asyncio.run(run())
    return registry.objects


def images_of(objects: Mapping[str, Any]) -> dict[str, str]:
    pod, template = objects["pod"]["spec"], objects["deployment"]["spec"]["template"]["spec"]
    return {
        "deployment": template["containers"][0]["image"],
        "deployment's init container": template["initContainers"][0]["image"],
        "pod": pod["containers"][0]["image"],
        "cluster": objects["cluster"]["spec"]["imageName"],
        "config map": objects["config"]["data"]["image"],
    }


def test_every_tag_gets_the_digest_of_its_registry_asked_once_each() -> None:
    registry = Registry(FIRST)
    assert images_of(declared(registry, {}, ask=True)) == {
        "deployment": f"{API}@{FIRST}",
        "deployment's init container": f"{REDIS}@{FIRST}",
        "pod": f"{API}@{FIRST}",
        "cluster": f"{POSTGRES}@{FIRST}",
        "config map": API,
    }
    assert sorted(registry.asked) == sorted([API, REDIS, POSTGRES])


def test_a_tag_that_was_moved_is_another_input() -> None:
    before = images_of(declared(Registry(FIRST), {}, ask=True))
    after = images_of(declared(Registry(MOVED), {}, ask=True))
    assert (before["pod"], after["pod"]) == (f"{API}@{FIRST}", f"{API}@{MOVED}")


def test_a_digest_of_the_environment_wins_and_is_not_asked_for() -> None:
    registry = Registry(FIRST)
    images = images_of(declared(registry, {API: GIVEN}, ask=True))
    assert images["pod"] == f"{API}@{GIVEN}"
    assert API not in registry.asked
    assert ImagePins({}, ask_registry=True).pinned(f"{API}@{GIVEN}") == f"{API}@{GIVEN}"


def test_without_asking_no_registry_is_asked_and_tags_stay() -> None:
    registry = Registry(FIRST)
    images = images_of(declared(registry, {REDIS: GIVEN}, ask=False))
    assert registry.asked == []
    assert images["pod"] == API
    assert images["deployment's init container"] == f"{REDIS}@{GIVEN}"


def test_the_docker_package_is_not_even_imported_unless_a_registry_is_asked() -> None:
    code = "import sys, stacks.settings_images, components.image_pin; sys.exit('pulumi_docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("redis", ("docker.io/library/redis", None, None)),
        ("grafana/loki:3.7", ("docker.io/grafana/loki", "3.7", None)),
        ("localhost:5000/api", ("localhost:5000/api", None, None)),
        ("localhost/api:1", ("localhost/api", "1", None)),
        (f"registry.example:5000/shop/api:1.4.2@{FIRST}", ("registry.example:5000/shop/api", "1.4.2", FIRST)),
    ],
)
def test_parts_of_a_reference(image: str, parts: tuple[str, str | None, str | None]) -> None:
    assert parse_reference(image) == parts


SETTINGS = ImagesSettings.model_validate({})


def test_one_image_in_two_versions_is_refused() -> None:
    product = {"services.api.image": API, "workers.email.image": "registry.example/shop/api:1.4.3"}
    assert faults_of_images(SETTINGS, product) == [
        "mainstay:workers.email.image is registry.example/shop/api:1.4.3, but mainstay:services.api.image is "
        "registry.example/shop/api:1.4.2: one image, two versions; use one of them."
    ]


def test_the_product_cannot_bring_another_version_of_an_image_mainstay_chose() -> None:
    (fault,) = faults_of_images(SETTINGS, {"services.cache.image": "redis:8.0.0"})
    assert fault.startswith("mainstay:services.cache.image is redis:8.0.0, but components/images.py: REDIS is ")


def test_near_misses_are_accepted() -> None:
    assert REDIS in own_images().values()
    product = {
        "services.api.image": API,
        "services.admin.image": API,
        "services.web.image": "registry.example/shop/web:1.4.3",
        "workers.cache.image": REDIS.removeprefix("docker.io/library/"),
    }
    given = ImagesSettings.model_validate({"digests": {API: GIVEN, REDIS: GIVEN}})
    assert faults_of_images(given, product) == []


def test_a_digest_for_an_image_that_nothing_uses_is_refused() -> None:
    given = ImagesSettings.model_validate({"digests": {"registry.example/shop/api:1.4.1": GIVEN}})
    (fault,) = faults_of_images(given, {"services.api.image": API})
    assert fault.startswith("mainstay:images.digests has registry.example/shop/api:1.4.1, which nothing here uses;")
