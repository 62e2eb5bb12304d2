"""Histories of metrics that make each alert of what watches fire, and ones a step short of that."""

from tests.data.alert_cases import API, Case, against, one

LOKI, TEMPO = 'namespace="n",job="loki",pod="loki-0"', 'namespace="n",job="tempo",pod="tempo-0"'
ALLOY = 'namespace="n",job="alloy",pod="alloy-0"'
PROM = 'namespace="n",job="prometheus",pod="prometheus-0"'
ALERTMANAGER = 'namespace="n",job="alertmanager"'

WATCHING: dict[str, Case] = {
    "Watchdog": Case({"up": "1x40"}, {}),
    "TargetDown": one(f"up{{{API}}}", "0x40", "0x10 1x15 0x15", 28),
    "TargetsMissing": Case({'up{job="other"}': "1x40"}, {f"up{{{API}}}": "0x40"}),
    "RulesMissing": Case(
        {f'prometheus_rule_group_rules{{{PROM},rule_group="/etc/rules/a.yaml;a"}}': "5x40"},
        {f'prometheus_rule_group_rules{{{PROM},rule_group="/etc/rules/{name}.yaml;{name}"}}': "5x40" for name in "ab"},
    ),
    "RulesFail": one('prometheus_rule_evaluation_failures_total{job="prometheus",rule_group="g"}', "0x25 1x15", "3x40"),
    "PrometheusWithoutAlertmanager": one(
        f"prometheus_notifications_alertmanagers_discovered{{{PROM}}}", "0x40", "1x40"
    ),
    "NotificationsFail": against(
        'alertmanager_notifications_failed_total{job="alertmanager",integration="slack"}',
        "0+2x40",
        "0+1x40",
        'alertmanager_notifications_total{job="alertmanager",integration="slack"}',
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
    "LogsFlood": one(
        # New, and from the first sample on what it stays.
        f'loki_process_dropped_lines_by_label_total{{{ALLOY},label_name="pod",label_value="api-1"}}',
        "_x25 5x15",
        "5x40",
    ),
    "LogAlertsFail": Case(
        {f"loki_prometheus_notifications_alertmanagers_discovered{{{LOKI}}}": "0x40"},
        {
            f"loki_prometheus_notifications_alertmanagers_discovered{{{LOKI}}}": "1x40",
            f"loki_prometheus_rule_evaluation_failures_total{{{LOKI}}}": "3x40",
            f"loki_prometheus_notifications_errors_total{{{LOKI}}}": "0x22 1x18",  # has not lasted yet
        },
    ),
    "RemoteWriteFails": Case(
        {f"prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{PROM}}}": "0+60x5 300x35"},
        {  # ten minutes behind, and what was refused was so before
            f"prometheus_remote_storage_samples_failed_total{{{PROM}}}": "7x40",
            f"prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{PROM}}}": "0x9 0+60x31",
        },
    ),
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
    "RulesLate": one(
        f'prometheus_rule_group_iterations_missed_total{{{PROM},rule_group="g"}}', "0+1x40", "0x10 2x10 4x20"
    ),
    "PrometheusCannotSend": against(
        f"prometheus_notifications_errors_total{{{PROM}}}",
        "0+2x40",
        "0+1x40",
        f"prometheus_notifications_sent_total{{{PROM}}}",
        "0+100x40",
    ),
    "PrometheusNotIngesting": one(f"prometheus_tsdb_head_samples_appended_total{{{PROM}}}", "7x40", "7x25 8x15"),
    "ConfigurationNotLoaded": one(f"alertmanager_config_last_reload_successful{{{ALERTMANAGER}}}", "0x40", "0x25 1x15"),
    "PrometheusStorageFails": one(f"prometheus_tsdb_compactions_failed_total{{{PROM}}}", "0x20 1x20", "3x40"),
    "AlertmanagersApart": Case(
        {
            f'alertmanager_cluster_members{{{ALERTMANAGER},pod="1"}}': "1x40",
            f'up{{{ALERTMANAGER},pod="1"}}': "1x40",
            f'up{{{ALERTMANAGER},pod="2"}}': "1x40",
        },
        {  # two that are together, of the same configuration
            f'alertmanager_cluster_members{{{ALERTMANAGER},pod="1"}}': "2x40",
            f'alertmanager_config_hash{{{ALERTMANAGER},pod="1"}}': "7x40",
            f'alertmanager_config_hash{{{ALERTMANAGER},pod="2"}}': "7x40",
            f'up{{{ALERTMANAGER},pod="1"}}': "1x40",
            f'up{{{ALERTMANAGER},pod="2"}}': "1x40",
        },
    ),
}
