"""Whoever is called by an alert knows how soon to act, who answers for it, what is wrong, and what to do."""

import re
from functools import partial

from policies.go_templates import InvalidTemplate, labels_read, says_something
from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.series import Labels
from policies.stack import Resource, Stack
from policies.values import Node, Undecided
from policies.watching import PROMETHEUS_RULE, Entry, everything, held

SEVERITIES = ("P0", "P1", "P2", "P3")
_LABELS = ("owner", "service")
_TEXTS = ("summary", "description")
_LINK = "runbook_url"
# Whatever a template makes of the rest, it must not choose the host.
_ABSOLUTE = re.compile(r"https://[\w.-]*\w(:\d+)?(/|\?|#|$)")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    found = stack.once(held).get(resource.urn)
    if found is None:
        return None
    alerts = [entry for entry in found.entries if entry.alert]
    if not alerts and not found.unread:
        return Verdict(not_applicable="it has no alert") if resource.kind == PROMETHEUS_RULE else None
    return verdict([*(check for alert in alerts for check in _checks(alert, stack)), partial(_read, found.unread)])


def _read(unread: tuple[str, ...]) -> list[str]:
    if unread:
        raise Undecided(unread[0])
    return []


def _checks(alert: Entry, stack: Stack) -> list[Check]:
    rules = stack.once(everything)
    series = rules.labels_of_expression(alert)
    node = alert.node
    return [
        partial(_severity_faults, alert, node.at("labels", "severity")),
        *(partial(_label_faults, alert, name, series) for name in _LABELS),
        *(partial(_text_faults, alert, node.at("annotations", name), series) for name in _TEXTS),
        partial(_link_faults, alert, node.at("annotations", _LINK), series),
        partial(_other_faults, alert, series),
    ]


def _severity_faults(alert: Entry, severity: Node) -> list[str]:
    if severity.text() in SEVERITIES:
        return []
    return [f"{alert.title} has no severity (label severity: {', '.join(SEVERITIES)})"]


def _label_faults(alert: Entry, name: str, series: Labels) -> list[str]:
    given = alert.node.at("labels", name)
    if given.known() is None and name in series.values:
        # What its series carry goes on with it.
        return []
    return _text_faults(alert, given, series)


def _text_faults(alert: Entry, given: Node, series: Labels) -> list[str]:
    name = given.path.rpartition(".")[2]
    text = given.text()
    if not text:
        return [f"{alert.title} has no {name}"]
    try:
        says = says_something(text, series.may_have)
    except InvalidTemplate as invalid:
        return [f"{alert.title}: its {name} is no template: {invalid}"]
    return _strange_labels(alert, name, text, series) if says else [f"{alert.title}: nothing comes of its {name}"]


def _strange_labels(alert: Entry, name: str, text: str, series: Labels) -> list[str]:
    return [
        f"{alert.title}: its {name} reads the label {label}, which its expression cannot have"
        for label in labels_read(text)
        if not series.may_have(label)
    ]


def _link_faults(alert: Entry, given: Node, series: Labels) -> list[str]:
    faults = _text_faults(alert, given, series)
    return faults or _address_faults(alert, given)


def _address_faults(alert: Entry, given: Node) -> list[str]:
    if _ABSOLUTE.match(given.text()) and not re.search(r"\s", re.sub(r"\{\{.*?\}\}", "", given.text())):
        return []
    name = given.path.rpartition(".")[2]
    return [f"{alert.title}: its {name} is no absolute https address"]


def _other_faults(alert: Entry, series: Labels) -> list[str]:
    """Links beside the one that must be there: a link that leads nowhere is worse than none."""
    annotations = alert.node.at("annotations")
    return [
        fault
        for key in annotations.keys()  # noqa: SIM118 (a Node, whose keys are read)
        if key.endswith("_url") and key != _LINK
        for fault in _link_faults(alert, annotations.at(key), series)
    ]


RULE = Rule(
    id="alert-metadata",
    theme=Theme.SLO,
    title="Every alert says how urgent it is, whose it is, what is wrong, and where its runbook is",
    why="A person woken at night by a name alone first has to find out whether to get up, and then what to do.",
    applies_to="PrometheusRules with alerts; ConfigMaps with files of alerts, as Loki reads them",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC2.2", "SOC 2 CC7.3", "SOC 2 CC7.4", "ISO/IEC 27001:2022 5.24", "NIST 800-53 r5 IR-4"),
    remediation=(
        "Give the alert the labels severity (P0 to P3), owner and service, and the annotations summary, description "
        "and runbook_url (https), reading only labels that its expression keeps."
    ),
    judge=_judge,
)
