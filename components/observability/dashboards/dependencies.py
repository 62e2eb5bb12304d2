"""What the product depends on, each by use, saturation and errors."""

from components.observability.dashboards.model import Chart, Dashboard, Variable, above

_FULL = above(0.85, 0.95)
"""Of a volume, as its alerts have it."""


def _of_pods(container: str, pods: str = ".+") -> list[Chart]:
    """CPU and memory of the pods' container `container`, as shares of what they ask for and may have."""
    picked = f'container="{container}",pod=~"{pods}"'
    cpu = f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{picked}}}[$__rate_interval]))"
    asked = f'max by (pod) (kube_pod_container_resource_requests{{{picked},resource="cpu"}})'
    memory = f"max by (pod) (container_memory_working_set_bytes{{{picked}}})"
    limit = f'max by (pod) (kube_pod_container_resource_limits{{{picked},resource="memory"}})'
    return [
        Chart("Use: CPU, of what is asked for", "percentunit", {"{{pod}}": f"{cpu} / {asked}"}, above(0.8)),
        Chart("Use: memory, of the limit", "percentunit", {"{{pod}}": f"{memory} / {limit}"}, above(0.9)),
    ]


def _volumes(claims: str) -> Chart:
    picked = f'{{persistentvolumeclaim=~"{claims}"}}'
    share = f"kubelet_volume_stats_used_bytes{picked} / kubelet_volume_stats_capacity_bytes{picked}"
    return Chart(
        "Use: volumes",
        "percentunit",
        {"{{persistentvolumeclaim}}": f"max by (persistentvolumeclaim) ({share})"},
        _FULL,
    )


def _rate(metric: str, picked: str) -> str:
    return f"rate({metric}{{{picked}}}[$__rate_interval])"


_CLUSTER = 'job=~"$cluster"'

POSTGRES = Dashboard(
    "postgres",
    "Postgres",
    [
        Chart(
            "Use: connections, of those allowed",
            "percentunit",
            {
                "{{pod}}": (
                    f"sum by (pod) (cnpg_backends_total{{{_CLUSTER}}})"
                    f' / max by (pod) (cnpg_pg_settings_setting{{{_CLUSTER},name="max_connections"}})'
                )
            },
            above(0.9),
        ),
        _volumes("postgres-.+"),
        *_of_pods("postgres", "postgres-.+"),
        Chart(
            "Use: transactions",
            "ops",
            {"{{job}} committed": f"sum by (job) ({_rate('cnpg_pg_stat_database_xact_commit', _CLUSTER)})"},
        ),
        Chart(
            "Use: size of databases",
            "bytes",
            {"{{job}} {{datname}}": f"max by (job, datname) (cnpg_pg_database_size_bytes{{{_CLUSTER}}})"},
        ),
        Chart(
            "Saturation: queries that wait for others",
            "short",
            {"{{pod}}": f"max by (pod) (cnpg_backends_waiting_total{{{_CLUSTER}}})"},
        ),
        Chart(
            "Saturation: longest transaction",
            "s",
            {"{{pod}}": f"max by (pod) (cnpg_backends_max_tx_duration_seconds{{{_CLUSTER}}})"},
        ),
        Chart(
            "Saturation: replicas behind the primary",
            "s",
            {"{{pod}}": f"max by (pod) (cnpg_pg_replication_lag{{{_CLUSTER}}})"},
            above(60),
        ),
        Chart(
            "Saturation: age of the oldest transaction id (at 2 billion writes stop)",
            "short",
            {"{{job}} {{datname}}": f"max by (job, datname) (cnpg_pg_database_xid_age{{{_CLUSTER}}})"},
        ),
        Chart(
            "Errors: rolled back, deadlocks",
            "ops",
            {
                "{{job}} rolled back": f"sum by (job) ({_rate('cnpg_pg_stat_database_xact_rollback', _CLUSTER)})",
                "{{job}} deadlocks": f"sum by (job) ({_rate('cnpg_pg_stat_database_deadlocks', _CLUSTER)})",
            },
        ),
        Chart(
            "Errors: instances that do not answer",
            "short",
            {
                "{{job}}": (
                    f"count by (job) (cnpg_collector_up{{{_CLUSTER}}} == 0)"
                    f" or 0 * count by (job) (cnpg_collector_up{{{_CLUSTER}}})"
                )
            },
            above(1),
        ),
    ],
    (Variable("cluster", "cnpg_collector_up", "job"),),
)

_SERVER = 'job=~"$server"'

REDIS = Dashboard(
    "redis",
    "Redis",
    [
        Chart(
            "Use: memory, of what it may hold",
            "percentunit",
            {"{{job}}": f"redis_memory_used_bytes{{{_SERVER}}} / (redis_memory_max_bytes{{{_SERVER}}} > 0)"},
            above(0.9),
        ),
        Chart(
            "Use: CPU, of the one core that commands run on",
            "percentunit",
            {
                "{{job}}": (
                    f"{_rate('redis_cpu_sys_seconds_total', _SERVER)}"
                    f" + {_rate('redis_cpu_user_seconds_total', _SERVER)}"
                )
            },
            above(0.8),
        ),
        Chart("Use: commands", "ops", {"{{job}}": _rate("redis_commands_processed_total", _SERVER)}),
        _volumes(".*redis-.+"),
        Chart("Use: keys", "short", {"{{job}} {{db}}": f"redis_db_keys{{{_SERVER}}}"}),
        Chart("Saturation: clients", "short", {"{{job}}": f"redis_connected_clients{{{_SERVER}}}"}),
        Chart(
            "Saturation: clients that wait (workers at an empty queue do)",
            "short",
            {"{{job}}": f"redis_blocked_clients{{{_SERVER}}}"},
        ),
        Chart(
            "Errors: connections refused, keys evicted",
            "ops",
            {
                "{{job}} refused": _rate("redis_rejected_connections_total", _SERVER),
                "{{job}} evicted": _rate("redis_evicted_keys_total", _SERVER),
            },
        ),
        Chart(
            "Errors: 0 where the append-only file cannot be written",
            "short",
            {
                "{{job}} append": f"redis_aof_last_write_status{{{_SERVER}}}",
                "{{job}} rewrite": f"redis_aof_last_bgrewrite_status{{{_SERVER}}}",
                "{{job}} answers": f"redis_up{{{_SERVER}}}",
            },
        ),
    ],
    (Variable("server", "redis_up", "job"),),
)

_HTTP = 'job="keycloak",uri!~"/health.*|/metrics"'
"""The probes ask it too, and a server that starts answers them with 503."""
_REQUESTS = _rate("http_server_requests_seconds_count", _HTTP)
_FAILED = _rate("http_server_requests_seconds_count", f'{_HTTP},outcome="SERVER_ERROR"')
_P95 = f"histogram_quantile(0.95, sum by (le) ({_rate('http_server_requests_seconds_bucket', _HTTP)}))"
_EVENTS = _rate("keycloak_user_events_total", 'job="keycloak"')
_REFUSED = _rate("keycloak_user_events_total", 'job="keycloak",error!=""')

KEYCLOAK = Dashboard(
    "keycloak",
    "Keycloak",
    [
        Chart("Use: requests", "reqps", {"{{outcome}}": f"sum by (outcome) ({_REQUESTS})"}),
        Chart(
            "Use: answer time (p95)",
            "s",
            {"p95": _P95},
            above(1, 2),
        ),
        *_of_pods("keycloak"),
        Chart(
            "Use: database connections",
            "short",
            {
                "{{pod}} in use": 'agroal_active_count{job="keycloak"}',
                "{{pod}} free": 'agroal_available_count{job="keycloak"}',
            },
        ),
        Chart(
            "Saturation: requests that wait for a database connection",
            "short",
            {"{{pod}}": 'agroal_awaiting_count{job="keycloak"}'},
            above(1),
        ),
        Chart(
            "Saturation: replicas that each sees, itself among them",
            "short",
            {"{{pod}}": 'vendor_cluster_size{job="keycloak"}'},
        ),
        Chart(
            "Errors: share of requests that fail (5xx)",
            "percentunit",
            {
                "5xx": f"(sum({_FAILED}) or vector(0)) / (sum({_REQUESTS}) > 0)",
            },
            above(0.05),
        ),
        Chart(
            "Errors: sign-ins and tokens refused",
            "ops",
            {
                "{{realm}} {{event}} {{error}}": f"sum by (realm, event, error) ({_REFUSED})",
            },
        ),
        Chart(
            "Events of users",
            "ops",
            {"{{event}}": f"sum by (event) ({_EVENTS})"},
        ),
    ],
)
