"""What watches an environment: complete, selected, reachable, and told to somebody."""

import asyncio
import copy
import json
import re
from typing import Any

import pulumi
import pytest
from pulumi.runtime.stack import run_pulumi_func
from pydantic import ValidationError

from components.observability import Observability, Severity
from components.observability.alert import Alert, rule_groups
from components.observability.alertmanager import MUTES, configuration
from components.observability.alerts import MONITORING, PODS, PROBES
from components.observability.runbook import pages
from components.observability.telemetry_alerts import TELEMETRY
from components.postgres import alerts as postgres
from components.redis import alerts as redis
from components.workload import alerts as workload
from stacks.render import Manifest, Recorder
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
]
ALERTS: dict[str, list[Alert]] = {
    "postgres": postgres.ALERTS,
    "redis": redis.ALERTS,
    "services": workload.SERVICE_ALERTS,
    "workers": workload.WORKER_ALERTS,
}
EVERY_ALERT = [*(alert for alerts in ALERTS.values() for alert in alerts), *PODS, *PROBES, *MONITORING, *TELEMETRY]


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
        way_in = policies[f"prometheus-to-{monitor['metadata']['name']}"]
        assert way_in["podSelector"]["matchLabels"] == target
        assert (target, way_in["ingress"][0]["ports"][0]["port"]) in out


def test_secret_values_stand_in_secrets_alone() -> None:
    holders = {("Secret", name) for name in ("alertmanager-contacts", "grafana", "loki", "tempo")}
    for each in rendering(show_secrets=True):
        if (each.kind, each.name) in holders:
            assert CANARY in json.dumps(each.manifest), f"{each.kind}/{each.name}"
        else:
            assert CANARY not in json.dumps(each.manifest), f"{each.kind}/{each.name}"
    assert CANARY not in json.dumps([each.manifest for each in rendering()])


def test_every_contact_the_configuration_reads_is_in_the_secret(manifests: list[Manifest]) -> None:
    (alertmanager,) = of_kind(manifests, "Alertmanager")
    keys = {each["metadata"]["name"]: set(each["stringData"]) for each in of_kind(manifests, "Secret")}
    config = configuration(dict.fromkeys(keys["alertmanager-contacts"], ""), "staging")
    read = set(re.findall(r"/etc/alertmanager/secrets/([\w-]+)/(\w+)", config))
    assert read == {("alertmanager-contacts", key) for key in keys["alertmanager-contacts"]}
    assert alertmanager["spec"]["secrets"] == ["alertmanager-contacts"]
    assert "alertmanager.yaml" in keys[alertmanager["spec"]["configSecret"]]


def test_without_anybody_to_tell_there_is_no_configuration() -> None:
    with pytest.raises(ValueError, match="nobody would be told"):
        configuration({"heartbeat_url": ""}, "staging")
    section = copy.deepcopy(SECTION)
    section["alertmanager"]["contacts"] = {}
    with pytest.raises(ValidationError, match="set pagerduty, slack or webhook to true"):
        ObservabilitySettings.model_validate(section)


def test_every_rule_has_severity_owner_summary_and_a_page() -> None:
    written = pages({"all": EVERY_ALERT})
    for group in rule_groups({"all": EVERY_ALERT}, "platform", SECTION["runbooks"]):
        for rule in group["rules"]:
            assert rule["labels"] == {"severity": rule["labels"]["severity"], "owner": "platform"}
            assert rule["labels"]["severity"] in set(Severity)
            assert rule["annotations"]["summary"].endswith("."), rule["alert"]
            page = rule["annotations"]["runbook_url"].removeprefix(SECTION["runbooks"])
            assert "## Act\n1. " in written[page], f"{page} does not say what to do"


def test_a_muted_alert_and_what_mutes_it_carry_the_labels_that_are_compared() -> None:
    by_name = {alert["name"]: alert["expr"] for alert in EVERY_ALERT}
    for source, muted, equal in MUTES:
        for name in (source, muted):
            aggregated = re.findall(r"by \(([^)]*)\)", by_name[name])
            for labels in aggregated:  # without an aggregation all labels of the metric stay
                assert set(equal) <= {label.strip() for label in labels.split(",")}, name


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
