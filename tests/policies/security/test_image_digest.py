"""Rule image-digest: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.security.image_digest import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import EMPTY, GONE, changed, judged, resource

HASH = "0123456789abcdef" * 4
PINNED = f"registry.example:5000/shop/api:1.4.2@sha256:{HASH}"
POD = "spec.template.spec"


def deployment(image: object = PINNED, kind: str = "Deployment") -> Resource:
    return resource(kind, props={"spec": {"template": {"spec": {"containers": [{"name": "api", "image": image}]}}}})


def verdict(subject: Resource) -> tuple[Outcome, str]:
    (finding,) = judged(RULE, subject).values()
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("image", [PINNED, f"redis@sha256:{HASH}", f"redis:latest@sha256:{HASH}", f" {PINNED} "])
def test_a_digest_is_enough_whatever_the_tag(image: str) -> None:
    assert verdict(deployment(image)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("image", "clause"),
    [
        ("registry.example:5000/shop/api", "without a tag, hence whatever is the latest"),
        ("redis", "without a tag"),
        ("redis:latest", "by the tag latest, which moves"),
        ("redis:7.4.5", "by a tag alone, which can be moved"),
        ("redis:latest-alpine", "by a tag alone"),
        ("registry.example:5000/shop/api:1.4.2", "by a tag alone"),
        (f"redis@sha256:{HASH[:-1]}", "whose digest is not sha256: and 64 hexadecimal digits"),
        (f"redis@sha256:{HASH}0", "whose digest is not"),
        (f"redis@sha256:{HASH.upper()}", "whose digest is not"),
        (f"redis@sha512:{HASH}", "whose digest is not"),
        (f"redis@sha256:{HASH[:-1]}g", "whose digest is not"),
        (f"redis:sha256-{HASH}", "by a tag alone"),
        (f"@sha256:{HASH}", "whose digest is not"),
        ("", "names ''"),
        (None, "container api names no image"),
    ],
)
def test_anything_else_fails_and_says_what_it_is(image: object, clause: str) -> None:
    outcome, reasons = verdict(deployment(image))
    assert outcome is Outcome.FAIL
    assert clause in reasons
    if image:
        assert f"{POD}.containers[0].image names '{image}'" in reasons


@pytest.mark.parametrize("field", ["containers", "initContainers", "ephemeralContainers"])
def test_every_container_counts(field: str) -> None:
    subject = changed(deployment(), f"{POD}.{field}", [{"name": "a", "image": PINNED}, {"name": "b", "image": "x"}])
    assert f"{POD}.{field}[1].image names 'x'" in verdict(subject)[1]
    nameless = verdict(changed(subject, f"{POD}.{field}.1.image", GONE))[1]
    assert nameless.endswith("container b names no image")


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Pod", "spec"),
        ("CronJob", "spec.jobTemplate.spec.template.spec"),
        ("ScaledJob", "spec.jobTargetRef.template.spec"),
        ("PodTemplate", "template.spec"),
    ],
)
def test_pods_are_judged_wherever_they_are(kind: str, path: str) -> None:
    for image, outcome in ((PINNED, Outcome.PASS), ("redis:7", Outcome.FAIL), (None, Outcome.FAIL)):
        props: Any = {"containers": [{"name": "api", "image": image}]}
        for key in reversed(path.split(".")):
            props = {key: props}
        assert verdict(resource(kind, props=props))[0] is outcome


def test_the_image_of_a_volume_counts() -> None:
    for reference, outcome in ((PINNED, Outcome.PASS), ("model:1", Outcome.FAIL)):
        volumes = [{"name": "model", "image": {"reference": reference, "pullPolicy": "Always"}}]
        assert verdict(changed(deployment(), f"{POD}.volumes", volumes))[0] is outcome


CHOSEN = {
    "Cluster": "imageName",
    "Prometheus": "image",
    "PrometheusAgent": "image",
    "Alertmanager": "image",
    "ThanosRuler": "image",
}


@pytest.mark.parametrize(("kind", "member"), CHOSEN.items())
def test_custom_resources_name_the_image_of_their_servers(kind: str, member: str) -> None:
    assert verdict(resource(kind, props={"spec": {member: PINNED}})) == (Outcome.PASS, "")
    for image in ("postgres:17", "postgres:latest"):
        outcome, reasons = verdict(resource(kind, props={"spec": {member: image}}))
        assert outcome is Outcome.FAIL
        assert reasons.startswith(f"spec.{member} names '{image}' by")
    for spec in ({}, {member: None}):
        assert verdict(resource(kind, props={"spec": spec})) == (
            Outcome.FAIL,
            f"spec.{member} is not set, so that its operator chooses the image",
        )
    for marker in (UNKNOWN, SECRET):
        assert verdict(resource(kind, props={"spec": {member: marker}}))[0] is Outcome.INCONCLUSIVE
        assert verdict(resource(kind, props={"spec": marker}))[0] is Outcome.INCONCLUSIVE


def test_a_cluster_may_take_its_image_from_a_catalog_which_is_judged_itself() -> None:
    by_catalog = resource("Cluster", props={"spec": {"imageCatalogRef": {"kind": "ImageCatalog", "name": "postgres"}}})
    assert verdict(by_catalog) == (Outcome.PASS, "")
    for image, outcome in ((PINNED, Outcome.PASS), ("postgres:17", Outcome.FAIL)):
        props: dict[str, Any] = {"spec": {"images": [{"major": 16, "image": PINNED}, {"major": 17, "image": image}]}}
        catalog = Resource("urn:x::c", "kubernetes:postgresql.cnpg.io/v1:ImageCatalog", "c", props)
        assert next(iter(judged(RULE, catalog).values())).outcome is outcome


def test_further_containers_of_an_operators_pods_count() -> None:
    for image, outcome in ((PINNED, Outcome.PASS), ("proxy:1", Outcome.FAIL)):
        spec = {"image": PINNED, "containers": [{"name": "proxy", "image": image}]}
        assert verdict(resource("Prometheus", props={"spec": spec}))[0] is outcome
    patch = {"image": PINNED, "containers": [{"name": "prometheus", "resources": EMPTY}]}
    assert verdict(resource("Prometheus", props={"spec": patch})) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("containers", "outcome"),
    [
        ([{"name": "pgbouncer", "image": PINNED}], Outcome.PASS),
        ([{"name": "proxy", "image": PINNED}, {"name": "pgbouncer", "image": PINNED}], Outcome.PASS),
        ([{"name": "pgbouncer", "image": "pgbouncer:1"}], Outcome.FAIL),
        ([{"name": "pgbouncer"}], Outcome.FAIL),
        ([{"name": "proxy", "image": PINNED}], Outcome.FAIL),
        ([], Outcome.FAIL),
        (None, Outcome.FAIL),
        (UNKNOWN, Outcome.INCONCLUSIVE),
        ([{"name": UNKNOWN, "image": PINNED}], Outcome.INCONCLUSIVE),
        ([{"name": "pgbouncer", "image": SECRET}], Outcome.INCONCLUSIVE),
    ],
)
def test_a_pooler_names_the_image_of_its_container(containers: object, outcome: Outcome) -> None:
    assert verdict(resource("Pooler", props={"spec": {"template": {"spec": {"containers": containers}}}}))[0] is outcome


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", [POD, f"{POD}.containers", f"{POD}.containers.0", f"{POD}.containers.0.image"])
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(changed(deployment(), path, marker))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_image_does_not_hide_a_tag() -> None:
    two = [{"name": "a", "image": UNKNOWN}, {"name": "b", "image": "redis:7"}]
    assert verdict(changed(deployment(), f"{POD}.containers", two))[0] is Outcome.FAIL


@pytest.mark.parametrize("place", ["metadata", "status", "podMetadata", "labels", "annotations"])
def test_what_speaks_of_an_image_without_naming_one_to_run_is_none(place: str) -> None:
    subject = resource("Prometheus", props={"spec": {"image": PINNED}})
    if place in ("metadata", "status"):
        subject = changed(subject, place, {"image": "redis:7", "namespace": "shop", "name": "main"})
    else:
        subject = changed(subject, f"spec.{place}", {"image": "redis:7"})
    assert verdict(subject) == (Outcome.PASS, "")


def test_a_reference_to_something_else_is_none() -> None:
    subject = resource("Prometheus", props={"spec": {"image": PINNED, "tracing": {"reference": "redis:7"}}})
    assert verdict(subject) == (Outcome.PASS, "")


def test_other_kinds_are_not_its_business() -> None:
    config = resource("ConfigMap", props={"data": {"image": "redis:7"}})
    secret = resource("Secret", props={"data": {"image": SECRET}})
    component = resource("HttpService", props={"image": "redis:7"})
    assert judged(RULE, config, secret, component, resource("Service"), resource("ScheduledBackup")) == {}
