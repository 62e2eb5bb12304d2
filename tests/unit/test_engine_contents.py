"""Which images differ, and what a deletion does to data."""

from typing import Any

import pytest

from engine.changes import UNKNOWN
from engine.contents import data, images
from engine.result import MASK, Image

PLUGIN = {"name": "barman-cloud.cloudnative-pg.io"}
CLAIM = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}


def test_images_are_told_by_container_wherever_it_stands() -> None:
    old = _pods({"name": "api", "image": "api:1"}, {"name": "old-sidecar", "image": "x:1"})
    new = _pods({"name": "sidecar", "image": "y:1"}, {"name": "api", "image": "api:2"})
    assert images(old, new) == (
        Image("api", "api:1", "api:2"),
        Image("old-sidecar", "x:1", None),
        Image("sidecar", None, "y:1"),
    )


def test_images_of_custom_resources_are_told_by_their_field() -> None:
    old: Any = {"spec": {"imageName": "postgres:17.5"}}
    new: Any = {"spec": {"imageName": "postgres:17.6"}}
    assert images(old, new) == (Image("imageName", "postgres:17.5", "postgres:17.6"),)
    assert images({}, {"spec": {"image": "prometheus:3"}}) == (Image("image", None, "prometheus:3"),)
    assert images(new, new) == ()


@pytest.mark.parametrize(
    ("token", "op", "spec", "noun", "words"),
    [
        ("core/v1:Namespace", "delete", {}, "namespace", "everything in it is deleted"),
        ("core/v1:PersistentVolumeClaim", "delete", CLAIM["spec"], "volume", "1Gi"),
        ("apps/v1:StatefulSet", "delete", {"volumeClaimTemplates": [CLAIM]}, "StatefulSet", "until somebody deletes"),
        ("apps/v1:StatefulSet", "replace", {"volumeClaimTemplates": [CLAIM]}, "StatefulSet", "stay as they are"),
        (
            "apps/v1:StatefulSet",
            "delete",
            {"volumeClaimTemplates": [CLAIM], "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}},
            "StatefulSet",
            "are deleted with it (data 1Gi each)",
        ),
        ("postgresql.cnpg.io/v1:Cluster", "delete", {"instances": 3}, "database", "it has no backup"),
        (
            "postgresql.cnpg.io/v1:Cluster",
            "delete",
            {"instances": 3, "storage": {"size": "9Gi"}, "plugins": [PLUGIN]},
            "database",
            "(9Gi on 3 instances); the backups already made stay",
        ),
        ("postgresql.cnpg.io/v1:ScheduledBackup", "delete", {}, "backup schedule", "no further backups"),
        ("barmancloud.cnpg.io/v1:ObjectStore", "delete", {}, "backup store", "no longer sent"),
        (
            "postgresql.cnpg.io/v1:Database",
            "delete",
            {"name": "app", "databaseReclaimPolicy": "delete"},
            "database",
            "dropped",
        ),
        (
            "monitoring.coreos.com/v1:Prometheus",
            "delete",
            {"storage": {"volumeClaimTemplate": CLAIM}},
            "monitoring store",
            "stay",
        ),
    ],
)
def test_what_holds_data_says_what_becomes_of_it(token: str, op: str, spec: Any, noun: str, words: str) -> None:
    found = data(f"kubernetes:{token}", op, {"spec": spec})
    assert found is not None
    assert found.noun == noun
    assert words in found.fate


@pytest.mark.parametrize(
    ("token", "spec"),
    [
        ("apps/v1:StatefulSet", {}),
        ("apps/v1:Deployment", {}),
        ("postgresql.cnpg.io/v1:Database", {"databaseReclaimPolicy": "retain"}),
        ("monitoring.coreos.com/v1:Prometheus", {}),
        ("example.org/v1:Cluster", {}),
    ],
)
def test_what_can_be_made_again_holds_no_data(token: str, spec: Any) -> None:
    assert data(f"kubernetes:{token}", "delete", {"spec": spec}) is None


@pytest.mark.parametrize("odd", [MASK, UNKNOWN, None, [], [UNKNOWN], {"storage": UNKNOWN, "plugins": MASK}])
def test_what_is_not_known_is_no_fault(odd: Any) -> None:
    for token in ("postgresql.cnpg.io/v1:Cluster", "apps/v1:StatefulSet", "monitoring.coreos.com/v1:Prometheus"):
        data(f"kubernetes:{token}", "delete", {"spec": odd})
        data(f"kubernetes:{token}", "delete", {"spec": {"volumeClaimTemplates": odd, "storage": odd}})
    images({"spec": odd}, {"spec": {"containers": odd}})


def _pods(*containers: Any) -> Any:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}
