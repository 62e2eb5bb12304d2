"""Prometheus remembers for as long as its rules look back: the window of an SLO above all."""

from functools import partial

from policies.burn import slos
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.promql import InvalidQuery, lookback, parse, seconds
from policies.stack import Resource, Stack
from policies.values import Undecided
from policies.watching import PROMETHEUS, Entry, Rules, watches

_DAY = 86400
_DEFAULT = "24h"
"""prometheus-operator's own, where neither a time nor a size is given."""
_SLO_OWNERS = ("mainstay:index:HttpService", "mainstay:index:Worker")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != PROMETHEUS:
        return None
    (watch,) = [each for each in stack.once(watches) if each.server is resource]
    return verdict(
        [
            partial(_faults, resource, watch.rules, stack),
            partial(_unread, watch.rules),
        ]
    )


def _faults(server: Resource, rules: Rules, stack: Stack) -> list[str]:
    retention = server.root.at("spec", "retention")
    text = retention.text() or _DEFAULT
    kept = seconds(text)
    if kept is None:
        return [f"{retention.path} is no duration such as 35d"]
    needed, what = max(_needs(rules, stack), default=(0.0, ""), key=lambda each: each[0])
    if kept >= needed:
        return []
    return [f"{retention.path} is {text}, and {what} looks {needed / _DAY:g} days back"]


def _needs(rules: Rules, stack: Stack) -> list[tuple[float, str]]:
    """How many seconds back something looks, and what."""
    found = [(_looks_back(entry), entry.title) for entry in rules.entries]
    found += [(_window(entry), f"SLO {entry.labels.get('slo')}") for entry in slos(rules.entries)]
    # What services promise, as far as this Prometheus sees to it.
    recorded = {entry.labels.get("slo") for entry in slos(rules.entries)}
    for kind in _SLO_OWNERS:
        for owner in stack.of(kind):
            for slo in owner.root.at("slos").items():
                if slo.at("name").text() in recorded:
                    found.append(((slo.at("window_days").number() or 0) * _DAY, f"SLO {slo.at('name').text()}"))
    return found


def _looks_back(entry: Entry) -> float:
    try:
        return lookback(parse(entry.expression))
    except (InvalidQuery, Undecided):
        return 0.0


def _window(entry: Entry) -> float:
    return seconds(entry.labels.get("window") or "") or 0.0


def _unread(rules: Rules) -> list[str]:
    for entry in rules.entries:
        entry.node.at("expr").known()
    if rules.unread:
        raise Undecided(rules.unread[0])
    return []


RULE = Rule(
    id="retention-covers-slo",
    theme=Theme.OBSERVABILITY,
    title="Prometheus keeps its samples for as long as its rules look back",
    why="A budget of 30 days that is worked out of 15 days of samples is wrong, and looks right.",
    applies_to="Prometheus",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4", "NIST 800-53 r5 AU-11"),
    remediation="Set spec.retention to at least the longest window of an SLO, and give it the room on its volume.",
    judge=_judge,
)
