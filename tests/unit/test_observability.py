"""What watches an environment: complete, selected, reachable, and told to somebody."""

import asyncio
import copy
import json
import re
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.stack import run_pulumi_func
from pydantic import ValidationError

from components.gateway import alerts as gateway
from components.keycloak import alerts as keycloak
from components.observability.alert import Alert, Severity, rule_groups
from components.observability.alerts import MONITORING, NODES, PODS, PROBES, VOLUMES, rules_missing, targets_missing
from components.observability.dashboards import DASHBOARDS
from components.observability.log_alerts import LOG_ALERTS
from components.observability.observability import Observability
from components.observability.prometheus import scrape_nodes
from components.observability.routing import MUTES
from components.observability.runbook import SECTIONS, pages
from components.observability.telemetry_alerts import TELEMETRY
from components.postgres import alerts as postgres
from components.redis import alerts as redis
from components.slo.alerts import ALERTS as SLO_ALERTS
from components.workload import alerts as workload
from stacks.render import SECRET_MARKER, Manifest, Recorder
from stacks.settings_alerting import maintenance
from stacks.settings_observability import ObservabilitySettings, observability_args

NAMESPACE = "shop-staging"
CANARY = "https://canary-4f1d.example"
SMALL = {"cpu": "50m", "memory": "128Mi", "memoryLimit": "256Mi"}
STORED: dict[str, Any] = {
    "retention": "7d",
    "objectStore": {"bucket": "shop-telemetry", "endpoint": "https://store.example:9000", "region": "eu"},
    "storage": "1Gi",
    "resources": SMALL,
}
SECTION: dict[str, Any] = {
    "owner": "platform",
    "runbooks": "https://git.example/shop/docs/runbooks/",
    "publicHosts": ["https://shop.example/"],
    "prometheus": {
        "replicas": 2,
        "resources": {"cpu": "250m", "memory": "512Mi", "memoryLimit": "1Gi"},
        "storage": "10Gi",
    },
    "alertmanager": {
        "replicas": 3,
        "resources": {"cpu": "10m", "memory": "64Mi", "memoryLimit": "128Mi"},
        "contacts": {"pagerduty": True, "slack": True},
    },
    "logs": {**STORED, "namespaces": ["cert-manager"]},
    "traces": STORED,
    "collector": {"replicas": 2, "resources": SMALL},
    "grafana": {"resources": SMALL},
}
TARGETS = [
    postgres.metrics_target("postgres-main"),
    redis.metrics_target("redis-queue"),
    workload.metrics_target("api", "service", 8000),
    workload.metrics_target("scheduler", "worker", 8081),
    gateway.metrics_target("gateway", NAMESPACE),
]
ALERTS: dict[str, list[Alert]] = {
    "gateway": gateway.alerts(["api"]),
    "keycloak": keycloak.ALERTS,
    "postgres": postgres.alerts({"postgres-main": 2}),
    "redis": redis.ALERTS,
    "services": workload.SERVICE_ALERTS,
    "workers": workload.WORKER_ALERTS,
}
EVERY_ALERT = [
    *SLO_ALERTS,
    *(alert for alerts in ALERTS.values() for alert in alerts),
    *PODS,
    *VOLUMES,
    *NODES,
    *PROBES,
    *MONITORING,
    targets_missing(["api"]),
    rules_missing(9),
    *TELEMETRY,
    *LOG_ALERTS,
]


def rendering(show_secrets: bool = False, section: dict[str, Any] = SECTION) -> list[Manifest]:
    monitor = Recorder()
    settings = ObservabilitySettings.model_validate(section)
    secrets = dict.fromkeys(settings.secrets, CANARY)

    async def declare() -> None:
        pulumi.runtime.set_mocks(monitor.mocks, project="mainstay", stack="staging", preview=False, monitor=monitor)
        args = observability_args(settings, NAMESPACE, "staging", TARGETS, ALERTS, secrets)
        await run_pulumi_func(lambda: Observability("observability", args) and None)

    asyncio.run(declare())
    return monitor.manifests(show_secrets)


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return rendering()


def of_kind(manifests: list[Manifest], kind: str) -> list[dict[str, Any]]:
    return [each.manifest for each in manifests if each.kind == kind]


def selected(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    ("kind", "selector"),
    [("PrometheusRule", "ruleSelector"), ("PodMonitor", "podMonitorSelector"), ("Probe", "probeSelector")],
)
def test_prometheus_selects_everything_that_is_declared(manifests: list[Manifest], kind: str, selector: str) -> None:
    (prometheus,) = of_kind(manifests, "Prometheus")
    declared = of_kind(manifests, kind)
    assert declared
    for each in declared:
        name = each["metadata"]["name"]
        assert selected(prometheus["spec"][selector], each["metadata"]["labels"]), name
        # No namespace selector: Prometheus looks at its own namespace alone.
        assert each["metadata"]["namespace"] == prometheus["metadata"]["namespace"], name
    assert not [key for key in prometheus["spec"] if key.endswith("NamespaceSelector")]


def test_each_monitor_finds_a_port_of_a_pod(manifests: list[Manifest]) -> None:
    """Pods of operators are not in the rendering: their labels and ports are the operators' own."""
    of_operators = {"postgres-main": "metrics", "prometheus": "web", "alertmanager": "web"}
    of_other_rooms = {target["name"] for target in TARGETS}
    pods = [each["spec"]["template"] for each in of_kind(manifests, "Deployment") + of_kind(manifests, "StatefulSet")]
    for monitor in of_kind(manifests, "PodMonitor"):
        name, (endpoint,) = monitor["metadata"]["name"], monitor["spec"]["podMetricsEndpoints"]
        if name in of_operators:
            assert endpoint["port"] == of_operators[name]
        elif name not in of_other_rooms:  # those are checked where the whole environment is rendered
            (pod,) = [pod for pod in pods if selected(monitor["spec"]["selector"], pod["metadata"]["labels"])]
            assert endpoint["port"] in {port["name"] for each in pod["spec"]["containers"] for port in each["ports"]}


def test_prometheus_may_reach_every_port_it_scrapes(manifests: list[Manifest]) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "NetworkPolicy")}
    out = [
        (rule["to"][0]["podSelector"]["matchLabels"], port["port"])
        for rule in policies["prometheus"]["egress"]
        for port in rule["ports"]
        if "to" in rule
    ]
    monitors = of_kind(manifests, "PodMonitor")
    assert len(monitors) == len(TARGETS) + 7
    for monitor in monitors:
        target = monitor["spec"]["selector"]["matchLabels"]
        name = monitor["metadata"]["name"]
        if "namespaceSelector" in monitor["spec"]:  # whom another namespace lets in is not ours to say
            assert f"prometheus-to-{name}" not in policies
            continue
        way_in = policies[f"prometheus-to-{name}"]
        assert way_in["podSelector"]["matchLabels"] == target
        assert (target, way_in["ingress"][0]["ports"][0]["port"]) in out


def test_the_gateway_s_proxies_are_found_and_reached_in_their_own_namespace_and_nothing_else_is(
    manifests: list[Manifest],
) -> None:
    labels = gateway.metrics_target("gateway", NAMESPACE)["pod_labels"]
    elsewhere = "envoy-gateway-system"
    (role,) = [each.manifest for each in manifests if each.namespace == elsewhere and each.kind == "Role"]
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    (policy,) = [each for each in of_kind(manifests, "NetworkPolicy") if each["metadata"]["name"] == "prometheus"]
    out = [rule for rule in policy["spec"]["egress"] if "namespaceSelector" in rule.get("to", [{}])[0]]
    peer = {
        "podSelector": {"matchLabels": labels},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": elsewhere}},
    }
    assert out == [{"to": [peer], "ports": [{"protocol": "TCP", "port": 19001}]}]
    (monitor,) = [each for each in of_kind(manifests, "PodMonitor") if each["metadata"]["name"] == "gateway"]
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": [elsewhere]}
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    # An environment's alerts, and what holds them back, are compared by namespace.
    assert {"targetLabel": "namespace", "replacement": NAMESPACE, "action": "replace"} in endpoint["relabelings"]


def test_of_the_cluster_the_nodes_alone_may_be_read(manifests: list[Manifest]) -> None:
    rules = {each["metadata"]["name"]: each["rules"] for each in of_kind(manifests, "ClusterRole")}
    assert {name: [rule["resources"] for rule in found] for name, found in rules.items() if "alloy" not in name} == {
        f"{NAMESPACE}-kube-state-metrics": [["nodes"]],
        f"{NAMESPACE}-prometheus": [["nodes"], ["nodes/metrics"]],
    }


def kept(job: str, **labels: str) -> bool:
    """Whether Prometheus keeps a series of the kubelets, by its own rules of relabeling."""
    (config,) = [each for each in scrape_nodes(NAMESPACE) if each["job_name"] == job]
    (rule,) = config["metric_relabel_configs"]
    return re.fullmatch(rule["regex"], ";".join(labels.get(each, "") for each in rule["source_labels"])) is not None


def test_of_the_kubelets_our_pods_and_the_nodes_as_a_whole_are_kept() -> None:
    ours, other, name = {"namespace": NAMESPACE}, {"namespace": "other"}, "container_memory_working_set_bytes"
    assert kept("kubelet-cadvisor", __name__=name, id="/kubepods/pod1", **ours)
    assert not kept("kubelet-cadvisor", __name__=name, id="/kubepods/pod2", **other)
    assert not kept("kubelet-cadvisor", __name__=name, id="/")
    assert kept("kubelet-cadvisor", __name__="container_fs_usage_bytes", id="/")
    assert not kept("kubelet-cadvisor", __name__="container_fs_usage_bytes", id="/kubepods/pod1", **ours)
    assert kept("kubelet", __name__="kubelet_volume_stats_used_bytes", **ours)
    assert not kept("kubelet", __name__="kubelet_volume_stats_used_bytes", **other)
    assert kept("kubelet-resource", __name__="node_cpu_usage_seconds_total")
    assert not kept("kubelet-resource", __name__="pod_cpu_usage_seconds_total", **ours)


def test_secret_values_stand_in_secrets_alone() -> None:
    holders = {("Secret", name) for name in ("alertmanager-contacts", "grafana", "loki", "tempo")}
    for each in rendering(show_secrets=True):
        if (each.kind, each.name) in holders:
            assert CANARY in json.dumps(each.manifest), f"{each.kind}/{each.name}"
        else:
            assert CANARY not in json.dumps(each.manifest), f"{each.kind}/{each.name}"
    assert CANARY not in json.dumps([each.manifest for each in rendering()])


def read_by(config: str) -> set[str]:
    return set(re.findall(r"/etc/alertmanager/secrets/alertmanager-contacts/([\w-]+)", config))


def with_everything() -> dict[str, Any]:
    section = copy.deepcopy(SECTION)
    section["alertmanager"] |= {
        "contacts": {"pagerduty": True, "slack": True, "webhook": True},
        "email": {"smarthost": "smtp.example:587", "sender": "alerts@shop.example", "to": ["oncall@shop.example"]},
        "escalation": [
            {"name": "tech-lead", "after": "15m", "pagerduty": True},
            {"name": "cto", "after": "1h", "email": ["cto@shop.example"]},
        ],
    }
    return section


@pytest.mark.parametrize("section", [SECTION, with_everything()], ids=["few", "all"])
def test_every_contact_the_configuration_reads_is_in_the_secret(section: dict[str, Any]) -> None:
    manifests = rendering(show_secrets=True, section=section)
    (alertmanager,) = of_kind(manifests, "Alertmanager")
    secrets = {each["metadata"]["name"]: each["stringData"] for each in of_kind(manifests, "Secret")}
    assert read_by(secrets["alertmanager"]["alertmanager.yaml"]) == set(secrets["alertmanager-contacts"])
    assert alertmanager["spec"]["secrets"] == ["alertmanager-contacts"]
    assert "alertmanager.yaml" in secrets[alertmanager["spec"]["configSecret"]]


def test_who_is_told_of_what_is_for_everyone_to_read() -> None:
    secrets = {each["metadata"]["name"]: each for each in of_kind(rendering(section=with_everything()), "Secret")}
    assert secrets["alertmanager"]["metadata"]["annotations"]["mainstay.dev/plain-keys"] == "alertmanager.yaml"
    assert "route:" in secrets["alertmanager"]["stringData"]["alertmanager.yaml"]
    assert set(secrets["alertmanager-contacts"]["stringData"].values()) == {SECRET_MARKER}


def test_alertmanager_may_reach_the_mail_server() -> None:
    def ports(section: dict[str, Any]) -> set[int]:
        policies = {
            each["metadata"]["name"]: each["spec"] for each in of_kind(rendering(section=section), "NetworkPolicy")
        }
        return {each["port"] for rule in policies["alertmanager"]["egress"] for each in rule["ports"]}

    assert ports(SECTION) == {9094, 443}
    assert ports(with_everything()) == {9094, 443, 587}


def test_each_contact_has_a_secret_of_its_own() -> None:
    settings = ObservabilitySettings.model_validate(with_everything())
    assert set(settings.alertmanager.secrets.values()) == {
        "alert-heartbeat-url",
        "alert-pagerduty-key",
        "alert-slack-url",
        "alert-webhook-url",
        "alert-smtp-password",
        "alert-tech-lead-pagerduty-key",
    }


LEVEL = {"name": "tech-lead", "after": "15m", "slack": True}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"contacts": {}}, "set pagerduty, slack or webhook to true in contacts, or email.to"),
        ({"escalation": [{"name": "cto", "after": "1h"}]}, "the level cto tells nobody"),
        ({"escalation": [{**LEVEL, "email": ["a@b.example"]}]}, "set email, the server that sends them"),
        ({"escalation": [{**LEVEL, "after": "1h"}, {**LEVEL, "name": "cto", "after": "30m"}]}, "must wait longer"),
        ({"escalation": [LEVEL, {**LEVEL, "after": "30m"}]}, "two levels of the escalation have the same name"),
    ],
)
def test_what_would_tell_nobody_is_refused(change: dict[str, Any], sentence: str) -> None:
    section = copy.deepcopy(SECTION)
    section["alertmanager"] |= change
    with pytest.raises(ValidationError, match=sentence):
        ObservabilitySettings.model_validate(section)


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"day": "someday", "start": "02:00", "end": "04:00"}, "neither a day of the week"),
        ({"day": "2026-02-30", "start": "02:00", "end": "04:00"}, "neither a day of the week"),
        ({"day": "sunday", "start": "2:00", "end": "04:00"}, "not a time of day"),
        ({"day": "sunday", "start": "22:00", "end": "04:00"}, "write a night as two entries"),
        ({"day": "sunday", "start": "22:00", "end": "24:30"}, "not a time of day"),
    ],
)
def test_a_window_that_could_be_misread_is_refused(window: dict[str, str], sentence: str) -> None:
    section = copy.deepcopy(SECTION)
    section["alertmanager"]["maintenance"] = [window]
    with pytest.raises(ValidationError, match=sentence):
        ObservabilitySettings.model_validate(section)


def test_windows_are_read_as_they_are_written() -> None:
    """In YAML 1.1 an unquoted 22:30 is a number of base 60, and 2026-12-01 a date."""
    written = "[{day: 2026-12-01, start: 22:30, end: 24:00}, {day: sunday, start: 02:00, end: 04:00}]"
    section = copy.deepcopy(SECTION)
    section["alertmanager"]["maintenance"] = yaml.safe_load(written)
    assert maintenance(ObservabilitySettings.model_validate(section).alertmanager) == [
        {"day": "2026-12-01", "start": "22:30", "end": "24:00"},
        {"day": "sunday", "start": "02:00", "end": "04:00"},
    ]


def test_every_rule_has_its_labels_its_texts_and_its_links() -> None:
    groups = {"all": EVERY_ALERT}
    written = pages(groups, NAMESPACE)
    for group in rule_groups(groups, "platform", SECTION["runbooks"], "https://grafana.example/"):
        for rule in group["rules"]:
            name, notes = rule["alert"], rule["annotations"]
            assert rule["labels"].keys() == {"severity", "owner", "service"}
            assert rule["labels"]["severity"] in set(Severity)
            assert notes["summary"].endswith("."), name
            assert notes["description"].endswith((".", ".)")), name
            assert notes["runbook_url"].removeprefix(SECTION["runbooks"]) in written
            uid, _, _ = notes["dashboard_url"].removeprefix("https://grafana.example/d/").partition("?")
            assert uid in {page.uid for page in DASHBOARDS}, f"{name} links to no dashboard"
    (rule, *_) = rule_groups(groups, "platform", SECTION["runbooks"])[0]["rules"]
    assert "dashboard_url" not in rule["annotations"]


@pytest.mark.parametrize("alert", EVERY_ALERT, ids=lambda alert: alert["name"])
def test_its_page_has_all_sections_and_says_what_to_do(alert: Alert) -> None:
    parts = re.split(r"^## (.+)\n", alert["runbook"], flags=re.MULTILINE)
    assert parts[0] == ""
    assert tuple(parts[1::2]) == SECTIONS
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        assert len(text.split()) >= MINIMUM[heading], f"{heading}: {text}"
        if heading in ("First checks", "Mitigation"):
            assert text.startswith("1. "), heading
    checks, mitigation = parts[6], parts[8]
    assert re.search(r"`[^`]{10,}`|status page|Dashboard", checks), "nothing to begin with"
    assert checks != mitigation
    page = pages({"all": [alert]}, NAMESPACE)[f"{alert['name']}.md"]
    assert "## Escalation\n" in page
    commands = re.findall(r"\bkubectl (?:-n (\S+))?", page)
    assert "" not in commands
    assert set(commands) <= {NAMESPACE, "cnpg-system", "cert-manager", "envoy-gateway-system"}


MINIMUM = {"Meaning": 5, "Impact": 2, "First checks": 8, "Mitigation": 8}
"""Words that a section has at least."""


def test_an_urgent_page_says_how_to_acknowledge_and_who_is_told_next() -> None:
    page = pages(ALERTS, NAMESPACE, [{"name": "tech-lead", "after": "15m"}])
    assert "amtool silence add" in page["RedisDown.md"]
    assert "- 15m: tech-lead" in page["RedisDown.md"]
    assert "tech-lead" not in page["QueueDeep.md"]


def test_a_muted_alert_and_what_mutes_it_carry_the_labels_that_are_compared() -> None:
    by_name = {alert["name"]: alert["expr"] for alert in EVERY_ALERT}
    for source, muted, equal in MUTES:
        for name in (source, muted):
            # Labels that an expression makes are there; without an aggregation all labels of the metric stay.
            made = set(re.findall(r'label_replace\(.*, "(\w+)", "\$1"', by_name[name]))
            for labels in re.findall(r"by \(([^)]*)\)", by_name[name]):
                # Every rule sets the label `service`, whatever its expression keeps.
                assert set(equal) - made - {"service"} <= {label.strip() for label in labels.split(",")}, name


def test_every_pod_is_restricted_and_probed(manifests: list[Manifest]) -> None:
    for each in of_kind(manifests, "Deployment") + of_kind(manifests, "StatefulSet"):
        spec = each["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {"startupProbe", "readinessProbe", "livenessProbe", "resources"} <= container.keys()


def test_alloy_reads_the_named_namespaces_and_may_read_no_more_than_it_must() -> None:
    def collected(namespaces: list[str]) -> tuple[str, set[str]]:
        section = copy.deepcopy(SECTION)
        section["logs"]["namespaces"] = namespaces
        objects = rendering(section=section)
        (config,) = [each.manifest["data"] for each in objects if (each.kind, each.name) == ("ConfigMap", "alloy")]
        bindings = {each.kind for each in objects if each.kind.endswith("Binding") and each.name.endswith("alloy")}
        return config["config.alloy"], bindings

    config, bindings = collected([])
    assert f'names = ["{NAMESPACE}"]' in config
    assert bindings == {"RoleBinding"}
    config, bindings = collected(["cert-manager"])
    assert f'names = ["{NAMESPACE}", "cert-manager"]' in config
    assert bindings == {"ClusterRoleBinding"}


def test_a_store_is_reached_at_its_own_port() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(rendering(), "NetworkPolicy")}
    for name in ("loki", "tempo"):
        assert {"ports": [{"port": 9000, "protocol": "TCP"}]} in policies[name]["egress"]
