"""What is watched in an environment: whose metrics are read, and which alerts follow from what is declared."""

from collections.abc import Sequence

from components import postgres, redis
from components.gateway import alerts as gateway_alerts
from components.keycloak import alerts as keycloak_alerts
from components.observability.alert import Alert, Recording
from components.observability.monitors import Target
from components.postgres import alerts as postgres_alerts
from components.postgres import drills
from components.redis import alerts as redis_alerts
from components.workload import alerts as workload_alerts
from stacks.environment import Environment, Platform
from stacks.settings_gateway import NAME as GATEWAY
from stacks.settings_keycloak import NAME as KEYCLOAK


def targets(platform: Platform) -> list[Target]:
    """All pods whose metrics Prometheus reads, beside its own kind."""
    return [
        *(postgres_alerts.metrics_target(postgres.kubernetes_name(name)) for name in platform.postgres),
        *(redis_alerts.metrics_target(redis.kubernetes_name(name)) for name in platform.redis),
        *(workload_alerts.metrics_target(name, "service", each.port) for name, each in platform.services.items()),
        *(workload_alerts.metrics_target(name, "worker", each.health_port) for name, each in platform.workers.items()),
        *([keycloak_alerts.metrics_target(KEYCLOAK)] if platform.keycloak else []),
        *([gateway_alerts.metrics_target(GATEWAY, platform.namespace.name)] if platform.routes else []),
    ]


def alerts(platform: Platform) -> dict[str, Sequence[Alert]]:
    """The rooms' alerts by group; a group is there where something of its kind is declared."""
    groups: list[tuple[str, object, Sequence[Alert]]] = [
        ("gateway", platform.routes, gateway_alerts.alerts([each["service"] for each in platform.routes.values()])),
        ("keycloak", platform.keycloak, keycloak_alerts.ALERTS),
        ("postgres", platform.postgres, postgres_alerts.alerts(_instances(platform))),
        ("redis", platform.redis, redis_alerts.ALERTS),
        ("services", platform.services, workload_alerts.SERVICE_ALERTS),
        ("workers", platform.workers, workload_alerts.WORKER_ALERTS),
    ]
    return {name: found for name, declared, found in groups if declared}


def recordings(environment: Environment) -> dict[str, Sequence[Recording]]:
    """By group of alerts, what its alerts ask for and no exporter shows."""
    namespace = environment.platform.namespace.name
    backed_up = [postgres.kubernetes_name(name) for name, each in environment.platform.postgres.items() if each.backup]
    restored = {name: environment.drills.get(f"Cluster {namespace}/{name}", 0) for name in backed_up}
    return {"postgres": drills.recordings(namespace, restored)} if restored else {}


def _instances(platform: Platform) -> dict[str, int]:
    return {postgres.kubernetes_name(name): each.instances for name, each in platform.postgres.items()}
