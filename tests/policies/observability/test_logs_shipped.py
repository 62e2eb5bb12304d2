"""Rule logs-shipped: what reads the logs of a namespace, and whether a store gets them."""

from collections.abc import Mapping
from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.observability.logs_shipped import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource
from tests.policies.observability.telemetry import ALLOY, LOKI, server, telemetry

API = resource("Deployment", "api", {"spec": {"template": {"spec": {"containers": [{"name": "api"}]}}}})


def verdict(
    alloy: str = ALLOY, pods: Resource = API, parts: Mapping[str, Resource | None] | None = None
) -> tuple[Outcome, str]:
    """Outcome and reasons for some pods; `parts`: what replaces parts of the good stack, or is added to them."""
    every = {**telemetry(alloy), **(parts or {})}
    found = judged(RULE, pods, *(part for part in every.values() if part))
    finding = found[f"{pods.type.rpartition(':')[2]}/{pods.name}"]
    return finding.outcome, "; ".join(finding.reasons)


KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Cluster", "Prometheus"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_has_pods_is_asked_by_its_namespace(kind: str) -> None:
    assert verdict(pods=resource(kind)) == (Outcome.PASS, "")
    assert verdict(pods=changed(resource(kind), "metadata.namespace", "elsewhere")) == (
        Outcome.FAIL,
        "no collector (Alloy) of this stack reads the logs of namespace elsewhere",
    )


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Service"), resource("ConfigMap"), resource("HttpService")) == {}


CHANGES: list[tuple[str, str, str | None]] = [
    ('    names = ["shop", "tools"] // and no others\n', "", None),  # everywhere
    ('["shop", "tools"]', '["tools"]', "reads the logs of namespace shop"),
    ('["shop", "tools"]', "[]", None),
    ('names = ["shop", "tools"]', "own_namespace = true", None),
    ('names = ["shop", "tools"]', "own_namespace = false", None),
    ('names = ["shop", "tools"]', 'names = ["x"]\n own_namespace = true', None),
    ('role = "pod"', 'role = "service"', "reads the logs of namespace shop"),
    ("discovery.kubernetes.pods.targets", "discovery.kubernetes.other.targets", "reads the logs of namespace shop"),
    ("discovery.kubernetes.pods.targets", "concat(discovery.kubernetes.pods.targets, [])", None),
    ("= discovery.relabel.pods.output", "= discovery.kubernetes.pods.targets", None),
    ("= discovery.relabel.pods.output", "= []", "reads the logs of namespace shop"),
    ("= discovery.kubernetes.pods.targets", "= discovery.relabel.pods.output", "reads the logs of namespace shop"),
    ('loki.source.kubernetes "pods"', 'loki.source.api "pods"', "reads the logs of namespace shop"),
    ('loki.source.kubernetes "pods"', 'loki.source.file "pods"', None),
    (
        "loki.process.lines.receiver",
        "loki.process.other.receiver",
        "hands on to loki.process.other, which is not there",
    ),
    ("[loki.write.loki.receiver]", "[]", "loki.process.lines of StatefulSet shop/alloy hands logs on to nothing"),
    ("[loki.write.loki.receiver]", "[loki.process.lines.receiver]", "hands on in a circle"),
    ("[loki.write.loki.receiver]", "[loki.write.x.receiver, loki.write.loki.receiver]", None),
    ("http://loki:3100/", "http://other:3100/", "loki.write.loki: the host it is sent to is no Service of this stack"),
    ("http://loki:3100/", "http://other.shop:3100/", "is no Service of this stack"),
    ("http://loki:3100/", "http://loki.elsewhere.svc:3100/", "is no Service of this stack"),
    ("http://loki:3100/", "http://loki.shop.svc.cluster.local:3100/", None),
    ("http://loki:3100/", "http://loki:3101/", "port 3101 of Service shop/loki leads to no pod"),
    ("http://loki:3100/", "http://tempo:3200/", "StatefulSet shop/tempo is nothing that takes logs at port 3200"),
    ("http://loki:3100/", "https://logs.example.com/", None),
    ('  endpoint {\n    url = "http://loki:3100/loki/api/v1/push"\n  }', "", "hands logs on to nothing"),
    ("loki.write", "loki write", "has a configuration that is none of Alloy's"),
    ("discovery.relabel", "discovery.other", "reads the logs of namespace shop"),
    ("= discovery.relabel.pods.output", "= local.file_match.pods.targets", None),
]


MATCHED = 'local.file_match "pods" {\n path_targets = discovery.relabel.pods.output\n targets = []\n}\n'


@pytest.mark.parametrize(("old", "new", "clause"), CHANGES)
def test_the_way_of_a_line(old: str, new: str, clause: str | None) -> None:
    assert old in ALLOY
    if new == "= discovery.relabel.pods.output":
        alloy = ALLOY.replace(f"targets {old}", f"targets {new}")
    else:
        alloy = ALLOY.replace(old, new) + MATCHED
    outcome, reasons = verdict(alloy)
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS), reasons
    assert (clause or "") in reasons


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ('source_labels = ["__meta_kubernetes_namespace"]\n regex = "shop"\n action = "drop"', Outcome.FAIL),
        ('source_labels = ["__meta_kubernetes_namespace"]\n regex = "sho"\n action = "drop"', Outcome.PASS),
        ('source_labels = ["__meta_kubernetes_namespace"]\n action = "drop"', Outcome.FAIL),
        ('source_labels = ["__meta_kubernetes_namespace"]\n regex = "shop|x"\n action = "keep"', Outcome.PASS),
        ('source_labels = ["__meta_kubernetes_namespace"]\n regex = "x"\n action = "keep"', Outcome.FAIL),
        ('source_labels = ["__meta_kubernetes_namespace"]\n regex = "shop"\n action = "replace"', Outcome.PASS),
        ('source_labels = ["__meta_kubernetes_pod_phase"]\n regex = "Succeeded"\n action = "drop"', Outcome.PASS),
        ('source_labels = ["__meta_kubernetes_pod_container_init"]\n regex = "true"\n action = "drop"', Outcome.PASS),
        ('source_labels = ["__meta_kubernetes_namespace"]\n regex = "x"', Outcome.PASS),
        ('source_labels = ["__meta_kubernetes_pod_label_logs"]\n regex = "no"\n action = "drop"', Outcome.INCONCLUSIVE),
        ('action = "drop"', Outcome.INCONCLUSIVE),
    ],
)
def test_pods_that_are_left_out(rule: str, outcome: Outcome) -> None:
    assert (
        verdict(ALLOY.replace('target_label  = "pod"\n', f'target_label  = "pod"\n}}\nrule {{\n{rule}\n'))[0] is outcome
    )


def test_what_is_worked_out_when_it_runs_is_not_known() -> None:
    outcome, reasons = verdict(ALLOY.replace('"http://loki:3100/loki/api/v1/push"', 'sys.env("LOKI")'))
    assert outcome is Outcome.INCONCLUSIVE
    assert "worked out when Alloy runs" in reasons
    selected = ALLOY.replace('role = "pod"', 'role = "pod"\n selectors {\n role = "pod"\n }')
    assert verdict(selected)[0] is Outcome.INCONCLUSIVE


CONTAINER = "spec.template.spec.containers.0"
PARTS: list[tuple[str, str, object, Outcome]] = [
    ("StatefulSet/alloy", "spec.replicas", 0, Outcome.FAIL),
    ("StatefulSet/alloy", "spec.replicas", 1, Outcome.PASS),
    ("StatefulSet/alloy", "spec.replicas", UNKNOWN, Outcome.INCONCLUSIVE),
    ("StatefulSet/alloy", f"{CONTAINER}.args", ["run"], Outcome.FAIL),
    ("StatefulSet/alloy", f"{CONTAINER}.args", ["run", "/etc/alloy"], Outcome.PASS),
    ("StatefulSet/alloy", f"{CONTAINER}.args", ["run", "/etc/other"], Outcome.FAIL),
    ("StatefulSet/alloy", f"{CONTAINER}.args", UNKNOWN, Outcome.INCONCLUSIVE),
    ("StatefulSet/alloy", f"{CONTAINER}.volumeMounts", [], Outcome.FAIL),
    ("StatefulSet/alloy", f"{CONTAINER}.volumeMounts.0.name", "other", Outcome.FAIL),
    ("StatefulSet/alloy", "spec.template.spec.volumes.0.configMap.name", "other", Outcome.FAIL),
    ("StatefulSet/alloy", "spec.template.spec.volumes.0.configMap.items", GONE, Outcome.PASS),
    ("StatefulSet/alloy", "spec.template.spec.volumes.0.configMap.items.0.key", "other", Outcome.FAIL),
    ("StatefulSet/alloy", "spec.template.spec.containers", UNKNOWN, Outcome.INCONCLUSIVE),
    ("StatefulSet/loki", f"{CONTAINER}.args", [], Outcome.FAIL),
    ("StatefulSet/loki", "metadata.namespace", "elsewhere", Outcome.FAIL),
    ("Service/loki", "spec.selector", {"app": "other"}, Outcome.FAIL),
    ("Service/loki", "spec.ports.0.targetPort", "other", Outcome.FAIL),
    ("Service/loki", "spec.ports.0.targetPort", 3100, Outcome.PASS),
    ("Service/loki", "spec.ports.0.targetPort", 3200, Outcome.FAIL),
    ("Service/loki", "spec.ports.0.targetPort", GONE, Outcome.PASS),
    ("Service/loki", "spec.selector", UNKNOWN, Outcome.INCONCLUSIVE),
    ("ConfigMap/alloy", "data", SECRET, Outcome.INCONCLUSIVE),
    ("ClusterRole/alloy", "rules.0.resources", ["pods"], Outcome.FAIL),
    ("ClusterRole/alloy", "rules.0.resources", ["*"], Outcome.PASS),
    ("ClusterRole/alloy", "rules.0.verbs", ["list"], Outcome.FAIL),
    ("ClusterRole/alloy", "rules.0.verbs", ["*"], Outcome.PASS),
    ("ClusterRole/alloy", "metadata.namespace", GONE, Outcome.PASS),
    ("ClusterRole/alloy", "metadata.name", "other", Outcome.FAIL),
    ("ClusterRoleBinding/alloy", "roleRef.name", "other", Outcome.FAIL),
    ("ClusterRoleBinding/alloy", "subjects.0.name", "other", Outcome.FAIL),
    ("ClusterRoleBinding/alloy", "subjects.0.namespace", "other", Outcome.FAIL),
    ("ClusterRoleBinding/alloy", "subjects.0.kind", "User", Outcome.FAIL),
    ("ClusterRoleBinding/alloy", "subjects", UNKNOWN, Outcome.INCONCLUSIVE),
]


@pytest.mark.parametrize(("part", "path", "value", "outcome"), PARTS)
def test_each_part_of_the_way_is_followed(part: str, path: str, value: object, outcome: Outcome) -> None:
    assert verdict(parts={part: changed(telemetry()[part], path, value)})[0] is outcome


def test_a_role_in_the_namespace_will_do_and_one_elsewhere_not() -> None:
    good = telemetry()
    role = resource("Role", "alloy", {"rules": good["ClusterRole/alloy"].props["rules"]})
    here = changed(good["ClusterRoleBinding/alloy"], "roleRef.kind", "Role")
    named = resource("RoleBinding", "alloy", dict(here.props))
    elsewhere = changed(named, "metadata.namespace", "tools")
    parts: dict[str, Resource | None] = {"ClusterRoleBinding/alloy": None, "Role/alloy": role}
    assert verdict(parts=parts)[0] is Outcome.FAIL
    assert verdict(parts={**parts, "RoleBinding/alloy": named})[0] is Outcome.PASS
    assert verdict(parts={**parts, "RoleBinding/alloy": elsewhere})[0] is Outcome.FAIL
    moved = changed(role, "metadata.namespace", "tools")
    assert verdict(parts={**parts, "RoleBinding/alloy": named, "Role/alloy": moved})[0] is Outcome.FAIL


def test_a_role_of_the_cluster_can_be_bound_in_the_namespace_alone() -> None:
    good = telemetry()
    role = changed(good["ClusterRole/alloy"], "metadata.namespace", GONE)
    bound = resource("RoleBinding", "alloy", dict(good["ClusterRoleBinding/alloy"].props))
    parts: dict[str, Resource | None] = {"ClusterRoleBinding/alloy": None, "ClusterRole/alloy": role}
    assert verdict(parts={**parts, "RoleBinding/alloy": bound})[0] is Outcome.PASS
    elsewhere = changed(bound, "metadata.namespace", "tools")
    assert verdict(parts={**parts, "RoleBinding/alloy": elsewhere})[0] is Outcome.FAIL


def test_who_reads_files_needs_no_role() -> None:
    files = ALLOY.replace('loki.source.kubernetes "pods"', 'loki.source.file "pods"')
    assert verdict(files, parts={"ClusterRole/alloy": None})[0] is Outcome.PASS
    assert verdict(parts={"ClusterRole/alloy": None})[0] is Outcome.FAIL


def test_a_file_mounted_alone_is_found() -> None:
    path = "/etc/alloy/config.alloy"
    mount = {"name": "config", "mountPath": path, "subPath": "config.alloy"}
    alone = changed(telemetry()["StatefulSet/alloy"], f"{CONTAINER}.volumeMounts.0", mount)
    assert verdict(parts={"StatefulSet/alloy": alone})[0] is Outcome.PASS
    other = changed(alone, f"{CONTAINER}.volumeMounts.0.subPath", "other")
    assert verdict(parts={"StatefulSet/alloy": other})[0] is Outcome.FAIL


def test_the_port_of_a_loki_is_its_own_where_none_is_set() -> None:
    unset = telemetry(loki={key: value for key, value in LOKI.items() if key != "server"})
    assert verdict(parts={"ConfigMap/loki": unset["ConfigMap/loki"]})[0] is Outcome.PASS
    moved = telemetry(loki={**LOKI, "server": {"http_listen_port": 3101}})
    assert verdict(parts={"ConfigMap/loki": moved["ConfigMap/loki"]})[0] is Outcome.FAIL


def test_a_store_may_have_others_beside_it_and_its_file_another_suffix() -> None:
    good = telemetry()
    other = server("other", "other.yaml", {"a": "b"}, {"http": 3100})[0]
    labelled = changed(other, "spec.template.metadata.labels", {"app": "loki"})
    assert verdict(parts={"StatefulSet/other": labelled})[0] is Outcome.PASS
    assert verdict(parts={"StatefulSet/other": labelled, "StatefulSet/loki": None})[0] is Outcome.FAIL
    short = {f"{each.type.rpartition(':')[2]}/loki": each for each in server("loki", "loki.yml", LOKI, {"http": 3100})}
    assert verdict(parts=short)[0] is Outcome.PASS
    template = "spec.template.spec"
    once = changed(good["StatefulSet/alloy"], f"{template}.initContainers", [{"name": "first"}])
    assert verdict(parts={"StatefulSet/alloy": once})[0] is Outcome.PASS
    containers: Any = once.root.at("spec", "template", "spec", "containers").value
    swapped = changed(changed(once, f"{template}.initContainers", containers), f"{template}.containers", [])
    assert verdict(parts={"StatefulSet/alloy": swapped})[0] is Outcome.FAIL


def test_a_namespace_that_is_not_known_is_inconclusive() -> None:
    assert verdict(pods=changed(API, "metadata.namespace", UNKNOWN))[0] is Outcome.INCONCLUSIVE
