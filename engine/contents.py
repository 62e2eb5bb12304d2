"""What a reviewer asks of an object before its properties: which images it runs, which data lives and dies with it."""

from collections.abc import Iterator, Mapping

from engine.result import Data, Image, Json

_IMAGE_KEYS = ("image", "imageName")
_BACKUP_PLUGIN = "barman-cloud.cloudnative-pg.io"

Bag = Mapping[str, Json]


def images(old: Bag, new: Bag) -> tuple[Image, ...]:
    """The images that differ between two inputs of an object, by container; of custom resources by field, too."""
    before, after = (dict(_images(bag.get("spec"), "")) for bag in (old, new))
    return tuple(
        Image(where, before.get(where), after.get(where))
        for where in sorted(before.keys() | after.keys())
        if before.get(where) != after.get(where)
    )


def _images(value: Json, where: str) -> Iterator[tuple[str, str]]:
    """Found by the name of the key: the same for every kind, those of operators included."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in _IMAGE_KEYS and isinstance(each, str):
                yield where or key, each
            else:
                yield from _images(each, where)
    elif isinstance(value, list):
        for each in value:
            # By name, not by place: an added sidecar must not look like a change of its neighbours.
            name = each.get("name") if isinstance(each, dict) else None
            yield from _images(each, name if isinstance(name, str) else where)


def data(type_token: str, op: str, inputs: Bag) -> Data | None:
    """The data that an object holds, and what a step does to it; None for what can be made anew without loss."""
    group, _, kind = type_token.removeprefix("kubernetes:").partition(":")
    spec = _bag(inputs.get("spec"))
    match group.partition("/")[0], kind:
        case "core", "Namespace":
            return Data("namespace", "everything in it is deleted, with all volumes")
        case "core", "PersistentVolumeClaim":
            return Data("volume", f"its data is lost ({_size(spec)}), unless the storage class retains volumes")
        case "apps", "StatefulSet":
            return _stateful_set(spec, op)
        case "postgresql.cnpg.io", "Cluster":
            return Data("database", _cluster(spec))
        case "postgresql.cnpg.io", "Database" if spec.get("databaseReclaimPolicy") == "delete":
            return Data("database", f"the database {spec.get('name')} is dropped with its data")
        case "postgresql.cnpg.io", "ScheduledBackup":
            return Data("backup schedule", "no further backups are made by it")
        case "barmancloud.cnpg.io", "ObjectStore":
            return Data("backup store", "backups and logs are no longer sent there; those already made stay")
        case "monitoring.coreos.com", "Prometheus" | "Alertmanager" if _bag(spec.get("storage")).get(
            "volumeClaimTemplate"
        ):
            return Data("monitoring store", "its pods stop; their volumes stay until somebody deletes them")
        case _:
            return None


def _stateful_set(spec: Bag, op: str) -> Data | None:
    templates = _bags(spec.get("volumeClaimTemplates"))
    if not templates:
        return None
    volumes = ", ".join(
        f"{_bag(each.get('metadata')).get('name')} {_size(_bag(each.get('spec')))}" for each in templates
    )
    if _bag(spec.get("persistentVolumeClaimRetentionPolicy")).get("whenDeleted") == "Delete":
        return Data("StatefulSet", f"the volumes of its pods are deleted with it ({volumes} each)")
    if op == "replace":
        return Data("StatefulSet", f"its pods stop meanwhile; their volumes stay as they are ({volumes} each)")
    return Data("StatefulSet", f"its pods stop; their volumes ({volumes} each) stay until somebody deletes them")


def _cluster(spec: Bag) -> str:
    instances, size = spec.get("instances", 1), _bag(spec.get("storage")).get("size")
    lost = f"all its data is lost ({size} on {instances} instance{'' if instances == 1 else 's'})"
    if any(each.get("name") == _BACKUP_PLUGIN for each in _bags(spec.get("plugins"))):
        return f"{lost}; the backups already made stay in the object store"
    return f"{lost}; it has no backup"


def _size(claim: Bag) -> str:
    return str(_bag(_bag(claim.get("resources")).get("requests")).get("storage"))


def _bag(value: Json) -> Bag:
    """Whatever is not known yet, or secret, is no mapping."""
    return value if isinstance(value, dict) else {}


def _bags(value: Json) -> list[Bag]:
    return [_bag(each) for each in value] if isinstance(value, list) else []
