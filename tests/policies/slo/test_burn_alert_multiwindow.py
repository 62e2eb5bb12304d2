"""Rule burn-alert-multiwindow: the arithmetic of alerts on SLOs, however they are written."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.slo.burn_alert_multiwindow import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource

SLO = {"slo": "api-availability", "page": "P1", "window": "30d"}
BURN = "(sum_over_time(bad[{w}]) / (sum_over_time(total[{w}]) > 0)) / on (slo) group_right () slo:error_budget:ratio"
PAGE = "slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 14.4"
TICKET = "slo:burn:ratio1d > 3 and slo:burn:ratio2h > 3"
LABELS = {"app.kubernetes.io/managed-by": "mainstay"}
PROMETHEUS = resource("Prometheus", props={"spec": {"ruleSelector": {"matchLabels": LABELS}}})


def recording(name: str, expr: str, labels: Props | None = None) -> Props:
    return {"record": name, "expr": expr, **({"labels": labels} if labels else {})}


def alert(name: str, expr: str, severity: str, **more: Any) -> Props:
    return {"alert": name, "expr": expr, "labels": {"severity": severity}, **more}


EVENTS = [
    recording("bad", "increase(failures[5m])", {"slo": "api-availability"}),
    recording("total", "increase(requests[5m])", {"slo": "api-availability"}),
    recording("slo:minimum", "vector(3)", {"slo": "api-availability"}),
]
INVENTORY = recording("slo:error_budget:ratio", "vector(0.005)", SLO)
BURNS = [recording(f"slo:burn:ratio{w}", BURN.format(w=w)) for w in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")]


def rules(name: str, *entries: Props) -> Resource:
    metadata: Props = {"name": name, "namespace": "shop", "labels": LABELS}
    return resource("PrometheusRule", name, {"metadata": metadata, "spec": {"groups": [{"rules": list(entries)}]}})


def verdict(
    page: str | Props | None = PAGE,
    ticket: str | Props | None = TICKET,
    *,
    inventory: Props = INVENTORY,
    burns: list[Props] | None = None,
    more: tuple[Resource, ...] = (PROMETHEUS,),
) -> tuple[Outcome, str]:
    """Outcome and reasons for the object that records the SLO; its alerts stand in another one."""
    alerts = [
        each if isinstance(each, dict) else alert(name, each, severity)
        for name, each, severity in (("Page", page, "P1"), ("Ticket", ticket, "P2"))
        if each
    ]
    burns = BURNS if burns is None else burns
    finding = judged(RULE, rules("slos", *EVENTS, inventory), rules("alerts", *burns, *alerts), *more)[
        "PrometheusRule/slos"
    ]
    return finding.outcome, "; ".join(finding.reasons)


def test_a_page_and_a_ticket_pass() -> None:
    assert verdict() == (Outcome.PASS, "")


SAME_IN_OTHER_WORDS = [
    "slo:burn:ratio5m > 14.4 and slo:burn:ratio1h > 14.4",
    "14.4 < slo:burn:ratio1h and (14.4 <= slo:burn:ratio5m)",
    "slo:burn:ratio1h * 0.005 > (14.4 * 0.005) and 0.005 * slo:burn:ratio5m > (14.4*0.005)",
    "slo:burn:ratio1h / 2 > 7.2 and slo:burn:ratio5m > 2 ^ 3 + 6.4",
    "(slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 14.4) or (slo:burn:ratio6h > 6 and slo:burn:ratio30m > 6)",
    "max without (pod) (slo:burn:ratio1h > 14.4) and max without (pod) (slo:burn:ratio5m > 14.4)",
    'slo:burn:ratio1h{page="P1"} > 14.4 and slo:burn:ratio5m{page=~"P."} > 14.4',
    '(slo:burn:ratio1h{page="P1",other=""} > 14.4) and on (slo) slo:burn:ratio5m > 14.4',
    f"{PAGE} and on (slo) sum_over_time(bad[1h]) / 5 >= on (slo) slo:minimum",
    "slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 14.4 unless on (slo) up == 0",
    "slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 14.4 and on () vector(1)",
    "sum by (slo) (rate(bad[1h])) / sum by (slo) (rate(total[1h])) > 14.4 * 0.005"
    " and sum by (slo) (rate(bad[5m])) / sum by (slo) (rate(total[5m])) > 14.4 * 0.005",
    "1 - sum by (slo) (rate(good[1h])) / sum by (slo) (rate(total[1h])) > 14.4 * 0.005"
    " and on (slo) 1 - rate(good[5m]) / rate(total[5m]) > 14.4 * 0.005",
    "(bad_share1h > 14.4 * 0.005 and bad_share5m > 14.4 * 0.005)",
    "label_replace(slo:burn:ratio1h > 14.4, 'x', 'y', '', '') and on (slo) slo:burn:ratio5m > 14.4",
    "on_fire",
]


@pytest.mark.parametrize("expr", SAME_IN_OTHER_WORDS)
def test_how_it_is_written_does_not_matter(expr: str) -> None:
    renamed = [
        recording(f"bad_share{w}", f"rate(bad[{w}]) / rate(total[{w}])", {"slo": "api-availability"})
        for w in ("5m", "1h")
    ]
    condition = recording("on_fire", PAGE)
    good = recording("good", "increase(successes[5m])", {"slo": "api-availability"})
    page = alert("Page", expr, "P1")
    if "good" in expr or "sum by" in expr:
        page["labels"]["slo"] = "api-availability"
    assert verdict(page, burns=[*BURNS, *renamed, condition, good]) == (Outcome.PASS, "")


ALONE = "can fire by one window alone"


@pytest.mark.parametrize(
    ("expr", "clause"),
    [
        ("slo:burn:ratio1h > 14.4 or slo:burn:ratio5m > 14.4", ALONE),
        ("slo:burn:ratio1h > 14.4", ALONE),
        ("slo:burn:ratio5m > 14.4 and slo:burn:ratio5m > 14.4", ALONE),
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio5m < 14.4", ALONE),
        ("slo:burn:ratio1h > 14.4 and 14.4 > slo:burn:ratio5m", ALONE),
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio5m != 14.4", ALONE),
        ("slo:burn:ratio1h > 14.4 unless slo:burn:ratio5m > 14.4", ALONE),
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > bool 14.4", ALONE),
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio5m offset 1d > 14.4", ALONE),
        ("(slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 14.4) or slo:burn:ratio6h > 6", ALONE),
        (f"{PAGE} or on (slo) slo:error_budget:ratio", ALONE),
        ("slo:burn:ratio1h < 14.4 and slo:burn:ratio5m < 14.4", ""),
        ("slo:burn:ratio1h > bool 14.4 and slo:burn:ratio5m > bool 14.4", ""),
        ("slo:burn:ratio1h > 0 and slo:burn:ratio5m > 0", "fires though the budget lasts"),
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 0.99", "fires though the budget lasts"),
        ("slo:burn:ratio1h > 14.4 - 14.4 and slo:burn:ratio5m > 14.4", "fires though the budget lasts"),
        ("slo:burn:ratio1h * 14.4 > 1 and slo:burn:ratio5m > 14.4", "fires though the budget lasts"),
        ("slo:burn:ratio1h > 200 and slo:burn:ratio5m > 14.4", "can never fire"),
        ("slo:burn:ratio6h > 6 and slo:burn:ratio1h > 14.4 / 0.005", "can never fire"),
        ("slo:burn:ratio1h > 16 and slo:burn:ratio5m > 16", "no pair of windows"),
        (TICKET, "no pair of windows"),
        ("slo:burn:ratio6h > 14.4 and slo:burn:ratio30m > 14.4", "fires when more than 10% of the budget is gone"),
        (
            "slo:burn:ratio9h > 14.4 and slo:burn:ratio5m > 14.4",
            "nothing records slo:burn:ratio9h, which an alert reads",
        ),
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio1m > 14.4", "nothing records slo:burn:ratio1m"),
        ('slo:burn:ratio1h{page="P0"} > 14.4 and slo:burn:ratio5m > 14.4', ""),
        ('slo:burn:ratio1h{slo!~"api-.*"} > 14.4 and slo:burn:ratio5m > 14.4', ""),
        ('slo:burn:ratio1h > 14.4 and slo:burn:ratio5m{other="x"} > 14.4', ""),
        ("slo:burn:ratio1h > 14.4 and sum by (slo) (slo:burn:ratio5m > 14.4)", ""),
        ("sum(slo:burn:ratio1h > 14.4) and sum(slo:burn:ratio5m > 14.4)", ""),
        (f"{PAGE} unless on () vector(1)", ""),
        (f"{PAGE} and on () vector(1) > 2", ""),
        ("slo:burn:ratio1h > 14.4 and", "alert Page is no PromQL"),
        ("absent(slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 14.4)", ""),
    ],
)
def test_a_page_that_does_not_do_what_it_should_fails(expr: str, clause: str) -> None:
    outcome, reasons = verdict(expr)
    assert outcome is Outcome.FAIL
    assert reasons.startswith("nobody is called when the budget of SLO api-availability burns fast (severity P0 or P1)")
    assert clause in reasons if clause else reasons.endswith("burns fast (severity P0 or P1) in two windows at once")
    assert "slowly" not in reasons


@pytest.mark.parametrize(
    "expr",
    [
        None,
        "slo:burn:ratio1d > 3",
        "slo:burn:ratio1d > 3 or slo:burn:ratio2h > 3",
        "slo:burn:ratio6h > 1 and slo:burn:ratio30m > 1",
        "slo:burn:ratio1d > 3.1 and slo:burn:ratio2h > 3.1",
        "slo:burn:ratio3d > 3 and slo:burn:ratio6h > 3",
    ],
)
def test_a_ticket_that_does_not_do_what_it_should_fails(expr: str | None) -> None:
    outcome, reasons = verdict(ticket=expr)
    assert outcome is Outcome.FAIL
    assert "burns slowly" in reasons
    assert "burns fast" not in reasons


@pytest.mark.parametrize(
    ("page", "ticket"),
    [
        ("slo:burn:ratio6h > 12 and slo:burn:ratio30m > 12", TICKET),  # exactly 10 % of 30 days
        ("slo:burn:ratio6h > 2 and slo:burn:ratio5m > 1", TICKET),
        ("slo:burn:ratio1h > 15 and slo:burn:ratio30m > 15", TICKET),  # the short one is half as long
        ("slo:burn:ratio1h > 14.4 and slo:burn:ratio5m > 20", TICKET),
        (PAGE, "slo:burn:ratio1d > 3 and slo:burn:ratio6h > 1"),
        (PAGE, "slo:burn:ratio3d > 2.5 and slo:burn:ratio6h > 2.5"),  # exactly 25 %
    ],
)
def test_what_is_just_good_enough_passes(page: str, ticket: str) -> None:
    assert verdict(page, ticket) == (Outcome.PASS, "")


@pytest.mark.parametrize("severity", ["P2", "P3", "P5", "", "critical"])
def test_a_page_that_calls_nobody_is_none(severity: str) -> None:
    assert verdict(alert("Page", PAGE, severity))[0] is Outcome.FAIL


def test_a_ticket_may_be_more_urgent_and_not_less() -> None:
    assert verdict(ticket=alert("Ticket", TICKET, "P1"))[0] is Outcome.PASS
    for severity, outcome in (("P0", Outcome.PASS), ("P3", Outcome.PASS), ("P4", Outcome.FAIL), ("info", Outcome.FAIL)):
        assert verdict(ticket=alert("Ticket", TICKET, severity))[0] is outcome, severity


@pytest.mark.parametrize(("wait", "outcome"), [("0s", "pass"), ("5m", "pass"), ("6m", "fail"), ("soon", "fail")])
def test_an_alert_must_not_wait_out_its_short_window(wait: str, outcome: str) -> None:
    assert verdict(alert("Page", PAGE, "P0", **{"for": wait}))[0] == outcome


def test_the_long_window_of_a_page_is_six_hours_at_the_most() -> None:
    burns = [*BURNS, recording("slo:burn:ratio361m", BURN.format(w="361m"))]
    assert verdict("slo:burn:ratio6h > 11.9 and slo:burn:ratio30m > 11.9", burns=burns)[0] is Outcome.PASS
    outcome, reasons = verdict("slo:burn:ratio361m > 11.9 and slo:burn:ratio30m > 11.9", burns=burns)
    assert outcome is Outcome.FAIL
    assert "no pair of windows" in reasons


def test_two_windows_of_nearly_the_same_length_are_one() -> None:
    burns = [*BURNS, recording("slo:burn:ratio31m", BURN.format(w="31m"))]
    outcome, reasons = verdict("slo:burn:ratio1h > 14.4 and slo:burn:ratio31m > 14.4", burns=burns)
    assert outcome is Outcome.FAIL
    assert "two windows of about the same length" in reasons


@pytest.mark.parametrize(
    "expr",
    [
        "sum_over_time(bad[1h]) / sum_over_time(bad[1h]) / on (slo) group_right () slo:error_budget:ratio",
        "sum_over_time(bad[1h]) / sum_over_time(total[6h]) / on (slo) group_right () slo:error_budget:ratio",
        "sum_over_time(bad[1h] offset 1d) / sum_over_time(total[1h]) / on (slo) group_right () slo:error_budget:ratio",
        "sum_over_time(bad[5m]) / sum_over_time(total[5m]) / on (slo) group_right () slo:error_budget:ratio",
        "sum_over_time(slo:lost[1h]) / sum_over_time(total[1h]) / on (slo) group_right () slo:error_budget:ratio",
        "sum_over_time(bad[1h]) / sum_over_time(total[1h]) * on (slo) group_right () slo:error_budget:ratio",
        "bad / total / on (slo) group_right () slo:error_budget:ratio",
        "slo:burn:ratio1h",
        "vector(20)",
    ],
)
def test_the_window_is_what_the_recording_reads_and_not_its_name(expr: str) -> None:
    burns = [recording("slo:burn:ratio1h", expr) if each["record"] == "slo:burn:ratio1h" else each for each in BURNS]
    assert verdict(burns=burns)[0] is Outcome.FAIL


@pytest.mark.parametrize(
    "expr", [f"avg_over_time(slo:burn:ratio5m[{window}])" for window in ("1h", "1h:5m")] + [BURN.format(w="1h")]
)
def test_a_mean_of_shares_is_a_share(expr: str) -> None:
    burns = [recording("slo:burn:ratio1h", expr) if each["record"] == "slo:burn:ratio1h" else each for each in BURNS]
    assert verdict(burns=burns)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("path", "value", "clause"),
    [
        ("expr", "vector(0)", "no number between 0 and 1"),
        ("expr", "vector(1)", "no number between 0 and 1"),
        ("expr", "slo_budget", "no number between 0 and 1"),
        ("expr", "vector(", "is no PromQL"),
        ("labels", {}, "records an SLO without a name (label slo)"),
    ],
)
def test_an_slo_without_a_budget_or_a_name_fails(path: str, value: object, clause: str) -> None:
    outcome, reasons = verdict(inventory={**INVENTORY, path: value})
    assert outcome is Outcome.FAIL
    assert clause in reasons


def test_the_budget_decides_what_can_be_reached() -> None:
    assert verdict(inventory={**INVENTORY, "expr": "vector(1 / 14.5)"})[0] is Outcome.PASS
    assert verdict(inventory={**INVENTORY, "expr": "vector(1 / 14.4)"})[0] is Outcome.FAIL


def test_a_shorter_window_is_spent_sooner() -> None:
    page = "slo:burn:ratio6h > 12 and slo:burn:ratio30m > 12"
    assert verdict(page)[0] is Outcome.PASS
    assert verdict(page, inventory={**INVENTORY, "labels": {**SLO, "window": "28d"}})[0] is Outcome.FAIL


@pytest.mark.parametrize("window", [GONE, "rolling"])
def test_a_window_that_nobody_gives_is_of_thirty_days(window: object) -> None:
    labels = {**SLO, "window": window} if window is not GONE else {"slo": SLO["slo"]}
    for factor, outcome in (("12", Outcome.PASS), ("12.1", Outcome.FAIL)):
        page = f"slo:burn:ratio6h > {factor} and slo:burn:ratio30m > {factor}"
        assert verdict(page, inventory={**INVENTORY, "labels": labels})[0] is outcome, factor


def test_another_slo_does_not_count() -> None:
    own = [{**each, "labels": {"slo": "api-latency"}} for each in EVENTS[:2]]
    other = rules("slos", *own, INVENTORY)
    found = judged(RULE, other, rules("alerts", *BURNS, alert("Page", PAGE, "P1")), PROMETHEUS)["PrometheusRule/slos"]
    assert found.outcome is Outcome.FAIL
    named = {**alert("Page", PAGE, "P1"), "labels": {"severity": "P1", "slo": "api-latency"}}
    assert verdict(named)[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ((), Outcome.PASS),
        ((changed(PROMETHEUS, "spec.ruleSelector", {"matchLabels": {"x": "y"}}),), Outcome.FAIL),
        ((changed(PROMETHEUS, "spec.ruleSelector", UNKNOWN),), Outcome.INCONCLUSIVE),
        ((changed(PROMETHEUS, "metadata.namespace", "elsewhere"),), Outcome.FAIL),
    ],
)
def test_only_what_a_prometheus_of_the_stack_evaluates_counts(more: tuple[Resource, ...], outcome: Outcome) -> None:
    assert verdict(more=more)[0] is outcome


def test_each_prometheus_judges_by_the_rules_it_looks_at() -> None:
    assert verdict("x", more=())[0] is Outcome.FAIL
    other = resource("Prometheus", "other", {"spec": {"ruleSelector": {"matchLabels": {"x": "y"}}}})
    assert verdict(more=(PROMETHEUS, other))[0] is Outcome.PASS
    unseen = changed(
        rules("alerts", *BURNS, alert("Page", PAGE, "P1"), alert("Ticket", TICKET, "P2")), "metadata.labels", {}
    )
    found = judged(RULE, rules("slos", *EVENTS, INVENTORY), unseen, PROMETHEUS)
    assert found["PrometheusRule/slos"].outcome is Outcome.FAIL


def test_what_cannot_be_read_is_neither_a_page_nor_none() -> None:
    for unread in (UNKNOWN, SECRET):
        page = {**alert("Page", PAGE, "P1"), "expr": unread}
        assert verdict(page)[0] is Outcome.INCONCLUSIVE
        hidden = rules("hidden")
        assert verdict(more=(PROMETHEUS, changed(hidden, "spec.groups", unread)))[0] is Outcome.PASS
        assert verdict("x", more=(PROMETHEUS, changed(hidden, "spec.groups", unread)))[0] is Outcome.INCONCLUSIVE


def test_what_records_no_slo_is_asked_nothing() -> None:
    found = judged(RULE, rules("alerts", *BURNS), PROMETHEUS)["PrometheusRule/alerts"]
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert judged(RULE, PROMETHEUS) == {}
    hidden = changed(rules("alerts"), "spec.groups", UNKNOWN)
    assert judged(RULE, hidden, PROMETHEUS)["PrometheusRule/alerts"].outcome is Outcome.INCONCLUSIVE
