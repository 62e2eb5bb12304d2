"""Every metric that a dashboard reads, by where its name was verified."""

LIVE: dict[str, frozenset[str]] = {
    # Server -> what its `/metrics` showed when the test ran it, and shows again at each run.
    "prometheus": frozenset(
        {
            "prometheus_notifications_dropped_total",
            "prometheus_rule_evaluation_failures_total",
            "prometheus_rule_group_iterations_missed_total",
            "prometheus_rule_group_last_duration_seconds",
            "prometheus_tsdb_head_samples_appended_total",
            "prometheus_tsdb_head_series",
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
        }
    ),
    "alertmanager": frozenset(
        {
            "alertmanager_alerts",
            "alertmanager_notifications_failed_total",
            "alertmanager_notifications_total",
        }
    ),
    "loki": frozenset(
        {
            "loki_distributor_lines_received_total",
            "loki_ingester_chunks_flush_failures_total",
        }
    ),
    "tempo": frozenset(
        {
            "tempo_discarded_spans_total",
            "tempo_distributor_spans_received_total",
            "tempo_ingester_failed_flushes_total",
        }
    ),
    "alloy": frozenset(
        {
            "alloy_component_controller_running_components",
            "loki_write_dropped_entries_total",
            "loki_write_sent_entries_total",
            "otelcol_exporter_sent_spans_total",
        }
    ),
}

READ: dict[str, frozenset[str]] = {
    # Where it is written -> names.
    "Prometheus itself, for every target and every alert": frozenset({"up", "ALERTS"}),
    "Loki 3.7.8, pkg/validation/validate.go; there only once a line was refused": frozenset(
        {"loki_discarded_samples_total"}
    ),
    "Alloy 1.11.0, collector's exporterhelper; there only once a span was lost": frozenset(
        {"otelcol_exporter_send_failed_spans_total"}
    ),
    "Alloy 1.11.0, test_log_limits.py finds it; there only once a line was dropped": frozenset(
        {"loki_process_dropped_lines_by_label_total"}
    ),
    "Keycloak 26.7.3, a scrape of the server that test_keycloak_realm.py starts": frozenset(
        {
            "agroal_active_count",
            "agroal_available_count",
            "agroal_awaiting_count",
            "http_server_requests_seconds_bucket",
            "http_server_requests_seconds_count",
            "keycloak_user_events_total",
            "vendor_cluster_size",
        }
    ),
    "CloudNativePG 1.30.0, config/manager/default-monitoring.yaml and metricserver/pg_collector.go": frozenset(
        {
            "cnpg_backends_max_tx_duration_seconds",
            "cnpg_backends_total",
            "cnpg_backends_waiting_total",
            "cnpg_collector_pg_wal_archive_status",
            "cnpg_collector_up",
            "cnpg_pg_database_size_bytes",
            "cnpg_pg_database_xid_age",
            "cnpg_pg_replication_lag",
            "cnpg_pg_settings_setting",
            "cnpg_pg_stat_archiver_archived_count",
            "cnpg_pg_stat_archiver_failed_count",
            "cnpg_pg_stat_archiver_seconds_since_last_archival",
            "cnpg_pg_stat_database_deadlocks",
            "cnpg_pg_stat_database_xact_commit",
            "cnpg_pg_stat_database_xact_rollback",
        }
    ),
    "Barman Cloud plugin 0.15.0, internal/cnpgi/instance/metrics.go": frozenset(
        {
            "barman_cloud_cloudnative_pg_io_first_recoverability_point",
            "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
            "barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp",
        }
    ),
    "Prometheus itself, by the recordings of components/postgres/drills.py": frozenset(
        {"mainstay:postgres_restored:timestamp_seconds"}
    ),
    "redis_exporter 1.74.0, exporter/exporter.go": frozenset(
        {
            "redis_aof_last_bgrewrite_status",
            "redis_aof_last_write_status",
            "redis_blocked_clients",
            "redis_commands_processed_total",
            "redis_connected_clients",
            "redis_cpu_sys_seconds_total",
            "redis_cpu_user_seconds_total",
            "redis_db_keys",
            "redis_evicted_keys_total",
            "redis_memory_max_bytes",
            "redis_memory_used_bytes",
            "redis_rejected_connections_total",
            "redis_up",
        }
    ),
    "kube-state-metrics 2.16.0, internal/store/pod.go and node.go": frozenset(
        {
            "kube_node_status_capacity",
            "kube_node_status_condition",
            "kube_pod_info",
            "kube_pod_container_resource_limits",
            "kube_pod_container_resource_requests",
            "kube_pod_status_phase",
        }
    ),
    "kubelet 1.34.2, pkg/kubelet/metrics and cAdvisor; kept by prometheus.scrape_nodes": frozenset(
        {
            "container_cpu_usage_seconds_total",
            "container_fs_limit_bytes",
            "container_fs_usage_bytes",
            "container_memory_working_set_bytes",
            "node_cpu_usage_seconds_total",
            "node_memory_working_set_bytes",
            "kubelet_volume_stats_capacity_bytes",
            "kubelet_volume_stats_used_bytes",
        }
    ),
    "Envoy 1.35, docs: statistics of clusters and of the server; kept by gateway.alerts.metrics_target": frozenset(
        {
            "envoy_cluster_membership_healthy",
            "envoy_cluster_upstream_rq_time_bucket",
            "envoy_cluster_upstream_rq_xx",
            "envoy_server_days_until_first_cert_expiring",
        }
    ),
    "blackbox_exporter 0.27.0, prober/handler.go": frozenset({"probe_success"}),
    "the product's contract, components/workload/alerts.py; test_example_product_signals.py finds them": frozenset(
        {
            "engine_last_tick_timestamp_seconds",
            "http_request_duration_seconds_bucket",
            "http_request_duration_seconds_count",
            "llm_request_duration_seconds_bucket",
            "llm_tokens_daily_limit",
            "llm_tokens_today",
            "queue_depth",
            "queue_job_duration_seconds_bucket",
            "queue_jobs_total",
            "worker_last_tick_timestamp_seconds",
        }
    ),
}

KNOWN = frozenset[str]().union(*LIVE.values(), *READ.values())
