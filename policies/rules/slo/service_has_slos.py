"""Services and workers promise something that is watched: each declares SLOs, and a Prometheus evaluates them."""

from dataclasses import dataclass
from functools import partial

from policies.label_selectors import matches
from policies.model import Rule, Severity, Theme, Verdict, each, verdict
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Undecided

INVENTORY = "slo:error_budget:ratio"
"""What is recorded once for every SLO, with its name as the label `slo`."""
PAGE = "SLOBurnsFast"
"""The alert that calls somebody; it is shared by all SLOs."""

_SERVICES = frozenset({"mainstay:index:HttpService", "mainstay:index:Worker"})
_PROMETHEUS = "monitoring.coreos.com/Prometheus"
_PROMETHEUS_RULE = "monitoring.coreos.com/PrometheusRule"


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind not in _SERVICES:
        return None
    slos = resource.root.at("slos")
    if not slos.items():
        return Verdict(faults=("it declares no SLO (slos)",))
    return verdict([*each(slos, _promise_faults), *each(slos, partial(_evaluation_faults, stack))])


def _promise_faults(slo: Node) -> list[str]:
    """An entry that is no promise; an objective of 1 leaves no room for any failure, so nobody can keep it."""
    if not slo.at("name").text():
        return [f"{slo.path} has no name"]
    objective, window = _number(slo.at("objective")), _number(slo.at("window_days"))
    if not 0 < objective < 1:
        return [f"{slo.path}.objective is not a share between 0 and 1, such as 0.995"]
    return [] if window > 0 else [f"{slo.path}.window_days is not a number of days"]


def _number(node: Node) -> float:
    """The number, or 0 if it is none."""
    value = node.known()
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _evaluation_faults(stack: Stack, slo: Node) -> list[str]:
    watch = stack.once(_watch)
    name = slo.at("name").text()
    # A stack without a Prometheus is watched by another's, which is not here to be looked at.
    if watch is None or not name or name in watch.paged:
        return []
    if watch.unread:
        raise Undecided(watch.unread[0])
    if name in watch.evaluated:
        return [f"nobody is called when its SLO {name} is not kept: no PrometheusRule has the alert {PAGE}"]
    if name in watch.elsewhere:
        return [
            f"nothing evaluates its SLO {name}: {watch.elsewhere[name]} records {INVENTORY} for it, "
            "but no Prometheus looks there (namespace, ruleSelector)"
        ]
    return [f"nothing evaluates its SLO {name}: no PrometheusRule records {INVENTORY} for it"]


@dataclass(frozen=True)
class _Watch:
    """What all the Prometheus servers of a stack see to."""

    evaluated: frozenset[str]
    """Names of SLOs that one of them records."""
    paged: frozenset[str]
    """Those of them for which the same one calls somebody."""
    elsewhere: dict[str, str]
    """SLO -> the PrometheusRule that records it, whether or not a Prometheus looks at it."""
    unread: tuple[str, ...]
    """What could not be read and might be what is missing."""


@dataclass(frozen=True)
class _Content:
    """What is in one PrometheusRule."""

    rule: Resource
    recorded: frozenset[str]
    pages: bool
    unread: tuple[str, ...]


def _watch(stack: Stack) -> _Watch | None:
    """None: the stack has no Prometheus."""
    servers = stack.of(_PROMETHEUS)
    if not servers:
        return None
    contents = [_content(rule) for rule in stack.of(_PROMETHEUS_RULE)]
    evaluated: set[str] = set()
    paged: set[str] = set()
    unread: list[str] = []
    for server in servers:
        seen: list[_Content] = []
        for content in contents:
            try:
                if _looks_at(server, content.rule):
                    seen.append(content)
            except Undecided as reason:
                unread.append(f"whether {server.subject} looks at {content.rule.subject}: {reason}")
        names = {name for content in seen for name in content.recorded}
        evaluated |= names
        paged |= names if any(content.pages for content in seen) else set()
        unread += [f"of {content.rule.subject}, {reason}" for content in seen for reason in content.unread]
    elsewhere = {name: content.rule.subject for content in contents for name in content.recorded}
    return _Watch(frozenset(evaluated), frozenset(paged), elsewhere, tuple(unread))


def _looks_at(server: Resource, rule: Resource) -> bool:
    spec = server.root.at("spec")
    pairs = Node(server.namespace, "metadata.namespace"), Node(rule.namespace, "metadata.namespace")
    if spec.at("ruleNamespaceSelector").known() is not None:
        raise Undecided(f"{spec.at('ruleNamespaceSelector').path} is more than this rule understands")
    # One that certainly differs decides, whatever cannot be read of the other. Without a selector the operator hands
    # no rule over; an empty one takes all of the namespace.
    same = None if any(isinstance(each.value, Marker) for each in pairs) else pairs[0].value == pairs[1].value
    if same is False or not matches(spec.at("ruleSelector"), rule.root.at("metadata", "labels")):
        return False
    return all(each.known() for each in pairs)


def _content(rule: Resource) -> _Content:
    recorded: set[str] = set()
    alerts: set[str] = set()
    unread: list[str] = []
    for group in _elements(rule.root.at("spec", "groups"), unread):
        for entry in _elements(group.at("rules"), unread):
            try:
                alerts.add(entry.at("alert").text())
                if entry.at("record").text() == INVENTORY:
                    recorded.add(entry.at("labels", "slo").text())
            except Undecided as reason:
                unread.append(str(reason))
    return _Content(rule, frozenset(recorded), PAGE in alerts, tuple(unread))


def _elements(parent: Node, unread: list[str]) -> list[Node]:
    try:
        return parent.items()
    except Undecided as reason:
        unread.append(str(reason))
        return []


RULE = Rule(
    id="service-has-slos",
    theme=Theme.SLO,
    title="Every service and worker has service-level objectives that are evaluated",
    why="Nobody is called when a service without an objective fails, and nobody can say how good it has to be.",
    applies_to="components HttpService and Worker",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4"),
    remediation="Declare slos for it in the environment's file; mainstay:observability makes the rules of them.",
    judge=_judge,
)
