"""The stand-in plugin's diff: which fields change, and which of them need a new object."""

from typing import Any

import pytest

from devcluster.plugin.diff import Kind, compare
from devcluster.plugin.values import UNKNOWN, Object, Sealed

NONE: frozenset[str] = frozenset()


def manifest(kind: str, api_version: str, name: str = "x", **fields: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **fields}


def changed(old: Object, new: Object, mutable_kinds: frozenset[str] = NONE) -> dict[str, tuple[Kind, bool]]:
    return {change.field: (change.kind, change.replaces) for change in compare(old, new, mutable_kinds).changes}


def test_paths_are_spelled_as_the_engine_spells_them() -> None:
    old = manifest("Pod", "v1", metadata={"labels": {"app.kubernetes.io/name": "a", "b": "c"}}, list=[1, 2])
    new = manifest("Pod", "v1", metadata={"labels": {"app.kubernetes.io/name": "z"}}, list=[1, 3, {"x": 1}])
    assert changed(old, new) == {
        'metadata.labels["app.kubernetes.io/name"]': (Kind.UPDATE, False),
        "metadata.labels.b": (Kind.DELETE, False),
        "list[1]": (Kind.UPDATE, False),
        "list[2]": (Kind.ADD, False),
    }


def test_equal_values_are_equal_whatever_their_secrecy() -> None:
    old = manifest("ConfigMap", "v1", data={"a": "b"}, count=1)
    new = manifest("ConfigMap", "v1", data={"a": Sealed("b")}, count=1.0)
    assert changed(old, new) == {}
    assert changed(manifest("X", "v1", a=1), manifest("X", "v1", a=True)) == {"a": (Kind.UPDATE, False)}


def test_an_unknown_value_is_a_change() -> None:
    assert changed(manifest("X", "v1", a="b"), manifest("X", "v1", a=UNKNOWN)) == {"a": (Kind.UPDATE, False)}


@pytest.mark.parametrize(
    ("kind", "api_version", "old", "new", "replaces"),
    [
        ("Deployment", "apps/v1", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False),
        ("Deployment", "apps/v1", {"spec": {"selector": {"a": "1"}}}, {"spec": {"selector": {"a": "2"}}}, True),
        ("DaemonSet", "apps/v1", {"spec": {"selector": {"a": "1"}}}, {"spec": {"selector": {"a": "2"}}}, True),
        ("StatefulSet", "apps/v1", {"spec": {"serviceName": "a"}}, {"spec": {"serviceName": "b"}}, True),
        ("StatefulSet", "apps/v1", {"spec": {"template": "a"}}, {"spec": {"template": "b"}}, False),
        ("Job", "batch/v1", {"spec": {"template": {"a": 1}}}, {"spec": {"template": {"a": 2}}}, True),
        ("Job", "batch/v1", {"spec": {"backoffLimit": 1}}, {"spec": {"backoffLimit": 2}}, False),
        ("Service", "v1", {"spec": {"clusterIP": "None"}}, {"spec": {"clusterIP": "10.0.0.1"}}, True),
        ("Service", "v1", {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "LoadBalancer"}}, False),
        ("Service", "serving.knative.dev/v1", {"spec": {"clusterIP": "a"}}, {"spec": {"clusterIP": "b"}}, False),
        ("PersistentVolumeClaim", "v1", {"spec": {"accessModes": ["a"]}}, {"spec": {"accessModes": ["b"]}}, True),
        (
            "PersistentVolumeClaim",
            "v1",
            {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
            {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
            False,
        ),
        ("RoleBinding", "rbac.authorization.k8s.io/v1", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}, True),
        ("StorageClass", "storage.k8s.io/v1", {"parameters": {"a": "1"}}, {"parameters": {"a": "2"}}, True),
        ("Secret", "v1", {"type": "Opaque"}, {"type": "kubernetes.io/tls"}, True),
        ("Cluster", "postgresql.cnpg.io/v1", {"spec": {"instances": 1}}, {"spec": {"instances": 3}}, False),
    ],
)
def test_immutable_fields_need_a_new_object(
    kind: str, api_version: str, old: dict[str, Any], new: dict[str, Any], replaces: bool
) -> None:
    difference = compare(manifest(kind, api_version, **old), manifest(kind, api_version, **new), NONE)
    assert [change.replaces for change in difference.changes] == [replaces]
    assert difference.delete_before_replace is replaces


@pytest.mark.parametrize(
    ("configured", "frozen", "replaces"),
    [(False, False, True), (True, False, False), (True, True, True)],
)
def test_data_is_replaced_unless_configured_otherwise(configured: bool, frozen: bool, replaces: bool) -> None:
    mutable = frozenset({"Secret"}) if configured else NONE
    old = manifest("Secret", "v1", stringData=Sealed({"a": "1"}), immutable=frozen)
    new = manifest("Secret", "v1", stringData=Sealed({"a": "2"}), immutable=frozen)
    assert changed(old, new, mutable) == {"stringData.a": (Kind.UPDATE, replaces)}


def test_only_an_object_whose_name_stays_is_deleted_first() -> None:
    old = manifest("ConfigMap", "v1", data={"a": "1"})
    renamed = compare(old, manifest("ConfigMap", "v1", name="y", data={"a": "1"}), NONE)
    assert [change.field for change in renamed.replaced_by] == ["metadata.name"]
    assert not renamed.delete_before_replace

    generated = {"name": "x-1", "namespace": "shop", "annotations": {"pulumi.com/autonamed": "true"}}
    replaced = compare(
        manifest("ConfigMap", "v1", metadata=generated, data={"a": "1"}),
        manifest("ConfigMap", "v1", metadata=generated, data={"a": "2"}),
        NONE,
    )
    assert replaced.replaced_by
    assert not replaced.delete_before_replace


def test_another_group_is_another_kind_and_another_version_is_not() -> None:
    old = manifest("Thing", "example.com/v1beta1")
    assert changed(old, manifest("Thing", "example.com/v1")) == {"apiVersion": (Kind.UPDATE, False)}
    assert changed(old, manifest("Thing", "other.com/v1")) == {"apiVersion": (Kind.UPDATE, True)}
