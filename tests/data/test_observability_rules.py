"""Every alert, on the genuine promtool: it fires when it must, and does not a step short of that."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from components.gateway.alerts import alerts as gateway_alerts
from components.keycloak.alerts import ALERTS as KEYCLOAK
from components.observability.alert import Alert, Level, rule_groups
from components.observability.alerts import (
    MONITORING,
    NODES,
    PODS,
    PROBES,
    VOLUMES,
    WATCHDOG,
    rules_missing,
    targets_missing,
)
from components.observability.prometheus import scrape_nodes
from components.observability.telemetry_alerts import TELEMETRY
from components.postgres.alerts import alerts as postgres_alerts
from components.redis.alerts import ALERTS as REDIS
from components.workload.alerts import SERVICE_ALERTS, WORKER_ALERTS
from devcluster import checks
from tests.data.alert_cases import API, PG, POD, Case
from tests.data.alert_cases_data import DATA
from tests.data.alert_cases_product import PRODUCT, RATE, requests
from tests.data.alert_cases_surroundings import ANSWERS, CONDITION, NODE, OURS, ROUTE, SURROUNDINGS, capacity
from tests.data.alert_cases_watching import WATCHING
from tests.renderings import rendering

GROUPS: dict[str, list[Alert]] = {
    "postgres": postgres_alerts({"postgres-main": 2}),
    "redis": REDIS,
    "keycloak": KEYCLOAK,
    "services": SERVICE_ALERTS,
    "workers": WORKER_ALERTS,
    "gateway": gateway_alerts(["api"]),
    "pods": PODS,
    "volumes": VOLUMES,
    "nodes": NODES,
    "probes": PROBES,
    "monitoring": [*MONITORING, targets_missing(["api"]), rules_missing(2)],
    "telemetry": TELEMETRY,
}
CASES: dict[str, Case] = {**PRODUCT, **SURROUNDINGS, **DATA, **WATCHING}
ESCALATION: list[Level] = [{"name": "tech-lead", "after": "15m"}, {"name": "cto", "after": "1h"}]


@pytest.fixture(scope="module")
def promtool() -> Path:
    return checks.ensure("promtool", print)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    groups = rule_groups(GROUPS, "platform", "https://runbooks.example", "https://grafana.example", ESCALATION)
    path.write_text(yaml.safe_dump({"groups": groups}, sort_keys=False))
    return path


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case() -> None:
    names = [alert["name"] for alerts in GROUPS.values() for alert in alerts]
    assert len(names) == len(set(names))
    assert set(CASES) == set(names)


def test_promtool_finds_no_fault(promtool: Path, rules: Path) -> None:
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", rules)


class Trial(NamedTuple):
    """At `minute` of the history exactly `firing` series of the alert fire, with all labels they must have."""

    name: str
    history: dict[str, str]
    minute: int
    firing: int
    escalation: str = ""

    @property
    def test(self) -> dict[str, Any]:
        """As promtool reads it."""
        labels = f'alertname="{self.name}",escalation="{self.escalation}",alertstate="firing"'
        # A label that a template leaves empty stands in this series as the template itself.
        complete = 'severity=~"P[0-3]",owner="platform",service=~"[^{]+"'
        return {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in self.history.items()],
            "promql_expr_test": [
                {
                    "expr": f"count(ALERTS{{{labels},{complete}}}) or vector(0)",
                    "eval_time": f"{self.minute}m",
                    "exp_samples": [{"labels": "{}", "value": self.firing}],
                }
            ],
        }


Judge = Callable[..., None]


@pytest.fixture
def judge(promtool: Path, rules: Path, tmp_path: Path) -> Judge:
    """Fails unless all trials end as they say."""

    def hold(*trials: Trial) -> None:
        file = tmp_path / "test.yaml"
        tests = [trial.test for trial in trials]
        file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
        run(promtool, "test", "rules", file)

    return hold


@pytest.mark.parametrize("name", CASES)
def test_it_fires_and_stays_silent_a_step_short_of_that(judge: Judge, name: str) -> None:
    case = CASES[name]
    silent = [Trial(name, case.near_miss, case.minute, 0)] if name != WATCHDOG else []
    judge(Trial(name, case.trips, case.minute, 1), *silent)


def test_nobody_is_woken_by_one_failed_request_of_a_quiet_service(judge: Judge) -> None:
    judge(Trial("ServiceErrorRateHigh", requests("0+1x40", "0x27 1x12"), 30, 0))


def test_what_still_fires_is_told_to_the_next_level_in_time_and_no_sooner(judge: Judge) -> None:
    history = {f"redis_up{{{API}}}": "0x80 1x20"}  # fires from minute 1
    expected = [("", 10, 1), ("tech-lead", 15, 0), ("tech-lead", 16, 1), ("cto", 60, 0), ("cto", 61, 1), ("", 80, 1)]
    over = [("", 81, 0), ("tech-lead", 81, 0), ("cto", 81, 0)]
    trials = [Trial("RedisDown", history, minute, count, level) for level, minute, count in [*expected, *over]]
    judge(*trials)


def test_what_can_wait_is_not_escalated(rules: Path) -> None:
    groups = yaml.safe_load(rules.read_text())["groups"]
    for rule in (rule for group in groups for rule in group["rules"] if "escalation" not in rule["labels"]):
        same = [each["labels"]["escalation"] for each in _later(groups, rule["alert"])]
        assert same == (["tech-lead", "cto"] if rule["labels"]["severity"] in ("P0", "P1") else []), rule["alert"]


def _later(groups: list[Any], name: str) -> list[Any]:
    rules = [rule for group in groups for rule in group["rules"] if rule["alert"] == name]
    return [rule for rule in rules if "escalation" in rule["labels"]]


# Faults of rules that others ship.


def test_deadlocks_of_last_week_do_not_fire_for_days(judge: Judge) -> None:
    """CloudNativePG's own rule asks whether the counter, which never falls, is above 10."""
    history = {f'cnpg_pg_stat_database_deadlocks{{{PG},pod="1",datname="app"}}': "0 500x200"}
    judge(Trial("PostgresDeadlocks", history, 30, 1))
    judge(Trial("PostgresDeadlocks", history, 70, 0))


def test_a_backup_that_never_was_counts_as_too_old(judge: Judge) -> None:
    history = {f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{PG}}}": "0x2000"}
    judge(Trial("PostgresBackupTooOld", history, 28 * 60, 1))


def test_a_database_without_a_pod_is_down(judge: Judge) -> None:
    """The vanished service: nothing is 0 there, because nothing is there."""
    single = 'cnpg_collector_up{namespace="n",job="postgres-single",pod="1"}'
    judge(Trial("PostgresDown", {single: "1x40"}, 30, 1))
    main = f'cnpg_collector_up{{{PG},pod="1"}}'
    judge(Trial("PostgresDown", {single: "1x40", main: "1x10 _x30"}, 30, 1))


def test_a_replica_whose_pod_is_gone_is_missing(judge: Judge) -> None:
    """Compared with what is declared, not with what is there."""
    history = {
        f'cnpg_collector_up{{{PG},pod="1"}}': "1x40",
        f'cnpg_pg_replication_streaming_replicas{{{PG},pod="1"}}': "0x40",
    }
    judge(Trial("PostgresReplicaMissing", history, 30, 1))


def test_a_container_in_full_back_off_still_restarts_too_often(judge: Judge) -> None:
    """Each 5 minutes is three times a quarter of an hour: too seldom for the count alone."""
    history = {
        f"kube_pod_container_status_restarts_total{{{POD}}}": "0x4 1x4 2x4 3x4 4x4 5x4 6x4 7x4 8x9",
        f'kube_pod_container_status_waiting_reason{{{POD},reason="CrashLoopBackOff"}}': "1x3 _ 1x3 _ 1x32",
    }
    judge(Trial("PodRestartsOften", history, 30, 1))


@pytest.mark.parametrize("name", [alert["name"] for alert in NODES])
def test_a_node_without_a_pod_of_ours_is_not_our_business(judge: Judge, name: str) -> None:
    others = {series.replace('node="w-1"', 'node="w-2"'): values for series, values in CASES[name].trips.items()}
    ours = {series: values for series, values in others.items() if not series.startswith("kube_pod_info")}
    judge(Trial(name, {**ours, **OURS}, 30, 0), Trial(name, others, 30, 1))


def test_a_node_that_does_not_report_is_not_ready(judge: Judge) -> None:
    """Its condition is neither true nor false, but unknown."""
    unknown = (CONDITION % "Ready").replace('status="true"', 'status="unknown"')
    judge(Trial("NodeNotReady", {CONDITION % "Ready": "1x9 0x30", unknown: "0x9 1x30", **OURS}, 30, 1))


def test_kubelets_of_other_nodes_may_be_down(judge: Judge) -> None:
    kubelet = f'up{{job="kubelet",{NODE}}}'
    judge(Trial("TargetDown", {kubelet: "0x40", **OURS}, 30, 1))
    judge(Trial("TargetDown", {kubelet.replace("w-1", "w-2"): "0x40", **OURS}, 30, 0))


def test_a_busy_node_is_seen_on_whatever_it_has(judge: Judge) -> None:
    """The same use of a node with twice the cores is no trouble."""
    used = {f"node_cpu_usage_seconds_total{{{NODE}}}": "0+97x40", **OURS}
    judge(Trial("NodeCpuHigh", {**used, **capacity("cpu", 4)}, 30, 0))


def test_the_gateway_wakes_nobody_for_one_failed_request_of_a_quiet_route(judge: Judge) -> None:
    judge(Trial("GatewayErrors", {ANSWERS % 2: "0+1x40", ANSWERS % 5: "0x24 1x15"}, 30, 0))


def test_a_route_whose_pods_the_proxy_does_not_take_is_told_by_its_name(judge: Judge) -> None:
    """Where the cluster is there, with nobody in it."""
    up = {'up{namespace="n",job="gateway",pod="envoy-0"}': "1x40"}
    judge(Trial("GatewayNoHealthyUpstream", {f"envoy_cluster_membership_healthy{{{ROUTE}}}": "0x40", **up}, 30, 1))
    judge(Trial("GatewayNoHealthyUpstream", {f"envoy_cluster_membership_healthy{{{ROUTE}}}": "2x40", **up}, 30, 0))


def test_one_failed_request_of_a_route_that_nobody_uses_is_no_broken_route(judge: Judge) -> None:
    history = {f'{RATE}{{{API},route="/a",status="500"}}': "0x20 0+1x4 4x15"}
    judge(Trial("ServiceRouteFails", history, 30, 0))


def test_what_watches_may_be_gone_without_waking_anybody(judge: Judge) -> None:
    for workload in ("grafana", "kube-state-metrics", "blackbox-exporter"):
        labels = f'namespace="n",deployment="{workload}"'
        history = {
            f"kube_deployment_status_replicas_available{{{labels}}}": "0x40",
            f"kube_deployment_spec_replicas{{{labels}}}": "1x40",
        }
        judge(Trial("WorkloadGone", history, 30, 0))
        judge(Trial("WorkloadIncomplete", history, 30, 1))


def test_a_stateful_workload_can_be_gone_as_well(judge: Judge) -> None:
    labels = 'namespace="n",statefulset="redis-queue"'
    history = {
        f"kube_statefulset_status_replicas_ready{{{labels}}}": "0x40",
        f"kube_statefulset_replicas{{{labels}}}": "1x40",
    }
    judge(Trial("WorkloadGone", history, 30, 1))


def test_a_database_that_nobody_ever_restored_is_told_by_the_rules_as_they_are_deployed(
    promtool: Path, tmp_path: Path
) -> None:
    """The series is one that the same group records: clocks of promtool begin in 1970, where no drill has been."""
    deployed = {
        (each.kind, each.name): each.manifest["spec"] for each in rendering("staging") if "spec" in each.manifest
    }
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(deployed["PrometheusRule", "postgres"]))
    told = 'ALERTS{alertname="PostgresRestoreUntried",alertstate="firing",namespace="shop-staging"}'
    expected: list[tuple[int, list[str]]] = [(90 * 24, []), (90 * 24 + 6, ["postgres-auth", "postgres-main"])]
    questions = [
        {
            "expr": f"count by (job) ({told})",
            "eval_time": f"{hours}h",
            "exp_samples": [{"labels": f'{{job="{job}"}}', "value": 1} for job in jobs],
        }
        for hours, jobs in expected
    ]
    test = {"interval": "6h", "input_series": [], "promql_expr_test": questions}
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "6h", "tests": [test]}))
    run(promtool, "test", "rules", file)


def test_the_scrape_of_the_nodes_is_valid(promtool: Path, tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump({"scrape_configs": scrape_nodes("shop-prod")}))
    run(promtool, "check", "config", "--syntax-only", file)
