"""The stand-in plugin's values: between Pulumi's wire format and a manifest, secrets kept and numbers made whole."""

from pulumi.provider.experimental.property_value import PropertyValue

from devcluster.plugin.outputs import MANAGER, expected, record
from devcluster.plugin.values import (
    UNKNOWN,
    Object,
    Sealed,
    censor,
    decode,
    encode,
    has_unknown,
    known_part,
    reveal_object,
    seal_like,
    telling_secrets,
)

UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
PASSWORD = "correct-horse"


def test_decode_knows_numbers_secrets_and_unknowns() -> None:
    wire = {
        "replicas": PropertyValue(2.0),
        "ratio": PropertyValue(0.5),
        "on": PropertyValue(True),
        "later": PropertyValue(UNKNOWN_STRING),
        "password": PropertyValue(PASSWORD, is_secret=True),
        "list": PropertyValue([PropertyValue(1.0), PropertyValue(UNKNOWN_STRING, is_secret=True)]),
    }
    decoded = decode(wire)
    assert decoded == {
        "replicas": 2,
        "ratio": 0.5,
        "on": True,
        "later": UNKNOWN,
        "password": Sealed(PASSWORD),
        "list": [1, Sealed(UNKNOWN)],
    }
    assert isinstance(decoded["replicas"], int)
    assert decoded["on"] is True
    assert encode(decoded) == wire


def test_what_is_unknown_is_left_out_and_never_replaced_by_a_placeholder() -> None:
    inputs: Object = {"spec": {"a": UNKNOWN, "b": [1, Sealed(UNKNOWN), {"c": UNKNOWN, "d": 2}]}, "status": UNKNOWN}
    assert has_unknown(inputs["spec"])
    assert known_part(inputs) == {"spec": {"b": [1, {"d": 2}]}}


def test_seals_follow_their_places_and_a_list_of_another_length_is_sealed_as_a_whole() -> None:
    pattern: Object = {"env": [{"name": "A", "value": Sealed("x")}, {"name": "B", "value": "y"}]}
    same = seal_like({"env": [{"name": "A", "value": "z"}, {"name": "B", "value": "y"}]}, pattern)
    assert same == {"env": [{"name": "A", "value": Sealed("z")}, {"name": "B", "value": "y"}]}
    shorter = seal_like({"env": [{"name": "A", "value": "z"}]}, pattern)
    assert shorter == {"env": Sealed([{"name": "A", "value": "z"}])}


def test_a_secret_that_was_copied_elsewhere_is_sealed_in_the_outputs() -> None:
    inputs: Object = {"kind": "Deployment", "spec": {"env": [{"value": Sealed(PASSWORD)}]}}
    live: Object = {
        "kind": "Deployment",
        "metadata": {
            "managedFields": [{"manager": "x"}],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": f"...{PASSWORD}...",
                "webhook.example.com/args": f"--password={PASSWORD}",
            },
        },
        "spec": {"env": [{"value": PASSWORD}]},
    }
    assert record(live, inputs, "me") == {
        "kind": "Deployment",
        "metadata": {"annotations": {"webhook.example.com/args": Sealed(f"--password={PASSWORD}")}},
        "spec": {"env": [{"value": Sealed(PASSWORD)}]},
        MANAGER: "me",
    }


def test_the_data_of_a_secret_is_sealed_whatever_the_inputs_say() -> None:
    live: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "Yg=="}}
    assert record(live, {}, "me")["data"] == Sealed({"a": "Yg=="})


def test_short_secrets_and_those_in_the_open_are_no_sign_of_a_copy() -> None:
    inputs: Object = {
        "metadata": {"name": "postgres-login"},
        "stringData": Sealed({"username": "postgres", "pin": "1234", "password": PASSWORD}),
    }
    assert telling_secrets(inputs) == {PASSWORD}
    message = f'Secret "postgres" is invalid: "1234" of {PASSWORD!r}: may have 1234 characters'
    assert censor(message, inputs) == (
        "Secret \"postgres\" is invalid: [secret] of '[secret]': may have 1234 characters"
    )


def test_a_preview_promises_no_identity_and_no_address() -> None:
    inputs: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": []}}
    dry: Object = {
        **inputs,
        "metadata": {"name": "s", "uid": "u", "resourceVersion": "1", "creationTimestamp": "t"},
        "spec": {"ports": [], "clusterIP": "10.0.0.1", "type": "ClusterIP"},
        "status": {"loadBalancer": {}},
    }
    created = reveal_object(expected(dry, inputs, "me", created=True))
    assert created["metadata"] == {
        "name": "s",
        "uid": UNKNOWN,
        "resourceVersion": UNKNOWN,
        "creationTimestamp": UNKNOWN,
        "generation": UNKNOWN,
    }
    assert created["status"] is UNKNOWN
    assert isinstance(created["spec"], dict)
    assert (created["spec"]["clusterIP"], created["spec"]["type"]) == (UNKNOWN, "ClusterIP")
    updated = expected(dry, inputs, "me", created=False)
    assert updated["status"] == {"loadBalancer": {}}
