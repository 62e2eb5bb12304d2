"""Pods that operators make of their custom resources: what the resource says of them, over what the operator gives.

As prometheus-operator 0.85 and CloudNativePG 1.30 do it. What an operator adds by its own configuration (the image of a
config reloader) stands in no resource and cannot be seen.
"""

from collections.abc import Callable

from policies.pods import Pod, pods
from policies.stack import Resource
from policies.values import Marker, Node, Plain

CLUSTER = "postgresql.cnpg.io/Cluster"
POOLER = "postgresql.cnpg.io/Pooler"
PROMETHEUS = "monitoring.coreos.com/Prometheus"
PROMETHEUS_AGENT = "monitoring.coreos.com/PrometheusAgent"
ALERTMANAGER = "monitoring.coreos.com/Alertmanager"
THANOS_RULER = "monitoring.coreos.com/ThanosRuler"

_OWN_CONTAINERS = {
    PROMETHEUS: ("prometheus", "config-reloader"),
    PROMETHEUS_AGENT: ("prometheus", "config-reloader"),
    ALERTMANAGER: ("alertmanager", "config-reloader"),
    THANOS_RULER: ("thanos-ruler", "config-reloader"),
}
"""The main containers that prometheus-operator makes; those of the resource are merged into them by name."""
_OWN_INIT_CONTAINERS = ("init-config-reloader",)
_ALWAYS_WITH_TOKEN = (PROMETHEUS, PROMETHEUS_AGENT)

_LOCKED: dict[str, Plain] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""Security context of every container that either operator makes."""


def all_pods(resource: Resource) -> list[Pod]:
    """The pods a resource describes or has an operator make; none for what has no pods. As `pods` else."""
    made = _MAKERS.get(resource.kind)
    return [Pod(made(resource))] if made else pods(resource)


def _of_prometheus_operator(resource: Resource) -> Node:
    # Its resources spell a pod's fields as a pod spec does, at the same place.
    spec = resource.root.at("spec")
    if isinstance(spec.value, Marker):
        return resource.root
    fields = dict(spec.value) if isinstance(spec.value, dict) else {}
    fields["containers"] = _merged_by_name(_OWN_CONTAINERS[resource.kind], fields.get("containers"))
    fields["initContainers"] = _merged_by_name(_OWN_INIT_CONTAINERS, fields.get("initContainers"))
    if resource.kind in _ALWAYS_WITH_TOKEN and not resource.partial:
        fields.setdefault("automountServiceAccountToken", True)
    return Node({"metadata": fields.get("podMetadata"), "spec": fields}, partial=resource.partial)


def _of_cluster(resource: Resource) -> Node:
    spec = resource.root.at("spec")
    if isinstance(spec.value, Marker):
        return resource.root
    profile = spec.at("seccompProfile").value
    common: dict[str, Plain] = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"} if profile is None else profile,
    }
    container: dict[str, Plain] = {
        "name": "postgres",
        "securityContext": _over({**common, **_LOCKED}, spec.at("securityContext").value),
    }
    pod: dict[str, Plain] = {
        "securityContext": _over(common, spec.at("podSecurityContext").value),
        "containers": [container],
    }
    return Node({"metadata": spec.at("inheritedMetadata").value, "spec": pod}, partial=resource.partial)


def _over(defaults: dict[str, Plain], given: Plain) -> Plain:
    """What is given field by field, and the defaults for the fields that are not."""
    if not isinstance(given, dict):
        return defaults if given is None else given
    return {**defaults, **{key: value for key, value in given.items() if value is not None}}


def _of_pooler(resource: Resource) -> Node:
    """The operator takes over the pod's security context, and that of its own container, whatever the template says."""
    template = resource.root.at("spec", "template")
    if isinstance(template.value, Marker) or isinstance(template.at("spec").value, Marker):
        return template
    spec = template.at("spec").value
    fields = dict(spec) if isinstance(spec, dict) else {}
    fields["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    fields["containers"] = _merged_by_name(("pgbouncer",), fields.get("containers"), taken_over=True)
    return Node({"metadata": template.at("metadata").value, "spec": fields}, template.path, resource.partial)


def _merged_by_name(own: tuple[str, ...], given: Plain, taken_over: bool = False) -> Plain:
    """The operator's containers, what the resource says of each merged into it, and then the resource's further ones.

    `taken_over`: the operator's security context wins.
    """
    if isinstance(given, Marker):
        return given
    further: list[Plain] = list(given) if isinstance(given, list) else []
    merged: list[Plain] = []
    for name in own:
        container: Plain = {"name": name, "securityContext": _LOCKED}
        for each in [each for each in further if isinstance(each, dict) and each.get("name") == name]:
            further.remove(each)
            container = _merged(container, {**each, "securityContext": _LOCKED} if taken_over else each)
        merged.append(container)
    return merged + further


def _merged(base: Plain, patch: Plain) -> Plain:
    """Objects member by member; anything else is replaced."""
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return base if patch is None else patch
    return {**base, **{key: _merged(base.get(key), value) for key, value in patch.items()}}


_MAKERS: dict[str, Callable[[Resource], Node]] = {
    **dict.fromkeys(_OWN_CONTAINERS, _of_prometheus_operator),
    CLUSTER: _of_cluster,
    POOLER: _of_pooler,
}
