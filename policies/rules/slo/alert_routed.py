"""Every alert reaches somebody: no route ends at a receiver that tells nobody, and nothing silences what is urgent."""

from collections.abc import Iterable
from functools import partial

from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.routing import ALERTMANAGER, Configuration, Inhibition, Route, configurations, readable
from policies.series import Labels
from policies.stack import Resource, Stack
from policies.targets import behind
from policies.values import Undecided
from policies.watching import PROMETHEUS, PROMETHEUS_RULE, Entry, everything, held, watches

URGENT = ("P0", "P1")
_OPERATED = "alertmanager-operated"
"""The Service that prometheus-operator makes for every Alertmanager of a namespace."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind == ALERTMANAGER:
        return _judge_server(resource, stack)
    if resource.kind == PROMETHEUS:
        return verdict([partial(_sending_faults, resource, stack)])
    found = stack.once(held).get(resource.urn)
    if found is None:
        return None
    alerts = [entry for entry in found.entries if entry.alert]
    if not alerts and not found.unread:
        return Verdict(not_applicable="it has no alert") if resource.kind == PROMETHEUS_RULE else None
    if resource.kind == PROMETHEUS_RULE and (skipped := _not_ours(resource, stack)):
        return skipped
    ways = stack.once(readable)
    if not ways:
        return _nobody(stack)
    checks: list[Check] = [partial(_route_faults, alert, way, stack) for alert in alerts for way in ways]
    return verdict([*checks, partial(_read, found.unread)])


def _not_ours(resource: Resource, stack: Stack) -> Verdict | None:
    """Of a rule that no Prometheus here evaluates."""
    servers = stack.once(watches)
    if not servers:
        return Verdict(
            not_applicable="no Prometheus of this stack evaluates it, and another's routes are not known here"
        )
    if any(resource.urn in server.holders for server in servers):
        return None
    for server in servers:
        if server.rules.unread:
            return Verdict(undecided=server.rules.unread[:1])
    return Verdict(
        ("no Prometheus of this stack looks at it (namespace, ruleSelector), so that its alerts never fire",)
    )


def _nobody(stack: Stack) -> Verdict:
    # Where one is in order, there is somebody.
    problems = tuple(map(str, stack.once(configurations)))
    return Verdict(problems or ("there is no Alertmanager in this stack that would tell anybody of its alerts",))


def _read(unread: tuple[str, ...]) -> list[str]:
    if unread:
        raise Undecided(unread[0])
    return []


class _Labels(dict[int, Labels]):
    """Labels of the alerts of a stack as they are sent, each worked out once; by the alert's id."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._rules = stack.once(everything)
        self._alerts = {id(alert): alert for alert in self._rules.alerts}
        self._external = stack.once(_external)

    def __missing__(self, key: int) -> Labels:
        """Raises Undecided."""
        alert = self._alerts[key]
        alert.node.at("labels").known()
        found = self._rules.labels(alert).also({"alertname": alert.alert})
        given = {label: value for label, value in self._external.items() if label not in found.values}
        self[key] = found.also(given)
        return self[key]


def _external(stack: Stack) -> dict[str, str | None]:
    """Labels that a Prometheus puts on all that it sends; None: a value that cannot be read, or is one of several.

    Raises Undecided.
    """
    found: dict[str, str | None] = {}
    for server in stack.once(watches):
        external = server.server.root.at("spec", "externalLabels")
        for label in external.keys():  # noqa: SIM118 (a Node, whose keys are read)
            value = external.at(label).value
            known = value if isinstance(value, str) else None
            found[label] = known if found.get(label, known) == known else None
    return found


def _route_faults(alert: Entry, way: Configuration, stack: Stack) -> list[str]:
    alert.node.at("labels", "severity").known()
    ends = way.ends(stack.once(_Labels)[id(alert)])
    return [fault for route in ends for fault in _end_faults(alert, route, way)][:1]


def _end_faults(alert: Entry, route: Route, way: Configuration) -> Iterable[str]:
    if not way.integrations(route.receiver):
        yield f"{alert.title} ends at the receiver {route.receiver} ({route.node.path}), which tells nobody"
    elif route.silent and alert.labels.get("severity") in URGENT:
        yield f"{alert.title} is urgent, and {route.node.path} tells nobody at times"


def _sending_faults(server: Resource, stack: Stack) -> list[str]:
    """None if this Prometheus sends its alerts to an Alertmanager of the stack."""
    for entry in server.root.at("spec", "alerting", "alertmanagers").items():
        name, namespace = entry.at("name").text(), entry.at("namespace").text() or str(server.namespace)
        if name == _OPERATED and any(each.namespace == namespace for each in stack.of(ALERTMANAGER)):
            return []
        for service in stack.find("core/Service", namespace, ("metadata", "name"), name).certain:
            if any(target.resource.kind == ALERTMANAGER for target in behind(service, stack)):
                return []
    return ["spec.alerting.alertmanagers names no Alertmanager of this stack, so that its alerts reach nobody"]


def _judge_server(server: Resource, stack: Stack) -> Verdict:
    found = stack.once(configurations)[stack.of(ALERTMANAGER).index(server)]
    if isinstance(found, str):
        return Verdict((found,))
    alerts = stack.once(everything).alerts
    return verdict([partial(_inhibition_faults, each, alerts, stack) for each in found.inhibitions])


def _inhibition_faults(inhibition: Inhibition, alerts: Iterable[Entry], stack: Stack) -> list[str]:
    known = [(alert, stack.once(_Labels)[id(alert)]) for alert in alerts]
    silenced = [
        (alert, labels)
        for alert, labels in known
        if alert.labels.get("severity") in URGENT and _may(inhibition.target, labels)
    ]
    sources = [(alert, labels) for alert, labels in known if _may(inhibition.source, labels)]
    for alert, labels in silenced:
        for source, its in sources:
            if fault := _silencing_fault(inhibition, alert, labels, source, its):
                return [fault]
    return []


def _silencing_fault(inhibition: Inhibition, alert: Entry, labels: Labels, source: Entry, its: Labels) -> str | None:
    # An alert that may be both is never silenced by itself, nor by its like.
    if source.node == alert.node or _certainly_both(inhibition, labels, its):
        return None
    where = inhibition.node.path
    if not any(labels.may_have(label) or its.may_have(label) for label in inhibition.equal):
        return f"{where}: {source.title} silences {alert.title}, which is urgent, whatever they are about (equal)"
    if (source.labels.get("severity") or "P9") > str(alert.labels["severity"]):
        return f"{where}: {source.title} silences {alert.title}, which is more urgent"
    return None


def _may(conditions: Iterable[tuple[str, str, str]], labels: Labels) -> bool:
    return all(labels.passes(*condition) is not False for condition in conditions)


def _certainly_both(inhibition: Inhibition, labels: Labels, its: Labels) -> bool:
    """Alertmanager lets no alert that is source and target be silenced by another that is both."""
    return all(
        each.passes(*condition) is True
        for each in (labels, its)
        for condition in (*inhibition.source, *inhibition.target)
    )


RULE = Rule(
    id="alert-routed",
    theme=Theme.SLO,
    title="Every alert reaches a receiver that tells somebody, and nothing less urgent silences an urgent one",
    why="An alert that ends at an empty receiver looks well in every dashboard, and nobody comes.",
    applies_to="PrometheusRules and files of alerts, Prometheus, Alertmanager",
    severity=Severity.HIGH,
    controls=("SOC 2 CC7.3", "SOC 2 CC7.4", "ISO/IEC 27001:2022 5.24", "NIST 800-53 r5 IR-4", "NIST 800-53 r5 IR-6"),
    remediation=(
        "Lead every alert to a receiver with somebody in it; let an inhibition silence what is at most as urgent as "
        "its source, and about the same thing (equal)."
    ),
    judge=_judge,
)
