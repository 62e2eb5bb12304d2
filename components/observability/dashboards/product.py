"""What the product does: requests of services (rate, errors, duration) and jobs of workers."""

from components.observability.dashboards.model import Chart, Dashboard, Logs, Stat, Variable, above

_PICKED = 'job=~"$service"'
_ALL = f"rate(http_request_duration_seconds_count{{{_PICKED}}}[$__rate_interval])"
_FAILED = f'rate(http_request_duration_seconds_count{{{_PICKED},status=~"5.."}}[$__rate_interval])'
_BUCKETS = f"rate(http_request_duration_seconds_bucket{{{_PICKED}}}[$__rate_interval])"
_FAILING = f"(sum by (job) ({_FAILED}) or 0 * sum by (job) ({_ALL})) / sum by (job) ({_ALL})"

SERVICES = Dashboard(
    "services",
    "Services",
    [
        Chart("Requests", "reqps", {"{{job}}": f"sum by (job) ({_ALL})"}),
        Chart("Share of requests that fail (5xx)", "percentunit", {"{{job}}": _FAILING}, above(0.05)),
        Chart("5xx per route", "reqps", {"{{job}} {{method}} {{route}}": f"sum by (job, method, route) ({_FAILED})"}),
        Chart(
            "Answer time",
            "s",
            {
                f"{{{{job}}}} p{percent}": f"histogram_quantile(0.{percent}, sum by (job, le) ({_BUCKETS}))"
                for percent in (50, 95, 99)
            },
            above(1, 2),
            exemplars=True,
        ),
        Chart(
            "Answer time per route (p95)",
            "s",
            {"{{job}} {{route}}": f"histogram_quantile(0.95, sum by (job, route, le) ({_BUCKETS}))"},
            above(1, 2),
            exemplars=True,
        ),
        Chart(
            "Public hosts up",
            "percentunit",
            {"{{instance}}": "min by (instance) (last_over_time(probe_success[11m]))"},
        ),
        # Loki finds the level itself, in JSON and in plain text.
        Logs("Errors", '{service_name=~"$service"} | detected_level=~"error|critical|fatal"'),
    ],
    (Variable("service", "http_request_duration_seconds_count", "job"),),
)

_QUEUE = '{queue=~"$queue"}'
_DONE = f"rate(queue_jobs_total{_QUEUE}[$__rate_interval])"
_GROWS = f"deriv(queue_depth{_QUEUE}[10m])"

WORKERS = Dashboard(
    "workers",
    "Workers",
    [
        Stat("Jobs that wait", "short", {"{{queue}}": f"max by (queue) (queue_depth{_QUEUE})"}, above(100), width=8),
        Stat("Jobs done in a second", "ops", {"{{queue}}": f"sum by (queue) ({_DONE})"}, width=8),
        Stat(
            "Time to empty the queue at this pace",
            "s",
            {"{{queue}}": f"max by (queue) (queue_depth{_QUEUE}) / (sum by (queue) ({_DONE}) > 0)"},
            width=8,
        ),
        Chart("Queue depth", "short", {"{{queue}}": f"max by (queue) (queue_depth{_QUEUE})"}, above(100)),
        Chart("Jobs done, by result", "ops", {"{{queue}} {{result}}": f"sum by (queue, result) ({_DONE})"}),
        Chart(
            "Jobs that come, jobs that are done",
            "ops",
            {
                "{{queue}} come": f"clamp_min(sum by (queue) ({_DONE}) + max by (queue) ({_GROWS}), 0)",
                "{{queue}} done": f"sum by (queue) ({_DONE})",
            },
        ),
        Chart(
            "Time to empty the queue",
            "s",
            {"{{queue}}": f"max by (queue) (queue_depth{_QUEUE}) / (sum by (queue) ({_DONE}) > 0)"},
        ),
        Chart(
            "From being queued to being done (p95)",
            "s",
            {
                "{{job}}": (
                    "histogram_quantile(0.95, sum by (job, le)"
                    f" (rate(queue_job_duration_seconds_bucket{_QUEUE}[$__rate_interval])))"
                )
            },
        ),
        Chart(
            "Since the last regular work",
            "s",
            {"{{job}}": "time() - max by (job) (worker_last_tick_timestamp_seconds)"},
        ),
        Chart(
            "Since the engine's last tick",
            "s",
            {"{{job}}": "time() - max by (job) (engine_last_tick_timestamp_seconds)"},
            above(45),
        ),
        Chart(
            "Language model: answer time (p95)",
            "s",
            {
                "{{job}}": (
                    "histogram_quantile(0.95, sum by (job, le)"
                    " (rate(llm_request_duration_seconds_bucket[$__rate_interval])))"
                )
            },
            above(30),
        ),
        Chart(
            "Language model: share of today's tokens spent",
            "percentunit",
            {"{{job}}": "max by (job) (llm_tokens_today / llm_tokens_daily_limit)"},
            above(0.8, 1),
        ),
    ],
    (Variable("queue", "queue_depth", "queue"),),
)
