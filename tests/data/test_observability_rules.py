"""Every alert, on the genuine promtool: it fires when it must, and does not a step short of that."""

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from components.observability.alert import Alert, rule_groups
from components.observability.alerts import MONITORING, PODS, PROBES, WATCHDOG, targets_missing
from components.observability.prometheus import scrape_nodes
from components.observability.telemetry_alerts import TELEMETRY
from components.postgres.alerts import ALERTS as POSTGRES
from components.redis.alerts import ALERTS as REDIS
from components.workload.alerts import SERVICE_ALERTS, WORKER_ALERTS
from devcluster import checks

GROUPS: dict[str, list[Alert]] = {
    "postgres": POSTGRES,
    "redis": REDIS,
    "services": SERVICE_ALERTS,
    "workers": WORKER_ALERTS,
    "pods": PODS,
    "probes": PROBES,
    "monitoring": [*MONITORING, targets_missing(["api"])],
    "telemetry": TELEMETRY,
}
LOKI, TEMPO = 'namespace="n",job="loki",pod="loki-0"', 'namespace="n",job="tempo",pod="tempo-0"'
ALLOY = 'namespace="n",job="alloy",pod="alloy-0"'
API, PG, POD = 'namespace="n",job="api"', 'namespace="n",job="postgres-main"', 'namespace="n",pod="p",container="c"'
RATE = "http_request_duration_seconds_count"
DURATION = "http_request_duration_seconds_bucket"


class Case(NamedTuple):
    """Two histories, a sample a minute in promtool's notation; both are judged at `minute`."""

    trips: dict[str, str]
    near_miss: dict[str, str]
    minute: int = 30


def requests(good: str, bad: str) -> dict[str, str]:
    return {f'{RATE}{{{API},status="200"}}': good, f'{RATE}{{{API},status="500"}}': bad}


def durations(metric: str, bounds: dict[str, int]) -> dict[str, str]:
    """Cumulative buckets: upper bound -> requests a minute at or below it."""
    return {f'{metric}{{{API},le="{bound}"}}': f"0+{count}x40" for bound, count in bounds.items()}


def one(series: str, trips: str, near_miss: str, minute: int = 30) -> Case:
    return Case({series: trips}, {series: near_miss}, minute)


def against(series: str, trips: str, near_miss: str, other: str, value: str) -> Case:
    """A series compared with another one that stays as it is."""
    return Case({series: trips, other: value}, {series: near_miss, other: value})


CASES: dict[str, Case] = {
    "PostgresDown": Case(
        {f'cnpg_collector_up{{{PG},pod="1"}}': "0x40", f'cnpg_collector_up{{{PG},pod="2"}}': "0x40"},
        {f'cnpg_collector_up{{{PG},pod="1"}}': "0x40", f'cnpg_collector_up{{{PG},pod="2"}}': "1x40"},
    ),
    "PostgresConnectionsHigh": Case(
        {
            f'cnpg_backends_total{{{PG},pod="1",datname="app"}}': "80x40",
            f'cnpg_backends_total{{{PG},pod="1",datname="auth"}}': "11x40",
            f'cnpg_pg_settings_setting{{{PG},pod="1",name="max_connections"}}': "100x40",
        },
        {
            f'cnpg_backends_total{{{PG},pod="1",datname="app"}}': "80x40",
            f'cnpg_backends_total{{{PG},pod="1",datname="auth"}}': "10x40",
            f'cnpg_pg_settings_setting{{{PG},pod="1",name="max_connections"}}': "100x40",
            f'cnpg_pg_settings_setting{{{PG},pod="1",name="port"}}': "5432x40",
        },
    ),
    "PostgresBackupTooOld": one(
        f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{PG}}}", "0x1700", "3600x1650", 27 * 60
    ),
    "PostgresArchivingFails": Case(
        {
            f'cnpg_pg_stat_archiver_last_failed_time{{{PG},pod="1"}}': "500x40",
            f'cnpg_pg_stat_archiver_last_archived_time{{{PG},pod="1"}}': "400x40",
        },
        {
            f'cnpg_pg_stat_archiver_last_failed_time{{{PG},pod="1"}}': "500x40",
            f'cnpg_pg_stat_archiver_last_archived_time{{{PG},pod="1"}}': "501x40",
        },
    ),
    "PostgresReplicationLags": against(
        f'cnpg_pg_replication_lag{{{PG},pod="2"}}',
        "61x40",
        "60x40",
        f'cnpg_pg_replication_in_recovery{{{PG},pod="2"}}',
        "1x40",
    ),
    "PostgresReplicaMissing": Case(
        {
            f'cnpg_pg_replication_streaming_replicas{{{PG},pod="1"}}': "0x40",
            f'cnpg_collector_up{{{PG},pod="1"}}': "1x40",
            f'cnpg_collector_up{{{PG},pod="2"}}': "1x40",
        },
        {  # a single instance has no replica and misses none
            f'cnpg_pg_replication_streaming_replicas{{{PG},pod="1"}}': "0x40",
            f'cnpg_collector_up{{{PG},pod="1"}}': "1x40",
        },
    ),
    "RedisDown": one(f"redis_up{{{API}}}", "0x40", "0 1 0 1x37"),
    "RedisMemoryHigh": against(
        f"redis_memory_used_bytes{{{API}}}", "91x40", "90x40", f"redis_memory_max_bytes{{{API}}}", "100x40"
    ),
    "RedisRejectsConnections": one(f"redis_rejected_connections_total{{{API}}}", "0x27 1x12", "7x40"),
    "RedisPersistenceFails": one(f"redis_aof_last_write_status{{{API}}}", "0x40", "1x40"),
    "ServiceErrorRateHigh": Case(requests("0+94x40", "0+6x40"), requests("0+95x40", "0+5x40")),
    "ServiceSlow": Case(
        durations(DURATION, {"0.5": 90, "1": 94, "2": 100, "+Inf": 100}),
        durations(DURATION, {"0.5": 90, "1": 96, "2": 100, "+Inf": 100}),
    ),
    "ServiceVerySlow": Case(
        durations(DURATION, {"1": 90, "2": 94, "5": 100, "+Inf": 100}),
        durations(DURATION, {"1": 90, "2": 96, "5": 100, "+Inf": 100}),
    ),
    "QueueDeep": one('queue_depth{namespace="n",queue="q"}', "101x40", "100x40"),
    "QueueStuck": against(
        'queue_depth{namespace="n",queue="q"}',
        "1x40",
        "1x15 0 1x24",
        'queue_jobs_total{namespace="n",queue="q",result="success"}',
        "9x40",
    ),
    "EngineMissesTicks": one(f"engine_last_tick_timestamp_seconds{{{API}}}", "1754x40", "1756x40"),
    "LlmSlow": Case(
        durations("llm_request_duration_seconds_bucket", {"30": 94, "60": 100, "+Inf": 100}),
        durations("llm_request_duration_seconds_bucket", {"30": 96, "60": 100, "+Inf": 100}),
    ),
    "LlmBudgetNearlySpent": against(
        f"llm_tokens_today{{{API}}}", "81x40", "80x40", f"llm_tokens_daily_limit{{{API}}}", "100x40"
    ),
    "WorkloadGone": against(
        'kube_deployment_status_replicas_available{namespace="n",deployment="d"}',
        "0x40",
        "1x40",
        'kube_deployment_spec_replicas{namespace="n",deployment="d"}',
        "2x40",
    ),
    "WorkloadIncomplete": against(
        'kube_deployment_status_replicas_available{namespace="n",deployment="d"}',
        "1x40",
        "1x20 2x20",
        'kube_deployment_spec_replicas{namespace="n",deployment="d"}',
        "2x40",
    ),
    "PodRestartsOften": one(f"kube_pod_container_status_restarts_total{{{POD}}}", "0x20 1 2 3 4 5x15", "0x20 1 2x20"),
    "PodCpuHigh": against(
        f"container_cpu_usage_seconds_total{{{POD}}}",
        "0+49x40",
        "0+47x40",
        f'kube_pod_container_resource_requests{{{POD},resource="cpu"}}',
        "1x40",
    ),
    "PodMemoryHigh": against(
        f"container_memory_working_set_bytes{{{POD}}}",
        "91x40",
        "90x40",
        f'kube_pod_container_resource_limits{{{POD},resource="memory"}}',
        "100x40",
    ),
    "VolumeFilling": against(
        'kubelet_volume_stats_used_bytes{persistentvolumeclaim="v"}',
        "86x40",
        "85x40",
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="v"}',
        "100x40",
    ),
    "VolumeAlmostFull": against(
        'kubelet_volume_stats_used_bytes{persistentvolumeclaim="v"}',
        "96x40",
        "95x40",
        'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="v"}',
        "100x40",
    ),
    # A sample each five minutes, as probes are.
    "PublicHostDown": one('probe_success{namespace="n",instance="i"}', "1x15 _x4 0 _x4 0", "1x20 _x4 0"),
    "CertificateExpires": one(
        'probe_ssl_earliest_cert_expiry{namespace="n",instance="i"}',
        f"{14 * 86400 + 30 * 60}x200",
        f"{14 * 86400 + 130 * 60}x200",
        120,
    ),
    "Watchdog": Case({"up": "1x40"}, {}),
    "TargetDown": one(f"up{{{API}}}", "0x40", "0x10 1x15 0x15", 28),
    "TargetsMissing": Case({'up{job="other"}': "1x40"}, {f"up{{{API}}}": "0x40"}),
    "RulesFail": one('prometheus_rule_evaluation_failures_total{rule_group="g"}', "0x25 1x15", "3x40"),
    "PrometheusWithoutAlertmanager": one("prometheus_notifications_alertmanagers_discovered", "0x40", "1x40"),
    "NotificationsFail": against(
        'alertmanager_notifications_failed_total{integration="slack"}',
        "0+2x40",
        "0+1x40",
        'alertmanager_notifications_total{integration="slack"}',
        "0+100x40",
    ),
    "LogsNotStored": one(f"loki_ingester_chunks_flush_failures_total{{{LOKI}}}", "0+1x60", "0x5 0+1x3 3x50", 45),
    "LogsRefused": one(f'loki_discarded_samples_total{{{LOKI},reason="rate_limited"}}', "0+60x40", "0+60x20 1200x20"),
    "LogRetentionStopped": Case(
        # Never run: 0 since the start. The start alone does not count once there was a run.
        {
            f"loki_compactor_apply_retention_last_successful_run_timestamp_seconds{{{LOKI}}}": "0x1700",
            f"process_start_time_seconds{{{LOKI}}}": "0x1700",
        },
        {
            f"loki_compactor_apply_retention_last_successful_run_timestamp_seconds{{{LOKI}}}": "60x60 7200x1600",
            f"process_start_time_seconds{{{LOKI}}}": "0x1700",
        },
        26 * 60,
    ),
    "LogsLost": one(f'loki_write_dropped_entries_total{{{ALLOY},reason="x"}}', "0x25 5x15", "0x5 5x35"),
    "SpansLost": one(f"otelcol_exporter_send_failed_spans_total{{{ALLOY}}}", "0x25 5x15", "0x5 5x35"),
    "CollectorUnhealthy": Case(
        {f'alloy_component_controller_running_components{{{ALLOY},health_type="unhealthy"}}': "1x40"},
        {
            f'alloy_component_controller_running_components{{{ALLOY},health_type="unhealthy"}}': "1x25 0x15",
            f'alloy_component_controller_running_components{{{ALLOY},health_type="healthy"}}': "9x40",
        },
    ),
    "TracesNotStored": one(f"tempo_ingester_failed_flushes_total{{{TEMPO}}}", "0+1x60", "0x5 0+1x3 3x50", 45),
    "TraceRetentionFails": one(f"tempodb_retention_errors_total{{{TEMPO}}}", "0+1x600", "0x100 1 2 3x500", 300),
}


@pytest.fixture(scope="module")
def promtool() -> Path:
    return checks.ensure("promtool", print)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    groups = rule_groups(GROUPS, "platform", "https://runbooks.example")
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


def judge(
    promtool: Path, rules: Path, folder: Path, name: str, history: dict[str, str], minute: int, count: int
) -> None:
    """Fails unless exactly `count` of the alert's series fire at `minute` of the history."""
    test: dict[str, Any] = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values} for series, values in history.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": count}],
                    }
                ],
            }
        ],
    }
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    run(promtool, "test", "rules", file)


@pytest.mark.parametrize("name", CASES)
def test_it_fires(promtool: Path, rules: Path, tmp_path: Path, name: str) -> None:
    judge(promtool, rules, tmp_path, name, CASES[name].trips, CASES[name].minute, 1)


@pytest.mark.parametrize("name", sorted(set(CASES) - {WATCHDOG}))
def test_it_stays_silent_a_step_short_of_that(promtool: Path, rules: Path, tmp_path: Path, name: str) -> None:
    judge(promtool, rules, tmp_path, name, CASES[name].near_miss, CASES[name].minute, 0)


def test_one_failed_request_of_a_quiet_service_wakes_nobody(promtool: Path, rules: Path, tmp_path: Path) -> None:
    history = requests("0+1x40", "0x27 1x12")
    judge(promtool, rules, tmp_path, "ServiceErrorRateHigh", history, 30, 0)


def test_the_scrape_of_the_nodes_is_valid(promtool: Path, tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump({"scrape_configs": scrape_nodes("shop-prod")}))
    run(promtool, "check", "config", "--syntax-only", file)
