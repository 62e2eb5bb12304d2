"""Rule service-has-slos: what trips it, what comes close and must not."""

from unittest.mock import Mock

import pytest

from policies.evaluation import evaluate
from policies.model import Enforcement, Outcome
from policies.rules.slo.service_has_slos import RULE
from policies.stack import Resource, Stack
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource

SLO = {"name": "api-availability", "objective": 0.995, "window_days": 30}
API = resource("HttpService", "api", {"slos": [SLO]})
MONITORED = {"app.kubernetes.io/part-of": "mainstay", "tier": "shop"}
PROMETHEUS = resource("Prometheus", props={"spec": {"ruleSelector": {"matchLabels": MONITORED}}})
RULES = resource(
    "PrometheusRule",
    props={
        "metadata": {"name": "main", "namespace": "shop", "labels": {**MONITORED, "more": "of them"}},
        "spec": {
            "groups": [
                {"name": "slo-api-availability"},
                {
                    "name": "slo-burn",
                    "rules": [
                        {
                            "record": "slo:error_budget:ratio",
                            "expr": "vector(0.005)",
                            "labels": {"slo": "api-availability"},
                        },
                        {"record": "slo:burn:ratio5m", "expr": "x"},
                        {"alert": "SLOBurnsFast", "expr": "y", "labels": {"severity": "P1"}},
                    ],
                },
            ]
        },
    },
)
GOOD = {"HttpService": API, "Prometheus": PROMETHEUS, "PrometheusRule": RULES}
RECORDING, ALERTING = "spec.groups.1.rules.0", "spec.groups.1.rules.2"

NOT_RECORDED = "nothing evaluates its SLO api-availability: no PrometheusRule records slo:error_budget:ratio for it"
NOT_LOOKED_AT = (
    "nothing evaluates its SLO api-availability: PrometheusRule shop/main records slo:error_budget:ratio for it, "
    "but no Prometheus looks there (namespace, ruleSelector)"
)
NOT_PAGED = "nobody is called when its SLO api-availability is not kept: no PrometheusRule has the alert SLOBurnsFast"


def verdict(*more: Resource, **replaced: Resource | None) -> tuple[Outcome, str]:
    """Outcome and reasons for the service in the good stack, some of its parts replaced, taken away (None) or added."""
    finding = judged(RULE, *more, *(part for part in {**GOOD, **replaced}.values() if part))["HttpService/api"]
    return finding.outcome, "; ".join(finding.reasons)


def called(name: str, original: Resource) -> Resource:
    """A second one of a kind."""
    return changed(resource(original.type.rpartition(":")[2], name, dict(original.props)), "metadata.name", name)


@pytest.mark.parametrize("kind", ["HttpService", "Worker"])
def test_what_is_declared_evaluated_and_paged_passes(kind: str) -> None:
    found = judged(RULE, resource(kind, props={"slos": [SLO]}), PROMETHEUS, RULES)
    assert found[f"{kind}/main"].outcome is Outcome.PASS


NO_PROMISES: list[object] = [None, [], {}, "99", {"availability": SLO}]
NOTHING: list[Props] = [{}, *({"slos": nothing} for nothing in NO_PROMISES)]


@pytest.mark.parametrize("kind", ["HttpService", "Worker"])
@pytest.mark.parametrize("props", NOTHING)
@pytest.mark.parametrize("monitoring", [(), (PROMETHEUS, RULES)], ids=["unwatched", "watched"])
def test_no_promise_fails(kind: str, props: Props, monitoring: tuple[Resource, ...]) -> None:
    finding = judged(RULE, resource(kind, props=props), *monitoring)[f"{kind}/main"]
    assert (finding.outcome, finding.reasons) == (Outcome.FAIL, ("it declares no SLO (slos)",))


@pytest.mark.parametrize(
    ("path", "value", "clause"),
    [
        ("slos.0", {}, "slos[0] has no name"),
        ("slos.0", None, "slos[0] has no name"),
        ("slos.0", "api-availability", "slos[0] has no name"),
        ("slos.0.name", GONE, "slos[0] has no name"),
        ("slos.0.name", " ", "slos[0] has no name"),
        ("slos.0.objective", GONE, "slos[0].objective is not a share between 0 and 1, such as 0.995"),
        ("slos.0.objective", 99.5, "slos[0].objective is not a share"),
        ("slos.0.objective", 1, "slos[0].objective is not a share"),
        ("slos.0.objective", 0, "slos[0].objective is not a share"),
        ("slos.0.objective", "0.995", "slos[0].objective is not a share"),
        ("slos.0.window_days", GONE, "slos[0].window_days is not a number of days"),
        ("slos.0.window_days", 0, "slos[0].window_days is not a number of days"),
        ("slos.0.window_days", True, "slos[0].window_days is not a number of days"),
        ("slos.0.window_days", "30d", "slos[0].window_days is not a number of days"),
    ],
)
def test_an_empty_promise_fails_and_is_named(path: str, value: object, clause: str) -> None:
    api = changed(API, path, value)
    for monitoring in ({}, {"Prometheus": None, "PrometheusRule": None}):
        outcome, reasons = verdict(HttpService=api, **monitoring)
        assert outcome is Outcome.FAIL
        assert reasons.startswith(clause)


def test_a_promise_does_not_make_up_for_an_empty_one_beside_it() -> None:
    assert verdict(HttpService=changed(API, "slos", [SLO, {}])) == (Outcome.FAIL, "slos[1] has no name")


MISSING: list[tuple[str, str, object, str]] = [
    ("PrometheusRule", "spec", {}, NOT_RECORDED),
    ("PrometheusRule", "spec.groups", [], NOT_RECORDED),
    ("PrometheusRule", "spec.groups", None, NOT_RECORDED),
    ("PrometheusRule", "spec.groups", [{}, {"rules": []}], NOT_RECORDED),
    ("PrometheusRule", RECORDING, {}, NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.record", "slo:error_budget:ratio5m", NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.record", "slo:bad:minimum", NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.record", GONE, NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.labels", GONE, NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.labels", {"service": "api-availability"}, NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.labels.slo", "api-latency", NOT_RECORDED),
    ("PrometheusRule", f"{RECORDING}.labels.slo", "", NOT_RECORDED),
    ("PrometheusRule", "metadata.labels", GONE, NOT_LOOKED_AT),
    ("PrometheusRule", "metadata.labels", {"tier": "shop"}, NOT_LOOKED_AT),
    ("PrometheusRule", "metadata.labels.tier", "other", NOT_LOOKED_AT),
    ("PrometheusRule", "metadata.namespace", "elsewhere", NOT_LOOKED_AT.replace("shop/", "elsewhere/")),
    ("PrometheusRule", "metadata.namespace", GONE, NOT_LOOKED_AT.replace("shop/", "default/")),
    ("Prometheus", "metadata.namespace", "elsewhere", NOT_LOOKED_AT),
    ("Prometheus", "spec", {}, NOT_LOOKED_AT),
    ("Prometheus", "spec.ruleSelector", None, NOT_LOOKED_AT),
    ("Prometheus", "spec.ruleSelector.matchLabels.more", "others", NOT_LOOKED_AT),
    ("PrometheusRule", ALERTING, {}, NOT_PAGED),
    ("PrometheusRule", f"{ALERTING}.alert", "SLOBurnsSlowly", NOT_PAGED),
    ("PrometheusRule", ALERTING, {"record": "SLOBurnsFast"}, NOT_PAGED),
    ("HttpService", "slos.0.name", "api-latency", NOT_RECORDED.replace("availability", "latency")),
]


@pytest.mark.parametrize(("kind", "path", "value", "reason"), MISSING)
def test_each_missing_piece_fails_and_is_named(kind: str, path: str, value: object, reason: str) -> None:
    assert verdict(**{kind: changed(GOOD[kind], path, value)}) == (Outcome.FAIL, reason)


def test_a_prometheus_without_any_rules_evaluates_nothing() -> None:
    assert verdict(PrometheusRule=None) == (Outcome.FAIL, NOT_RECORDED)


def test_only_the_objectives_that_nothing_evaluates_are_named() -> None:
    other = {**SLO, "name": "api-latency"}
    assert verdict(HttpService=changed(API, "slos", [SLO, other])) == (
        Outcome.FAIL,
        NOT_RECORDED.replace("availability", "latency"),
    )


def test_without_a_prometheus_of_its_own_nothing_more_is_asked() -> None:
    assert verdict(Prometheus=None, PrometheusRule=None) == (Outcome.PASS, "")
    assert verdict(Prometheus=None, PrometheusRule=changed(RULES, "spec", UNKNOWN)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("HttpService", "slos.0.objective", 0.9999),
        ("HttpService", "slos.0.window_days", 28),
        ("HttpService", "slos.0.window_days", 1),
        ("HttpService", "slos.0.name", " api-availability "),
        ("HttpService", "namespace", "elsewhere"),
        ("Prometheus", "spec.ruleSelector", {}),
        ("Prometheus", "spec.ruleSelector.matchLabels", None),
        ("Prometheus", "spec.ruleSelector.matchExpressions", None),
        ("Prometheus", "spec.replicas", UNKNOWN),
        ("PrometheusRule", "metadata.name", "any-name"),
        ("PrometheusRule", "metadata.labels.more", UNKNOWN),
        ("PrometheusRule", f"{RECORDING}.expr", SECRET),
        ("PrometheusRule", f"{RECORDING}.labels.owner", UNKNOWN),
        ("PrometheusRule", "spec.groups.1.rules.1.labels", UNKNOWN),
        ("PrometheusRule", f"{ALERTING}.labels", UNKNOWN),
        # What is unknown cannot take away what is there.
        ("PrometheusRule", "spec.groups.0", UNKNOWN),
        ("PrometheusRule", "spec.groups.0.rules", SECRET),
        ("PrometheusRule", "spec.groups.1.rules.1", UNKNOWN),
    ],
)
def test_near_misses_pass(kind: str, path: str, value: object) -> None:
    assert verdict(**{kind: changed(GOOD[kind], path, value)}) == (Outcome.PASS, "")


def test_the_alert_may_stand_in_a_rule_of_its_own() -> None:
    recording, alerting = changed(RULES, ALERTING, {}), changed(called("alerts", RULES), RECORDING, {})
    assert verdict(alerting, PrometheusRule=recording) == (Outcome.PASS, "")
    unseen = changed(alerting, "metadata.labels", {})
    assert verdict(unseen, PrometheusRule=recording) == (Outcome.FAIL, NOT_PAGED)


def test_the_prometheus_that_records_must_be_the_one_that_calls() -> None:
    other = changed(called("other", PROMETHEUS), "metadata.namespace", "elsewhere")
    alerting = changed(changed(called("alerts", RULES), RECORDING, {}), "metadata.namespace", "elsewhere")
    assert verdict(other, alerting, PrometheusRule=changed(RULES, ALERTING, {})) == (Outcome.FAIL, NOT_PAGED)


def test_one_of_several_that_evaluates_is_enough() -> None:
    blind = changed(called("blind", PROMETHEUS), "spec.ruleSelector", None)
    unlabelled = changed(called("unlabelled", RULES), "metadata.labels", {})
    assert verdict(blind, unlabelled) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("HttpService", "slos"),
        ("HttpService", "slos.0"),
        ("HttpService", "slos.0.name"),
        ("HttpService", "slos.0.objective"),
        ("HttpService", "slos.0.window_days"),
        ("Prometheus", "metadata.namespace"),
        ("Prometheus", "spec"),
        ("Prometheus", "spec.ruleSelector"),
        ("Prometheus", "spec.ruleSelector.matchLabels"),
        ("Prometheus", "spec.ruleSelector.matchLabels.tier"),
        ("Prometheus", "spec.ruleSelector.matchExpressions"),
        ("Prometheus", "spec.ruleNamespaceSelector"),
        ("PrometheusRule", "metadata"),
        ("PrometheusRule", "metadata.namespace"),
        ("PrometheusRule", "metadata.labels"),
        ("PrometheusRule", "metadata.labels.tier"),
        ("PrometheusRule", "spec"),
        ("PrometheusRule", "spec.groups"),
        ("PrometheusRule", "spec.groups.1"),
        ("PrometheusRule", "spec.groups.1.rules"),
        ("PrometheusRule", RECORDING),
        ("PrometheusRule", f"{RECORDING}.record"),
        ("PrometheusRule", f"{RECORDING}.labels"),
        ("PrometheusRule", f"{RECORDING}.labels.slo"),
        ("PrometheusRule", ALERTING),
        ("PrometheusRule", f"{ALERTING}.alert"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(kind: str, path: str, marker: object) -> None:
    outcome, reasons = verdict(**{kind: changed(GOOD[kind], path, marker)})
    assert outcome is Outcome.INCONCLUSIVE
    assert "not known before the deployment" in reasons or "a secret" in reasons


def test_rules_are_selected_by_expressions_too() -> None:
    selector: dict[str, object] = {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    assert verdict(Prometheus=changed(PROMETHEUS, "spec.ruleSelector", selector))[0] is Outcome.PASS
    selector = {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}
    assert verdict(Prometheus=changed(PROMETHEUS, "spec.ruleSelector", selector))[0] is Outcome.FAIL


def test_a_selector_of_namespaces_is_inconclusive() -> None:
    path, value = "spec.ruleNamespaceSelector", {"matchLabels": {"team": "shop"}}
    assert verdict(Prometheus=changed(PROMETHEUS, path, value)) == (
        Outcome.INCONCLUSIVE,
        f"whether Prometheus shop/main looks at PrometheusRule shop/main: {path} is more than this rule understands",
    )


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    api = changed(API, "slos", [UNKNOWN, {**SLO, "objective": 2}])
    outcome, reasons = verdict(HttpService=api)
    assert outcome is Outcome.FAIL
    assert reasons.startswith("slos[1].objective")


UNSEEN: list[tuple[str, object]] = [
    ("metadata.labels", {**MONITORED, "tier": "other"}),
    # What else there may be of it, one label certainly differs.
    ("metadata.labels", {"app.kubernetes.io/part-of": UNKNOWN, "tier": "other"}),
    ("metadata.namespace", "elsewhere"),
]


@pytest.mark.parametrize(("path", "value"), UNSEEN)
def test_what_cannot_be_read_where_no_prometheus_looks_changes_nothing(path: str, value: object) -> None:
    unseen = changed(changed(RULES, "spec.groups", UNKNOWN), path, value)
    assert verdict(PrometheusRule=unseen) == (Outcome.FAIL, NOT_RECORDED)
    assert verdict(changed(called("unseen", unseen), path, value)) == (Outcome.PASS, "")


def test_the_rules_of_a_stack_are_read_once_however_many_services_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    services = [resource("HttpService", f"api-{number}", {"slos": [SLO]}) for number in range(50)]
    stack = Stack([*services, PROMETHEUS, RULES])
    asked = Mock(wraps=stack.of)
    monkeypatch.setattr(stack, "of", asked)
    (result,) = evaluate([RULE], stack)
    assert result.count(Outcome.PASS) == 50
    assert asked.call_count == 3  # Prometheus, PrometheusRule, ConfigMap


SIGN_IN = resource(
    "StatefulSet", "sign-in", {"spec": {"template": {"metadata": {"labels": {"app": "sign-in", "tier": "web"}}}}}
)
SIGN_IN_SERVICE = resource("Service", "login", {"spec": {"selector": {"app": "sign-in"}}})
ROUTE = resource("HTTPRoute", "login", {"spec": {"rules": [{"filters": []}, {"backendRefs": [{"name": "login"}]}]}})


@pytest.mark.parametrize(
    ("replaced", "outcome"),
    [
        ({}, Outcome.FAIL),
        ({"PrometheusRule": changed(RULES, f"{RECORDING}.labels.service", "sign-in")}, Outcome.PASS),
        ({"PrometheusRule": changed(RULES, f"{RECORDING}.labels.service", "login")}, Outcome.FAIL),
        ({"PrometheusRule": changed(RULES, f"{RECORDING}.labels", UNKNOWN)}, Outcome.INCONCLUSIVE),
        ({"Prometheus": None}, Outcome.PASS),
        ({"HTTPRoute": None}, None),
        ({"HTTPRoute": changed(ROUTE, "spec.rules.1.backendRefs.0.name", "other")}, None),
        ({"HTTPRoute": changed(ROUTE, "spec.rules.1.backendRefs.0.namespace", "elsewhere")}, None),
        ({"HTTPRoute": changed(ROUTE, "metadata.namespace", "elsewhere")}, None),
        ({"HTTPRoute": changed(ROUTE, "spec.rules", UNKNOWN)}, Outcome.INCONCLUSIVE),
        ({"Service": changed(SIGN_IN_SERVICE, "spec.selector.app", "other")}, None),
        ({"Service": changed(SIGN_IN_SERVICE, "spec.selector", {})}, None),
        ({"StatefulSet": changed(SIGN_IN, "metadata.namespace", "elsewhere")}, None),
        ({"StatefulSet": changed(SIGN_IN, "spec.template.metadata.labels", UNKNOWN)}, Outcome.INCONCLUSIVE),
    ],
)
def test_what_runs_and_is_reached_is_asked_whoever_declared_it(
    replaced: dict[str, Resource | None], outcome: Outcome | None
) -> None:
    parts = {**GOOD, "StatefulSet": SIGN_IN, "Service": SIGN_IN_SERVICE, "HTTPRoute": ROUTE, **replaced}
    finding = judged(RULE, *(part for part in parts.values() if part)).get("StatefulSet/sign-in")
    assert (finding and finding.outcome) == outcome
    if finding and outcome is Outcome.FAIL:
        assert "Service shop/login lets people reach it" in finding.reasons[0]


def test_the_workload_of_a_component_is_asked_through_that() -> None:
    parent = "urn:pulumi:staging::shop::mainstay:index:HttpService$kubernetes:apps/v1:StatefulSet::sign-in"
    own = Resource(parent, SIGN_IN.type, "sign-in", SIGN_IN.props)
    assert judged(RULE, own, SIGN_IN_SERVICE, ROUTE, PROMETHEUS) == {}


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Redis"), resource("Deployment"), resource("Service"), PROMETHEUS, RULES) == {}


def test_it_stops_a_deployment() -> None:
    assert RULE.enforcement is Enforcement.MANDATORY
