"""The border: what the engine sends, as a rule sees it. The encoding is written out as it is on the wire."""

import json
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi_policy import proxy

from policies.normalise import plain, resources
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import EMPTY

STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
CANARY = "canary-7f3a"


def secret(value: object) -> dict[str, object]:
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


def over_the_wire(value: dict[str, Any]) -> dict[str, Any]:
    struct = struct_pb2.Struct()
    struct.update(value)
    return json_format.MessageToDict(struct)


def normalised(declared: dict[str, Any], state: dict[str, Any] | None = None, kind: str = "apps/v1:Deployment") -> Any:
    found, *_ = resources(
        f"urn:pulumi:dev::p::kubernetes:{kind}::x", f"kubernetes:{kind}", "x", over_the_wire(declared), state or {}
    )
    return found.props


def test_numbers_are_whole_again_and_containers_are_plain() -> None:
    props = normalised({"port": 8000, "ratio": 0.5, "on": True, "drop": ["ALL"], "none": None})
    assert props == {"port": 8000, "ratio": 0.5, "on": True, "drop": ["ALL"], "none": None}
    assert type(props["port"]) is int
    assert type(props["drop"]) is list


@pytest.mark.parametrize("name", sorted(name for name in vars(proxy) if name.startswith("UNKNOWN_")))
def test_every_unknown_of_the_protocol_is_known_as_such(name: str) -> None:
    assert normalised({"a": {"b": [getattr(proxy, name)]}}) == {"a": {"b": [UNKNOWN]}}


def test_a_secret_keeps_its_shape_and_loses_its_values() -> None:
    value = {"env": [{"name": CANARY, "value": 5}, None, True], "empty": [], "later": STRING}
    hidden = {"env": [{"name": SECRET, "value": SECRET}, None, SECRET], "empty": [], "later": UNKNOWN}
    assert normalised({"spec": secret(value), "plain": 1}) == {"spec": hidden, "plain": 1}


def test_what_was_declared_in_the_clear_is_no_secret() -> None:
    declared = {"spec": {"list": [{"name": "api", "port": 1, "on": True, "env": secret(CANARY)}, {"name": "b"}]}}
    observed = [
        {"name": "api", "port": 2.0, "on": 1.0, "env": CANARY, "default": CANARY, "more": {"x": CANARY}},
        {"name": secret("b")},
        CANARY,
    ]
    assert normalised(declared, {"spec": {"list": secret(observed)}}) == {
        "spec": {
            "list": [
                {"name": "api", "port": SECRET, "on": SECRET, "env": SECRET, "default": SECRET, "more": {"x": SECRET}},
                {"name": "b"},
                SECRET,
            ]
        }
    }


def test_a_secret_within_a_secret_is_hidden() -> None:
    assert normalised({"a": secret({"b": secret(CANARY)})}) == {"a": {"b": SECRET}}


def test_a_secret_that_could_not_be_decrypted_is_a_secret() -> None:
    assert normalised({"spec": "[secret]"}) == {"spec": SECRET}


def test_a_kubernetes_secret_is_hidden_even_if_nobody_said_so() -> None:
    metadata = {
        "name": "auth",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY, "note": "kept"},
    }
    content = {"stringData": {"password": CANARY}, "data": {"password": CANARY}, "metadata": metadata, "type": "Opaque"}
    for props in (normalised(content, kind="core/v1:Secret"), normalised({}, content, kind="core/v1:Secret")):
        assert CANARY not in str(props)
        assert props["data"] == {"password": SECRET}
        assert props["metadata"]["annotations"]["note"] == "kept"


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"data": STRING, "metadata": {"annotations": {"mainstay.dev/plain-keys": "a"}}}, {"data": UNKNOWN}),
        ({"metadata": {"annotations": {"note": "kept"}}}, {"metadata": {"annotations": {"note": "kept"}}}),
        ({"other": {"annotations": {LAST_APPLIED: "x"}}}, {"other": {"annotations": {LAST_APPLIED: "x"}}}),
        ({"metadata": {"annotations": {LAST_APPLIED: "x"}}}, {"metadata": {"annotations": {LAST_APPLIED: SECRET}}}),
    ],
)
def test_what_is_sealed_of_a_kubernetes_secret(content: dict[str, Any], expected: dict[str, Any]) -> None:
    props = normalised(content, kind="core/v1:Secret")
    assert {key: props[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("sealed", "expected"),
    [
        ({"ciphertext": "v1:x"}, SECRET),
        ({"plaintext": '"x"'}, SECRET),
        ({"plaintext": '{"a": ["x", "y"]}'}, {"a": [SECRET, "y"]}),
        ({"plaintext": "{"}, SECRET),
        ({"plaintext": None}, SECRET),
    ],
)
def test_a_secret_of_an_exported_state_is_one(sealed: dict[str, Any], expected: object) -> None:
    state = {"spec": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", **sealed}}
    assert normalised({"spec": {"a": ["z", "y"]}}, state) == {"spec": expected}


def test_what_stands_may_have_another_shape_than_what_was_declared() -> None:
    assert normalised({"spec": ["x"]}, {"spec": secret({"a": "x"})}) == {"spec": {"a": SECRET}}
    assert normalised({"spec": {"a": "x"}}, {"spec": secret(["x"])}) == {"spec": [SECRET]}


@pytest.mark.parametrize(
    ("type_token", "state", "partial"),
    [
        ("kubernetes:apps/v1:DeploymentPatch", {}, True),
        ("kubernetes:apps/v1:DeploymentPatch", {"spec": {}}, False),
        ("kubernetes:apps/v1:Deployment", {}, False),
        ("other:index:OspfPatch", {}, False),
    ],
)
def test_a_patch_is_a_part_until_it_stands(type_token: str, state: dict[str, Any], partial: bool) -> None:
    (found,) = resources("urn", type_token, "x", {"spec": {}}, state)
    assert found.partial is partial


@pytest.mark.parametrize(
    ("type_token", "items", "expected"),
    [
        ("kubernetes:apps/v1:DeploymentList", [EMPTY, {"kind": "x"}, {"apiVersion": "v1"}], ["apps/v1:Deployment"] * 3),
        ("kubernetes:core/v1:List", [{"kind": "Pod", "apiVersion": "v1"}], ["core/v1:Pod"]),
        ("kubernetes:core/v1:List", [{"kind": "Job", "apiVersion": "batch/v1"}], ["batch/v1:Job"]),
        ("kubernetes:core/v1:List", [STRING, 5, {"kind": "Pod", "apiVersion": "v1"}], ["core/v1:Pod"]),
        ("kubernetes:core/v1:List", STRING, []),
        ("kubernetes:core/v1:ConfigMap", [EMPTY], []),
        ("other:index:ThingList", [EMPTY], []),
    ],
)
def test_a_list_is_followed_by_the_objects_in_it(type_token: str, items: Any, expected: list[str]) -> None:
    first, *rest = resources("urn", type_token, "x", {"items": items}, {})
    assert (first.urn, first.type, first.name) == ("urn", type_token, "x")
    assert [each.type for each in rest] == [f"kubernetes:{each}" for each in expected]
    last = len(items) - 1
    assert [(each.urn, each.name) for each in rest[-1:]] == [(f"urn[{last}]", f"x[{last}]")] * bool(rest)


def test_a_config_map_is_not_hidden() -> None:
    assert normalised({"data": {"a": "b"}}, kind="core/v1:ConfigMap") == {"data": {"a": "b"}}


def test_what_stands_wins_over_what_was_declared() -> None:
    assert normalised({"spec": {"a": 1, "b": 2}, "kept": 1}, {"spec": {"a": 3}, "status": {}}) == {
        "spec": {"a": 3},
        "kept": 1,
        "status": {},
    }


@pytest.mark.parametrize("state", [{}, {"spec": STRING}, {"spec": None}])
def test_a_provider_that_cannot_say_yet_does_not_empty_an_object(state: dict[str, Any]) -> None:
    assert normalised({"spec": {"a": 1}}, state) == {"spec": {"a": 1}}


def test_an_unknown_output_that_was_never_declared_is_unknown() -> None:
    assert normalised({}, {"status": STRING}) == {"status": UNKNOWN}


def test_an_asset_is_an_object_without_its_signature() -> None:
    assert plain({"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}) == {"text": "x"}


def test_nothing_behind_the_border_is_shared_with_the_engine() -> None:
    sent = {"spec": {"list": [1.0]}}
    before = json.dumps(sent)
    (found,) = resources("urn:pulumi:dev::p::a:b:C::x", "a:b:C", "x", sent, {})
    found.props["spec"]["list"].append(2)  # type: ignore[index, union-attr]
    assert json.dumps(sent) == before


def both(declared: dict[str, Any], state: dict[str, Any], kind: str = "apps/v1:Deployment") -> Any:
    found, *_ = resources(f"urn:{kind}", f"kubernetes:{kind}", "x", over_the_wire(declared), state)
    return found


def test_what_was_declared_is_told_apart_from_what_stands() -> None:
    found = both({"spec": {"paused": True}}, {"spec": {"paused": True, "replicas": 3.0}})
    assert found.root.at("spec", "replicas").known() == 3
    assert found.asked.at("spec", "replicas").known() is None
    assert found.asked.at("spec", "paused").known() is True


def test_a_state_alone_does_not_say_what_was_declared() -> None:
    assert both({}, {"spec": {"replicas": 3}}).asked.at("spec", "replicas").value is UNKNOWN
    assert both({"spec": {}}, {}).asked.at("spec", "replicas").value is None


def test_declared_data_of_a_secret_is_sealed_too() -> None:
    found = both({"stringData": {"key": CANARY}}, {"data": {"key": CANARY}}, "core/v1:Secret")
    assert found.declared == {"stringData": {"key": SECRET}}
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("annotations", "stands"),
    [
        ({"mainstay.dev/plain-keys": "a"}, {"a": "x", "b": SECRET, "c": SECRET}),
        ({"mainstay.dev/plain-keys": " b ,a,other"}, {"a": "x", "b": "y", "c": SECRET}),
        ({"mainstay.dev/plain-keys": ""}, {"a": SECRET, "b": SECRET, "c": SECRET}),
        ({"mainstay.dev/plain-keys": "c"}, {"a": SECRET, "b": SECRET, "c": SECRET}),
        ({}, {"a": SECRET, "b": SECRET, "c": SECRET}),
        (None, {"a": SECRET, "b": SECRET, "c": SECRET}),
    ],
)
@pytest.mark.parametrize("key", ["data", "stringData"])
def test_a_secret_says_which_of_its_keys_hold_none(key: str, annotations: object, stands: object) -> None:
    declared = {"metadata": {"annotations": annotations}, key: {"a": "x", "b": "y", "c": secret(CANARY)}}
    props = normalised(declared, kind="core/v1:Secret")
    assert props[key] == stands
    whole = normalised({**declared, key: secret(declared[key])}, kind="core/v1:Secret")
    assert whole[key] == {"a": SECRET, "b": SECRET, "c": SECRET}
