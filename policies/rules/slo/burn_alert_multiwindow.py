"""Whoever answers for an SLO is called when its budget burns fast, and gets a ticket when it burns slowly.

Each of the two alerts compares two windows: the long one tells that it is no blip, the short one that it still burns.
The expressions are worked out (policies/burn.py); how they are written does not matter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from policies.burn import Burn, Way, slos
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.promql import InvalidQuery, seconds
from policies.stack import Resource, Stack
from policies.values import Undecided
from policies.watching import PROMETHEUS_RULE, Entry, Rules, Watch, everything, held, watches

HOUR, DAY = 3600, 86400


@dataclass(frozen=True)
class _Call:
    """What an alert must be to count as one of the two."""

    title: str
    severities: tuple[str, ...]
    spent: float
    """The share of the window's budget that may be gone when it fires."""
    reacts: Callable[[float], bool]
    """Whether a long window, in seconds, is of the kind that is asked for."""
    slowest: float
    """The burn rate that one of its pairs must notice, at the latest."""


_PAGE = _Call("fast (severity P0 or P1)", ("P0", "P1"), 0.1, lambda window: window <= 6 * HOUR, 15)
_TICKET = _Call("slowly (severity P0 to P3)", ("P0", "P1", "P2", "P3"), 0.25, lambda window: window >= DAY, 3)
_TOLERANCE = 1e-6


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != PROMETHEUS_RULE:
        return None
    promised = slos(stack.once(held)[resource.urn].entries)
    if not promised:
        if unread := stack.once(held)[resource.urn].unread:
            return Verdict(undecided=unread)
        return Verdict(not_applicable="it records no SLO")
    servers = stack.once(watches)
    watching = [each for each in servers if resource.urn in each.holders]
    if servers and not watching:
        return _unseen(servers)
    together = [each.rules for each in watching] or [stack.once(everything)]
    return verdict([partial(_faults, slo, rules) for slo in promised for rules in together])


def _unseen(servers: Iterable[Watch]) -> Verdict:
    for watch in servers:
        if watch.rules.unread:
            return Verdict(undecided=watch.rules.unread[:1])
    return Verdict(("no Prometheus of this stack looks at it (namespace, ruleSelector)",))


def _faults(slo: Entry, rules: Rules) -> list[str]:
    name = slo.labels.get("slo")
    if not name:
        return [f"{slo.node.path} records an SLO without a name (label slo)"]
    try:
        burn = Burn(slo, rules)
    except InvalidQuery:
        return [f"the error budget of SLO {name} is no PromQL"]
    if not 0 < burn.budget < 1:
        return [f"the error budget of SLO {name} is no number between 0 and 1"]
    days = seconds(slo.labels.get("window") or "30d") or 30 * DAY
    faults = [fault for call in (_PAGE, _TICKET) for fault in _call_faults(call, burn, rules, days)]
    if faults and rules.unread:
        raise Undecided(rules.unread[0])
    return faults


def _call_faults(call: _Call, burn: Burn, rules: Rules, window: float) -> list[str]:
    """None if one alert is in order, whatever the others are."""
    nearest: list[str] = []
    unread: list[str] = []
    for alert in rules.alerts_on_slos:
        if alert.labels.get("severity") not in call.severities:
            continue
        try:
            ways = burn.ways(alert)
        except InvalidQuery:
            nearest.append(f"{alert.title} is no PromQL")
            continue
        except Undecided as reason:
            unread.append(f"of {alert.title}, {reason}")
            continue
        fault = _alert_fault(call, ways, alert, burn.budget, window)
        if fault is None:
            return []
        if any(ways):
            nearest.append(f"{alert.title} {fault}")
    if unread:
        raise Undecided(unread[0])
    nearest += [f"nothing records {missing}, which an alert reads" for missing in sorted(burn.missing)]
    because = f" ({'; '.join(dict.fromkeys(nearest))})" if nearest else ""
    return [f"nobody is called when the budget of SLO {burn.name} burns {call.title} in two windows at once{because}"]


def _alert_fault(call: _Call, ways: list[Way], alert: Entry, budget: float, window: float) -> str | None:
    faults = [fault for way in ways if (fault := _pair_fault(call, way, alert, budget, window))]
    if faults:
        return faults[0]
    fit = [way for way in ways if call.reacts(max(each.window for each in way))]
    if not any(_factor(way, budget) <= call.slowest + _TOLERANCE for way in fit):
        return "has no pair of windows of the length, or with the burn rate, that this takes"
    return None


def _factor(way: Way, budget: float) -> float:
    """How many times too fast the budget must burn in the long window."""
    longest = max(each.window for each in way)
    return max(each.share for each in way if each.window == longest) / budget


def _pair_fault(call: _Call, way: Way, alert: Entry, budget: float, window: float) -> str | None:
    lengths = sorted({each.window for each in way})
    if len(lengths) < 2:
        return "can fire by one window alone"
    if 2 * lengths[0] > lengths[-1]:
        return "compares two windows of about the same length"
    if any(each.share < budget * (1 - _TOLERANCE) for each in way):
        return "fires though the budget lasts: a burn rate is below 1"
    if any(each.share >= 1 for each in way):
        return "can never fire: not even a total outage burns so fast"
    if _factor(way, budget) * lengths[-1] / window > call.spent + _TOLERANCE:
        return f"fires when more than {call.spent:.0%} of the budget is gone"
    delay = seconds(alert.node.at("for").text() or "0s")
    if delay is None or delay > lengths[0]:
        return "waits (for) longer than its short window, so that it may never fire"
    return None


RULE = Rule(
    id="burn-alert-multiwindow",
    theme=Theme.SLO,
    title="Every SLO pages when its budget burns fast, and writes a ticket when it burns slowly, each by two windows",
    why=(
        "With one window an alert comes late, or goes on long after the trouble. One whose factor or recording is "
        "wrong never comes, and looks just like one that has nothing to say."
    ),
    applies_to="PrometheusRules that record SLOs",
    severity=Severity.HIGH,
    controls=("SOC 2 CC7.2", "SOC 2 CC7.3", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4", "NIST 800-53 r5 IR-5"),
    remediation=(
        "Alert when two windows, one at most half as long as the other, burn more than a number of times too fast: "
        "14.4 in 1h and 5m for a page, 3 in 1d and 2h for a ticket."
    ),
    judge=_judge,
)
