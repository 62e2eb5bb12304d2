"""The logs of every pod are read by a collector, and handed to a store that is there."""

from policies.alloy import Block
from policies.collecting import Collector, Telemetry, Ways, reads, sources, telemetry
from policies.model import Rule, Severity, Theme, Verdict
from policies.pods import pods
from policies.stack import Resource, Stack
from policies.targets import of
from policies.values import Marker, Undecided

_RBAC = "rbac.authorization.k8s.io"


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if not pods(resource) and next(of(resource), None) is None:
        return None
    if isinstance(resource.namespace, Marker):
        return Verdict(undecided=("its namespace is not known before the deployment",))
    return stack.once(_Answers)[resource.namespace]


class _Answers(dict[str, Verdict]):
    """Namespace -> verdict about its logs, worked out when it is first asked for."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack

    def __missing__(self, namespace: str) -> Verdict:
        self[namespace] = _verdict(namespace, self._stack)
        return self[namespace]


def _verdict(namespace: str, stack: Stack) -> Verdict:
    """Passes if one collector does it, whatever the others do."""
    found = stack.once(telemetry)
    unread: list[str] = []
    nearest: list[str] = []
    for collector in found.collectors:
        for source in sources(collector):
            try:
                if not reads(collector, source, namespace):
                    continue
                faults = _faults(collector, source, namespace, stack)
                if not faults:
                    return Verdict()
                nearest += faults
            except Undecided as reason:
                unread.append(f"of {collector.resource.subject}, {reason}")
    unread += found.unread
    if unread:
        return Verdict(undecided=tuple(unread[:1]))
    return Verdict(tuple(nearest[:1]) or (_nothing(namespace, found),))


def _faults(collector: Collector, source: Block, namespace: str, stack: Stack) -> list[str]:
    resource = collector.resource
    if resource.root.at("spec", "replicas").known() == 0:
        return [f"{resource.subject}, which should read its logs, has no replicas"]
    if source.name == "loki.source.kubernetes" and not _may_read(resource, namespace, stack):
        return [f"{resource.subject} may not read logs in namespace {namespace}: no role lets it get pods/log there"]
    faults = Ways("logs", stack).faults_behind(collector, source)
    return [f"its logs are read, and do not reach a store: {fault}" for fault in faults]


def _may_read(resource: Resource, namespace: str, stack: Stack) -> bool:
    account = [pod.spec.at("serviceAccountName").text() for pod in pods(resource)]
    bindings = [each for each in stack.of(f"{_RBAC}/RoleBinding") if each.namespace == namespace]
    for binding in (*stack.of(f"{_RBAC}/ClusterRoleBinding"), *bindings):
        bound = any(
            each.at("kind").text() == "ServiceAccount"
            and each.at("name").text() in account
            and each.at("namespace").text() == resource.namespace
            for each in binding.root.at("subjects").items()
        )
        if bound and any(_lets_read(role) for role in _roles(binding, stack)):
            return True
    return False


def _roles(binding: Resource, stack: Stack) -> list[Resource]:
    reference = binding.root.at("roleRef")
    kind, name = reference.at("kind").text(), reference.at("name").text()
    return [
        role
        for role in stack.of(f"{_RBAC}/{kind}")
        if role.object_name == name and (kind == "ClusterRole" or role.namespace == binding.namespace)
    ]


def _lets_read(role: Resource) -> bool:
    wanted = {"resources": ("pods/log", "*"), "verbs": ("get", "*")}
    return any(
        all(any(each.text() in ones for each in rule.at(key).items()) for key, ones in wanted.items())
        for rule in role.root.at("rules").items()
    )


def _nothing(namespace: str, found: Telemetry) -> str:
    because = f" ({found.problems[0]})" if found.problems else ""
    return f"no collector (Alloy) of this stack reads the logs of namespace {namespace}{because}"


RULE = Rule(
    id="logs-shipped",
    theme=Theme.OBSERVABILITY,
    title="The logs of every pod are read and kept in a store",
    why="What a pod has written is gone with the pod, and with it the reason why it is gone.",
    applies_to="everything with pods",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.15", "NIST 800-53 r5 AU-2", "NIST 800-53 r5 AU-12"),
    remediation="Let the collector discover pods in that namespace, and forward their lines to a Loki of this stack.",
    judge=_judge,
)
