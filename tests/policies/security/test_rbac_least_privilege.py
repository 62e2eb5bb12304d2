"""Rule rbac-least-privilege: what trips it, what comes close and must not."""

from typing import Any

import pytest

from policies import normalise
from policies.model import Outcome
from policies.rules.security.rbac_least_privilege import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource

PODS: dict[str, Any] = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
SECRETS: dict[str, Any] = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
WHOLE_CLUSTER = "rules[0] allows to read the Secrets of the whole cluster"


def role(*rules: object, kind: str = "Role", **more: object) -> Resource:
    return resource(kind, "reader", {"rules": list(rules), **more})


def binding(
    kind: str = "RoleBinding", name: str = "reader", subject: object = None, of: str = "ClusterRole"
) -> Resource:
    account = {"kind": "ServiceAccount", "name": "api", "namespace": "shop"}
    props = {"roleRef": {"kind": of, "name": name}, "subjects": [subject or account]}
    return resource(kind, f"binding-of-{name}", props)


def verdict(subject: Resource, *others: Resource) -> tuple[Outcome, str]:
    finding = judged(RULE, subject, *others)["/".join(subject.urn.split(":")[-3::2])]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
@pytest.mark.parametrize(
    ("rule", "clause"),
    [
        ({**PODS, "verbs": ["*"]}, "rules[1].verbs has a wildcard"),
        ({**PODS, "resources": ["services", "*"]}, "rules[1].resources has a wildcard"),
        ({**PODS, "resources": ["pods/*"]}, "rules[1].resources has a wildcard"),
        ({**PODS, "apiGroups": ["*"]}, "rules[1].apiGroups has a wildcard"),
        ({"nonResourceURLs": ["*"], "verbs": ["get"]}, "rules[1].nonResourceURLs has a wildcard"),
        ({**PODS, "verbs": ["get", "escalate"]}, "rules[1] allows to escalate"),
        ({**PODS, "verbs": ["bind"]}, "rules[1] allows to bind"),
        ({"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}, "rules[1] allows to impersonate"),
        ({**PODS, "verbs": ["get", "create"]}, "rules[1] allows create on pods"),
        ({**PODS, "resources": ["pods/exec"]}, "rules[1] allows something on pods/exec"),
        ({**PODS, "resources": ["pods/attach"]}, "rules[1] allows something on pods/attach"),
        ({**PODS, "resources": ["pods/ephemeralcontainers"]}, "rules[1] allows something on pods/ephemeralcontainers"),
        ({**PODS, "resources": ["nodes", "nodes/proxy"]}, "rules[1] allows something on nodes/proxy"),
        (
            {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
            "rules[1] allows create on serviceaccounts/token",
        ),
    ],
)
def test_a_way_to_more_fails_in_every_role(rule: dict[str, Any], clause: str, kind: str) -> None:
    assert verdict(role(PODS, rule, kind=kind)) == (Outcome.FAIL, clause)


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
@pytest.mark.parametrize(
    "rule",
    [
        PODS,
        {**PODS, "verbs": ["get", "delete", "patch"]},
        {**PODS, "apiGroups": ["metrics.k8s.io"], "verbs": ["create"]},
        {**PODS, "resources": ["pods/log", "pods/status", "nodes/metrics", "nodes"]},
        {
            "apiGroups": ["example.org"],
            "resources": ["pods/exec", "nodes/proxy", "secrets"],
            "verbs": ["create", "get"],
        },
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "delete"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["api-env"], "verbs": ["get"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
        {"verbs": ["create"], "resources": ["pods"]},
    ],
)
def test_near_misses_pass(rule: dict[str, Any], kind: str) -> None:
    assert verdict(role(rule, kind=kind)) == (Outcome.PASS, "")


@pytest.mark.parametrize("verb", ["get", "list", "watch"])
def test_secrets_may_be_read_in_a_namespace_and_not_in_all(verb: str) -> None:
    rule = {**SECRETS, "verbs": [verb]}
    assert verdict(role(rule)) == (Outcome.PASS, "")
    everywhere = role(rule, kind="ClusterRole")
    assert verdict(everywhere) == (Outcome.FAIL, WHOLE_CLUSTER)
    assert verdict(everywhere, binding("RoleBinding")) == (Outcome.PASS, "")
    assert verdict(everywhere, binding("ClusterRoleBinding")) == (Outcome.FAIL, WHOLE_CLUSTER)
    assert verdict(everywhere, binding("RoleBinding"), binding("ClusterRoleBinding"))[0] is Outcome.FAIL
    for other in (binding("RoleBinding", of="Role"), binding("RoleBinding", name="other")):
        assert verdict(everywhere, other) == (Outcome.FAIL, WHOLE_CLUSTER)


def test_a_binding_that_cannot_be_read_may_be_the_one_that_gives_it_to_the_cluster() -> None:
    everywhere = role(SECRETS, kind="ClusterRole")
    unknown = changed(binding("ClusterRoleBinding"), "roleRef.name", UNKNOWN)
    assert verdict(everywhere, binding("RoleBinding"), unknown)[0] is Outcome.INCONCLUSIVE
    assert verdict(everywhere, unknown, binding("ClusterRoleBinding", "reader"))[0] is Outcome.FAIL


def test_an_aggregated_role_says_not_what_it_allows() -> None:
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    assert verdict(role(kind="ClusterRole", aggregationRule=selectors)) == (
        Outcome.FAIL,
        "aggregationRule gathers rules of whatever roles carry its labels",
    )
    assert verdict(role(kind="ClusterRole", aggregationRule=None)) == (Outcome.PASS, "")


def test_what_is_added_to_another_role_goes_where_that_one_goes() -> None:
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    added = changed(role(SECRETS, kind="ClusterRole"), "metadata.labels", labels)
    assert verdict(added, binding("RoleBinding")) == (Outcome.FAIL, WHOLE_CLUSTER)
    harmless = changed(role(PODS, kind="ClusterRole"), "metadata.labels", labels)
    assert verdict(harmless) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("kind", "name", "of", "outcome"),
    [
        ("RoleBinding", "cluster-admin", "ClusterRole", Outcome.FAIL),
        ("ClusterRoleBinding", "cluster-admin", "ClusterRole", Outcome.FAIL),
        ("ClusterRoleBinding", "admin", "ClusterRole", Outcome.FAIL),
        ("ClusterRoleBinding", "edit", "ClusterRole", Outcome.FAIL),
        ("RoleBinding", "edit", "ClusterRole", Outcome.PASS),
        ("RoleBinding", "admin", "ClusterRole", Outcome.PASS),
        ("ClusterRoleBinding", "view", "ClusterRole", Outcome.PASS),
        ("RoleBinding", "cluster-admin", "Role", Outcome.PASS),
        ("RoleBinding", UNKNOWN, "ClusterRole", Outcome.INCONCLUSIVE),
    ],
)
def test_built_in_roles_are_not_given_where_they_give_too_much(kind: str, name: Any, of: str, outcome: Outcome) -> None:
    found, reasons = verdict(changed(binding(kind, of=of), "roleRef.name", name))
    assert found is outcome
    if outcome is Outcome.FAIL:
        assert reasons == f"it gives the cluster role {name}"


@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize(
    ("subject", "outcome"),
    [
        ({"kind": "Group", "name": "system:authenticated"}, Outcome.FAIL),
        ({"kind": "Group", "name": "system:unauthenticated"}, Outcome.FAIL),
        ({"kind": "User", "name": "system:anonymous"}, Outcome.FAIL),
        ({"kind": "Group", "name": "system:masters"}, Outcome.FAIL),
        ({"kind": "Group", "name": "system:serviceaccounts"}, Outcome.FAIL),
        ({"kind": "Group", "name": "system:serviceaccounts:shop"}, Outcome.FAIL),
        ({"kind": "ServiceAccount", "name": "default", "namespace": "shop"}, Outcome.FAIL),
        ({"kind": "User", "name": "system:serviceaccount:shop:default"}, Outcome.FAIL),
        ({"kind": "User", "name": "system:serviceaccount:shop:api"}, Outcome.PASS),
        ({"kind": "ServiceAccount", "name": "api", "namespace": "default"}, Outcome.PASS),
        ({"kind": "ServiceAccount", "name": "system:masters", "namespace": "shop"}, Outcome.PASS),
        ({"kind": "Group", "name": "default"}, Outcome.PASS),
        ({"kind": "Group", "name": "platform"}, Outcome.PASS),
        ({"kind": "User", "name": UNKNOWN}, Outcome.INCONCLUSIVE),
        (SECRET, Outcome.INCONCLUSIVE),
    ],
)
def test_nothing_is_given_to_everybody_nor_to_every_pod(kind: str, subject: object, outcome: Outcome) -> None:
    found, reasons = verdict(binding(kind, subject=subject))
    assert found is outcome
    assert (outcome is Outcome.FAIL) == reasons.startswith("subjects[0] is ") or outcome is Outcome.INCONCLUSIVE


POD: dict[str, Any] = {"serviceAccountName": "api", "containers": [{"name": "api"}]}
ACCOUNT = resource("ServiceAccount", "api", {"automountServiceAccountToken": False})


def deployment(kind: str = "Deployment", **spec: object) -> Resource:
    pod = {**POD, **spec}
    props: dict[str, Any] = {"spec": {"template": {"spec": pod}}} if kind == "Deployment" else {"spec": pod}
    return resource(kind, "app", props)


def carries(account: str) -> tuple[Outcome, str]:
    fault = f"its pods carry a token of service account {account}, which is bound to nothing"
    return Outcome.FAIL, f"{fault} (automountServiceAccountToken)"


@pytest.mark.parametrize(
    ("spec", "others", "expected"),
    [
        ({"automountServiceAccountToken": False}, (), (Outcome.PASS, "")),
        ({}, (), carries("api")),
        ({"automountServiceAccountToken": True}, (ACCOUNT,), carries("api")),
        ({}, (ACCOUNT,), (Outcome.PASS, "")),
        ({}, (changed(ACCOUNT, "automountServiceAccountToken", True),), carries("api")),
        ({}, (changed(ACCOUNT, "automountServiceAccountToken", GONE),), carries("api")),
        ({}, (changed(ACCOUNT, "metadata.namespace", "elsewhere"),), carries("api")),
        ({}, (changed(ACCOUNT, "metadata.name", "other"),), carries("api")),
        ({"serviceAccountName": None}, (ACCOUNT,), carries("default")),
        ({"serviceAccountName": None, "serviceAccount": "api"}, (ACCOUNT,), (Outcome.PASS, "")),
        ({}, (binding(),), (Outcome.PASS, "")),
        ({}, (binding("ClusterRoleBinding", of="ClusterRole"),), (Outcome.PASS, "")),
        ({}, (binding(of="Role"),), (Outcome.PASS, "")),
        ({"automountServiceAccountToken": True}, (binding(),), (Outcome.PASS, "")),
        ({"serviceAccountName": "web"}, (binding(),), carries("web")),
        ({}, (binding(subject={"kind": "ServiceAccount", "name": "api", "namespace": "other"}),), carries("api")),
        ({}, (binding(subject={"kind": "User", "name": "api", "namespace": "shop"}),), carries("api")),
    ],
)
def test_only_pods_whose_account_is_bound_carry_its_token(
    spec: dict[str, Any], others: tuple[Resource, ...], expected: tuple[Outcome, str]
) -> None:
    assert verdict(deployment(**spec), *others) == expected
    assert verdict(deployment("Pod", **spec), *others) == expected


@pytest.mark.parametrize(
    ("subject", "others"),
    [
        (deployment(automountServiceAccountToken=UNKNOWN), ()),
        (deployment(serviceAccountName=SECRET), ()),
        (changed(deployment(), "metadata.namespace", UNKNOWN), ()),
        (changed(deployment(), "spec", UNKNOWN), ()),
        (deployment(), (changed(ACCOUNT, "metadata.name", UNKNOWN),)),
        (deployment(), (changed(ACCOUNT, "automountServiceAccountToken", UNKNOWN),)),
        (deployment(), (changed(binding(), "subjects", UNKNOWN),)),
        (deployment(), (changed(binding(), "subjects.0.name", UNKNOWN),)),
    ],
)
def test_what_cannot_be_read_is_inconclusive(subject: Resource, others: tuple[Resource, ...]) -> None:
    assert verdict(subject, *others)[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_answer() -> None:
    assert verdict(deployment(automountServiceAccountToken=UNKNOWN), binding())[0] is Outcome.PASS
    assert verdict(deployment(), ACCOUNT, changed(binding(), "subjects", UNKNOWN))[0] is Outcome.PASS
    off = changed(changed(ACCOUNT, "automountServiceAccountToken", True), "metadata.name", "api")
    unplaced = changed(
        resource("ServiceAccount", "b", {"automountServiceAccountToken": False}), "metadata.name", UNKNOWN
    )
    assert verdict(deployment(), off, unplaced)[0] is Outcome.FAIL
    assert verdict(role(UNKNOWN, {**PODS, "verbs": ["*"]}))[0] is Outcome.FAIL
    assert verdict(role({**PODS, "apiGroups": UNKNOWN, "verbs": ["bind"]}))[0] is Outcome.FAIL
    assert verdict(role({**PODS, "verbs": [UNKNOWN, "*"]}))[0] is Outcome.FAIL


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", ["rules", "rules.0", "rules.0.verbs", "rules.0.resources.0", "aggregationRule"])
def test_a_role_that_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(changed(role(PODS, kind="ClusterRole"), path, marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("kind", "token", "expected"),
    [
        ("Prometheus", GONE, carries("prometheus")),
        ("PrometheusAgent", GONE, carries("prometheus")),
        ("Prometheus", False, (Outcome.PASS, "")),
        ("Alertmanager", GONE, (Outcome.PASS, "")),
        ("Alertmanager", True, carries("prometheus")),
    ],
)
def test_prometheus_mounts_its_token_whatever_its_account_says(
    kind: str, token: object, expected: tuple[Outcome, str]
) -> None:
    account = changed(ACCOUNT, "metadata.name", "prometheus")
    server = resource(kind, props={"spec": {"serviceAccountName": "prometheus", "automountServiceAccountToken": None}})
    assert verdict(changed(server, "spec.automountServiceAccountToken", token), account) == expected
    assert verdict(changed(server, "spec.automountServiceAccountToken", UNKNOWN))[0] is Outcome.INCONCLUSIVE


def test_a_patch_is_judged_by_what_it_sets() -> None:
    def patch(spec: dict[str, Any]) -> Resource:
        props = {"metadata": {"name": "api", "namespace": "shop"}, "spec": {"template": {"spec": spec}}}
        (found,) = normalise.resources("urn:x::y::z", "kubernetes:apps/v1:DeploymentPatch", "z", props, {})
        return found

    (finding,) = judged(RULE, patch({"automountServiceAccountToken": False})).values()
    assert finding.outcome is Outcome.PASS
    (finding,) = judged(RULE, patch({"priorityClassName": "high"})).values()
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_accounts_that_an_operator_makes_and_other_kinds_are_not_its_business() -> None:
    others = [resource(kind) for kind in ("Cluster", "Pooler", "Service", "ServiceAccount", "HttpService")]
    assert judged(RULE, *others) == {}
