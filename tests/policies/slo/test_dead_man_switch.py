"""Rule dead-man-switch: an alert that always fires, sent often, and out of the cluster."""

import copy
from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.slo.dead_man_switch import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource
from tests.policies.slo.alertmanagers import CONFIG, PROMETHEUS, SERVER, alert, configured, rules

WATCHDOG = alert("Watchdog", "P3", "vector(1)")
CONTACTS = resource("Secret", "contacts", {"stringData": {"heartbeat_url": SECRET, "slack_url": SECRET}})
OWN = {"alertmanager": "main"}
PUBLIC: Props = {
    "to": [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fc00::/7"]}},
    ],
    "ports": [{"port": 443}],
}
NETWORK = resource(
    "NetworkPolicy",
    props={
        "spec": {
            "podSelector": {"matchLabels": OWN},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [{"to": [{"podSelector": {"matchLabels": OWN}}], "ports": [{"port": 9094}]}, PUBLIC],
        }
    },
)
NAMES: Props = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}
LOKI = resource("StatefulSet", "loki", {"spec": {"template": {"metadata": {"labels": {"app": "loki"}}}}})
GOOD = {
    "Alertmanager": SERVER,
    "Prometheus": PROMETHEUS,
    "Secret": configured(CONFIG),
    "Contacts": CONTACTS,
    "NetworkPolicy": NETWORK,
    "StatefulSet": LOKI,
    "PrometheusRule": rules(alert("Down", "P0"), WATCHDOG),
}


def verdict(**replaced: Resource | None) -> tuple[Outcome, str]:
    finding = judged(RULE, *(part for part in {**GOOD, **replaced}.values() if part))["Prometheus/main"]
    return finding.outcome, "; ".join(finding.reasons)


def sent(**route: Any) -> Resource:
    """The configuration with another route for the Watchdog (`receiver` replaces the heartbeat's settings)."""
    found = copy.deepcopy(CONFIG)
    if "receiver" in route:
        found["receivers"][2] = {"name": "heartbeat", **route.pop("receiver")}
    found["route"]["routes"][0] |= route
    return configured(found)


def test_a_heartbeat_that_leaves_the_cluster_passes() -> None:
    assert verdict() == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("expr", "fires"),
    [
        ("vector(1)", True),
        ("vector(0)", True),
        ("(vector(2 - 1))", True),
        ("vector(1) > 0", True),
        ("vector(1) >= 1", True),
        ("vector(1) == bool 2", True),
        ("sum(vector(1))", True),
        ("up or vector(1)", True),
        ("vector(1) and vector(2)", True),
        ("vector(1) + 1", True),
        ("vector(1) > 1", False),
        ("vector(1) == 2", False),
        ("vector(1) and up", False),
        ("vector(1) unless vector(1)", False),
        ("up == 1", False),
        ("absent(nothing)", False),
        ("vector(time())", False),
        ("vector(", False),
        ("count(up)", False),
    ],
)
def test_it_must_fire_always(expr: str, fires: bool) -> None:
    outcome, reasons = verdict(PrometheusRule=rules(alert("Watchdog", "P3", expr)))
    assert outcome is (Outcome.PASS if fires else Outcome.FAIL)
    assert fires or reasons.startswith("none of its alerts fires always")


@pytest.mark.parametrize(
    ("route", "clause"),
    [
        ({"repeat_interval": "5m"}, None),
        ({"repeat_interval": "301s"}, "sends it again after more than 5 minutes"),
        ({"repeat_interval": None}, "sends it again after more than 5 minutes"),
        ({"group_interval": "6m"}, "sends it again after more than 5 minutes"),
        ({"group_interval": None}, None),  # the root's
        ({"repeat_interval": "often"}, "sends it again after more than 5 minutes"),
        ({"matchers": ["alertname=Other"]}, "route.routes[2] tells nobody at times"),
        ({"mute_time_intervals": ["nights"]}, "tells nobody at times"),
        ({"continue": True}, "route.routes[2] tells nobody at times"),
        ({"receiver": {}}, "calls no service that waits for it"),
        ({"receiver": {"slack_configs": [{"api_url_file": "/a"}]}}, "calls no service that waits for it"),
    ],
)
def test_it_is_sent_often_and_to_a_service_that_waits(route: Props, clause: str | None) -> None:
    outcome, reasons = verdict(Secret=sent(**route))
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS)
    assert (clause or "") in reasons


@pytest.mark.parametrize(
    ("address", "out"),
    [
        ("https://hc.example.com/ping/1", True),
        ("http://nosnch.in/1", True),
        ("https://8.8.8.8/", True),
        ("https://heartbeat/", False),
        ("http://heartbeat.shop/", False),
        ("http://heartbeat.elsewhere/", True),  # a name of the public DNS, as far as can be told
        ("http://heartbeat.shop.svc:8080/", False),
        ("http://heartbeat.shop.svc.cluster.local/", False),
        ("http://heartbeat.shop.svc.cluster.local./", False),
        ("http://heartbeat.internal/", False),
        ("http://10.0.0.1/", False),
        ("http://[fd00::1]/", False),
        ("http://169.254.1.1/", False),
        ("heartbeat", False),
    ],
)
def test_a_url_in_the_clear_must_lead_out(address: str, out: bool) -> None:
    outcome, reasons = verdict(Secret=sent(receiver={"webhook_configs": [{"url": address}]}), NetworkPolicy=None)
    assert (outcome, "does not leave the cluster (url)" in reasons) == (
        (Outcome.PASS, False) if out else (Outcome.FAIL, True)
    )


def test_one_webhook_that_leads_out_is_enough() -> None:
    hooks = [{"url": "http://relay.shop.svc/"}, {"url": "https://hc.example.com/1"}]
    assert verdict(Secret=sent(receiver={"webhook_configs": hooks}))[0] is Outcome.PASS
    assert verdict(Secret=sent(receiver={"webhook_configs": hooks[:1]}))[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("replaced", "clause"),
    [
        ({"Alertmanager": changed(SERVER, "spec.secrets", [])}, "not in the servers' pods"),
        ({"Alertmanager": changed(SERVER, "spec.secrets", ["other"])}, "not in the servers' pods"),
        (
            {"Contacts": changed(CONTACTS, "stringData", {"slack_url": SECRET})},
            "a file that Secret shop/contacts does not",
        ),
        ({"Contacts": None}, None),  # made by somebody else, e.g. from a vault
        ({"Contacts": changed(changed(CONTACTS, "stringData", GONE), "data", {"heartbeat_url": SECRET})}, None),
        ({"Alertmanager": None}, "no Alertmanager of this stack can send it anywhere"),
    ],
)
def test_the_file_with_the_url_must_be_there(replaced: dict[str, Resource | None], clause: str | None) -> None:
    outcome, reasons = verdict(**replaced)
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS)
    assert (clause or "") in reasons


EGRESS = "spec.egress"
NETWORKS: list[tuple[str, Any, str]] = [
    ("metadata.namespace", "elsewhere", "inconclusive"),
    ("spec.podSelector.matchLabels", {"app": "loki"}, "inconclusive"),
    ("spec.podSelector", {}, "pass"),
    ("spec.policyTypes", ["Ingress"], "inconclusive"),
    ("spec.policyTypes", [], "pass"),
    (EGRESS, [], "fail"),
    (EGRESS, [PUBLIC], "pass"),
    (EGRESS, [PUBLIC, NAMES], "pass"),
    (EGRESS, [PUBLIC, {**NAMES, "ports": [{"port": 53}, {"port": 80}]}], "inconclusive"),
    (EGRESS, [PUBLIC, {**NAMES, "ports": []}], "inconclusive"),
    (EGRESS, [NAMES], "fail"),
    (EGRESS, [{"ports": [{"port": 443}]}], "inconclusive"),
    (EGRESS, [PUBLIC, {"to": [{"podSelector": {"matchLabels": {"app": "loki"}}}]}], "inconclusive"),
    (EGRESS, [PUBLIC, {"to": [{"podSelector": {}}]}], "inconclusive"),
    (EGRESS, [PUBLIC, {"to": [{"podSelector": {"matchLabels": {"app": "other"}}}]}], "pass"),
    (EGRESS, [PUBLIC, {"to": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}], "inconclusive"),
    (f"{EGRESS}.1.to.0.ipBlock.except", [], "inconclusive"),
    (f"{EGRESS}.1.to.0.ipBlock.except.1", "172.16.0.0/16", "inconclusive"),
    (f"{EGRESS}.1.to.0.ipBlock.except.1", "172.0.0.0/8", "pass"),
    (f"{EGRESS}.1.to.0.ipBlock.except.1", "fc00::/7", "inconclusive"),
    (f"{EGRESS}.1.to.1.ipBlock.except", [], "inconclusive"),
    (f"{EGRESS}.1.to.0.ipBlock", {"cidr": "10.1.0.0/16"}, "inconclusive"),
    (f"{EGRESS}.1.to", [{"ipBlock": {"cidr": "8.8.8.0/24"}}], "pass"),
    (f"{EGRESS}.1.to", [{"ipBlock": {"cidr": "127.0.0.0/8"}}], "fail"),
    (f"{EGRESS}.1.to.0.ipBlock.cidr", "any", "inconclusive"),
    (f"{EGRESS}.1.to.0.ipBlock.cidr", UNKNOWN, "inconclusive"),
    (EGRESS, UNKNOWN, "inconclusive"),
]


@pytest.mark.parametrize(("path", "value", "outcome"), NETWORKS)
def test_a_secret_url_leads_out_where_nothing_else_can_be_reached(path: str, value: object, outcome: str) -> None:
    assert verdict(NetworkPolicy=changed(NETWORK, path, value))[0] == outcome


@pytest.mark.parametrize(
    ("replaced", "outcome"),
    [
        ({"NetworkPolicy": None}, Outcome.INCONCLUSIVE),
        ({"PrometheusRule": changed(rules(WATCHDOG), "metadata.labels", {})}, Outcome.FAIL),
        ({"PrometheusRule": changed(rules(WATCHDOG), "metadata.labels", UNKNOWN)}, Outcome.INCONCLUSIVE),
        ({"PrometheusRule": changed(rules(WATCHDOG), "spec.groups.0.rules.0.expr", UNKNOWN)}, Outcome.INCONCLUSIVE),
        ({"PrometheusRule": None}, Outcome.FAIL),
        ({"Secret": changed(sent(), "stringData", SECRET)}, Outcome.INCONCLUSIVE),
    ],
)
def test_what_is_not_there_or_cannot_be_read(replaced: dict[str, Resource | None], outcome: Outcome) -> None:
    assert verdict(**replaced)[0] is outcome


def test_each_prometheus_needs_one_of_its_own() -> None:
    blind = changed(resource("Prometheus", "blind", dict(PROMETHEUS.props)), "spec.ruleSelector", GONE)
    found = judged(RULE, *GOOD.values(), blind)
    assert {key: each.outcome for key, each in found.items()} == {
        "Prometheus/main": Outcome.PASS,
        "Prometheus/blind": Outcome.FAIL,
    }


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, SERVER, rules(WATCHDOG), CONTACTS) == {}
