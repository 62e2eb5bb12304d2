"""Rule retention-covers-slo: Prometheus keeps its samples for as long as something looks back."""

import pytest

from policies.model import Outcome
from policies.rules.observability.retention_covers_slo import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource

LABELS = {"app.kubernetes.io/managed-by": "mainstay"}
SERVER = resource("Prometheus", props={"spec": {"ruleSelector": {"matchLabels": LABELS}, "retention": "30d"}})
SLO: Props = {
    "record": "slo:error_budget:ratio",
    "expr": "vector(0.01)",
    "labels": {"slo": "api-availability", "window": "30d"},
}


def rules(*entries: Props) -> Resource:
    metadata: Props = {"name": "main", "namespace": "shop", "labels": LABELS}
    return resource("PrometheusRule", props={"metadata": metadata, "spec": {"groups": [{"rules": list(entries)}]}})


def verdict(retention: object, *entries: Props, more: tuple[Resource, ...] = ()) -> tuple[Outcome, str]:
    server = changed(SERVER, "spec.retention", retention)
    finding = judged(RULE, server, rules(*(entries or (SLO,))), *more)["Prometheus/main"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("retention", ["30d", "720h", "35d", "1y", "4w2d"])
def test_as_long_as_the_window_is_long_enough(retention: str) -> None:
    assert verdict(retention) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("retention", "said"),
    [
        ("29d", "29d"),
        ("719h", "719h"),
        ("4w", "4w"),
        ("15d", "15d"),
        (GONE, "24h"),
        (None, "24h"),
        ("", "24h"),
        ("0s", "0s"),
    ],
)
def test_less_fails_and_says_what_looks_back(retention: object, said: str) -> None:
    assert verdict(retention) == (
        Outcome.FAIL,
        f"spec.retention is {said}, and SLO api-availability looks 30 days back",
    )


def test_a_retention_that_is_none_fails() -> None:
    assert verdict("long") == (Outcome.FAIL, "spec.retention is no duration such as 35d")


@pytest.mark.parametrize(
    ("expr", "days"),
    [
        ("increase(a[40d])", 40),
        ("a offset 40d", 40),
        ("rate(a[10d] offset 30d)", 40),
        ("a offset -40d", 0),
        ("max_over_time(rate(a[10d])[30d:1h])", 40),
        ("max_over_time(a[10d:1h] offset 30d)", 40),
        ("sum by (x) (a / on (y) increase(b[40d])) > 5", 40),
        ("avg(increase(a[20d])) + avg(increase(b[20d]))", 20),
        ("topk(3, increase(a[40d]))", 40),
        ("a(", 0),
    ],
)
def test_what_a_rule_reads_counts_too(expr: str, days: int) -> None:
    for entry in ({"record": "a:b", "expr": expr}, {"alert": "A", "expr": expr}):
        assert verdict(f"{days or 1}d", entry)[0] is Outcome.PASS
        if days:
            outcome, reasons = verdict(f"{days - 1}d", entry)
            assert outcome is Outcome.FAIL
            assert reasons.endswith(f"looks {days} days back")


@pytest.mark.parametrize(
    ("kind", "window", "fails"), [("HttpService", 31, True), ("Worker", 31, True), ("Worker", 30, False)]
)
def test_what_a_service_promises_counts_where_it_is_recorded(kind: str, window: int, fails: bool) -> None:
    promised = resource(kind, props={"slos": [{"name": "api-availability", "window_days": window}]})
    assert verdict("30d", more=(promised,))[0] is (Outcome.FAIL if fails else Outcome.PASS)
    other = resource(kind, props={"slos": [{"name": "other", "window_days": window}]})
    assert verdict("30d", more=(other,))[0] is Outcome.PASS


def test_a_window_of_an_slo_counts_whatever_its_rules_read() -> None:
    assert verdict("30d", {**SLO, "labels": {"slo": "x", "window": "31d"}})[0] is Outcome.FAIL
    for labels in ({"slo": "x", "window": "rolling"}, {"slo": "x"}):
        assert verdict("0s", {**SLO, "labels": labels})[0] is Outcome.PASS
    endless = resource("Worker", props={"slos": [{"name": "x"}]})
    assert verdict("0s", {**SLO, "labels": {"slo": "x"}}, more=(endless,))[0] is Outcome.PASS


def test_where_nothing_looks_back_nothing_need_be_kept() -> None:
    assert judged(RULE, changed(SERVER, "spec.retention", "0s"))["Prometheus/main"].outcome is Outcome.PASS
    assert verdict("0s", {"record": "a:b", "expr": "a("})[0] is Outcome.PASS


def test_each_prometheus_is_judged_by_the_rules_it_looks_at() -> None:
    short = resource("Prometheus", "short", {"spec": {"retention": "1d", "ruleSelector": {"matchLabels": {"x": "y"}}}})
    found = judged(RULE, SERVER, short, rules(SLO))
    assert {each.outcome for each in found.values()} == {Outcome.PASS}


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
def test_what_cannot_be_read_is_inconclusive(marker: object) -> None:
    assert verdict(marker)[0] is Outcome.INCONCLUSIVE
    assert verdict("35d", {**SLO, "expr": marker})[0] is Outcome.INCONCLUSIVE
    assert verdict("15d", {**SLO, "expr": marker})[0] is Outcome.FAIL
    hidden = changed(rules(), "spec.groups", marker)
    assert verdict("35d", more=(changed(hidden, "metadata.name", "x"),))[0] is Outcome.INCONCLUSIVE


def test_what_it_does_not_look_at_does_not_count() -> None:
    unseen = changed(rules(SLO), "metadata.labels", {})
    finding = judged(RULE, changed(SERVER, "spec.retention", "1d"), unseen)["Prometheus/main"]
    assert finding.outcome is Outcome.PASS
    assert judged(RULE, unseen) == {}
