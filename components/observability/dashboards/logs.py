"""What is logged, and what of it was dropped."""

from components.observability.dashboards.model import Chart, Dashboard, Logs, Variable

LINES = Dashboard(
    "logs",
    "Logs",
    [
        # Loki finds the level itself, in JSON and in plain text.
        Logs("Errors", '{service_name=~"$service"} | detected_level=~"error|critical|fatal"'),
        Chart(
            "Lines dropped because too many came at once",
            "ops",
            {
                "{{label_name}} {{label_value}}": (
                    "sum by (label_name, label_value)"
                    " (rate(loki_process_dropped_lines_by_label_total[$__rate_interval]))"
                )
            },
            width=24,
        ),
    ],
    (Variable("service", "up", "job"),),
)
