"""The stand-in plugin's refresh and import: inputs out of a live object."""

import base64
import copy
import json
from typing import Any

import pytest

from devcluster.plugin.drift import drifted
from devcluster.plugin.imported import imported
from devcluster.plugin.values import Object, Sealed

Json = dict[str, Any]

INPUTS: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}, "annotations": {}},
    "spec": {
        "replicas": 2,
        "hostNetwork": False,
        "selector": {"app": "api"},
        "containers": [
            {"name": "app", "args": ["-q"], "resources": {"cpu": "1000m"}, "ports": [{"containerPort": 80}]},
            {"name": "side", "args": []},
        ],
        "egress": [{"ports": [{"port": 53}]}],
    },
}
# As the API server returns it: defaults added, zero values dropped, quantities in their short form.
RECORDED: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "api",
        "namespace": "shop",
        "uid": "1",
        "labels": {"app": "api"},
        "managedFields": [
            {
                "manager": "pulumi",
                "operation": "Apply",
                "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {
                        "f:replicas": {},
                        "f:selector": {},
                        "f:egress": {},
                        "f:containers": {
                            'k:{"name":"app"}': {
                                ".": {},
                                "f:name": {},
                                "f:args": {},
                                "f:ports": {
                                    'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                                },
                                "f:resources": {"f:cpu": {}},
                            },
                            'k:{"name":"side"}': {".": {}, "f:name": {}},
                        },
                    },
                },
            }
        ],
    },
    "spec": {
        "replicas": 2,
        "selector": {"app": "api"},
        "strategy": "RollingUpdate",
        "containers": [
            {
                "name": "app",
                "args": ["-q"],
                "resources": {"cpu": "1"},
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "pullPolicy": "Always",
            },
            {"name": "side", "pullPolicy": "Always"},
        ],
        "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
    },
    "status": {"replicas": 2},
}


def live(**spec: Any) -> Json:
    changed = copy.deepcopy(RECORDED)
    changed["spec"].update(spec)
    return changed


def spec_after(found: Json) -> Json:
    result: Any = drifted(INPUTS, RECORDED, found)
    return result["spec"]


def test_what_the_api_server_makes_of_the_inputs_is_no_drift() -> None:
    changed = live()
    changed["metadata"]["resourceVersion"] = "77"
    changed["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    changed["status"] = {"replicas": 1}
    assert drifted(INPUTS, RECORDED, changed) == INPUTS


def test_a_changed_and_a_removed_field_are_drift() -> None:
    changed = live(replicas=5)
    del changed["metadata"]["labels"]
    found: Any = drifted(INPUTS, RECORDED, changed)
    assert found["spec"] == {**INPUTS["spec"], "replicas": 5}
    assert "labels" not in found["metadata"]


def test_items_are_found_by_their_key_and_others_items_are_theirs() -> None:
    containers = copy.deepcopy(RECORDED["spec"]["containers"])
    containers[0]["resources"] = {"cpu": "2"}
    containers[0]["ports"].append({"containerPort": 9090, "protocol": "TCP"})
    injected = {"name": "mesh", "image": "mesh"}
    found = spec_after(live(containers=[injected, *containers]))
    expected = copy.deepcopy(INPUTS["spec"])
    expected["containers"][0]["resources"] = {"cpu": "2"}
    assert found == expected
    assert [item["name"] for item in spec_after(live(containers=containers[1:]))["containers"]] == ["side"]


def test_additions_to_an_atomic_list_or_map_are_drift() -> None:
    assert spec_after(live(egress=[{"ports": [{"port": 53, "protocol": "TCP"}]}, {}]))["egress"] == [
        {"ports": [{"port": 53}]},
        {},
    ]
    assert spec_after(live(egress=[{}]))["egress"] == [{}]
    assert spec_after(live(selector={"app": "api", "x": "y"}))["selector"] == {"app": "api", "x": "y"}


def test_a_secret_is_compared_by_its_text_and_stays_sealed() -> None:
    inputs: Object = {"apiVersion": "v1", "kind": "Secret", "stringData": Sealed({"a": "old", "b": "same"})}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in {"a": "new", "b": "same"}.items()}
    recorded: Object = {"apiVersion": "v1", "kind": "Secret", "data": Sealed({})}
    found = drifted(inputs, recorded, {"apiVersion": "v1", "kind": "Secret", "data": dict(data)})
    assert found["stringData"] == Sealed({"a": "new", "b": "same"})
    assert "data" not in found


IDENTITY = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}}


def test_import_takes_what_was_applied() -> None:
    applied = imported(RECORDED)
    assert applied["metadata"] == {"labels": {"app": "api"}, "name": "api", "namespace": "shop"}
    assert applied["spec"] == {
        "replicas": 2,
        "selector": {"app": "api"},
        "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
        "containers": [
            {"name": "app", "args": ["-q"], "ports": [{"containerPort": 80}], "resources": {"cpu": "1"}},
            {"name": "side"},
        ],
    }
    assert "status" not in applied


@pytest.mark.parametrize("by_kubectl_apply", [True, False])
def test_import_without_server_side_apply(by_kubectl_apply: bool) -> None:
    found = live()
    del found["metadata"]["managedFields"]
    if by_kubectl_apply:
        wanted = {**IDENTITY, "spec": {"replicas": 2}}
        annotation = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(wanted)}
        found["metadata"]["annotations"] = annotation
        assert imported(found) == wanted
    else:
        assert imported(found) == {
            **IDENTITY,
            "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}},
            "spec": RECORDED["spec"],
        }


def test_an_imported_secret_is_sealed() -> None:
    live_secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "Yg=="}}
    assert imported(live_secret)["data"] == Sealed({"a": "Yg=="})
