"""Rule alert-routed: the route tree as Alertmanager walks it, receivers that tell nobody, inhibitions."""

import copy
from typing import Any

import pytest
import yaml

from policies.model import Outcome
from policies.rules.slo.alert_routed import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource
from tests.policies.slo.alertmanagers import CONFIG, PROMETHEUS, SERVER, alert, configured, rules

RECORDING: Props = {"record": "a:b", "expr": "sum(up)"}
ALERTS = [alert("Down", "P0"), alert("Slow", "P2"), alert("Watchdog", "P3", "vector(1)"), alert("Odd", "P3"), RECORDING]
NOBODY: Props = {"name": "nobody"}


def config(*, routes: list[Props] | None = None, **more: Any) -> Props:
    """The good configuration with other routes below the root, and other sections; the receiver `nobody` is there."""
    found = copy.deepcopy(CONFIG)
    found["receivers"].append(NOBODY)
    if routes is not None:
        found["route"]["routes"] = routes
    return {**found, **more}


def verdict(
    configuration: Any = CONFIG, *alerts: Props, kind: str = "PrometheusRule", **replaced: Resource | None
) -> tuple[Outcome, str]:
    """Outcome and reasons for one object of the good stack, with other routes and alerts."""
    parts: dict[str, Resource | None] = {
        "Alertmanager": SERVER,
        "Prometheus": PROMETHEUS,
        "Secret": configured(configuration),
        "PrometheusRule": rules(*(alerts or ALERTS)),
    }
    finding = judged(RULE, *(part for part in {**parts, **replaced}.values() if part))[f"{kind}/main"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["PrometheusRule", "Alertmanager", "Prometheus"])
def test_alerts_that_reach_somebody_pass(kind: str) -> None:
    assert verdict(kind=kind) == (Outcome.PASS, "")


TO_NOBODY: list[tuple[list[Props], bool]] = [
    ([{"receiver": "nobody"}], True),
    ([{"receiver": "nobody", "matchers": ['severity="P0"']}], True),
    ([{"receiver": "nobody", "matchers": ["severity=P0"]}], True),
    ([{"receiver": "nobody", "matchers": ["severity = P0"]}], True),
    ([{"receiver": "nobody", "matchers": ['{severity="P0",alertname="Down"}']}], True),
    ([{"receiver": "nobody", "matchers": ['severity="P0"', "alertname=Down"]}], True),
    ([{"receiver": "nobody", "matchers": ['severity=~"P[01]"']}], True),
    ([{"receiver": "nobody", "matchers": ['severity!="P2"']}], True),
    ([{"receiver": "nobody", "matchers": ['severity!~"P[23]"']}], True),
    ([{"receiver": "nobody", "matchers": ['team=""', 'severity="P0"']}], True),
    ([{"receiver": "nobody", "matchers": ['team!="x"', 'severity="P0"']}], True),
    ([{"receiver": "nobody", "match": {"severity": "P0"}}], True),
    ([{"receiver": "nobody", "match_re": {"severity": "P0|P1"}}], True),
    # What may be there decides, too.
    ([{"receiver": "nobody", "matchers": ['job="api"']}], True),
    ([{"receiver": "nobody", "matchers": ['severity="P0"', 'job="api"']}], True),
    # Children of the one that takes it, and the one that takes it where no child does.
    ([{"receiver": "people", "matchers": ['severity="P0"'], "routes": [{"receiver": "nobody"}]}], True),
    ([{"receiver": "nobody", "routes": [{"receiver": "people", "matchers": ['severity="P2"']}]}], True),
    ([{"receiver": "nobody", "matchers": ['severity="P0"'], "routes": [{"matchers": ['alertname="Down"']}]}], True),
    ([{"receiver": "people", "continue": True}, {"receiver": "nobody"}], True),
    ([{"receiver": "people", "matchers": ['job="api"']}, {"receiver": "nobody"}], True),
    # Near misses.
    ([{"receiver": "people"}, {"receiver": "nobody"}], False),
    ([{"receiver": "people", "continue": False}, {"receiver": "nobody"}], False),
    ([{"receiver": "nobody", "matchers": ['severity="P"']}], False),
    ([{"receiver": "nobody", "matchers": ['severity=~"P"']}], False),
    ([{"receiver": "nobody", "matchers": ['severity="P0"', 'alertname="Up"']}], False),
    ([{"receiver": "nobody", "matchers": ['severity="P0"', 'alertname="Up"', 'job="api"']}], False),
    ([{"receiver": "nobody", "match": {"severity": "P0|P1"}}], False),
    ([{"receiver": "nobody", "match_re": {"severity": "P"}}], False),
    ([{"receiver": "nobody", "match": {"severity": "P0"}, "match_re": {"alertname": "Up"}}], False),
    ([{"receiver": "nobody", "routes": [{"receiver": "people"}]}], False),
    ([{"receiver": "nobody", "matchers": ["severity=P0"], "routes": [{"receiver": "people"}]}], False),
    (
        [{"receiver": "people", "matchers": ['severity="P0"']}, {"receiver": "nobody", "matchers": ['severity="P0"']}],
        False,
    ),
    ([{"matchers": ['severity="P0"']}], False),
    ([], False),
]


@pytest.mark.parametrize(("routes", "nobody"), TO_NOBODY)
def test_where_an_alert_ends(routes: list[Props], nobody: bool) -> None:
    outcome, reasons = verdict(config(routes=routes), alert("Down", "P0", "sum by (job) (up) == 0"))
    assert outcome is (Outcome.FAIL if nobody else Outcome.PASS)
    if nobody:
        assert reasons.startswith("alert Down ends at the receiver nobody (route")
        assert reasons.endswith("which tells nobody")


def test_every_alert_is_led_through_all_routes() -> None:
    found = config(routes=[{"receiver": "nobody", "matchers": ['severity="P2"']}])
    assert verdict(found) == (
        Outcome.FAIL,
        "alert Slow ends at the receiver nobody (route.routes[0]), which tells nobody",
    )


def test_labels_of_the_series_and_of_the_server_are_labels_of_the_alert() -> None:
    found = config(routes=[{"receiver": "nobody", "matchers": ['job="api"', 'environment="prod"']}])
    sends = changed(PROMETHEUS, "spec.externalLabels", {"environment": "prod"})
    down = alert("Down", "P0", 'up{job="api"} == 0')
    assert verdict(found, down)[0] is Outcome.FAIL  # the label may be on the series
    counted = alert("Down", "P0", 'sum by (job) (up{job="api"}) == 0')
    assert verdict(found, counted)[0] is Outcome.PASS
    assert verdict(found, counted, Prometheus=sends)[0] is Outcome.FAIL
    assert verdict(found, alert("Down", "P0", 'sum by (job) (up{job="web"}) == 0'), Prometheus=sends)[0] is Outcome.PASS
    assert verdict(found, alert("Down", "P0", "sum(up) == 0", job="api"), Prometheus=sends)[0] is Outcome.FAIL


def test_what_a_server_adds_to_all_alerts_does_not_change_what_they_say() -> None:
    found = config(routes=[{"receiver": "nobody", "matchers": ['environment="prod"']}])

    def outcome(*values: object, environment: str = "") -> Outcome:
        labelled = alert("Down", "P0", "sum(up) == 0", **({"environment": environment} if environment else {}))
        servers = {
            f"Server{index}": changed(
                resource("Prometheus", f"server-{index}", dict(PROMETHEUS.props)),
                "spec.externalLabels",
                {"environment": value},
            )
            for index, value in enumerate(values)
        }
        return verdict(found, labelled, kind="PrometheusRule", Prometheus=None, **servers)[0]

    assert outcome("prod") is outcome("prod", "prod") is Outcome.FAIL
    assert outcome("dev") is outcome("dev", "dev") is Outcome.PASS
    # One of them may send it.
    assert outcome("prod", "dev") is outcome("dev", "prod") is outcome("dev", "prod", "dev") is Outcome.FAIL
    assert outcome(UNKNOWN) is outcome(5) is Outcome.FAIL
    assert outcome("prod", environment="dev") is Outcome.PASS
    assert outcome("dev", environment="prod") is Outcome.FAIL


RECEIVERS: list[tuple[Props, bool]] = [
    ({}, False),
    ({"webhook_configs": []}, False),
    ({"webhook_configs": None}, False),
    ({"webhook_configs": [{}]}, False),
    ({"webhook_configs": [{"send_resolved": True}]}, False),
    ({"webhook_configs": [{"url": ""}]}, False),
    ({"webhook_configs": [{"url": "http://localhost:9999/"}]}, False),
    ({"webhook_configs": [{"url": "http://127.0.0.1/"}]}, False),
    ({"webhook_configs": [{"url": "https://hooks.example/"}]}, True),
    ({"webhook_configs": [{"url_file": "/a"}]}, True),
    ({"webhook_configs": [{}], "email_configs": [{"to": "a@b.example"}]}, True),
    ({"email_configs": [{"to": " "}]}, False),
    ({"slack_configs": [{"channel": "#a"}]}, False),
    ({"slack_configs": [{"channel": "#a", "api_url_file": "/a"}]}, True),
    ({"pagerduty_configs": [{"routing_key": "k"}]}, True),
    ({"pagerduty_configs": [{"severity": "critical"}]}, False),
    ({"telegram_configs": [{"chat_id": 5}]}, True),
    ({"jira_configs": [{"project": "OPS"}]}, True),
    ({"jira_configs": [{}]}, False),
    ({"other": [{"url": "https://hooks.example/"}]}, False),
]


@pytest.mark.parametrize(("ways", "tells"), RECEIVERS)
def test_a_receiver_must_tell_somebody(ways: Props, tells: bool) -> None:
    found = {**CONFIG, "route": {"receiver": "x"}, "receivers": [{"name": "x", **ways}]}
    assert verdict(found)[0] is (Outcome.PASS if tells else Outcome.FAIL)


def test_what_is_set_for_all_receivers_counts() -> None:
    found = {**CONFIG, "route": {"receiver": "x"}, "receivers": [{"name": "x", "slack_configs": [{"channel": "#a"}]}]}
    assert verdict({**found, "global": {"slack_api_url_file": "/a"}})[0] is Outcome.PASS
    assert verdict({**found, "global": {"opsgenie_api_key": "k"}})[0] is Outcome.FAIL


@pytest.mark.parametrize("key", ["active_time_intervals", "mute_time_intervals"])
@pytest.mark.parametrize(("severity", "outcome"), [("P0", "fail"), ("P1", "fail"), ("P2", "pass"), ("P3", "pass")])
def test_what_is_urgent_is_told_at_any_time(key: str, severity: str, outcome: str) -> None:
    found = config(routes=[{"receiver": "people", key: ["nights"], "routes": [{"matchers": ["severity=other"]}]}])
    assert verdict(found, alert("Down", severity))[0] == outcome
    # Times are not inherited.
    found = config(routes=[{"receiver": "people", key: ["nights"], "routes": [{"receiver": "on-call"}]}])
    assert verdict(found, alert("Down", severity))[0] is Outcome.PASS


BROKEN: list[tuple[Any, str]] = [
    ("route: [", "is no YAML"),
    ({"receivers": []}, "it has no route"),
    ({**CONFIG, "route": {"receiver": "gone"}}, "route names the receiver 'gone', which is not there"),
    ({**CONFIG, "route": {}}, "it has no route"),
    (config(routes=[{"receiver": "gone", "matchers": ["a=b"]}]), "route.routes[0] names the receiver 'gone'"),
    (config(routes=[{"matchers": ["nonsense"]}]), "route.routes[0].matchers[0] has no matcher"),
    ({**CONFIG, "route": {"receiver": "people", "matchers": ["a=b"]}}, "the first route must take every alert"),
]


@pytest.mark.parametrize(("broken", "clause"), BROKEN)
@pytest.mark.parametrize("kind", ["PrometheusRule", "Alertmanager"])
def test_a_configuration_that_alertmanager_would_refuse_fails(kind: str, broken: Any, clause: str) -> None:
    outcome, reasons = verdict(broken, kind=kind)
    assert outcome is Outcome.FAIL
    assert clause in reasons


@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("metadata.name", "other", Outcome.FAIL),
        ("metadata.namespace", "elsewhere", Outcome.FAIL),
        ("stringData", SECRET, Outcome.INCONCLUSIVE),
        ("stringData", UNKNOWN, Outcome.INCONCLUSIVE),
        ("stringData", {"alertmanager.yaml": SECRET}, Outcome.INCONCLUSIVE),
        ("stringData", {"other.yaml": "x"}, Outcome.FAIL),
        ("metadata.name", UNKNOWN, Outcome.INCONCLUSIVE),
        ("type", UNKNOWN, Outcome.PASS),
    ],
)
def test_the_configuration_is_the_one_that_the_server_reads(path: str, value: object, outcome: Outcome) -> None:
    assert verdict(Secret=changed(configured(CONFIG), path, value))[0] is outcome


def test_its_name_is_the_operators_where_none_is_given() -> None:
    server = changed(SERVER, "spec.configSecret", GONE)
    named = changed(configured(CONFIG), "metadata.name", "alertmanager-main")
    assert verdict(Alertmanager=server, Secret=named)[0] is Outcome.PASS
    assert verdict(Alertmanager=server)[0] is Outcome.FAIL
    read_back = changed(changed(named, "stringData", GONE), "data", {"alertmanager.yaml": SECRET})
    assert verdict(Alertmanager=server, Secret=read_back)[0] is Outcome.INCONCLUSIVE


def test_nobody_is_told_without_an_alertmanager() -> None:
    assert verdict(Alertmanager=None)[0] is Outcome.FAIL
    assert verdict(Alertmanager=None, kind="Prometheus")[0] is Outcome.FAIL
    assert verdict(Prometheus=None, Alertmanager=None)[0] is Outcome.NOT_APPLICABLE


OPERATED = "spec.alerting.alertmanagers.0"


@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("spec.alerting", GONE, Outcome.FAIL),
        ("spec.alerting.alertmanagers", [], Outcome.FAIL),
        (f"{OPERATED}.name", "other", Outcome.FAIL),
        (f"{OPERATED}.namespace", "elsewhere", Outcome.FAIL),
        (f"{OPERATED}.namespace", GONE, Outcome.PASS),
        (f"{OPERATED}.name", "own", Outcome.PASS),
        (f"{OPERATED}.name", "empty", Outcome.FAIL),
        ("spec.alerting", UNKNOWN, Outcome.INCONCLUSIVE),
    ],
)
def test_a_prometheus_sends_its_alerts(path: str, value: object, outcome: Outcome) -> None:
    own = resource("Service", "own", {"spec": {"selector": {"alertmanager": "main"}}})
    empty = resource("Service", "empty", {"spec": {"selector": {"alertmanager": "other"}}})
    server = changed(PROMETHEUS, path, value)
    assert verdict(kind="Prometheus", Prometheus=server, Own=own, Empty=empty)[0] is outcome


def inhibited(*alerts: Props, **rule: Any) -> tuple[Outcome, str]:
    return verdict(config(inhibit_rules=[rule]), *alerts, kind="Alertmanager")


BY = "sum by (job) (up) == 0"
FAST, SLOW, TICKET = alert("Fast", "P0", BY), alert("Slow", "P1", BY), alert("Ticket", "P2", BY)
OTHER, POD = alert("Slower", "P1", BY), alert("Pod", "P1", "sum by (pod) (up) == 0")
BARE: Props = {"alert": "Bare", "expr": BY}


@pytest.mark.parametrize(
    ("source", "target", "equal", "fails"),
    [
        (["alertname=Fast"], ["alertname=Slow"], ["job"], False),
        (["alertname=Slow"], ["alertname=Ticket"], ["job"], False),
        (["alertname=Ticket"], ["alertname=Slow"], ["job"], True),
        (["alertname=Slow"], ["alertname=Fast"], ["job"], True),
        (["severity=P2"], ['severity=~"P0|P1"'], ["job"], True),
        (["alertname=Fast"], ["alertname=Slow"], [], True),
        (["alertname=Fast"], ["alertname=Slow"], ["pod"], True),  # on neither: they count as equal
        (["alertname=Fast"], ["alertname=Slow"], ["pod", "job"], False),
        (["alertname=Fast"], ["alertname=Ticket"], [], False),
        (["alertname=Other"], ["alertname=Slow"], [], False),
        (["alertname=Fast"], ["alertname=Other"], [], False),
        (["alertname=Slow"], ["alertname=Slower"], ["job"], False),
        (["alertname=Pod"], ["alertname=Slow"], ["pod"], False),
        (["alertname=Slow"], ["alertname=Pod"], ["pod"], False),
        (["alertname=Bare"], ["alertname=Slow"], ["job"], True),
        (['job="api"'], ["alertname=Fast"], ["other"], True),
        (["severity=P1"], ["severity=P1"], [], False),
        ([], [], [], False),  # what is source and target is not silenced by its like
        ([], ["severity=P1"], ["job"], True),
        (['job="api"'], ['job="api"', "severity=P0"], ["job"], True),
    ],
)
def test_what_is_urgent_is_silenced_by_what_is_as_urgent_alone(
    source: list[str], target: list[str], equal: list[str], fails: bool
) -> None:
    found = {"source_matchers": source, "target_matchers": target, "equal": equal}
    every = (FAST, SLOW, TICKET, OTHER, POD, BARE)
    assert inhibited(*every, **found)[0] is (Outcome.FAIL if fails else Outcome.PASS)


def test_no_alert_silences_itself() -> None:
    found = {"source_matchers": ['job="api"'], "target_matchers": ["severity=P0"], "equal": ["other"]}
    assert inhibited(FAST, **found)[0] is Outcome.PASS
    assert inhibited(FAST, alert("Again", "P0", BY), **found)[0] is Outcome.FAIL


def test_what_cannot_be_read_of_an_alert_may_be_what_silences() -> None:
    rule = {"source_matchers": ["a=b"], "target_matchers": ["severity=P0"], "equal": ["job"]}
    hidden = changed(rules(FAST), "spec.groups.0.rules.0.labels", UNKNOWN)
    found = verdict(config(inhibit_rules=[rule]), kind="Alertmanager", PrometheusRule=hidden)
    assert found[0] is Outcome.INCONCLUSIVE


def test_inhibitions_as_they_were_written_before() -> None:
    found = {"source_match": {"severity": "P2"}, "target_match_re": {"severity": "P0|P1"}, "equal": ["job"]}
    outcome, reasons = inhibited(FAST, TICKET, **found)
    assert outcome is Outcome.FAIL
    assert reasons == "inhibit_rules[0]: alert Ticket silences alert Fast, which is more urgent"


@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("metadata.labels", {}, Outcome.FAIL),
        ("metadata.labels", UNKNOWN, Outcome.INCONCLUSIVE),
        ("spec.groups.0.rules.0.labels", UNKNOWN, Outcome.INCONCLUSIVE),
        ("spec.groups.0.rules.0.labels.severity", SECRET, Outcome.INCONCLUSIVE),
        ("spec.groups.0.rules.0.expr", UNKNOWN, Outcome.PASS),
        ("spec.groups", UNKNOWN, Outcome.INCONCLUSIVE),
        ("spec.groups", [], Outcome.NOT_APPLICABLE),
    ],
)
def test_what_cannot_be_read_decides_nothing(path: str, value: object, outcome: Outcome) -> None:
    assert verdict(PrometheusRule=changed(rules(*ALERTS), path, value))[0] is outcome


def test_files_of_alerts_are_led_too() -> None:
    text = yaml.safe_dump({"groups": [{"rules": [alert("Logs", "P2", 'count_over_time({a="b"} |= "x" [5m])')]}]})
    held = resource("ConfigMap", "main", {"data": {"rules.yaml": text}})
    assert verdict(kind="ConfigMap", ConfigMap=held)[0] is Outcome.PASS
    found = config(routes=[{"receiver": "nobody", "matchers": ['severity="P2"']}])
    assert verdict(found, kind="ConfigMap", ConfigMap=held)[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Deployment"), resource("ConfigMap"), resource("Secret")) == {}
