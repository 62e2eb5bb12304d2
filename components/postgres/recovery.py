"""A database brought back from its archive, beside the one it came from: what a person applies in an emergency.

It is made of the objects as they are declared, so that image, size and store are those that run. It is not declared
itself: it stands for an hour or two, until what it holds has been looked at and copied.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]

ORIGIN = "origin"
"""Name of the archive among the external clusters of the new one."""


def recovered_name(database: str) -> str:
    """Name of the database that comes back: `postgres-main-recovered`."""
    return f"{database}-recovered"


def recovery(objects: Iterable[Mapping[str, Any]], database: str) -> list[Object]:
    """Store, network policy and cluster of one instance that replays the whole archive, in the order they are applied.

    `objects`: manifests of the environment; `database`: name of a Cluster among them that has a backup. The new
    cluster reads the archive and never writes one. Raises KeyError where there is no such database or no store.
    """
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    name = recovered_name(database)
    store, policy, cluster = (found[kind, database] for kind in ("ObjectStore", "NetworkPolicy", "Cluster"))
    # The deletion of old backups stays the business of the database they belong to.
    kept = {key: value for key, value in store["spec"].items() if key != "retentionPolicy"}
    (plugin,) = cluster["spec"]["plugins"]
    parameters = {**plugin["parameters"], "barmanObjectName": name}
    spec = {key: cluster["spec"][key] for key in ("imageName", "storage", "walStorage", "resources")}
    return [
        _object(store, name, kept),
        _object(policy, name, _renamed(policy["spec"], database, name)),
        _object(
            cluster,
            name,
            {
                "instances": 1,
                "enablePDB": False,
                **spec,
                # Replaying needs at least as many connections as were allowed when the log was written.
                "postgresql": {"parameters": cluster["spec"]["postgresql"]["parameters"]},
                "bootstrap": {"recovery": {"source": ORIGIN, "database": "app", "owner": "app"}},
                "externalClusters": [{"name": ORIGIN, "plugin": {"name": plugin["name"], "parameters": parameters}}],
            },
        ),
    ]


def _object(like: Mapping[str, Any], name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": like["metadata"]["namespace"]}
    return {"apiVersion": like["apiVersion"], "kind": like["kind"], "metadata": metadata, "spec": copy.deepcopy(spec)}


def _renamed(value: Any, old: str, new: str) -> Any:
    """The same with another text in place of one."""
    if isinstance(value, Mapping):
        return {key: _renamed(each, old, new) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_renamed(each, old, new) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return new if value == old else value
