"""Somebody outside the cluster notices when alerts stop coming: one that always fires is sent there all the time."""

from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.promql import InvalidQuery, always, parse
from policies.routing import Configuration, Route, leaves_the_cluster, length, readable
from policies.stack import Resource, Stack
from policies.targets import of
from policies.values import Node, Undecided
from policies.watching import PROMETHEUS, Entry, Rules, watches
from policies.ways_out import ways_out

LONGEST_SECONDS = 300
"""How long the outside may wait for the next message."""
_SECRET = "core/Secret"  # noqa: S105


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != PROMETHEUS:
        return None
    (watch,) = [each for each in stack.once(watches) if each.server is resource]
    return verdict([partial(_faults, watch.rules, stack)])


def _faults(rules: Rules, stack: Stack) -> list[str]:
    """None if one alert that always fires is sent out, whatever becomes of the others."""
    unread = [*rules.unread]
    nearest: list[str] = []
    for alert in rules.alerts:
        try:
            if not _always(alert):
                continue
            faults = _sending_faults(alert, rules, stack)
            if not faults:
                return []
            nearest += faults
        except Undecided as reason:
            unread.append(str(reason))
    if unread:
        raise Undecided(unread[0])
    return nearest[:1] or ["none of its alerts fires always (expr: vector(1)), so that silence means nothing"]


def _always(alert: Entry) -> bool:
    try:
        return always(parse(alert.expression))
    except InvalidQuery:
        return False


def _sending_faults(alert: Entry, rules: Rules, stack: Stack) -> list[str]:
    ways = stack.once(readable)
    if not ways:
        return [f"{alert.title} always fires, and no Alertmanager of this stack can send it anywhere"]
    labels = rules.labels(alert).also({"alertname": alert.alert})
    return [fault for way in ways for route in way.ends(labels) for fault in _end_faults(alert, route, way, stack)]


def _end_faults(alert: Entry, route: Route, way: Configuration, stack: Stack) -> list[str]:
    where = route.node.path
    if route.silent:
        return [f"{alert.title} always fires, and {where} tells nobody at times"]
    if max(length(route.repeat_interval), length(route.group_interval)) > LONGEST_SECONDS:
        return [
            f"{alert.title} always fires, and {where} sends it again after more than {LONGEST_SECONDS // 60} minutes "
            "(repeat_interval, group_interval)"
        ]
    hooks = [entry for kind, entry in way.integrations(route.receiver) if kind == "webhook_configs"]
    if not hooks:
        return [f"{alert.title} always fires, and its receiver {route.receiver} calls no service that waits for it"]
    faults = [_hook_fault(entry, way, stack) for entry in hooks]
    return [] if None in faults else [f"{alert.title} always fires, and its receiver {route.receiver} {faults[0]}"]


def _hook_fault(entry: Node, way: Configuration, stack: Stack) -> str | None:
    """What keeps a webhook from being called outside the cluster."""
    if address := entry.at("url").text():
        return None if leaves_the_cluster(address, stack) else "does not leave the cluster (url)"
    file = entry.at("url_file").text()
    folder, _, key = file.rpartition("/")
    secret = way.folders.get(folder)
    if secret is None:
        return "reads its URL from a file that is not in the servers' pods (url_file, spec.secrets)"
    found = stack.find(_SECRET, str(way.server.namespace), ("metadata", "name"), secret)
    for each in found.certain:
        keys = [*each.root.at("stringData").keys(), *each.root.at("data").keys()]
        if key not in keys:
            return f"reads its URL from a file that {each.subject} does not have (url_file)"
    return _network_fault(file, way, stack)


def _network_fault(file: str, way: Configuration, stack: Stack) -> str | None:
    """The URL itself is secret; that it leads outside is certain if the servers can go nowhere else."""
    (target,) = of(way.server)
    ways = ways_out(target, stack)
    if not ways.outside:
        return "cannot be called: no NetworkPolicy lets the Alertmanager out of the cluster"
    if not ways.limited:
        raise Undecided(f"the URL in {file} is a secret, and no NetworkPolicy keeps its reader from others")
    if ways.inside:
        raise Undecided(f"the URL in {file} is a secret, and {ways.inside[0]} lets its reader call within the cluster")
    return None


RULE = Rule(
    id="dead-man-switch",
    theme=Theme.SLO,
    title="An alert that always fires is sent out of the cluster every few minutes",
    why="When Prometheus, Alertmanager or the cluster is down nothing alerts. Only somebody outside notices.",
    applies_to="Prometheus",
    severity=Severity.HIGH,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4", "NIST 800-53 r5 IR-6"),
    remediation=(
        "Declare an alert on vector(1), and a route for it with a repeat_interval of minutes to a webhook of a "
        "heartbeat service outside; let the Alertmanager reach public addresses alone."
    ),
    judge=_judge,
)
