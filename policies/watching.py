"""Who evaluates which rules: Prometheus servers with what they look at, recordings, and alerts wherever they stand."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import yaml

from policies.label_selectors import matches
from policies.promql import InvalidQuery, metric, parse, selectors
from policies.series import ANY, Labels, labels, union
from policies.stack import Resource, Stack
from policies.values import Marker, Node, Plain, Undecided

PROMETHEUS = "monitoring.coreos.com/Prometheus"
PROMETHEUS_RULE = "monitoring.coreos.com/PrometheusRule"
CONFIG_MAP = "core/ConfigMap"


@dataclass(frozen=True)
class Entry:
    """One rule of a group: an alert, or a recording."""

    holder: Resource
    """What it stands in: a PrometheusRule, or a ConfigMap with a file of rules, such as Loki's."""
    node: Node
    alert: str
    """Name of the alert; empty for a recording."""
    record: str
    """Name of what is recorded; empty for an alert."""
    labels: Mapping[str, str | None]
    """The labels that the rule itself gives; None: a value that a template makes, or that cannot be read."""

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"alert {self.alert}" if self.alert else f"recording {self.record}"

    @property
    def expression(self) -> str:
        """Its expression; empty if it has none. Raises Undecided."""
        return self.node.at("expr").text()


class Rules:
    """Rules that are evaluated together, and the labels of what they record."""

    def __init__(self, entries: Iterable[Entry], unread: Iterable[str] = ()) -> None:
        self.entries = tuple(entries)
        self.unread = tuple(unread)
        """What could not be read, and might be rules."""
        self._of_series: dict[tuple[str, frozenset[tuple[str, str]]], Labels | None] = {}
        self._open: set[tuple[str, frozenset[tuple[str, str]]]] = set()
        self._of_entries: dict[int, Labels] = {}

    @cached_property
    def alerts(self) -> tuple[Entry, ...]:
        """The alerts."""
        return tuple(entry for entry in self.entries if entry.alert)

    @cached_property
    def alerts_on_slos(self) -> tuple[Entry, ...]:
        """Those that may be about an SLO: they read recordings, carry its label, or cannot be read."""
        return tuple(each for each in self.alerts if "slo" in each.labels or self._reads_recordings(each))

    def _reads_recordings(self, entry: Entry) -> bool:
        try:
            names = [metric(selector) for selector in selectors(parse(entry.expression))]
        except (InvalidQuery, Undecided):
            return True
        return any(":" in name or name in self._recordings for name in names)

    @cached_property
    def _recordings(self) -> Mapping[str, Mapping[str, list[Entry]]]:
        found: defaultdict[str, defaultdict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        for entry in self.entries:
            if entry.record:
                found[entry.record][entry.labels.get("slo") or ""].append(entry)
        return found

    def recordings(self, name: str, slo: str = "") -> list[Entry]:
        """What records series of this name; with `slo`, what does so for that one (label `slo`) or for all."""
        by_slo = self._recordings.get(name, {})
        if slo:
            return [*by_slo.get(slo, ()), *by_slo.get("", ())]
        return [entry for entries in by_slo.values() for entry in entries]

    def labels_of(self, name: str, wanted: Mapping[str, str]) -> Labels | None:
        """Labels of series of this name (see series.Recorded); those of alerts that fire are `ALERTS`."""
        alerting = name == "ALERTS"
        key = (name, frozenset(wanted.items()) if alerting else frozenset[tuple[str, str]]())
        if key in self._open:
            # A recording that reads its own past.
            return ANY
        if key not in self._of_series:
            self._open.add(key)
            try:
                found = self._firing(wanted) if alerting else union(map(self.labels, self.recordings(name)))
            finally:
                self._open.remove(key)
            self._of_series[key] = found
        return self._of_series[key]

    def _firing(self, wanted: Mapping[str, str]) -> Labels:
        """Of alerts that may have these labels."""
        found: list[Labels] = []
        for each in self.alerts:
            given: dict[str, str | None] = {**each.labels, "alertname": each.alert, "alertstate": None}
            if all(given.get(label) in (value, None) for label, value in wanted.items()):
                found.append(self.labels(each).also(given))
        return union(found) or ANY

    def labels(self, entry: Entry) -> Labels:
        """Labels of the series that a rule makes."""
        return self.labels_of_expression(entry).also(entry.labels)

    def labels_of_expression(self, entry: Entry) -> Labels:
        """Labels of what its expression yields, which is all that its templates see; ANY where that cannot be told."""
        if id(entry) not in self._of_entries:
            self._of_entries[id(entry)] = self._yielded(entry)
        return self._of_entries[id(entry)]

    def _yielded(self, entry: Entry) -> Labels:
        try:
            return labels(parse(entry.expression), self) or ANY
        except (InvalidQuery, Undecided):
            return ANY


@dataclass(frozen=True)
class Watch:
    """One Prometheus, and the rules that it evaluates."""

    server: Resource
    holders: frozenset[str]
    """URNs of the PrometheusRules that it looks at."""
    rules: Rules


@dataclass(frozen=True)
class Held:
    """The rules in one object."""

    holder: Resource
    entries: tuple[Entry, ...]
    unread: tuple[str, ...]
    """What could not be read of it."""


def held(stack: Stack) -> Mapping[str, Held]:
    """URN -> what is in it, of every PrometheusRule and every ConfigMap; ask through `stack.once`."""
    of_rules = [(holder, [holder.root.at("spec", "groups")]) for holder in stack.of(PROMETHEUS_RULE)]
    of_files = [(holder, _files(holder)) for holder in stack.of(CONFIG_MAP)]
    found: dict[str, Held] = {}
    for holder, groups in (*of_rules, *of_files):
        unread: list[str] = []
        entries = [entry for each in groups for entry in _entries(holder, each, unread)]
        found[holder.urn] = Held(holder, tuple(entries), tuple(f"of {holder.subject}, {each}" for each in unread))
    return found


def everything(stack: Stack) -> Rules:
    """All rules of a stack, whoever evaluates them; ask through `stack.once`."""
    every = stack.once(held).values()
    return Rules((entry for each in every for entry in each.entries), (text for each in every for text in each.unread))


def watches(stack: Stack) -> tuple[Watch, ...]:
    """All Prometheus servers of a stack; ask through `stack.once`."""
    every = [each for each in stack.once(held).values() if each.holder.kind == PROMETHEUS_RULE]
    return tuple(_watch(server, every) for server in stack.of(PROMETHEUS))


def _watch(server: Resource, every: Iterable[Held]) -> Watch:
    seen: list[Held] = []
    unread: list[str] = []
    for each in every:
        try:
            if looks_at(server, "rule", each.holder):
                seen.append(each)
        except Undecided as reason:
            unread.append(f"whether {server.subject} looks at {each.holder.subject}: {reason}")
    unread += [text for each in seen for text in each.unread]
    holders = frozenset(each.holder.urn for each in seen)
    return Watch(server, holders, Rules((entry for each in seen for entry in each.entries), unread))


def looks_at(server: Resource, kind: str, picked: Resource) -> bool:
    """Whether the operator hands an object over to this Prometheus.

    `kind`: `rule`, `podMonitor`, `serviceMonitor` or `probe`. Raises Undecided.
    """
    spec = server.root.at("spec")
    pairs = Node(server.namespace, "metadata.namespace"), Node(picked.namespace, "metadata.namespace")
    namespaces = spec.at(f"{kind}NamespaceSelector")
    if namespaces.known() is None:
        # One that certainly differs decides, whatever cannot be read of the other.
        same = None if any(isinstance(each.value, Marker) for each in pairs) else pairs[0].value == pairs[1].value
    else:
        same = _everywhere(namespaces)
    # Without a selector the operator hands nothing over; an empty one takes all of the namespace.
    if same is False or not matches(spec.at(f"{kind}Selector"), picked.root.at("metadata", "labels")):
        return False
    return same is True or all(each.known() for each in pairs)


def _everywhere(namespaces: Node) -> bool:
    if namespaces.keys():
        raise Undecided(f"{namespaces.path} is more than this rule understands")
    return True


def _entries(holder: Resource, groups: Node, unread: list[str]) -> list[Entry]:
    return [
        entry
        for group in _elements(groups, unread)
        for rule in _elements(group.at("rules"), unread)
        for entry in _entry(holder, rule, unread)
    ]


def _entry(holder: Resource, rule: Node, unread: list[str]) -> list[Entry]:
    try:
        alert, record = rule.at("alert").text(), rule.at("record").text()
    except Undecided as reason:
        unread.append(str(reason))
        return []
    values: dict[str, str | None] = {}
    for label, given in _members(rule.at("labels"), unread if record else []):
        try:
            values[label] = None if "{{" in given.text() else given.text()
        except Undecided as reason:
            # Of an alert it may be any; a recording is found by its labels.
            values[label] = None
            unread += [str(reason)] if record else []
    return [Entry(holder, rule, alert, record, values)]


def _members(parent: Node, unread: list[str]) -> list[tuple[str, Node]]:
    try:
        return [(key, parent.at(key)) for key in parent.keys()]  # noqa: SIM118 (a Node, whose keys are read)
    except Undecided as reason:
        unread.append(str(reason))
        return []


def _elements(parent: Node, unread: list[str]) -> list[Node]:
    try:
        return parent.items()
    except Undecided as reason:
        unread.append(str(reason))
        return []


def _files(holder: Resource) -> list[Node]:
    """Groups of each file of rules in a ConfigMap."""
    found: list[Node] = []
    data = holder.root.at("data")
    for key in data.keys() if isinstance(data.value, dict) else ():
        text = data.at(key).value
        if not isinstance(text, str) or not text.lstrip().startswith("groups:"):
            continue
        try:
            document: Plain = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        except yaml.YAMLError:
            continue
        found.append(Node(document, f"data[{key}]").at("groups"))
    return found
