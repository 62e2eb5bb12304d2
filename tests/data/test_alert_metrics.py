"""Every metric that an alert asks for is one that its exporter was seen to have: in its source, or in a scrape of it.

Whoever writes an alert on another metric looks it up there, and adds it here. An image's new version makes the table
of its exporter out of date: look its metrics up again.
"""

import re
from typing import NamedTuple

import pytest

from components import images
from components.gateway.alerts import alerts as gateway_alerts
from components.keycloak.alerts import ALERTS as KEYCLOAK
from components.observability.alert import Alert
from components.observability.alerts import (
    MONITORING,
    NODES,
    PODS,
    PROBES,
    VOLUMES,
    rules_missing,
    targets_missing,
)
from components.observability.dashboards import DASHBOARDS
from components.observability.telemetry_alerts import TELEMETRY
from components.postgres.alerts import alerts as postgres_alerts
from components.redis.alerts import ALERTS as REDIS
from components.workload.alerts import SERVICE_ALERTS, WORKER_ALERTS

ALERTS: list[Alert] = [
    *postgres_alerts({"postgres-main": 2}),
    *REDIS,
    *KEYCLOAK,
    *SERVICE_ALERTS,
    *WORKER_ALERTS,
    *gateway_alerts(["api"]),
    *PODS,
    *VOLUMES,
    *NODES,
    *PROBES,
    *MONITORING,
    targets_missing(["api"]),
    rules_missing(9),
    *TELEMETRY,
]


class Source(NamedTuple):
    """Where metrics were seen."""

    where: str
    """File in the source of a version, or the test that scrapes."""
    metrics: frozenset[str]
    """Their names, in words."""


def source(where: str, metrics: str) -> Source:
    return Source(where, frozenset(metrics.split()))


SOURCES = (
    source(
        "cloudnative-pg v1.30.0 config/manager/default-monitoring.yaml",
        "cnpg_backends_total cnpg_backends_max_tx_duration_seconds cnpg_backends_waiting_total "
        "cnpg_pg_database_xid_age cnpg_pg_database_mxid_age cnpg_pg_replication_lag "
        "cnpg_pg_replication_in_recovery cnpg_pg_settings_setting "
        "cnpg_pg_replication_streaming_replicas cnpg_pg_stat_archiver_last_failed_time "
        "cnpg_pg_stat_archiver_last_archived_time cnpg_pg_stat_archiver_seconds_since_last_archival "
        "cnpg_pg_stat_database_deadlocks",
    ),
    source(
        "cloudnative-pg v1.30.0 pkg/management/postgres/webserver/metricserver/pg_collector.go",
        "cnpg_collector_up cnpg_collector_pg_wal_archive_status",
    ),
    source(
        "plugin-barman-cloud v0.15.0 internal/cnpgi/instance/metrics.go",
        "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp "
        "barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp",
    ),
    source(
        "redis_exporter v1.74.0 exporter/exporter.go",
        "redis_up redis_memory_used_bytes redis_memory_max_bytes redis_evicted_keys_total "
        "redis_rejected_connections_total redis_aof_last_write_status redis_aof_last_bgrewrite_status "
        "redis_rdb_last_bgsave_status",
    ),
    source(
        "kube-state-metrics v2.16.0 internal/store",
        "kube_deployment_spec_replicas kube_deployment_status_replicas_available kube_statefulset_replicas "
        "kube_statefulset_status_replicas_ready kube_pod_status_phase kube_pod_container_status_restarts_total "
        "kube_pod_container_status_waiting_reason kube_pod_container_resource_requests "
        "kube_pod_container_resource_limits kube_job_failed kube_job_status_start_time kube_pod_info "
        "kube_deployment_status_condition kube_node_status_condition kube_node_status_capacity",
    ),
    source("blackbox-exporter v0.27.0 prober", "probe_success probe_ssl_earliest_cert_expiry"),
    source(
        "kubernetes v1.34.2 pkg/kubelet/metrics/metrics.go",
        "kubelet_volume_stats_used_bytes kubelet_volume_stats_capacity_bytes",
    ),
    source(
        "kubernetes v1.34.2 pkg/kubelet/metrics/collectors/resource_metrics.go",
        "node_cpu_usage_seconds_total node_memory_working_set_bytes",
    ),
    source(
        "cadvisor v0.52.1 metrics/prometheus.go",
        "container_cpu_usage_seconds_total container_memory_working_set_bytes container_fs_usage_bytes "
        "container_fs_limit_bytes",
    ),
    source(
        "envoy v1.35.0 envoy/upstream/upstream.h, envoy/server/instance.h, source/common/http/codes.cc",
        "envoy_cluster_membership_healthy envoy_cluster_upstream_rq_xx envoy_cluster_upstream_rq_time_bucket "
        "envoy_server_days_until_first_cert_expiring",
    ),
    source(
        "prometheus v3.15.0 rules/group.go, notifier/metric.go, tsdb/{head,db}.go, tsdb/wlog/wlog.go, cmd/prometheus, "
        "storage/remote/queue_manager.go",
        "prometheus_rule_evaluation_failures_total prometheus_rule_group_iterations_missed_total "
        "prometheus_notifications_alertmanagers_discovered prometheus_notifications_errors_total "
        "prometheus_notifications_sent_total prometheus_tsdb_head_samples_appended_total "
        "prometheus_tsdb_compactions_failed_total prometheus_tsdb_wal_corruptions_total "
        "prometheus_tsdb_wal_truncations_failed_total prometheus_config_last_reload_successful "
        "prometheus_rule_group_rules prometheus_remote_storage_samples_failed_total "
        "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
    ),
    source(
        "alertmanager v0.34.2 notify/metric.go, cluster/cluster.go, config/coordinator.go",
        "alertmanager_notifications_failed_total alertmanager_notifications_total alertmanager_cluster_members "
        "alertmanager_config_hash alertmanager_config_last_reload_successful",
    ),
    source(
        "tests/data/test_keycloak_realm.py scrapes it",
        "http_server_requests_seconds_count http_server_requests_seconds_bucket agroal_awaiting_count "
        "vendor_cluster_size keycloak_user_events_total",
    ),
    source(
        "tests/data/test_example_product_signals.py scrapes it",
        "http_request_duration_seconds_count http_request_duration_seconds_bucket queue_depth queue_jobs_total "
        "queue_oldest_job_timestamp_seconds "
        "engine_last_tick_timestamp_seconds llm_request_duration_seconds_bucket llm_tokens_today "
        "llm_tokens_daily_limit",
    ),
    source(
        "tests/data/test_logs_and_traces.py scrapes it",
        "loki_ingester_chunks_flush_failures_total loki_discarded_samples_total process_start_time_seconds "
        "loki_compactor_apply_retention_last_successful_run_timestamp_seconds loki_write_dropped_entries_total "
        "otelcol_exporter_send_failed_spans_total alloy_component_controller_running_components "
        "tempo_ingester_failed_flushes_total tempodb_retention_errors_total "
        "loki_prometheus_notifications_alertmanagers_discovered loki_prometheus_rule_evaluation_failures_total "
        "loki_prometheus_notifications_errors_total "
        "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early_total",
    ),
    source("tests/data/test_log_limits.py scrapes it", "loki_process_dropped_lines_by_label_total"),
    source("Prometheus makes it of every scrape", "up"),
    source("components/postgres/drills.py records it", "mainstay:postgres_restored:timestamp_seconds"),
)

WORDS = {"and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "bool", "offset"}


def metrics(query: str) -> set[str]:
    """The metrics that a query asks for: what is no function, no label and no text."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", query)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b[a-z_][a-z0-9_:]*\b(?!\s*\()", bare)) - WORDS


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["name"])
def test_its_metrics_are_ones_that_were_seen(alert: Alert) -> None:
    known = {metric for each in SOURCES for metric in each.metrics}
    assert metrics(alert["expr"]) <= known, f"look them up and add them to {__name__}"


def test_what_is_seen_is_asked_for() -> None:
    asked = {metric for alert in ALERTS for metric in metrics(alert["expr"])}
    unused = {metric: each.where for each in SOURCES for metric in each.metrics if metric not in asked}
    assert unused == {}


# Faults of rules that others ship.

GAUGES = {"agroal_awaiting_count", "cnpg_backends_total", "cnpg_backends_waiting_total"}
"""Called like counters, and none: they say how many there are now."""
COUNTERS = {"cnpg_pg_stat_database_deadlocks"}
"""Counters that are not called like one."""
INCREASES = r"\b(?:rate|increase)\($"


def raw_counters(query: str) -> set[str]:
    """Counters whose value is asked for instead of their increase."""
    found = {
        metric
        for metric in metrics(query)
        if (metric.endswith(("_total", "_count", "_bucket")) or metric in COUNTERS) and metric not in GAUGES
    }
    return {
        metric
        for metric in found
        for place in re.finditer(rf"\b{metric}\b", query)
        if not re.search(INCREASES, query[: place.start()])
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["name"])
def test_no_counter_is_compared_as_it_stands(alert: Alert) -> None:
    """CloudNativePG's own rule about deadlocks fires for days: the counter never falls."""
    # A counter that was not there ten minutes ago counts from nothing: as it stands it is an increase.
    expr = re.sub(r"(\w+_total)\s+unless \1 offset \w+", "", alert["expr"])
    assert raw_counters(expr) == set()


def test_a_raw_counter_is_noticed() -> None:
    assert raw_counters("cnpg_pg_stat_database_deadlocks > 10") == {"cnpg_pg_stat_database_deadlocks"}
    assert raw_counters('sum(x_total{a="b"}) / rate(y_total[5m])') == {"x_total"}
    assert raw_counters("increase(x_total[5m]) > 0 and cnpg_backends_total > 1") == set()


def test_no_query_asks_for_backup_times_that_stand_still() -> None:
    """With a plug-in CloudNativePG's own `cnpg_collector_last_…` keep the value of the day it was turned on."""
    queries = [alert["expr"] for alert in ALERTS]
    queries += [query for page in DASHBOARDS for chart in page.charts for query in chart.queries.values()]
    assert [query for query in queries if re.search(r"cnpg_collector_(last|first)_", query)] == []


def test_a_count_of_waiting_queries_is_not_told_as_minutes() -> None:
    (alert,) = [each for each in ALERTS if "cnpg_backends_waiting_total" in each["expr"]]
    texts = alert["summary"] + alert["description"]
    assert "$value" in texts
    assert not re.search(r"\$value \| humanizeDuration|\$value }} (seconds|minutes)", texts)


def test_the_metrics_of_a_query_are_found() -> None:
    query = 'sum by (a, b) (rate(x_total{c="d_e"}[5m])) / on (a) group_left (b) y > 1e9 unless absent(up{job="z_z"})'
    assert metrics(query) == {"x_total", "y", "up"}


@pytest.mark.parametrize(
    "image",
    [
        images.REDIS_EXPORTER,
        images.KUBE_STATE_METRICS,
        images.BLACKBOX_EXPORTER,
        images.PROMETHEUS,
        images.ALERTMANAGER,
    ],
)
def test_the_versions_are_those_that_run(image: str) -> None:
    name, _, version = image.rpartition("/")[2].partition(":")
    assert any(each.where.startswith(f"{name} {version} ") for each in SOURCES), f"look the metrics of {image} up again"
