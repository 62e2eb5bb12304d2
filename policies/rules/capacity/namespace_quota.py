"""A namespace takes no more than its share of the cluster, and what is declared for it fits in."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from policies.demand import OBJECT_STORE, demands
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.pods import CRON_JOB, JOB
from policies.quantity import InvalidQuantity, quantity
from policies.replicas import replicas
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Undecided

_NAMESPACE = "core/Namespace"
_QUOTA = "core/ResourceQuota"
_LIMIT_RANGE = "core/LimitRange"

_LIMITED = {
    "pods": ("pods", "count/pods"),
    "requests.cpu": ("requests.cpu", "cpu"),
    "requests.memory": ("requests.memory", "memory"),
    "limits.memory": ("limits.memory",),
}
"""What a quota must limit, and the keys of `spec.hard` that do."""
_DEFAULTED = {
    "a request of CPU": ("cpu", ("defaultRequest", "default", "max")),
    "a request of memory": ("memory", ("defaultRequest", "default", "max")),
    "a limit of memory": ("memory", ("default", "max")),
}
"""What containers that say nothing are to get, and the keys of a limit range it comes from."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != _NAMESPACE:
        return None
    name = Node(resource.object_name, "metadata.name").text()
    if not name:
        raise Undecided("metadata.name is given by the cluster")
    return verdict(
        [
            *(partial(_quota_faults, name, limited, stack) for limited in _LIMITED),
            *(partial(_default_faults, name, wanted, stack) for wanted in _DEFAULTED),
        ]
    )


def _quota_faults(namespace: str, limited: str, stack: Stack) -> list[str]:
    hard = [
        (quota, quota.root.at("spec", "hard", key))
        for quota in _inside(_QUOTA, namespace, stack)
        if not _is_scoped(quota)
        for key in _LIMITED[limited]
    ]
    limits = [(quota, node) for quota, node in hard if node.known() is not None]
    if not limits:
        _rule_out_others(_QUOTA, stack)
        return [f"no ResourceQuota in it limits {limited}"]
    asked = stack.once(_asked)
    faults: list[str] = []
    for quota, node in limits:
        try:
            most = quantity(node)
        except InvalidQuantity as invalid:
            return [f"{quota.subject}: {invalid}"]
        total = asked.totals[namespace][limited]
        if most is not None and total > most:
            faults.append(f"its {limited} come to {_said(total)}, and {quota.subject} allows {_said(most)}")
    if not faults:
        for reason in (*asked.undecided[namespace], *asked.undecided[""]):
            raise Undecided(reason)
    return faults


def _is_scoped(quota: Resource) -> bool:
    """Whether it counts a part of the pods only."""
    spec = quota.root.at("spec")
    return bool(spec.at("scopes").items()) or spec.at("scopeSelector").known() is not None


def _default_faults(namespace: str, wanted: str, stack: Stack) -> list[str]:
    name, keys = _DEFAULTED[wanted]
    for limit_range in _inside(_LIMIT_RANGE, namespace, stack):
        for entry in limit_range.root.at("spec", "limits").items():
            if entry.at("type").text() == "Container" and any(entry.at(key, name).known() is not None for key in keys):
                return []
    _rule_out_others(_LIMIT_RANGE, stack)
    return [f"no LimitRange in it gives {wanted} to containers that have none"]


def _inside(kind: str, namespace: str, stack: Stack) -> list[Resource]:
    return stack.once(_by_namespace).get((kind, namespace), [])


def _rule_out_others(kind: str, stack: Stack) -> None:
    for each in stack.of(kind):
        if isinstance(each.namespace, Marker):
            raise Undecided(f"the namespace of {each.subject} is not known")


def _by_namespace(stack: Stack) -> dict[tuple[str, str], list[Resource]]:
    found: defaultdict[tuple[str, str], list[Resource]] = defaultdict(list)
    for kind in (_QUOTA, _LIMIT_RANGE):
        for each in stack.of(kind):
            if isinstance(each.namespace, str):
                found[kind, each.namespace].append(each)
    return found


@dataclass(frozen=True)
class _Asked:
    """What all pods that are declared ask for; operators add containers of their own, so that it is the least."""

    totals: defaultdict[str, defaultdict[str, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    """Namespace -> key of `_LIMITED` -> sum."""
    undecided: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Namespace, or empty where that is not known -> what could not be read."""


def _asked(stack: Stack) -> _Asked:
    asked = _Asked()
    for resource in stack.resources:
        # It describes a container in the pods of clusters, and no pods.
        if resource.kind == OBJECT_STORE:
            continue
        namespace = "" if isinstance(resource.namespace, Marker) else resource.namespace
        try:
            for key, amount in _amounts(resource, stack):
                asked.totals[namespace][key] += amount
        except (Undecided, InvalidQuantity) as reason:
            asked.undecided[namespace].append(f"what {resource.subject} asks for: {reason}")
        else:
            if not namespace and demands(resource):
                asked.undecided[""].append(f"the namespace of {resource.subject} is not known")
    return asked


def _amounts(resource: Resource, stack: Stack) -> Iterable[tuple[str, Decimal]]:
    count = _count(resource, stack)
    return [
        (key, count * amount)
        for demand in demands(resource)
        for key, amount in (
            ("pods", Decimal(1)),
            ("requests.cpu", demand.total("requests", "cpu")),
            ("requests.memory", demand.total("requests", "memory")),
            ("limits.memory", demand.total("limits", "memory")),
        )
    ]


def _count(resource: Resource, stack: Stack) -> int:
    """How many pods there are at the most; of a DaemonSet one, since nobody knows the nodes."""
    counted = replicas(resource)
    if counted:
        return counted.bounds(stack)[1]
    if resource.kind in (JOB, CRON_JOB):
        path = ("spec",) if resource.kind == JOB else ("spec", "jobTemplate", "spec")
        parallelism = resource.root.at(*path, "parallelism").number()
        return 1 if parallelism is None else int(parallelism)
    return 1


def _said(amount: Decimal) -> str:
    return f"{amount / 2**20:.0f}Mi" if amount >= 2**20 else f"{amount.normalize():f}"


RULE = Rule(
    id="namespace-quota",
    theme=Theme.CAPACITY,
    title="Every namespace has a quota that what is declared fits in, and defaults for what says nothing",
    why=(
        "Without a quota one environment can take the whole cluster. With one that is too small, pods are refused: "
        "not when it is written, but when a replica is needed."
    ),
    applies_to="namespaces",
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.1", "ISO/IEC 27001:2022 8.6", "NIST 800-53 r5 SC-5", "NIST 800-53 r5 SC-6"),
    remediation="Declare a ResourceQuota and a LimitRange; where the sum is larger, raise the quota or lower requests.",
    judge=_judge,
)
