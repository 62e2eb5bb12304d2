"""Object storage, where logs and traces are kept: a bucket, its address and its keys."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

KEY_ID, KEY = "access-key-id", "secret-access-key"
"""Keys of the Secret of whatever uses the store."""
_VARIABLES = {"OBJECT_STORE_KEY_ID": KEY_ID, "OBJECT_STORE_KEY": KEY}


class ObjectStore(TypedDict):
    """An S3-compatible bucket."""

    bucket: str
    """Its name."""
    endpoint: str
    """Address of the store, e.g. `https://s3.eu-central-1.amazonaws.com`; `http://` sends everything in the clear."""
    region: str
    """Its region, e.g. `eu-central-1`; stores without regions take any."""
    access_key_id: pulumi.Input[str]
    """Key id; kept secret."""
    secret_access_key: pulumi.Input[str]
    """Key; kept secret."""


def host(store: ObjectStore) -> str:
    """Host and port of the store, without the scheme."""
    return store["endpoint"].partition("://")[2]


def port(store: ObjectStore) -> int:
    """TCP port of the store."""
    number = host(store).partition(":")[2]
    return int(number) if number else 443 if is_encrypted(store) else 80


def is_encrypted(store: ObjectStore) -> bool:
    """Whether it is reached over TLS."""
    return store["endpoint"].startswith("https://")


def placeholders() -> dict[str, str]:
    """What stands in a configuration file in place of key id and key, in that order; expanded at start."""
    return {key: f"${{{variable}}}" for variable, key in _VARIABLES.items()}


def variables(secret: str) -> list[kubernetes.core.v1.EnvVarArgsDict]:
    """The variables that `placeholders` name, from the Secret called `secret`."""
    return [
        {"name": variable, "value_from": {"secret_key_ref": {"name": secret, "key": key}}}
        for variable, key in _VARIABLES.items()
    ]


def secret_data(store: ObjectStore) -> Mapping[str, pulumi.Output[str]]:
    """Content of that Secret."""
    return {
        KEY_ID: pulumi.Output.secret(store["access_key_id"]),
        KEY: pulumi.Output.secret(store["secret_access_key"]),
    }


def sealed(store: ObjectStore) -> ObjectStore:
    """The store, its keys secret."""
    return {
        **store,
        "access_key_id": pulumi.Output.secret(store["access_key_id"]),
        "secret_access_key": pulumi.Output.secret(store["secret_access_key"]),
    }
