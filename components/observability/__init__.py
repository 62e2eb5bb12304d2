"""What watches an environment: Prometheus, Alertmanager, exporters, rules and monitors."""

from components.observability.alert import Alert, Severity
from components.observability.monitors import Target
from components.observability.observability import Observability, ObservabilityArgs

__all__ = ["Alert", "Observability", "ObservabilityArgs", "Severity", "Target"]
