"""The composition: one environment, declared. The same function whoever runs it."""

import pulumi

from components.connection import Connection
from components.gateway import Gateway, GatewayArgs, Route
from components.image_pin import ImagePins
from components.keycloak import Keycloak
from components.namespace import Namespace
from components.observability import alloy
from components.observability.observability import Observability
from components.postgres import Backup, Postgres, PostgresArgs
from components.redis import Redis, RedisArgs
from components.workload import (
    HttpService,
    ProbePaths,
    Resources,
    Worker,
)
from components.workload.pods import WorkloadArgs
from stacks import InvalidEnvironment
from stacks.environment import Environment, backup_keys, redis_password
from stacks.objectives import slos
from stacks.secrets import check_dsns, read_secrets
from stacks.settings import SENTRY_DSN, PostgresSettings, RedisSettings, WorkloadSettings
from stacks.settings_gateway import NAME as GATEWAY
from stacks.settings_gateway import GatewaySettings
from stacks.settings_github import GitHubSettings, github_args, missing_access
from stacks.settings_keycloak import NAME as KEYCLOAK
from stacks.settings_keycloak import keycloak_args
from stacks.settings_observability import observability_args
from stacks.settings_sentry import sentry_variables
from stacks.watching import alerts, recordings, targets

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def declare(environment: Environment) -> None:
    """Declares all resources of the environment and its outputs `namespace` and `endpoints`."""
    platform = environment.platform
    secrets = read_secrets(environment)
    check_dsns(environment)
    # Only a real cluster pulls images, and only there is a registry asked and GitHub told.
    ask = platform.images.pin == "registry" and environment.cluster is not None
    ImagePins(platform.images.digests, ask).apply_to_stack()
    if platform.github and environment.cluster:
        _declare_github(platform.github, environment.stack, secrets)
    limits = platform.namespace
    namespace = limits.name
    whole = Namespace(
        namespace,
        {
            "name": namespace,
            "cpu": limits.cpu,
            "memory": limits.memory,
            "storage": limits.storage,
            "pods": limits.pods,
            "protect": limits.protect,
        },
    )
    inside = pulumi.ResourceOptions(depends_on=[whole])

    data: dict[str, pulumi.Resource] = {}
    for name, database in platform.postgres.items():
        data[f"postgres.{name}"] = Postgres(name, _postgres(name, database, namespace, secrets), inside)
    for name, server in platform.redis.items():
        data[f"redis.{name}"] = Redis(name, _redis(server, namespace, secrets[redis_password(name)]), inside)

    def after(workload: WorkloadSettings) -> pulumi.ResourceOptions:
        """A workload waits for the data it connects to; not for other services, which may call each other."""
        targets = sorted(set(workload.connections.values()) & data.keys())
        return pulumi.ResourceOptions(depends_on=[whole, *(data[target] for target in targets)])

    served: list[pulumi.Resource] = []
    for name, service in platform.services.items():
        each = HttpService(
            name,
            {
                **_workload(name, service, environment, namespace, secrets),
                "port": service.port,
                "public": bool(service.hosts),
                "drain_seconds": service.drain_seconds,
            },
            after(service),
        )
        if service.hosts:
            served.append(each)
    if platform.keycloak:
        database = data[f"postgres.{platform.keycloak.database_name}"]
        opts = pulumi.ResourceOptions(depends_on=[whole, database])
        served.append(Keycloak(KEYCLOAK, keycloak_args(platform.keycloak, namespace, secrets), opts))
    if platform.observability:
        Observability(
            "observability",
            observability_args(
                platform.observability,
                namespace,
                environment.stack,
                targets(platform),
                alerts(platform),
                secrets,
                slos(platform),
                recordings(environment),
            ),
            inside,
        )
    if platform.gateway and platform.routes:
        # After the services: a route to a service that is not there answers 500.
        Gateway(
            GATEWAY,
            _gateway(platform.gateway, list(platform.routes.values()), namespace),
            pulumi.ResourceOptions(depends_on=[whole, *served]),
        )
    for name, worker in platform.workers.items():
        Worker(
            name,
            {
                **_workload(name, worker, environment, namespace, secrets),
                "health_port": worker.health_port,
                "longest_job_seconds": worker.longest_job_seconds,
                "singleton": worker.singleton,
            },
            after(worker),
        )
    pulumi.export("namespace", namespace)
    pulumi.export("hosts", sorted({host for route in platform.routes.values() for host in route["hosts"]}))
    pulumi.export(
        "endpoints",
        {name: f"http://{name}.{namespace}.svc:{service.port}" for name, service in platform.services.items()},
    )


def _postgres(
    name: str,
    settings: PostgresSettings,
    namespace: str,
    secrets: dict[str, pulumi.Output[str]],
) -> PostgresArgs:
    args: PostgresArgs = {
        "namespace": namespace,
        "instances": settings.instances,
        "cpu": settings.cpu,
        "memory": settings.memory,
        "storage": settings.storage,
        "wal_storage": settings.wal_storage,
        "max_connections": settings.max_connections,
        "protect": settings.protect,
    }
    if settings.backup:
        key_id, key = backup_keys(name)
        backup: Backup = {
            "destination": settings.backup.destination,
            "schedule": settings.backup.schedule,
            "retention": settings.backup.retention,
            "access_key_id": secrets[key_id],
            "secret_access_key": secrets[key],
        }
        if settings.backup.endpoint:
            backup["endpoint"] = settings.backup.endpoint
        if settings.backup.account:
            backup["account"] = settings.backup.account
        if settings.backup.region:
            backup["region"] = settings.backup.region
        if offsite := settings.backup.offsite:
            backup["offsite"] = {
                "destination": offsite.destination,
                "account": offsite.account,
                "region": offsite.region,
                "lock_days": offsite.lock_days,
            }
        args["backup"] = backup
    return args


def _declare_github(settings: GitHubSettings, stack: str, secrets: dict[str, pulumi.Output[str]]) -> None:
    if faults := missing_access(stack):
        raise InvalidEnvironment("\n".join(faults))
    # Imported here: pulumi-github costs time, and most runs declare nothing of it.
    from components.github import GitHub

    GitHub("github", github_args(settings, stack, secrets))


def _gateway(settings: GatewaySettings, routes: list[Route], namespace: str) -> GatewayArgs:
    args: GatewayArgs = {
        "namespace": namespace,
        "class_name": settings.class_name,
        "issuer": settings.issuer.name,
        "issuer_kind": settings.issuer.kind,
        "routes": routes,
        "closed": settings.closed_paths,
        "requests_per_minute": settings.requests_per_minute,
        "request_size": settings.request_size,
        "request_seconds": settings.request_seconds,
    }
    if settings.trusted_hops is not None:
        args["trusted_hops"] = settings.trusted_hops
    return args


def _redis(settings: RedisSettings, namespace: str, password: pulumi.Output[str]) -> RedisArgs:
    args: RedisArgs = {
        "namespace": namespace,
        "password": password,
        "cpu": settings.cpu,
        "memory": settings.memory,
        "storage": settings.storage,
        "protect": settings.protect,
    }
    if settings.unbacked_reason:
        args["unbacked_reason"] = settings.unbacked_reason
    return args


def _workload(
    name: str,
    settings: WorkloadSettings,
    environment: Environment,
    namespace: str,
    secrets: dict[str, pulumi.Output[str]],
) -> WorkloadArgs:
    connections = {
        variable: _connection(target, environment, secrets) for variable, target in settings.connections.items()
    }
    secret_env = {variable: secrets[secret] for variable, secret in settings.secret_env.items()}
    internet_ports = list(settings.internet_ports)
    # What every SDK of OpenTelemetry and of Sentry reads; an environment's own value goes before.
    taken = {*settings.env, *secret_env, *connections}
    given: dict[str, str] = {}
    if environment.platform.observability:
        given |= {"OTEL_SERVICE_NAME": name, "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={namespace}"}
        if OTLP_ENDPOINT not in taken:
            connections[OTLP_ENDPOINT] = alloy.CONNECTION
    if (sentry := environment.platform.sentry) and settings.dsn:
        given |= sentry_variables(environment.stack, settings.image)
        secret_env[SENTRY_DSN] = secrets[settings.dsn]
        if sentry.port not in internet_ports:
            internet_ports.append(sentry.port)
    env = {**settings.env, **{variable: value for variable, value in given.items() if variable not in taken}}
    args: WorkloadArgs = {
        "namespace": namespace,
        "image": settings.image,
        "replicas": settings.replicas,
        "resources": Resources(
            cpu=settings.resources.cpu,
            memory=settings.resources.memory,
            memory_limit=settings.resources.memory_limit,
        ),
        "probe_paths": ProbePaths(
            startup=settings.probes.startup,
            readiness=settings.probes.readiness,
            liveness=settings.probes.liveness,
        ),
        "env": env,
        "secret_env": secret_env,
        "connections": connections,
        "internet_ports": internet_ports,
        "slos": [
            {"name": slo.name, "objective": slo.objective, "window_days": slo.window_days}
            for slo in slos(environment.platform)
            if slo.service == name
        ],
    }
    if settings.command is not None:
        args["command"] = settings.command
    return args


def _connection(target: str, environment: Environment, secrets: dict[str, pulumi.Output[str]]) -> Connection:
    kind, _, name = target.partition(".")
    if kind == "postgres":
        return Postgres.connection(name)
    if kind == "redis":
        return Redis.connection(name, secrets[redis_password(name)])
    if kind == KEYCLOAK and environment.platform.keycloak:
        settings = environment.platform.keycloak
        if name == "issuer":
            return Keycloak.issuer(KEYCLOAK, settings.url, settings.realm.name)
        return Keycloak.internal(KEYCLOAK, settings.realm.name)
    return HttpService.connection(name, environment.platform.services[name].port)
