"""Roles allow what is needed and no way to more; they are bound to those who need them; only they carry a token."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from policies import operators
from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.operators import all_pods
from policies.pods import Pod
from policies.stack import Resource, Stack
from policies.values import Node, Undecided, any_of

_GROUP = "rbac.authorization.k8s.io"
_ROLES = (f"{_GROUP}/Role", f"{_GROUP}/ClusterRole")
_CLUSTER_ROLE = _ROLES[1]
_ROLE_BINDING, _CLUSTER_ROLE_BINDING = _BINDINGS = (f"{_GROUP}/RoleBinding", f"{_GROUP}/ClusterRoleBinding")
_SERVICE_ACCOUNT = "core/ServiceAccount"

_WILDCARDS = ("apiGroups", "resources", "verbs", "nonResourceURLs")
_WAYS_UP = ("escalate", "bind", "impersonate")
_DANGEROUS: dict[str, tuple[str, ...]] = {
    "pods": ("create",),
    "pods/exec": (),
    "pods/attach": (),
    "pods/ephemeralcontainers": (),
    "nodes/proxy": (),
    "serviceaccounts/token": ("create",),
}
"""Resource of the core group -> verbs by which whoever has them gets the rights of others; empty: any verb."""
_AGGREGATE = f"{_GROUP}/aggregate-to-"
"""Label of a cluster role whose rules become part of another, which is bound by others."""
_READING = ("get", "list", "watch")

_BUILT_IN = {"cluster-admin": _BINDINGS, "admin": (_CLUSTER_ROLE_BINDING,), "edit": (_CLUSTER_ROLE_BINDING,)}
"""Kubernetes' own role -> kinds of binding by which it gives too much; the latter two read every Secret they reach."""
_EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:anonymous", "system:masters")
_DEFAULT_ACCOUNT = re.compile(r"system:serviceaccount:[^:]*:default")

_KNOWN_TO_OPERATORS = (operators.CLUSTER, operators.POOLER)
"""Their operator makes the service account, and binds it to what its instances need."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    root = resource.root
    if resource.kind in _ROLES:
        checks: list[Check] = [partial(_aggregation_faults, root.at("aggregationRule"))]
        for check in _RULE_CHECKS:
            checks += each(root.at("rules"), check)
        if resource.kind == _CLUSTER_ROLE:
            checks += each(root.at("rules"), partial(_secrets_faults, resource, stack))
        return verdict(checks)
    if resource.kind in _BINDINGS:
        return verdict([partial(_built_in_faults, resource), *each(root.at("subjects"), _subject_faults)])
    if resource.kind in _KNOWN_TO_OPERATORS:
        return None
    found = all_pods(resource)
    return verdict(partial(_token_faults, resource, pod, stack) for pod in found) if found else None


# Roles


def _aggregation_faults(aggregation: Node) -> list[str]:
    """Whoever may label a cluster role adds to such a one, and nobody can read from it what it allows."""
    return [] if aggregation.known() is None else ["aggregationRule gathers rules of whatever roles carry its labels"]


def _wildcard_faults(rule: Node) -> list[str]:
    return [
        f"{field.path} has a wildcard"
        for field in (rule.at(name) for name in _WILDCARDS)
        if any_of(field.items(), lambda item: "*" in item.text())
    ]


def _way_up_faults(rule: Node) -> list[str]:
    verbs = [verb for verb in _WAYS_UP if _has(rule.at("verbs"), verb)]
    return [f"{rule.path} allows to {verb}" for verb in verbs]


def _dangerous_faults(rule: Node) -> list[str]:
    return [
        f"{rule.path} allows {' or '.join(verbs) or 'something'} on {resource}"
        for resource, verbs in _DANGEROUS.items()
        if _allows(rule, resource, verbs)
    ]


def _secrets_faults(role: Resource, stack: Stack, rule: Node) -> list[str]:
    """Reading named Secrets is reading those; a role that only RoleBindings name reads those of their namespaces."""
    if not _allows(rule, "secrets", _READING) or rule.at("resourceNames").items() or _is_confined(role, stack):
        return []
    return [f"{rule.path} allows to read the Secrets of the whole cluster"]


def _allows(rule: Node, resource: str, verbs: tuple[str, ...]) -> bool:
    """Whether it allows one of the verbs (any verb, if there are none) on a resource of the core group."""
    needed: tuple[Callable[[], bool], ...] = (
        lambda: _has(rule.at("apiGroups"), ""),
        lambda: _has(rule.at("resources"), resource),
        lambda: not verbs or any_of(verbs, lambda verb: _has(rule.at("verbs"), verb)),
    )
    return not any_of(needed, lambda holds: not holds())


def _is_confined(role: Resource, stack: Stack) -> bool:
    """Whether all that is known to give the role is RoleBindings, and there is one."""
    labels = role.root.at("metadata", "labels").keys()
    if any(label.startswith(_AGGREGATE) for label in labels):
        return False
    bindings = stack.once(_bindings)
    name = Node(role.object_name, "metadata.name").text()
    kinds = {binding.kind for binding in bindings.of_cluster_role[name]}
    if _CLUSTER_ROLE_BINDING not in kinds and bindings.unread:
        raise Undecided(bindings.unread[0])
    return kinds == {_ROLE_BINDING}


def _has(names: Node, name: str) -> bool:
    return any_of(names.items(), lambda item: item.text() == name)


_RULE_CHECKS: tuple[Callable[[Node], list[str]], ...] = (_wildcard_faults, _way_up_faults, _dangerous_faults)


# Bindings


def _built_in_faults(binding: Resource) -> list[str]:
    role = binding.root.at("roleRef")
    if role.at("kind").text() != "ClusterRole" or binding.kind not in _BUILT_IN.get(role.at("name").text(), ()):
        return []
    return [f"it gives the cluster role {role.at('name').text()}"]


def _subject_faults(subject: Node) -> list[str]:
    kind, name = subject.at("kind").text(), subject.at("name").text()
    if kind != "ServiceAccount" and (name in _EVERYBODY or name.startswith("system:serviceaccounts")):
        return [f"{subject.path} is {name}: whoever comes, or all service accounts, or who may do anything already"]
    is_default = name == "default" if kind == "ServiceAccount" else _DEFAULT_ACCOUNT.fullmatch(name)
    return (
        [f"{subject.path} is the default service account, which every pod of its namespace may use"]
        if is_default
        else []
    )


@dataclass(frozen=True)
class _Bindings:
    """What the bindings of a stack give, and to whom."""

    of_cluster_role: defaultdict[str, list[Resource]]
    """By the cluster role's name."""
    accounts: set[tuple[str, str]]
    """Namespace and name of service accounts that are bound to something."""
    unread: list[str]
    """What could not be read, and may be what is missing."""


def _bindings(stack: Stack) -> _Bindings:
    found = _Bindings(defaultdict(list), set(), [])
    for binding in (*stack.of(_ROLE_BINDING), *stack.of(_CLUSTER_ROLE_BINDING)):
        try:
            role = binding.root.at("roleRef")
            if role.at("kind").text() == "ClusterRole":
                found.of_cluster_role[role.at("name").text()].append(binding)
            for subject in binding.root.at("subjects").items():
                if subject.at("kind").text() == "ServiceAccount":
                    found.accounts.add((subject.at("namespace").text(), subject.at("name").text()))
        except Undecided as reason:
            found.unread.append(f"of {binding.subject}, {reason}")
    return found


# Tokens


def _token_faults(resource: Resource, pod: Pod, stack: Stack) -> list[str]:
    spec = pod.spec
    own = spec.at("automountServiceAccountToken")
    enough: tuple[Callable[[], bool], ...] = (
        lambda: own.known() is False,
        lambda: own.known() is None and _withholds(*_account(resource, pod), stack),
        lambda: _is_bound(*_account(resource, pod), stack),
    )
    if any_of(enough, lambda holds: holds()):
        return []
    name = _account(resource, pod)[1]
    return [
        f"its pods carry a token of service account {name}, which is bound to nothing (automountServiceAccountToken)"
    ]


def _account(resource: Resource, pod: Pod) -> tuple[str, str]:
    """Namespace and name of the pods' service account."""
    namespace = Node(resource.namespace, "metadata.namespace").text()
    return namespace, pod.spec.at("serviceAccountName").text() or pod.spec.at("serviceAccount").text() or "default"


def _withholds(namespace: str, name: str, stack: Stack) -> bool:
    matches = stack.find(_SERVICE_ACCOUNT, namespace, ("metadata", "name"), name)
    if any_of(matches.certain, lambda account: account.root.at("automountServiceAccountToken").known() is False):
        return True
    if matches.possible and not matches.certain:
        raise Undecided(f"whether {matches.possible[0].subject} is its service account is not known")
    return False


def _is_bound(namespace: str, name: str, stack: Stack) -> bool:
    bindings = stack.once(_bindings)
    if (namespace, name) in bindings.accounts:
        return True
    if bindings.unread:
        raise Undecided(bindings.unread[0])
    return False


RULE = Rule(
    id="rbac-least-privilege",
    theme=Theme.SECURITY,
    title="Roles allow no more than is needed, and only who needs the API server's trust has its token",
    why=(
        "A wildcard allows what comes later, too. Who may start pods, read all Secrets or change roles may do "
        "anything; and whoever breaks into a pod has its token."
    ),
    applies_to="roles, cluster roles and their bindings; pods' service accounts",
    severity=Severity.HIGH,
    controls=(
        *(f"CIS Kubernetes 1.9 5.1.{number}" for number in (1, 2, 3, 4, 5, 6, 8, 10, 13)),
        "SOC 2 CC6.3",
        "ISO/IEC 27001:2022 5.15",
        "ISO/IEC 27001:2022 8.2",
        "NIST 800-53 r5 AC-3",
        "NIST 800-53 r5 AC-6",
    ),
    remediation=(
        "Name resources and verbs, in a Role where one namespace is enough; bind a service account of its own; set "
        "automountServiceAccountToken: false on pods that do not talk to the API server."
    ),
    judge=_judge,
)
