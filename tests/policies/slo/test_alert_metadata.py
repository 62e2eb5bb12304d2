"""Rule alert-metadata: what an alert must say, and what only looks as if it said it."""

from typing import Any

import pytest
import yaml

from policies.model import Outcome
from policies.rules.slo.alert_metadata import RULE
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource

ALERT: Props = {
    "alert": "QueueDeep",
    "expr": "max by (queue) (queue_depth) > 100",
    "labels": {"severity": "P2", "owner": "platform", "service": "{{ $labels.queue }}"},
    "annotations": {
        "summary": "{{ $labels.queue }} is long.",
        "description": "{{ $value }} jobs wait.",
        "runbook_url": "https://git.example/runbooks/QueueDeep.md",
    },
}
RECORDINGS: list[Props] = [
    {"record": "depth", "expr": "queue_depth", "labels": {"team": "shop"}},
    {"record": "depths", "expr": "sum by (queue) (depth)"},
]
RULES = resource("PrometheusRule", props={"spec": {"groups": [{"rules": [*RECORDINGS, ALERT]}]}})
AT = "spec.groups.0.rules.2"
ESCALATED: Props = {
    **ALERT,
    "expr": 'max without (alertstate) (ALERTS{alertname="QueueDeep",escalation=""})',
    "labels": {"severity": "P1", "escalation": "manager"},
    "annotations": {**ALERT["annotations"], "summary": "{{ $labels.service }} of {{ $labels.owner }}"},
}


def verdict(*changes: tuple[str, object]) -> tuple[Outcome, str]:
    """Outcome and reasons for the alert with changes to it."""
    rules = RULES
    for path, value in changes:
        rules = changed(rules, f"{AT}.{path}", value)
    finding = judged(RULE, rules)["PrometheusRule/main"]
    return finding.outcome, "; ".join(finding.reasons)


def test_an_alert_that_says_all_passes() -> None:
    assert verdict() == (Outcome.PASS, "")


BLANKS: list[object] = [
    GONE,
    None,
    "",
    " ",
    "\n\t",
    5,
    [],
    {},
    "{{ $labels.job }}",
    '{{ "" }}',
    "{{ if $value }}x{{ end }}",
]


@pytest.mark.parametrize("value", BLANKS)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("labels", "severity"),
        ("labels", "owner"),
        ("labels", "service"),
        ("annotations", "summary"),
        ("annotations", "description"),
        ("annotations", "runbook_url"),
    ],
)
def test_what_is_missing_or_comes_to_nothing_is_named(kind: str, name: str, value: object) -> None:
    outcome, reasons = verdict((f"{kind}.{name}", value))
    assert outcome is Outcome.FAIL
    assert reasons.startswith("alert QueueDeep")
    assert name in reasons
    assert len(reasons.split("; ")) == 1


@pytest.mark.parametrize("severity", ["P4", "p1", "critical", "P1,P2", "{{ $labels.queue }}"])
def test_a_severity_that_nobody_knows_fails(severity: str) -> None:
    assert verdict(("labels.severity", severity)) == (
        Outcome.FAIL,
        "alert QueueDeep has no severity (label severity: P0, P1, P2, P3)",
    )


@pytest.mark.parametrize("severity", ["P0", "P1", "P2", "P3"])
def test_each_severity_will_do(severity: str) -> None:
    assert verdict(("labels.severity", severity))[0] is Outcome.PASS


ADDRESSES: list[tuple[str, bool]] = [
    ("https://git.example/a", True),
    ("https://git.example:8443/a", True),
    ("https://git.example", True),
    ("https://git.example?x=1", True),
    ("https://git/runbooks#x", True),
    ("https://git.example/{{ $labels.queue }}.md", True),
    ("https://git.example/?q={{ $labels.queue | title }}", True),
    ("http://git.example/a", False),
    ("//git.example/a", False),
    ("/runbooks/QueueDeep.md", False),
    ("runbooks/QueueDeep.md", False),
    ("https:///a", False),
    ("https://", False),
    ("https://git example/a", False),
    ("https://git.example/a b", False),
    ("https://{{ $labels.queue }}/a", False),
    ("https://git.{{ $labels.queue }}/a", False),
    ("{{ $labels.queue }}", False),
    ("see https://git.example/a", False),
    ("https://git.example/{{ $labels.job }}", False),
    ("https://git.example/{{ $labels.queue", False),
]


@pytest.mark.parametrize(("address", "good"), ADDRESSES)
@pytest.mark.parametrize("name", ["runbook_url", "dashboard_url"])
def test_a_link_leads_somewhere(name: str, address: str, good: bool) -> None:
    outcome, reasons = verdict((f"annotations.{name}", address))
    assert outcome is (Outcome.PASS if good else Outcome.FAIL)
    assert good or name in reasons


@pytest.mark.parametrize(
    ("expr", "label", "there"),
    [
        ("queue_depth > 100", "queue", True),
        ("sum(queue_depth) > 100", "queue", False),
        ("sum without (queue) (queue_depth)", "queue", False),
        ("sum by (queue, job) (queue_depth)", "job", True),
        ("max by (queue) (queue_depth) and on (job) up == 0", "job", False),
        ("sum by (queue) (a) * on (queue) group_left (zone) b", "zone", True),
        ("sum by (queue) (a) * on (queue) group_left () b", "zone", False),
        ("depths > 1", "queue", True),
        ("depth > 1", "team", True),
        ("depths > 1", "team", False),
        ("depths > 1", "zone", False),
        ('label_replace(sum by (queue) (a), "zone", "x", "queue", ".+")', "zone", True),
        ("count_values by (queue) ('zone', a)", "zone", True),
        ('absent(up{zone="a", queue="b"})', "zone", True),
        ("histogram_quantile(0.9, sum by (queue, le) (rate(a[5m]))) > 1", "le", False),
    ],
)
def test_a_template_reads_what_the_expression_keeps(expr: str, label: str, there: bool) -> None:
    changes = [("expr", expr), ("annotations.description", f"In {{{{ $labels.{label} }}}}.")]
    changes += [("labels.service", "queue"), ("annotations.summary", "It is long.")]
    outcome, reasons = verdict(*changes)
    text = f"alert QueueDeep: its description reads the label {label}, which its expression cannot have"
    assert (outcome, reasons) == ((Outcome.PASS, "") if there else (Outcome.FAIL, text))


def escalated(**changes: Any) -> tuple[Outcome, str]:
    rules = changed(RULES, "spec.groups.0.rules", [*RECORDINGS, ALERT, {**ESCALATED, **changes}])
    finding = judged(RULE, rules)["PrometheusRule/main"]
    return finding.outcome, "; ".join(finding.reasons)


def test_an_alert_on_an_alert_has_its_labels() -> None:
    assert escalated() == (Outcome.PASS, "")
    outcome, reasons = escalated(expr='max by (owner) (ALERTS{alertname="QueueDeep",escalation=""})')
    assert outcome is Outcome.FAIL
    assert "alert QueueDeep has no service" in reasons
    outcome, reasons = escalated(expr='ALERTS{alertname="Other"}')
    assert (outcome, reasons) == (Outcome.FAIL, "alert QueueDeep has no owner; alert QueueDeep has no service")


def test_every_alert_is_asked() -> None:
    rules = changed(RULES, "spec.groups.0.rules", [ALERT, {"alert": "Other", "expr": "x"}])
    assert [reason.split(" has ")[0] for reason in judged(RULE, rules)["PrometheusRule/main"].reasons] == [
        "alert Other"
    ] * 6


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path",
    [
        AT,
        f"{AT}.labels",
        f"{AT}.labels.severity",
        f"{AT}.annotations",
        f"{AT}.annotations.summary",
        "spec",
        "spec.groups",
    ],
)
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert judged(RULE, changed(RULES, path, marker))["PrometheusRule/main"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("path", ["expr", "for", "annotations.more", "labels.team"])
def test_what_it_does_not_need_may_be_unknown(path: str) -> None:
    assert verdict((path, UNKNOWN))[0] is Outcome.PASS


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    outcome, reasons = verdict(("labels.owner", UNKNOWN), ("annotations.summary", ""))
    assert (outcome, reasons) == (Outcome.FAIL, "alert QueueDeep has no summary")


def test_files_of_alerts_are_asked_too() -> None:
    logql: Props = {**ALERT, "expr": 'sum by (queue) (count_over_time({a="b"} |= "x" [5m])) > 1'}
    text = yaml.safe_dump({"groups": [{"name": "logs", "rules": [logql]}]})
    found = judged(RULE, resource("ConfigMap", "loki", {"data": {"rules.yaml": text, "other": "x: ["}}))
    assert found["ConfigMap/loki"].outcome is Outcome.PASS
    text = yaml.safe_dump({"groups": [{"name": "logs", "rules": [{**logql, "labels": {}}]}]})
    found = judged(RULE, resource("ConfigMap", "loki", {"data": {"rules.yaml": text}}))
    assert found["ConfigMap/loki"].outcome is Outcome.FAIL


def test_what_has_no_alert_is_asked_nothing() -> None:
    rules = changed(RULES, "spec.groups.0.rules", RECORDINGS)
    assert judged(RULE, rules)["PrometheusRule/main"].outcome is Outcome.NOT_APPLICABLE
    others = [resource("ConfigMap", "x", {"data": {"a": "groups: 5", "b": "groups: ["}}), resource("ConfigMap", "y")]
    assert judged(RULE, *others, resource("Deployment")) == {}
