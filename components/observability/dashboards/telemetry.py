"""Whether what watches the product works itself: metrics, alerts, logs, traces."""

from components.observability.dashboards.model import Chart, Dashboard, Stat, above

_SERVERS = '{job=~"prometheus|alertmanager|loki|tempo|alloy|grafana"}'

_USED = "and on (integration) sum by (integration) (alertmanager_notifications_total) > 0"
"""Alertmanager counts for every kind of receiver that it knows, used or not."""


def _by(labels: str, metric: str) -> str:
    return f"sum by ({labels}) (rate({metric}[$__rate_interval]))"


TELEMETRY = Dashboard(
    "telemetry",
    "Telemetry",
    [
        Stat("Targets that cannot be read", "short", {"": "count(up == 0) or vector(0)"}, above(1)),
        Stat("Rules that fail", "ops", {"": f"sum({_by('rule_group', 'prometheus_rule_evaluation_failures_total')})"}),
        Stat(
            "Messages that fail", "ops", {"": f"sum({_by('integration', 'alertmanager_notifications_failed_total')})"}
        ),
        Stat(
            "Parts of Alloy that do not work",
            "short",
            {"": 'sum(alloy_component_controller_running_components{health_type=~"unhealthy|exited"}) or vector(0)'},
            above(1),
        ),
        Chart("Prometheus: samples", "ops", {"{{pod}}": _by("pod", "prometheus_tsdb_head_samples_appended_total")}),
        Chart("Prometheus: series", "short", {"{{pod}}": "max by (pod) (prometheus_tsdb_head_series)"}),
        Chart(
            "Prometheus: time that rules take",
            "s",
            {"{{rule_group}}": "topk(10, max by (rule_group) (prometheus_rule_group_last_duration_seconds))"},
            above(30),
        ),
        Chart(
            "Prometheus: targets that cannot be read",
            "short",
            {"{{job}}": "count by (job) (up == 0) or 0 * count by (job) (up)"},
            above(1),
        ),
        Chart(
            "Prometheus: rules that fail or are late",
            "ops",
            {
                "{{pod}} failed": _by("pod", "prometheus_rule_evaluation_failures_total"),
                "{{pod}} left out": _by("pod", "prometheus_rule_group_iterations_missed_total"),
                "{{pod}} alerts dropped": _by("pod", "prometheus_notifications_dropped_total"),
            },
        ),
        Chart(
            "Alertmanager: messages",
            "ops",
            {
                "{{integration}} sent": f"{_by('integration', 'alertmanager_notifications_total')} {_USED}",
                "{{integration}} failed": f"{_by('integration', 'alertmanager_notifications_failed_total')} {_USED}",
            },
        ),
        Chart("Alertmanager: alerts", "short", {"{{state}}": "max by (state) (alertmanager_alerts)"}),
        Chart("Loki: lines received", "ops", {"{{pod}}": _by("pod", "loki_distributor_lines_received_total")}),
        Chart(
            "Loki: lines refused, chunks not stored",
            "ops",
            {
                "{{reason}}": _by("reason", "loki_discarded_samples_total"),
                "not stored": f"sum({_by('pod', 'loki_ingester_chunks_flush_failures_total')})",
            },
        ),
        Chart("Tempo: spans received", "ops", {"{{pod}}": _by("pod", "tempo_distributor_spans_received_total")}),
        Chart(
            "Tempo: spans refused, blocks not stored",
            "ops",
            {
                "{{reason}}": _by("reason", "tempo_discarded_spans_total"),
                "not stored": f"sum({_by('pod', 'tempo_ingester_failed_flushes_total')})",
            },
        ),
        Chart(
            "Alloy: parts by health",
            "short",
            {"{{pod}} {{health_type}}": "sum by (pod, health_type) (alloy_component_controller_running_components)"},
        ),
        Chart(
            "Alloy: handed on",
            "ops",
            {
                "{{pod}} lines": _by("pod", "loki_write_sent_entries_total"),
                "{{pod}} spans": _by("pod", "otelcol_exporter_sent_spans_total"),
            },
        ),
        Chart(
            "Alloy: lost",
            "ops",
            {
                "lines: {{reason}}": _by("reason", "loki_write_dropped_entries_total"),
                "{{pod}} spans": _by("pod", "otelcol_exporter_send_failed_spans_total"),
            },
        ),
        Chart(
            "Memory of each server",
            "bytes",
            {"{{pod}}": f"max by (pod) (process_resident_memory_bytes{_SERVERS})"},
        ),
        Chart(
            "CPU of each server",
            "short",
            {"{{pod}}": _by("pod", f"process_cpu_seconds_total{_SERVERS}")},
        ),
    ],
)
