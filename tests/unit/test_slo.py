"""SLOs as plain data: what is refused and how, what is recorded, OpenSLO there and back."""

import re
from typing import Any

import pytest

from components.observability.alert import Level, Severity
from components.slo import openslo
from components.slo.alerts import ALERTS
from components.slo.episodes import minutes
from components.slo.indicators import Freshness, Latency, Probe, Ratio, RawRatio
from components.slo.objective import Slo, Workload, problems
from components.slo.proof import proofs
from components.slo.rules import RULES_PER_SLO, rules
from components.slo.selector import Matcher, Selector, parse
from components.slo.windows import days, hours
from tests.slo.product_slos import PRODUCT, SLOS

GOOD = SLOS[0]
DEFAULTS = openslo.Defaults("somebody", Severity.P1, 3)


def only_problem(slo: Slo) -> str:
    found = problems([slo])
    assert len(found) == 1
    return found[0]


def test_the_products_slos_are_eleven_and_right() -> None:
    assert len(PRODUCT) == 11
    assert problems(SLOS) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "API"}, "a name is small letters, digits and dashes, 53 at most, such as api-availability"),
        ({"objective": 1.0}, "an objective of 1 leaves no budget: write a share below 1, such as 0.995"),
        ({"objective": 99.5}, "an objective of 99.5 leaves no budget: write a share below 1, such as 0.995"),
        (
            {"objective": 0.9},
            "an objective of 0.9 can never page, as even an outage burns too slowly: promise 0.94 or more",
        ),
        ({"window_days": 7}, "a window of 7 days is not known: choose 28 (whole weeks) or 30"),
        ({"page": Severity.P2}, "P2 calls nobody: `page` is P0 or P1"),
        (
            {"workload": Workload("DaemonSet", "api")},
            "the replicas of a DaemonSet are not known: name a Deployment or a StatefulSet",
        ),
        ({"quiet_rate": None}, "`quiet_rate` is missing: how many events a minute are there in a quiet hour?"),
        ({"quiet_rate": 0.0}, "`quiet_rate` is missing: how many events a minute are there in a quiet hour?"),
        (
            {"indicator": Probe("probe_success")},
            "`quiet_rate` is not for a Probe, which has its own pace: leave it out",
        ),
        ({"owner": " "}, "title, owner and service must say something"),
        (
            {"indicator": Latency('x{job="api"}', 0.3, (0.25, 0.5))},
            '0.3 s is no bucket of x{job="api"} (0.25, 0.5): choose one of them, or add the bucket to the service',
        ),
        ({"indicator": Ratio("a")}, "a ratio takes either `bad` or `good`, one of them"),
        (
            {"indicator": RawRatio("a", "b"), "quiet_rate": None},
            "a raw ratio takes either `bad` or `good`, one of them",
        ),
        (
            {"indicator": Ratio("sum(a)", bad="b")},
            '“sum(a)” is no plain selector such as http_requests_total{job="api"}: name one counter or gauge',
        ),
        (
            {"indicator": Ratio("a{b}", bad="b")},
            '“a{b}”: “b” is no condition on a label such as status=~"5.."',
        ),
    ],
)
def test_a_mistake_is_one_sentence(change: dict[str, Any], sentence: str) -> None:
    assert only_problem(GOOD._replace(**change)) == f"SLO {change.get('name', GOOD.name)}: {sentence}"


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="SLO api-availability: there are two of this name; rename one"):
        rules([GOOD, GOOD], "https://r")


@pytest.mark.parametrize(
    ("objective", "rate", "least"),
    # Poisson tables: P(X >= 5 | 0.3) = 1.6e-5 and P(X >= 4 | 0.3) = 2.7e-4; P(X >= 2 | 0.01) = 5e-5.
    [(0.995, 1, 5), (0.9999, 100 / 60, 2), (0.999999, 0.01, 2), (0.995, 10, 12)],
)
def test_the_fewest_failures_that_count(objective: float, rate: float, least: int) -> None:
    assert GOOD._replace(objective=objective, quiet_rate=rate).minimum == least


def test_four_rules_each_and_a_fixed_number_for_all() -> None:
    few, all_of_them = (
        [each for group in rules(some, "https://r") for each in group["rules"]] for some in (SLOS[:4], SLOS)
    )
    assert RULES_PER_SLO == 4
    assert len(all_of_them) - len(few) == 4 * (len(SLOS) - 4)
    assert len(all_of_them) - 4 * len(SLOS) == 15
    assert rules([], "https://r") == []


def test_the_rules_of_an_slo_do_not_depend_on_the_others() -> None:
    together = {group["name"]: group for group in rules(SLOS, "https://r")}
    for slo in SLOS:
        assert rules([slo], "https://r")[0] == together[f"slo-{slo.name}"]


def test_intervals_keep_every_recording_within_prometheus_memory() -> None:
    seconds = {"60s": 60, "4m": 240}
    for group in rules(SLOS, "https://r"):
        assert seconds[group["interval"]] < 300
        # Sums of the counts rely on one sample a minute.
        assert group["interval"] == "60s" or not any(":increase5m" in each.get("record", "") for each in group["rules"])


def test_every_alert_says_who_must_do_what() -> None:
    level: Level = {"name": "tech-lead", "after": "15m"}
    found = [
        each
        for group in rules(SLOS, "https://r/", "https://g", [level])
        for each in group["rules"]
        if "alert" in each and "escalation" not in each["labels"]
    ]
    assert {each["alert"] for each in found} == {each["name"] for each in ALERTS}
    assert [each["labels"]["severity"] for each in found if each["alert"] == "SLOBurnsFast"] == ["P0", "P1"]
    for each in found:
        assert each["labels"]["owner"] == "{{ $labels.owner }}"
        assert each["labels"]["service"] == "{{ $labels.service }}"
        assert each["annotations"]["runbook_url"] == f"https://r/{each['alert']}.md"
        assert each["annotations"]["dashboard_url"] == "https://g/d/slo-detail?var-slo={{ $labels.slo }}"
        assert each["annotations"]["summary"]
        assert each["annotations"]["description"]


def test_pages_are_escalated_and_no_rule_is_there_twice() -> None:
    level: Level = {"name": "tech-lead", "after": "15m"}
    every = [each for group in rules(SLOS, "https://r", None, [level]) for each in group["rules"]]
    escalated = [each for each in every if "escalation" in each.get("labels", {})]
    assert {each["alert"] for each in escalated} == {"SLOBurnsFast"}
    assert all(every.count(each) == 1 for each in every)


def test_a_selector_reads_and_writes_itself() -> None:
    text = 'm:x{a="1",b!="2",c=~"3|4",d!~"5.*"}'
    selector = parse(text)
    assert str(selector) == text
    assert selector == Selector(
        "m:x", (Matcher("a", "=", "1"), Matcher("b", "!=", "2"), Matcher("c", "=~", "3|4"), Matcher("d", "!~", "5.*"))
    )
    labels = selector.example()
    assert all(each.accepts(labels[each.label]) for each in selector.matchers)


def test_a_bucket_is_written_as_prometheus_stores_it() -> None:
    assert 'le="1.0"' in Latency("x", 1, (1,)).bad_expr()
    assert 'le="0.5"' in Latency("x", 0.5, (0.5,)).bad_expr()


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_every_scenario_has_a_name_of_its_own_and_something_to_check(slo: Slo) -> None:
    for some in (minutes(slo), hours(slo), days(slo)):
        assert len({scenario.name for scenario in some}) == len(some)
        assert all(scenario.checks for scenario in some)
    assert set(proofs(slo, "r.yaml")) == {f"{slo.name}.{pace}.test.yaml" for pace in ("minutes", "hours", "days")}


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_openslo_there_and_back(slo: Slo) -> None:
    assert openslo.imported([openslo.exported(slo)], DEFAULTS) == [slo]


def document(**spec: Any) -> dict[str, Any]:
    exported = openslo.exported(GOOD)
    return {**exported, "metadata": {"name": "x"}, "spec": {**exported["spec"], **spec}}


def test_openslo_of_another_tool_takes_what_it_does_not_say_from_the_caller() -> None:
    [slo] = openslo.imported([document()], DEFAULTS)
    assert slo == GOOD._replace(name="x", owner="somebody", page=Severity.P1, quiet_rate=3.0, workload=None)


def test_openslo_reads_an_sli_by_reference_weeks_and_per_cent() -> None:
    indicator = openslo.exported(SLOS[7])["spec"]["indicator"]["spec"]
    sli = {"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "age"}, "spec": indicator}
    window = [{"duration": "4w", "isRolling": True}]
    objective = [{"targetPercent": 99.9, "op": "lte", "value": 10}]
    slo = document(indicator=None, indicatorRef="age", timeWindow=window, objectives=objective)
    [read] = openslo.imported([slo, sli], DEFAULTS)
    assert isinstance(read.indicator, Freshness)
    assert (read.window_days, read.objective, read.quiet_rate) == (28, pytest.approx(0.999), None)


SOURCE = {"metricSource": {"type": "Prometheus", "spec": {"query": "sum(rate(a[5m]))"}}}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {**document(), "apiVersion": "openslo/v2alpha"},
            "x: the version openslo/v2alpha is not read: write openslo/v1",
        ),
        ({**document(), "kind": "AlertPolicy"}, "x: the kind AlertPolicy is not read, only SLO and SLI; "),
        (document(objectives=[]), "x: it has 0 objectives, and one is read: write an SLO for each"),
        (
            document(timeWindow=[{"duration": "1M"}]),
            "x: timeWindow must be one rolling window of days or weeks, such as 30d",
        ),
        (document(budgetingMethod="Timeslices"), "x: the budgeting method Timeslices is not read: write Occurrences"),
        (document(indicatorRef="y"), "x: the SLI y is not among the documents: add it"),
        (
            document(indicator={"spec": {}}),
            "x: its indicator has neither a ratioMetric nor a thresholdMetric: add one of",
        ),
        (
            document(indicator={"spec": {"ratioMetric": {"counter": False}}}),
            "x: only a ratio of counters is read: set `counter: true` and name the counters",
        ),
        (
            document(indicator={"spec": {"ratioMetric": {"counter": True}}}),
            "x: total has no metricSource.spec.query: write a Prometheus selector there",
        ),
        (
            document(indicator={"spec": {"ratioMetric": {"raw": SOURCE, "total": SOURCE, "rawType": "failure"}}}),
            "x: beside raw there is total: name a ratio or its counters, not both",
        ),
        (
            document(indicator={"spec": {"ratioMetric": {"raw": SOURCE}}}),
            "x: the rawType None is not known: write success (good / total) or failure (bad / total)",
        ),
        (
            document(
                indicator={"spec": {"thresholdMetric": {"metricSource": {"type": "Datadog", "spec": {"query": "a"}}}}}
            ),
            "x: thresholdMetric is measured by Datadog, and only Prometheus is read",
        ),
        (
            document(indicator={"spec": {"thresholdMetric": SOURCE}}),
            "x: of a thresholdMetric only `op: lte` with a value is read: turn it round",
        ),
        (
            document(indicator={"spec": {"ratioMetric": {"counter": True, "bad": SOURCE, "total": SOURCE}}}),
            "SLO x: “sum(rate(a[5m]))” is no plain selector such as",
        ),
    ],
)
def test_openslo_that_is_not_understood_is_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        openslo.imported([changed], DEFAULTS)


@pytest.mark.parametrize("rate", [10, 300, 3000, 30_000])
def test_a_busy_service_has_a_minimum_too(rate: float) -> None:
    busy = PRODUCT[0]._replace(objective=0.95, quiet_rate=rate)
    expected = 0.05 * rate * 60
    # One in ten thousand is 3.7 standard deviations above the mean, a little more where it is small.
    assert expected + 3.7 * expected**0.5 < busy.minimum < expected + 4.2 * expected**0.5
