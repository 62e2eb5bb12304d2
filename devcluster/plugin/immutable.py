"""Fields whose change replaces the object instead of updating it.

Two reasons put a field here: the API server refuses to change it, or the genuine provider replaces on it. The second is
why a ConfigMap or a Secret is replaced when its data changes, unless the provider is configured with
`enableConfigMapMutable` or `enableSecretMutable` (and the object is not `immutable: true`).
"""

from devcluster.plugin.values import Object, Path, at, text

_SOURCES_OF_VOLUMES = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume", "volumeMode",
)  # fmt: skip

# By kind, whatever the API version: the group and version of these kinds are one.
_FIELDS: dict[str, tuple[Path, ...]] = {
    "Deployment": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "ReplicaSet": (("spec", "selector"),),
    "StatefulSet": tuple(
        ("spec", field)
        for field in ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates", "revisionHistoryLimit")
    ),
    "Job": tuple(("spec", field) for field in ("selector", "template", "completions", "parallelism", "completionMode")),
    "Pod": (("spec",),),
    "Service": (("spec", "clusterIP"),),
    "PersistentVolume": tuple(("spec", source) for source in _SOURCES_OF_VOLUMES),
    "PersistentVolumeClaim": (("spec",),),
    "ConfigMap": (("data",), ("binaryData",), ("immutable",)),
    "Secret": (("type",), ("data",), ("stringData",), ("immutable",)),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "ResourceQuota": (("spec", "scopes"),),
}
_GROUPS = ("", "apps", "batch", "rbac.authorization.k8s.io", "storage.k8s.io")
# Parts of the fields above that may change in place.
_CHANGEABLE: dict[str, tuple[Path, ...]] = {
    "Pod": (("spec", "activeDeadlineSeconds"), ("spec", "tolerations")),
    "PersistentVolumeClaim": (("spec", "resources", "requests"), ("spec", "volumeName")),
}
# What every object is known by.
_IDENTITY: tuple[Path, ...] = (("metadata", "name"), ("metadata", "namespace"), ("kind",))
_DATA = ("data", "binaryData", "stringData")


def replaces(path: Path, old: Object, new: Object, mutable_kinds: frozenset[str]) -> bool:
    """Whether a change at `path` from `old` to `new` needs a new object.

    `mutable_kinds` are those of ConfigMap and Secret that the provider is configured to change in place.
    """
    if _under(path, _IDENTITY) or (path == ("apiVersion",) and _group(old) != _group(new)):
        return True
    kind = text(new, "kind")
    if _group(new) not in _GROUPS:
        return False
    if kind in ("ConfigMap", "Secret"):
        frozen = at(old, "immutable") is True
        if path == ("immutable",):
            return frozen
        if path[0] in _DATA and kind in mutable_kinds and not frozen:
            return False
    return _under(path, _FIELDS.get(kind, ())) and not _under(path, _CHANGEABLE.get(kind, ()))


def _under(path: Path, prefixes: tuple[Path, ...]) -> bool:
    return any(path[: len(prefix)] == prefix for prefix in prefixes)


def _group(inputs: Object) -> str:
    return text(inputs, "apiVersion").rpartition("/")[0]
