"""Who evaluates which rules, and the labels of what they make."""

import pytest
import yaml

from policies.series import ANY, Labels
from policies.stack import Resource, Stack
from policies.values import SECRET, UNKNOWN, Undecided
from policies.watching import Rules, everything, held, looks_at, watches
from tests.policies.builders import GONE, Props, changed, resource

PICKED = {"team": "shop"}
SERVER = resource("Prometheus", props={"spec": {"ruleSelector": {"matchLabels": PICKED}}})


def rules(*entries: Props, name: str = "main") -> Resource:
    metadata: Props = {"name": name, "namespace": "shop", "labels": PICKED}
    return resource("PrometheusRule", name, {"metadata": metadata, "spec": {"groups": [{"rules": list(entries)}]}})


def read(*entries: Props) -> Rules:
    return everything(Stack([rules(*entries)]))


def test_alerts_and_recordings_are_told_apart() -> None:
    found = read({"alert": "A", "expr": "up"}, {"record": "b", "expr": "up"}, {"expr": "up"})
    assert [each.title for each in found.entries[:2]] == ["alert A", "recording b"]
    assert [each.alert for each in found.alerts] == ["A"]
    assert [each.expression for each in found.recordings("b")] == ["up"]
    assert found.recordings("") == []


def test_alerts_that_may_be_about_an_slo() -> None:
    found = read(
        {"alert": "Labelled", "expr": "up", "labels": {"slo": "x"}},
        {"alert": "Recorded", "expr": "made > 1"},
        {"alert": "Colon", "expr": "slo:burn > 1"},
        {"alert": "Broken", "expr": "up >"},
        {"alert": "Hidden", "expr": UNKNOWN},
        {"alert": "Other", "expr": "up == 0", "labels": {"severity": "x"}},
        {"record": "made", "expr": "up"},
    )
    assert [each.alert for each in found.alerts_on_slos] == ["Labelled", "Recorded", "Colon", "Broken", "Hidden"]


def test_recordings_are_found_by_their_slo_or_for_all() -> None:
    found = read(
        {"record": "a", "expr": "own", "labels": {"slo": "x"}},
        {"record": "a", "expr": "all"},
        {"record": "a", "expr": "other", "labels": {"slo": "y"}},
    )
    assert [each.expression for each in found.recordings("a", "x")] == ["own", "all"]
    assert [each.expression for each in found.recordings("a", "z")] == ["all"]
    assert [each.expression for each in found.recordings("a")] == ["own", "all", "other"]
    assert found.recordings("b", "x") == found.recordings("b") == []


def test_labels_of_what_rules_make() -> None:
    found = read(
        {"record": "a", "expr": "sum(up)", "labels": {"job": "x"}},
        {"record": "again", "expr": "sum by (job) (again)"},
        {"record": "never", "expr": 'a{job="y"}'},
        {"record": "broken", "expr": "up >"},
        {"record": "sealed", "expr": SECRET},
    )
    assert found.labels_of("a", {}) == found.labels_of("a", {"job": "y"}) == Labels({"job": "x"})
    assert found.labels_of("again", {}) == Labels({}, frozenset({"job"}))
    assert found.labels_of("none", {}) is None
    for name in ("never", "broken", "sealed"):
        assert found.labels_of(name, {}) == ANY, name


def test_alerts_that_fire_are_series_too() -> None:
    found = read(
        {"alert": "A", "expr": "sum(up)", "labels": {"severity": "P0"}},
        {"alert": "B", "expr": "sum(up)", "labels": {"severity": "{{ $labels.x }}"}},
    )
    one = Labels({"severity": "P0", "alertname": "A", "alertstate": None})
    other = Labels({"severity": None, "alertname": "B", "alertstate": None})
    assert found.labels_of("ALERTS", {"alertname": "A"}) == one
    assert found.labels_of("ALERTS", {"alertname": "B"}) == other
    assert found.labels_of("ALERTS", {"severity": "P1"}) == other
    assert found.labels_of("ALERTS", {}) == found.labels_of("ALERTS", {"alertstate": "firing"}) == one.or_else(other)
    assert found.labels_of("ALERTS", {"alertname": "C"}) == ANY


FILE = yaml.safe_dump({"groups": [{"rules": [{"alert": "A", "expr": "up"}]}]})


def test_rules_stand_in_objects_and_in_files_which_no_prometheus_reads() -> None:
    data: Props = {"a.yaml": FILE, "b.yaml": f"\n{FILE}", "c": "groups: [", "d": "x: 1", "e": SECRET, "f": 5}
    file = changed(resource("ConfigMap", "file", {"data": data}), "metadata.labels", PICKED)
    stack = Stack(
        [SERVER, rules({"alert": "B", "expr": "up"}), file, resource("ConfigMap", "sealed", {"data": UNKNOWN})]
    )
    assert [[each.alert for each in one.entries] for one in held(stack).values()] == [["B"], ["A", "A"], []]
    assert [each.alert for each in everything(stack).alerts] == ["B", "A", "A"]
    (watch,) = watches(stack)
    assert [each.alert for each in watch.rules.alerts] == ["B"]
    assert watch.holders == {rules().urn}


@pytest.mark.parametrize(
    ("entry", "unread"),
    [
        ({"alert": "A", "labels": UNKNOWN}, []),
        ({"alert": "A", "labels": {"x": UNKNOWN}}, []),
        ({"record": "a", "labels": UNKNOWN}, ["spec.groups[0].rules[0].labels is not known before the deployment"]),
        ({"record": "a", "labels": {"x": SECRET}}, ["spec.groups[0].rules[0].labels.x is a secret"]),
        ({"alert": SECRET}, ["spec.groups[0].rules[0].alert is a secret"]),
    ],
)
def test_what_cannot_be_read_and_might_be_a_rule_is_told(entry: Props, unread: list[str]) -> None:
    own = rules(entry)
    (watch,) = watches(Stack([SERVER, own]))
    assert watch.rules.unread == tuple(f"of PrometheusRule shop/main, {each}" for each in unread)
    (elsewhere,) = watches(Stack([changed(SERVER, "spec.ruleSelector", {"matchLabels": {"team": "x"}}), own]))
    assert elsewhere.rules.unread == elsewhere.rules.entries == ()
    (undecided,) = watches(Stack([changed(SERVER, "spec.ruleSelector", UNKNOWN), own]))
    assert undecided.rules.unread == (
        "whether Prometheus shop/main looks at PrometheusRule shop/main: "
        "spec.ruleSelector is not known before the deployment",
    )


@pytest.mark.parametrize(
    ("server", "picked", "looks"),
    [
        ({}, {}, True),
        ({"spec.ruleSelector": {}}, {"metadata.labels": {}}, True),
        ({"spec.ruleSelector": GONE}, {}, False),
        ({}, {"metadata.labels": {"team": "x"}}, False),
        ({}, {"metadata.namespace": "other"}, False),
        ({"spec.ruleNamespaceSelector": {}}, {"metadata.namespace": "other"}, True),
        ({"spec.ruleNamespaceSelector": {}}, {"metadata.namespace": UNKNOWN}, True),
        ({}, {"metadata.namespace": UNKNOWN, "metadata.labels": {}}, False),
    ],
)
def test_what_a_prometheus_looks_at(server: Props, picked: Props, looks: bool) -> None:
    assert looks_at(_with(SERVER, server), "rule", _with(rules(), picked)) is looks


@pytest.mark.parametrize(
    ("server", "picked", "reason"),
    [
        ({}, {"metadata.namespace": UNKNOWN}, "metadata.namespace is not known"),
        ({"metadata.namespace": UNKNOWN}, {}, "metadata.namespace is not known"),
        ({"spec.ruleNamespaceSelector": {"matchLabels": {}}}, {}, "spec.ruleNamespaceSelector is more than"),
        ({"spec.ruleNamespaceSelector": UNKNOWN}, {}, "spec.ruleNamespaceSelector is not known"),
    ],
)
def test_what_it_looks_at_may_be_open(server: Props, picked: Props, reason: str) -> None:
    with pytest.raises(Undecided, match=reason):
        looks_at(_with(SERVER, server), "rule", _with(rules(), picked))


def _with(original: Resource, changes: Props) -> Resource:
    for path, value in changes.items():
        original = changed(original, path, value)
    return original
