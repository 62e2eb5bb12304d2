"""The stand-in plugin's inputs: from what a program declares to the object it means."""

import pytest

from devcluster.plugin.api import Ref
from devcluster.plugin.errors import Refused
from devcluster.plugin.inputs import Token, normalise, parse_token, ref_of
from devcluster.plugin.values import UNKNOWN, Object, Sealed, at, text

CONFIG_MAP = Token("v1", "ConfigMap")


def checked(declared: Object, old: Object | None = None, token: Token = CONFIG_MAP, seed: bytes = b"1") -> Object:
    inputs, faults = normalise(declared, old or {}, token, "Settings", seed, "default")
    assert not faults
    return inputs


@pytest.mark.parametrize(
    ("token", "meant"),
    [
        ("kubernetes:core/v1:Service", Token("v1", "Service")),
        ("kubernetes:apps/v1:Deployment", Token("apps/v1", "Deployment")),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", Token("networking.k8s.io/v1", "NetworkPolicy")),
        ("kubernetes:postgresql.cnpg.io/v1:Cluster", Token("postgresql.cnpg.io/v1", "Cluster")),
    ],
)
def test_type_tokens_are_kinds(token: str, meant: Token) -> None:
    assert parse_token(token) == meant


@pytest.mark.parametrize(
    ("token", "thing"),
    [
        ("kubernetes:helm.sh/v3:Release", "Helm charts"),
        ("kubernetes:yaml:ConfigFile", "YAML files"),
        ("kubernetes:kustomize:Directory", "kustomize directories"),
        ("random:index:RandomPassword", "'random:index:RandomPassword'"),
    ],
)
def test_what_is_no_object_is_refused_with_a_way_out(token: str, thing: str) -> None:
    with pytest.raises(Refused, match=f"does not do {thing}: .* install the genuine plugin"):
        parse_token(token)


def test_kind_namespace_and_name_are_filled_in() -> None:
    inputs = checked({"data": {"a": None, "b": "c"}})
    name = text(inputs, "metadata", "name")
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert inputs == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "annotations": {"pulumi.com/autonamed": "true"}},
        "data": {"b": "c"},
    }
    assert ref_of(inputs) == Ref("v1", "ConfigMap", "default", name)


def test_a_generated_name_stays_until_the_object_is_replaced() -> None:
    first = checked({})
    assert checked({"data": {}}, old=first, seed=b"2")["metadata"] == first["metadata"]
    assert checked({}, seed=b"2")["metadata"] != first["metadata"]  # without old inputs: a replacement


def test_unknowns_and_secrets_survive() -> None:
    assert checked({"metadata": UNKNOWN})["metadata"] is UNKNOWN
    named = checked({"metadata": {"name": UNKNOWN, "labels": Sealed({"a": "b"})}})
    assert at(named, "metadata", "name") is UNKNOWN
    assert ref_of(named) is None
    assert named["metadata"] == {"name": UNKNOWN, "labels": Sealed({"a": "b"}), "namespace": "default"}


def test_the_data_of_a_secret_is_a_secret() -> None:
    inputs = checked({"metadata": {"name": "s"}, "data": {"a": "Yg=="}, "stringData": Sealed({"c": "d"})}, token=SECRET)
    assert (inputs["data"], inputs["stringData"]) == (Sealed({"a": "Yg=="}), Sealed({"c": "d"}))


@pytest.mark.parametrize(("keys", "clear"), [("c", True), ("b, c", True), ("b", False), ("", False)])
def test_what_the_secret_itself_calls_plain_stays_so(keys: str, clear: bool) -> None:
    metadata: Object = {"name": "s", "annotations": {"mainstay.dev/plain-keys": keys}}
    inputs = checked({"metadata": metadata, "stringData": {"c": "d"}}, token=SECRET)
    assert inputs["stringData"] == ({"c": "d"} if clear else Sealed({"c": "d"}))
    marked = checked({"metadata": metadata, "stringData": Sealed({"c": "d"})}, token=SECRET)
    assert marked["stringData"] == Sealed({"c": "d"})


SECRET = Token("v1", "Secret")


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"kind": "Secret"}, "kind is 'Secret', and the resource's type says 'ConfigMap'"),
        ({"metadata": {"generateName": "x-"}}, "metadata.generateName cannot be applied"),
        (
            {"metadata": {"name": "x", "annotations": {"pulumi.com/waitFor": "ready"}}},
            "pulumi.com/waitFor holds 'ready', which is neither condition=TYPE",
        ),
    ],
)
def test_faults_name_their_field(declared: Object, sentence: str) -> None:
    _, faults = normalise(declared, {}, CONFIG_MAP, "x", b"1", "default")
    assert len(faults) == 1
    assert sentence in faults[0]
