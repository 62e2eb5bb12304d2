"""What the dashboards show (REQUIREMENTS S7); the same metrics as the alerts."""

from components.observability.dashboards.model import Chart, Dashboard

_RATE = "rate(http_request_duration_seconds_count{matchers}[$__rate_interval])"
_ALL, _FAILED = _RATE.replace("{matchers}", ""), _RATE.replace("{matchers}", '{status=~"5.."}')
_BUCKETS = "rate(http_request_duration_seconds_bucket[$__rate_interval])"

DASHBOARDS = [
    Dashboard(
        "services",
        "Services",
        [
            Chart("Requests", "reqps", {"{{job}}": f"sum by (job) ({_ALL})"}),
            Chart(
                "Share of requests that fail (5xx)",
                "percentunit",
                {"{{job}}": f"(sum by (job) ({_FAILED}) or 0 * sum by (job) ({_ALL})) / sum by (job) ({_ALL})"},
            ),
            Chart(
                "5xx per route", "reqps", {"{{job}} {{method}} {{route}}": f"sum by (job, method, route) ({_FAILED})"}
            ),
            Chart(
                "Answer time",
                "s",
                {
                    f"{{{{job}}}} p{percent}": f"histogram_quantile(0.{percent}, sum by (job, le) ({_BUCKETS}))"
                    for percent in (50, 95, 99)
                },
            ),
            Chart(
                "Answer time per route (p95)",
                "s",
                {"{{job}} {{route}}": f"histogram_quantile(0.95, sum by (job, route, le) ({_BUCKETS}))"},
            ),
            Chart(
                "Public hosts up",
                "percentunit",
                {"{{instance}}": "min by (instance) (last_over_time(probe_success[11m]))"},
            ),
        ],
    ),
    Dashboard(
        "workers",
        "Workers",
        [
            Chart("Jobs that wait", "short", {"{{queue}}": "max by (queue) (queue_depth)"}),
            Chart(
                "Jobs done",
                "ops",
                {"{{queue}} {{result}}": "sum by (queue, result) (rate(queue_jobs_total[$__rate_interval]))"},
            ),
            Chart(
                "Seconds to empty the queue at this pace",
                "s",
                {
                    "{{queue}}": (
                        "max by (queue) (queue_depth) / (sum by (queue) (rate(queue_jobs_total[$__rate_interval])) > 0)"
                    )
                },
            ),
            Chart(
                "Since the engine's last tick",
                "s",
                {"{{job}}": "time() - max by (job) (engine_last_tick_timestamp_seconds)"},
            ),
        ],
    ),
    Dashboard(
        "postgres",
        "Postgres",
        [
            Chart(
                "Connections",
                "short",
                {
                    "{{pod}}": "sum by (pod) (cnpg_backends_total)",
                    "{{pod}} at most": 'max by (pod) (cnpg_pg_settings_setting{name="max_connections"})',
                },
            ),
            Chart(
                "Transactions",
                "ops",
                {
                    "{{job}} committed": "sum by (job) (rate(cnpg_pg_stat_database_xact_commit[$__rate_interval]))",
                    "{{job}} rolled back": "sum by (job) (rate(cnpg_pg_stat_database_xact_rollback[$__rate_interval]))",
                },
            ),
            Chart("Replicas behind the primary", "s", {"{{pod}}": "max by (pod) (cnpg_pg_replication_lag)"}),
            Chart(
                "Age of the last base backup",
                "s",
                {"{{job}}": ("time() - max by (job) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp)")},
            ),
            Chart("Size of databases", "bytes", {"{{datname}}": "max by (job, datname) (cnpg_pg_database_size_bytes)"}),
            Chart(
                "Log segments that could not be archived",
                "short",
                {"{{pod}}": "increase(cnpg_pg_stat_archiver_failed_count[$__rate_interval])"},
            ),
        ],
    ),
    Dashboard(
        "redis",
        "Redis",
        [
            Chart(
                "Memory",
                "bytes",
                {"{{job}}": "redis_memory_used_bytes", "{{job}} at most": "redis_memory_max_bytes"},
            ),
            Chart("Commands", "ops", {"{{job}}": "rate(redis_commands_processed_total[$__rate_interval])"}),
            Chart("Clients", "short", {"{{job}}": "redis_connected_clients"}),
            Chart("Keys", "short", {"{{job}} {{db}}": "redis_db_keys"}),
        ],
    ),
    Dashboard(
        "keycloak",
        "Keycloak",
        [
            Chart(
                "Requests",
                "reqps",
                {"{{status}}": "sum by (status) (rate(http_server_requests_seconds_count[$__rate_interval]))"},
            ),
            Chart(
                "Answer time (p95)",
                "s",
                {
                    "p95": (
                        "histogram_quantile(0.95, sum by (le)"
                        " (rate(http_server_requests_seconds_bucket[$__rate_interval])))"
                    )
                },
            ),
            Chart(
                "Events of users",
                "ops",
                {"{{event}} {{error}}": ("sum by (event, error) (rate(keycloak_user_events_total[$__rate_interval]))")},
            ),
            Chart("Waiting for a database connection", "short", {"{{pod}}": "agroal_awaiting_count"}),
        ],
    ),
]
