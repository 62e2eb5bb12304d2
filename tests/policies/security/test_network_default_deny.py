"""Rule network-default-deny: what trips it, what comes close and must not."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.security.network_default_deny import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import EMPTY, GONE, changed, judged, resource

NAMESPACE = resource("Namespace", "shop", {"metadata": {"name": "shop"}})
POD = resource("Deployment", "api", {"spec": {"template": {"spec": {"containers": [{"name": "api"}]}}}})
DENY = resource(
    "NetworkPolicy", "deny", {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": []}}
)
NO_INGRESS = "no NetworkPolicy denies ingress to all its pods"
NO_EGRESS = "no NetworkPolicy denies egress to all its pods"


def of_namespace(*resources: Resource, namespace: Resource = NAMESPACE) -> tuple[Outcome, str]:
    finding = judged(RULE, namespace, POD, *resources)["Namespace/shop"]
    return finding.outcome, "; ".join(finding.reasons)


def test_a_policy_without_rules_for_all_pods_and_both_directions_is_enough() -> None:
    assert of_namespace(DENY) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value", "clauses"),
    [
        ("spec.policyTypes", ["Ingress"], [NO_EGRESS]),
        ("spec.policyTypes", ["Egress"], [NO_INGRESS]),
        ("spec.policyTypes", GONE, [NO_EGRESS]),
        ("spec.podSelector", {"matchLabels": {"a": "b"}}, [NO_INGRESS, NO_EGRESS]),
        ("spec.podSelector", {"matchExpressions": [{"key": "a", "operator": "Exists"}]}, [NO_INGRESS, NO_EGRESS]),
        ("spec.ingress", [{"from": [{"podSelector": EMPTY}]}], [NO_INGRESS]),
        ("spec.egress", [{"to": [{"podSelector": EMPTY}]}], [NO_EGRESS]),
        ("metadata.namespace", "elsewhere", [NO_INGRESS, NO_EGRESS]),
    ],
)
def test_a_policy_that_denies_less_is_not(path: str, value: object, clauses: list[str]) -> None:
    outcome, reasons = of_namespace(changed(DENY, path, value))
    assert outcome is Outcome.FAIL
    assert [clause for clause in (NO_INGRESS, NO_EGRESS) if clause in reasons] == clauses


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.podSelector", {"matchLabels": {}, "matchExpressions": []}),
        ("spec.ingress", GONE),
        ("spec.ingress", None),
        ("spec.egress", []),
        ("spec.policyTypes", ["Egress", "Ingress"]),
    ],
)
def test_near_misses_pass(path: str, value: object) -> None:
    assert of_namespace(changed(DENY, path, value)) == (Outcome.PASS, "")


def test_two_policies_may_deny_a_direction_each() -> None:
    one = changed(DENY, "spec.policyTypes", ["Ingress"])
    other = changed(resource("NetworkPolicy", "other", dict(DENY.props)), "spec.policyTypes", ["Egress"])
    assert of_namespace(one, other) == (Outcome.PASS, "")


def test_without_any_policy_both_directions_are_named() -> None:
    outcome, reasons = of_namespace()
    assert outcome is Outcome.FAIL
    assert NO_INGRESS in reasons
    assert NO_EGRESS in reasons


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    "path", ["spec", "spec.podSelector", "spec.policyTypes", "spec.ingress", "spec.egress", "metadata.namespace"]
)
def test_a_policy_that_cannot_be_read_may_be_the_one(path: str, marker: object) -> None:
    assert of_namespace(changed(DENY, path, marker))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_answer() -> None:
    unknown = changed(resource("NetworkPolicy", "other", dict(DENY.props)), "spec", UNKNOWN)
    assert of_namespace(unknown, DENY)[0] is Outcome.PASS
    assert of_namespace(changed(changed(DENY, "spec.podSelector", UNKNOWN), "spec.policyTypes", ["Ingress"])) == (
        Outcome.FAIL,
        f"{NO_EGRESS} (empty podSelector, policyTypes Egress, no rule)",
    )
    some = changed(DENY, "spec.podSelector", {"matchLabels": {"a": "b"}})
    assert of_namespace(changed(some, "metadata.namespace", UNKNOWN))[0] is Outcome.FAIL


@pytest.mark.parametrize("kind", ["Prometheus", "Alertmanager", "Cluster", "Pooler", "CronJob"])
def test_pods_that_operators_make_count_too(kind: str) -> None:
    findings = judged(RULE, NAMESPACE, resource(kind))
    assert findings["Namespace/shop"].outcome is Outcome.FAIL


def test_a_namespace_in_which_nothing_runs_is_not_applicable() -> None:
    (finding,) = judged(RULE, NAMESPACE, changed(POD, "metadata.namespace", "elsewhere"), resource("Service")).values()
    assert (finding.outcome, finding.reasons) == (Outcome.NOT_APPLICABLE, ("no pod of this stack runs in it",))


def test_a_namespace_whose_pods_or_name_are_not_known_is_inconclusive() -> None:
    astray = changed(POD, "metadata.namespace", UNKNOWN)
    assert judged(RULE, NAMESPACE, astray)["Namespace/shop"].outcome is Outcome.INCONCLUSIVE
    for name in (UNKNOWN, ""):
        (finding,) = judged(RULE, changed(NAMESPACE, "metadata.name", name), POD).values()
        assert finding.outcome is Outcome.INCONCLUSIVE


ROOT = resource("Stack", "shop")


@pytest.mark.parametrize(
    ("resources", "outcome", "clause"),
    [
        ([POD], Outcome.FAIL, "namespace shop is not declared here, and no NetworkPolicy denies ingress"),
        ([POD], Outcome.FAIL, "namespace shop is not declared here, and no NetworkPolicy denies egress"),
        ([POD, changed(NAMESPACE, "metadata.name", "other")], Outcome.FAIL, "namespace shop is not declared here"),
        ([POD, changed(DENY, "spec.policyTypes", ["Ingress"])], Outcome.FAIL, "denies egress"),
        ([POD, DENY], Outcome.PASS, ""),
        ([POD, NAMESPACE], Outcome.NOT_APPLICABLE, "all its pods run in namespaces that it declares"),
        ([resource("Service")], Outcome.NOT_APPLICABLE, "all its pods"),
        ([changed(POD, "metadata.namespace", UNKNOWN), NAMESPACE], Outcome.INCONCLUSIVE, "the namespace of some pods"),
    ],
)
def test_a_namespace_that_is_not_declared_here_is_the_stacks_business(
    resources: list[Resource], outcome: Outcome, clause: str
) -> None:
    finding = judged(RULE, ROOT, *resources)["Stack/shop"]
    assert finding.outcome is outcome
    assert clause in "; ".join(finding.reasons)


def of_policy(spec: dict[str, Any]) -> tuple[Outcome, str]:
    props = {"spec": {"podSelector": {"matchLabels": {"a": "b"}}, **spec}}
    (finding,) = judged(RULE, resource("NetworkPolicy", "api", props)).values()
    return finding.outcome, "; ".join(finding.reasons)


PORT: list[object] = [{"protocol": "TCP", "port": 443}]
EVERYBODY: list[object] = [
    None,
    [],
    [{"podSelector": {"matchLabels": {"a": "b"}}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}],
    [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}],
    [{"ipBlock": {"cidr": "128.0.0.0/1"}}],
    [{"ipBlock": {"cidr": "8.0.0.0/7"}}],
    [{"ipBlock": {"cidr": "::/0"}}],
    [{"ipBlock": {"cidr": "2000::/3"}}],
    [{"ipBlock": {"cidr": "fc00::/6"}}],
    [{"ipBlock": {"cidr": "everywhere"}}],
    [{"namespaceSelector": {}}],
    [{"namespaceSelector": {}, "podSelector": {}}],
    [{}],
]
SOMEBODY: list[object] = [
    [{"podSelector": {}}],
    [{"podSelector": {"matchLabels": {"a": "b"}}}],
    [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
    [{"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}],
    [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}],
    [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
    [{"ipBlock": {"cidr": "10.1.2.3/8"}}],
    [{"ipBlock": {"cidr": "fc00::/7"}}],
]


@pytest.mark.parametrize("peers", EVERYBODY)
def test_nobody_lets_everybody_in_nor_out_to_everywhere(peers: object) -> None:
    for ports in (None, PORT):
        outcome, reasons = of_policy({"ingress": [{"from": peers, "ports": ports}]})
        assert (outcome, reasons) == (Outcome.FAIL, "spec.ingress[0] lets everybody in")
    outcome, reasons = of_policy({"egress": [{"to": peers}]})
    assert (outcome, reasons) == (
        Outcome.FAIL,
        "spec.egress[0] lets out to everywhere, and not on named ports alone",
    )
    assert of_policy({"egress": [{"to": peers, "ports": PORT}]}) == (Outcome.PASS, "")


@pytest.mark.parametrize("peers", SOMEBODY)
def test_whoever_is_named_may_come_in_and_be_reached(peers: object) -> None:
    assert of_policy({"ingress": [{"from": peers}], "egress": [{"to": peers}]}) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "ports",
    [
        [],
        [{"protocol": "TCP"}],
        [*PORT, {"port": None}],
        [{"port": 1, "endPort": 65535}],
        [{"port": UNKNOWN}, {"protocol": "TCP"}],
    ],
)
def test_to_everywhere_means_ports_that_are_named(ports: object) -> None:
    assert of_policy({"egress": [{"ports": ports}]})[0] is Outcome.FAIL


def test_every_rule_counts() -> None:
    good: dict[str, object] = {"from": SOMEBODY[0]}
    assert "spec.ingress[1] lets everybody in" in of_policy({"ingress": [good, {}]})[1]
    assert of_policy({"ingress": [UNKNOWN, {}]})[0] is Outcome.FAIL
    assert of_policy({"ingress": [{"from": [{"ipBlock": UNKNOWN}, {"namespaceSelector": {}}]}]})[0] is Outcome.FAIL


UNREADABLE: list[Callable[[object], dict[str, Any]]] = [
    lambda marker: {"ingress": marker},
    lambda marker: {"egress": [marker]},
    lambda marker: {"ingress": [{"from": marker}]},
    lambda marker: {"ingress": [{"from": [{"ipBlock": {"cidr": marker}}]}]},
    lambda marker: {"ingress": [{"from": [{"namespaceSelector": marker}]}]},
    lambda marker: {"egress": [{"ports": marker}]},
    lambda marker: {"egress": [{"ports": [{"port": marker}]}]},
    lambda marker: {"egress": [{"ports": [{"port": 1, "endPort": marker}]}]},
]


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("spec", UNREADABLE)
def test_rules_that_cannot_be_read_are_inconclusive(spec: Callable[[object], dict[str, Any]], marker: object) -> None:
    assert of_policy(spec(marker))[0] is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, POD, resource("Service"), resource("HttpService"), resource("Cluster")) == {}
