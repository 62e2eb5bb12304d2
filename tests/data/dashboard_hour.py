"""An hour of an environment, made up: what every exporter would have shown, with a trouble between minute 30 and 50.

In that trouble one route of the API fails and is slow, jobs pile up, and each server loses or refuses a little, so that
no panel has nothing to show. Names of metrics are those of metrics_known.py.
"""

import math
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

END = int(datetime(2026, 1, 15, 12, tzinfo=UTC).timestamp())
MINUTES = 60
STEP_SECONDS = 30
"""As often as Prometheus scrapes."""
NAMESPACE = "shop-prod"
DAY = 86400
MEBI, GIBI = 2**20, 2**30


class Shape(NamedTuple):
    """A value that goes up and down around `mean` by the share `swing`; the trouble adds to it."""

    mean: float
    swing: float = 0.1
    trouble: float = 0.0
    """What it is higher by at the height of the trouble."""
    lasting: float = 0.0
    """What it is higher by from the end of the trouble on."""

    def at(self, minute: float, phase: float) -> float:
        """Its value at a minute of the hour; `phase`: where its wave begins, 0 to 1."""
        wave = math.sin(2 * math.pi * (minute / 25 + phase))
        through = min(max((minute - 30) / 20, 0), 1)
        return self.mean * (1 + self.swing * wave) + self.trouble * math.sin(math.pi * through) + self.lasting * through


class Clock(NamedTuple):
    """A time in seconds since 1970: `age` seconds before the end, or that long before each scrape."""

    age: float
    moves: bool = False

    def at(self, minute: float, phase: float) -> float:
        """Its value at a minute of the hour."""
        del phase
        return END - self.age - (60 * (MINUTES - minute) if self.moves else 0)


def flat(value: float) -> Shape:
    """What does not change."""
    return Shape(value, 0)


ROUTES = {("GET", "/orders/{id}"): 2.0, ("POST", "/orders"): 6.0, ("GET", "/"): 1.0}
"""Requests a second; in the trouble nine in ten of those to POST /orders fail."""
BUCKETS = {"0.05": 0.55, "0.1": 0.8, "0.25": 0.93, "0.5": 0.97, "1": 0.99, "2": 0.998, "5": 1.0, "+Inf": 1.0}
"""Share of the requests that are answered within these seconds."""
SLOS = {
    # Name -> service, days of the window, objective, events and bad ones in five minutes, budget left at first.
    "api-availability": ("api", 30, 0.995, Shape(2700), Shape(2, 0.5, 1600), 0.41),
    "api-latency": ("api", 30, 0.95, Shape(2700), Shape(40, 0.5, 1700), 0.72),
    "web-availability": ("web", 28, 0.995, Shape(900), Shape(1, 0.5), 0.93),
    "email-worker-queue": ("email-worker", 30, 0.99, flat(10), Shape(0.02, 0.5, 5), 0.01),
    "engine-worker-ticks": ("engine-worker", 28, 0.999, flat(60), Shape(0.02, 0.9), 0.66),
}
BURNS = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}
"""Window of a burn rate -> its hours."""
TROUBLE_HOURS = 2 / math.pi * 20 / 60
"""Half a wave of 20 minutes does as much as this long at its height."""
PODS = {
    # Pod -> container, cores asked for, share used, memory asked for, share used, limit.
    "api-7d9f8c6b54-x2x4z": ("api", 0.5, 0.4, 256 * MEBI, 0.8, 512 * MEBI),
    "web-6b8d7f9c54-k9q2w": ("web", 0.25, 0.1, 256 * MEBI, 0.4, 512 * MEBI),
    "email-worker-5c6d7f8b94-z4x8v": ("email-worker", 0.1, 0.3, 128 * MEBI, 0.6, 256 * MEBI),
    "engine-worker-8f7c6d5b49-q2w4x": ("engine-worker", 0.25, 0.5, 256 * MEBI, 0.5, 512 * MEBI),
    "postgres-main-1": ("postgres", 1, 0.35, 4 * GIBI, 0.7, 4 * GIBI),
    "postgres-main-2": ("postgres", 1, 0.12, 4 * GIBI, 0.5, 4 * GIBI),
    "redis-queue-0": ("redis", 0.2, 0.1, 512 * MEBI, 0.2, 640 * MEBI),
    "keycloak-0": ("keycloak", 0.5, 0.2, GIBI, 0.75, GIBI),
    "prometheus-prometheus-0": ("prometheus", 0.5, 0.3, 2 * GIBI, 0.6, 4 * GIBI),
    "loki-0": ("loki", 0.2, 0.2, 512 * MEBI, 0.5, GIBI),
}
VOLUMES = {
    "postgres-main-1": (50 * GIBI, 0.46),
    "postgres-main-1-wal": (10 * GIBI, 0.12),
    "data-redis-queue-0": (2 * GIBI, 0.09),
    "prometheus-prometheus-db-prometheus-prometheus-0": (50 * GIBI, 0.58),
    "data-loki-0": (20 * GIBI, 0.07),
}
NODES = {"worker-a1": (8, 0.45), "worker-b1": (8, 0.5), "worker-c1": (4, 0.3)}
"""Node -> cores, and the share of everything that is used."""
GATEWAY = {"api": 9.0, "web": 3.0}
"""Route -> requests a second."""
SERVERS = ("prometheus-prometheus-0", "alertmanager-alertmanager-0", "loki-0", "tempo-0", "alloy-0")
PG, PG2 = 'job="postgres-main",pod="postgres-main-1"', 'job="postgres-main",pod="postgres-main-2"'
RD, KC = 'job="redis-queue",pod="redis-queue-0"', 'job="keycloak",pod="keycloak-0"'
PROM, AM = 'job="prometheus",pod="prometheus-prometheus-0"', 'job="alertmanager",pod="alertmanager-alertmanager-0"'
LOKI, TEMPO, ALLOY = 'job="loki",pod="loki-0"', 'job="tempo",pod="tempo-0"', 'job="alloy",pod="alloy-0"'
SIGN_IN = 'client_id="web",event="login",realm="shop"'

GAUGES: dict[str, Shape | Clock] = {
    'queue_depth{job="email-worker",queue="email"}': Shape(4, 0.5, 130),
    'queue_depth{job="engine-worker",queue="runs"}': Shape(1, 0.9),
    'engine_last_tick_timestamp_seconds{job="engine-worker"}': Clock(3, moves=True),
    'worker_last_tick_timestamp_seconds{job="scheduler"}': Clock(40, moves=True),
    'llm_tokens_today{job="engine-worker"}': Shape(410_000, 0),
    'llm_tokens_daily_limit{job="engine-worker"}': flat(1_000_000),
    'probe_success{instance="https://shop.example/",job="public-hosts"}': flat(1),
    f"cnpg_collector_up{{{PG}}}": flat(1),
    f"cnpg_collector_up{{{PG2}}}": flat(1),
    f'cnpg_backends_total{{{PG},datname="app",state="active"}}': Shape(9, 0.3, 30),
    f'cnpg_backends_total{{{PG},datname="app",state="idle"}}': Shape(21, 0.1),
    f'cnpg_backends_total{{{PG2},datname="app",state="idle"}}': Shape(4, 0.1),
    f'cnpg_pg_settings_setting{{{PG},name="max_connections"}}': flat(200),
    f'cnpg_pg_settings_setting{{{PG2},name="max_connections"}}': flat(200),
    f'cnpg_pg_database_size_bytes{{{PG},datname="app"}}': Shape(21 * GIBI, 0),
    f'cnpg_pg_database_xid_age{{{PG},datname="app"}}': flat(41_000_000),
    f"cnpg_backends_waiting_total{{{PG}}}": Shape(0.5, 1, 8),
    f'cnpg_backends_max_tx_duration_seconds{{{PG},datname="app",state="active"}}': Shape(1.5, 0.9, 40),
    f"cnpg_pg_replication_lag{{{PG}}}": flat(0),
    f"cnpg_pg_replication_lag{{{PG2}}}": Shape(0.4, 0.8, 12),
    f"cnpg_pg_stat_archiver_seconds_since_last_archival{{{PG}}}": Shape(140, 0.9),
    f'cnpg_collector_pg_wal_archive_status{{{PG},value="ready"}}': Shape(0.5, 1, 3),
    f'cnpg_collector_pg_wal_archive_status{{{PG},value="done"}}': flat(40),
    f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{PG}}}": Clock(9 * 3600),
    f"barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp{{{PG}}}": Clock(12 * DAY),
    f"barman_cloud_cloudnative_pg_io_first_recoverability_point{{{PG}}}": Clock(30 * DAY),
    'mainstay:postgres_restored:timestamp_seconds{job="postgres-main"}': Clock(40 * DAY),
    f"redis_up{{{RD}}}": flat(1),
    f"redis_memory_used_bytes{{{RD}}}": Shape(38 * MEBI, 0.1, 60 * MEBI),
    f"redis_memory_max_bytes{{{RD}}}": flat(384 * MEBI),
    f"redis_connected_clients{{{RD}}}": Shape(18, 0.1),
    f"redis_blocked_clients{{{RD}}}": Shape(3, 0.3),
    f'redis_db_keys{{{RD},db="db0"}}': Shape(240, 0.2, 900),
    f"redis_aof_last_write_status{{{RD}}}": flat(1),
    f"redis_aof_last_bgrewrite_status{{{RD}}}": flat(1),
    f'agroal_active_count{{{KC},datasource="default"}}': Shape(3, 0.6),
    f'agroal_available_count{{{KC},datasource="default"}}': Shape(17, 0.1),
    f'agroal_awaiting_count{{{KC},datasource="default"}}': flat(0),
    f"vendor_cluster_size{{{KC}}}": flat(2),
    f"prometheus_tsdb_head_series{{{PROM}}}": Shape(41_000, 0.02),
    f'prometheus_rule_group_last_duration_seconds{{{PROM},rule_group="/etc/rules/slo.yaml;slo"}}': Shape(0.12, 0.3),
    f'prometheus_rule_group_last_duration_seconds{{{PROM},rule_group="/etc/rules/pods.yaml;pods"}}': Shape(0.004, 0.3),
    f'alertmanager_alerts{{{AM},state="active"}}': Shape(1, 0, 3),
    f'alertmanager_alerts{{{AM},state="suppressed"}}': flat(0),
    f'alloy_component_controller_running_components{{{ALLOY},health_type="healthy"}}': flat(11),
    'ALERTS{alertname="SLOBurnsFast",alertstate="firing",slo="api-availability",severity="P0"}': flat(1),
    'ALERTS{alertname="SLOBurnsSlowly",alertstate="pending",slo="api-latency",severity="P2"}': flat(1),
    'ALERTS{alertname="SLOBurnsSlowly",alertstate="pending",slo="api-availability",severity="P2"}': flat(1),
}

COUNTERS: dict[str, Shape] = {
    # Each a second.
    'queue_jobs_total{job="email-worker",queue="email",result="success"}': Shape(2.1, 0.2, -1.5),
    'queue_jobs_total{job="email-worker",queue="email",result="failure"}': Shape(0.01, 0.5, 0.3),
    'queue_jobs_total{job="engine-worker",queue="runs",result="success"}': Shape(0.5, 0.2),
    f'cnpg_pg_stat_database_xact_commit{{{PG},datname="app"}}': Shape(120, 0.2),
    f'cnpg_pg_stat_database_xact_rollback{{{PG},datname="app"}}': Shape(0.2, 0.5, 6),
    f'cnpg_pg_stat_database_deadlocks{{{PG},datname="app"}}': Shape(0.001, 0.5, 0.05),
    f"cnpg_pg_stat_archiver_archived_count{{{PG}}}": Shape(0.007, 0.2),
    f"cnpg_pg_stat_archiver_failed_count{{{PG}}}": Shape(0, 0, 0.01),
    f"redis_commands_processed_total{{{RD}}}": Shape(310, 0.2, 200),
    f"redis_cpu_sys_seconds_total{{{RD}}}": Shape(0.02, 0.2, 0.05),
    f"redis_cpu_user_seconds_total{{{RD}}}": Shape(0.03, 0.2, 0.05),
    f"redis_rejected_connections_total{{{RD}}}": flat(0),
    f"redis_evicted_keys_total{{{RD}}}": flat(0),
    f'http_server_requests_seconds_count{{{KC},outcome="SUCCESS",uri="/realms/{{realm}}"}}': Shape(4, 0.2),
    f'http_server_requests_seconds_count{{{KC},outcome="SERVER_ERROR",uri="/realms/{{realm}}"}}': Shape(
        0.004, 0.5, 0.1
    ),
    f'keycloak_user_events_total{{{KC},{SIGN_IN},error=""}}': Shape(0.6, 0.2),
    f'keycloak_user_events_total{{{KC},{SIGN_IN},error="invalid_user_credentials"}}': Shape(0.05, 0.5),
    f"prometheus_tsdb_head_samples_appended_total{{{PROM}}}": Shape(1400, 0.02),
    f'prometheus_rule_evaluation_failures_total{{{PROM},rule_group="/etc/rules/slo.yaml;slo"}}': flat(0),
    f'prometheus_rule_group_iterations_missed_total{{{PROM},rule_group="/etc/rules/slo.yaml;slo"}}': flat(0),
    f'prometheus_notifications_dropped_total{{{PROM},alertmanager="http://alertmanager:9093"}}': flat(0),
    f'alertmanager_notifications_total{{{AM},integration="slack"}}': Shape(0.002, 0.3, 0.01),
    f'alertmanager_notifications_total{{{AM},integration="discord"}}': Shape(-1),
    f'alertmanager_notifications_failed_total{{{AM},integration="slack",reason="other"}}': flat(0),
    f'loki_distributor_lines_received_total{{{LOKI},tenant="fake"}}': Shape(85, 0.2, 60),
    f'loki_discarded_samples_total{{{LOKI},reason="rate_limited",tenant="fake"}}': Shape(0, 0, 3),
    f"loki_ingester_chunks_flush_failures_total{{{LOKI}}}": flat(0),
    f'tempo_distributor_spans_received_total{{{TEMPO},tenant="single-tenant"}}': Shape(62, 0.2),
    f'tempo_discarded_spans_total{{{TEMPO},reason="trace_too_large",tenant="single-tenant"}}': flat(0),
    f"tempo_ingester_failed_flushes_total{{{TEMPO}}}": flat(0),
    f'loki_write_sent_entries_total{{{ALLOY},component_id="loki.write.loki"}}': Shape(85, 0.2, 60),
    f'loki_write_dropped_entries_total{{{ALLOY},component_id="loki.write.loki",reason="rate_limited"}}': Shape(0, 0, 3),
    f'loki_process_dropped_lines_by_label_total{{{ALLOY},label_name="pod",label_value="api-6c9f4d7b8-x2x4z"}}': Shape(
        0, 0, 40
    ),
    f'otelcol_exporter_sent_spans_total{{{ALLOY},exporter="otlp/tempo"}}': Shape(62, 0.2),
    f'otelcol_exporter_send_failed_spans_total{{{ALLOY},exporter="otlp/tempo"}}': flat(0),
}


def _more_gauges() -> Iterator[tuple[str, Shape | Clock]]:
    for slo, (service, days, objective, total, bad, left) in SLOS.items():
        picked = f'slo="{slo}",service="{service}",owner="platform",page="P0",window="{days}d"'
        events = total.mean * days * DAY / 300
        budget = 1 - objective
        usual, highest = bad.mean / total.mean / budget, bad.trouble / total.mean / budget
        yield f'slo:total:increase5m{{slo="{slo}"}}', total
        yield f'slo:bad:increase5m{{slo="{slo}"}}', bad
        yield f'slo:total:events{{slo="{slo}"}}', flat(events)
        yield f'slo:bad:events{{slo="{slo}"}}', flat(events * budget * (1 - left))
        yield f"slo:budget_left:ratio{{{picked}}}", Shape(left, 0, 0, -highest * TROUBLE_HOURS / 24 / days)
        yield f"slo:error_budget:ratio{{{picked}}}", flat(budget)
        yield f"slo:burn:ratio5m{{{picked}}}", Shape(usual, bad.swing, highest)
        for window, hours in BURNS.items():
            yield f"slo:burn:ratio{window}{{{picked}}}", Shape(usual, 0.1, 0, highest * TROUBLE_HOURS / hours)
    for pod, (container, cores, _, memory, used, limit) in PODS.items():
        picked = f'pod="{pod}",container="{container}"'
        yield f'kube_pod_container_resource_requests{{{picked},resource="cpu",unit="core"}}', flat(cores)
        yield f'kube_pod_container_resource_requests{{{picked},resource="memory",unit="byte"}}', flat(memory)
        yield f'kube_pod_container_resource_limits{{{picked},resource="memory",unit="byte"}}', flat(limit)
        yield f"container_memory_working_set_bytes{{{picked}}}", Shape(memory * used, 0.03)
        yield f'kube_pod_status_phase{{pod="{pod}",phase="Running"}}', flat(1)
    for number, pod in enumerate(PODS):
        yield f'kube_pod_info{{pod="{pod}",node="{list(NODES)[number % len(NODES)]}"}}', flat(1)
    for node, (cores, used) in NODES.items():
        picked = f'node="{node}"'
        yield f'kube_node_status_capacity{{{picked},resource="cpu",unit="core"}}', flat(cores)
        yield f'kube_node_status_capacity{{{picked},resource="memory",unit="byte"}}', flat(cores * 4 * GIBI)
        yield f"node_memory_working_set_bytes{{{picked}}}", Shape(cores * 4 * GIBI * used, 0.05)
        disk = f'{picked},id="/",device="/dev/sda1"'
        yield f"container_fs_limit_bytes{{{disk}}}", flat(100 * GIBI)
        yield f"container_fs_usage_bytes{{{disk}}}", Shape(100 * GIBI * used, 0.01)
        for condition in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"):
            for status in ("true", "false", "unknown"):
                is_so = status == ("true" if condition == "Ready" else "false")
                yield f'kube_node_status_condition{{{picked},condition="{condition}",status="{status}"}}', flat(is_so)
    for route in GATEWAY:
        yield f'envoy_cluster_membership_healthy{{job="gateway",route="{route}"}}', flat(2)
    yield 'envoy_server_days_until_first_cert_expiring{job="gateway"}', flat(41)
    for claim, (size, used) in VOLUMES.items():
        picked = f'{{persistentvolumeclaim="{claim}"}}'
        yield f"kubelet_volume_stats_capacity_bytes{picked}", flat(size)
        yield f"kubelet_volume_stats_used_bytes{picked}", Shape(size * used, 0.01)
    for pod in SERVERS:
        yield f'process_resident_memory_bytes{{job="{pod.split("-")[0]}",pod="{pod}"}}', Shape(310 * MEBI, 0.05)
    for job in ("api", "web", "postgres-main", "redis-queue", "prometheus", "loki"):
        yield f'up{{job="{job}",pod="{job}-1"}}', flat(1)
    yield 'up{job="tempo",pod="tempo-0"}', flat(0)


def _more_counters() -> Iterator[tuple[str, Shape]]:
    for (method, route), rate in ROUTES.items():
        failing = 5.4 if method == "POST" else 0
        for status, shape in {"200": Shape(rate, 0.2, -failing), "500": Shape(rate / 5000, 0.5, failing)}.items():
            picked = f'job="api",method="{method}",route="{route}",status="{status}"'
            yield f"http_request_duration_seconds_count{{{picked}}}", shape
            for bound, share in BUCKETS.items():
                slower = share if status == "200" or float(bound) >= 2 else share / 3
                yield f'http_request_duration_seconds_bucket{{{picked},le="{bound}"}}', _times(shape, slower)
    for bound, share in {"1": 0.2, "5": 0.8, "30": 0.99, "+Inf": 1.0}.items():
        yield f'llm_request_duration_seconds_bucket{{job="engine-worker",le="{bound}"}}', flat(0.2 * share)
    for bound, share in {"1": 0.4, "5": 0.9, "60": 0.99, "+Inf": 1.0}.items():
        yield f'queue_job_duration_seconds_bucket{{job="email-worker",queue="email",le="{bound}"}}', flat(2 * share)
    for bound, share in {"0.05": 0.9, "0.25": 0.98, "1": 1.0, "+Inf": 1.0}.items():
        labels = f'{KC},outcome="SUCCESS",uri="/realms/{{realm}}",le="{bound}"'
        yield f"http_server_requests_seconds_bucket{{{labels}}}", flat(4 * share)
    for route, rate in GATEWAY.items():
        failing = 5.4 if route == "api" else 0
        for code, shape in {"2": Shape(rate, 0.2, -failing), "5": Shape(rate / 5000, 0.5, failing)}.items():
            yield (
                f'envoy_cluster_upstream_rq_xx{{job="gateway",route="{route}",envoy_response_code_class="{code}"}}',
                shape,
            )
        for bound, share in BUCKETS.items():
            le = bound if bound == "+Inf" else f"{float(bound) * 1000:g}"
            yield (
                f'envoy_cluster_upstream_rq_time_bucket{{job="gateway",route="{route}",le="{le}"}}',
                flat(rate * share),
            )
    for node, (cores, used) in NODES.items():
        yield f'node_cpu_usage_seconds_total{{node="{node}"}}', Shape(cores * used, 0.2)
    for pod, (container, cores, used, *_) in PODS.items():
        yield f'container_cpu_usage_seconds_total{{pod="{pod}",container="{container}"}}', Shape(cores * used, 0.2)
    for pod in SERVERS:
        yield f'process_cpu_seconds_total{{job="{pod.split("-")[0]}",pod="{pod}"}}', Shape(0.08, 0.2)


def _times(shape: Shape, share: float) -> Shape:
    return Shape(shape.mean * share, shape.swing, shape.trouble * share)


def openmetrics() -> str:
    """All samples of the hour, in the text format that promtool makes blocks from."""
    lines: list[str] = []
    scrapes = [index * STEP_SECONDS for index in range(MINUTES * 60 // STEP_SECONDS + 1)]
    begin = END - MINUTES * 60
    for series, shape in [*GAUGES.items(), *_more_gauges()]:
        lines += [f"{_named(series)} {_at(series, shape, second):.13g} {begin + second}" for second in scrapes]
    for series, shape in [*COUNTERS.items(), *_more_counters()]:
        # What never happens has never happened before either.
        total = 1000.0 if shape.mean >= 0 else 0.0
        for second in scrapes:
            lines.append(f"{_named(series)} {total:.13g} {begin + second}")
            total += max(_at(series, shape, second), 0) * STEP_SECONDS
    return "\n".join([*lines, "# EOF", ""])


def _at(series: str, shape: Shape | Clock, second: int) -> float:
    # Buckets of one histogram must rise and fall together, or they would cross.
    family = series.partition(",le=")[0].replace("_bucket", "_count")
    return shape.at(second / 60, zlib.crc32(family.encode()) % 100 / 100)


def _named(series: str) -> str:
    return series.replace("{", f'{{namespace="{NAMESPACE}",', 1)
