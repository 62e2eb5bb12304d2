"""An environment: `Pulumi.<stack>.yaml`, read once, checked as a whole, immutable from then on.

Every fault found is told in one sentence that names file and key. Checks that need more than one section
(does the database exist, is a name taken) are made here; checks of a single value in `stacks.settings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from pydantic import Field, ValidationError

from components import postgres, redis
from components.gateway import Route
from stacks import InvalidEnvironment
from stacks.drills import last_drills
from stacks.faults import sentence
from stacks.objectives import slo_faults, slos
from stacks.settings import (
    Name,
    NamespaceSettings,
    PostgresSettings,
    RedisSettings,
    Section,
    ServiceSettings,
    WorkerSettings,
)
from stacks.settings_gate import GateSettings, StatusPageSettings
from stacks.settings_gateway import NAME as GATEWAY
from stacks.settings_gateway import GatewaySettings, faults_of_routes
from stacks.settings_github import GitHubSettings
from stacks.settings_images import ImagesSettings, faults_of_images
from stacks.settings_keycloak import ADMIN_PASSWORD, API_CLIENT_SECRET, KeycloakSettings, keycloak_faults
from stacks.settings_keycloak import NAME as KEYCLOAK
from stacks.settings_observability import ObservabilitySettings
from stacks.settings_policies import PoliciesSettings, faults_of_policies
from stacks.settings_sentry import SentrySettings
from stacks.yaml_file import DuplicateKey, read_yaml

PROJECT = "mainstay"
"""Namespace of the environment's own keys: the project's name in Pulumi.yaml."""
WATCHERS = (
    *("prometheus", "alertmanager", "kube-state-metrics", "blackbox-exporter"),
    *("loki", "tempo", "alloy", "alloy-peers", "alloy-spans", "grafana"),
)
"""Kubernetes names of what `mainstay:observability` declares."""
SECRETS = "secrets"
"""Namespace of secret values: `pulumi config set --secret secrets:<name>`."""


class Platform(Section):
    """The `mainstay:` sections of an environment file."""

    namespace: NamespaceSettings = Field(description="Where it all runs, and how much of it.")
    postgres: dict[Name, PostgresSettings] = Field(default_factory=dict, description="PostgreSQL clusters by name.")
    redis: dict[Name, RedisSettings] = Field(default_factory=dict, description="Redis servers by name.")
    services: dict[Name, ServiceSettings] = Field(default_factory=dict, description="HTTP services by name.")
    workers: dict[Name, WorkerSettings] = Field(default_factory=dict, description="Workers by name.")
    keycloak: KeycloakSettings | None = Field(None, description="Sign-in for people and services.")
    observability: ObservabilitySettings | None = Field(None, description="What watches it all.")
    sentry: SentrySettings | None = Field(
        None, description="Where services and workers report errors: to the secret `sentry-dsn`, or one of their own."
    )
    gateway: GatewaySettings | None = Field(
        None, description="The way in from the internet, for services with `hosts`."
    )
    gate: GateSettings | None = Field(None, description="Whether a change waits for the error budgets.")
    status: StatusPageSettings | None = Field(None, description="What everybody may know: `mainstay slo page`.")
    images: ImagesSettings = Field(
        default_factory=lambda: ImagesSettings.model_validate({}), description="How images are pinned to content."
    )
    policies: PoliciesSettings = Field(
        default_factory=lambda: PoliciesSettings.model_validate({}), description="How strict the policies are."
    )
    github: GitHubSettings | None = Field(
        None, description="Deployment environment on GitHub; not declared on the embedded cluster."
    )

    @property
    def routes(self) -> dict[str, Route]:
        """What is public by config key, `services.api`."""
        routes: dict[str, Route] = {
            f"services.{name}": {
                "service": name,
                "port": service.port,
                "hosts": service.hosts,
                "paths": service.paths,
                "closed": [service.probes.startup, service.probes.readiness, service.probes.liveness],
            }
            for name, service in self.services.items()
            if service.hosts
        }
        if self.keycloak:
            routes[KEYCLOAK] = {
                "service": KEYCLOAK,
                "port": 8080,
                "hosts": [self.keycloak.url.removeprefix("https://").partition(":")[0]],
                # Sign-in and tokens; the administrators' console and API are not for the internet.
                "paths": ["/realms", "/resources"],
                "closed": ["/realms/master"],
            }
        return routes

    @property
    def dsns(self) -> set[str]:
        """Names of the secrets that say where errors are reported."""
        workloads = (*self.services.values(), *self.workers.values())
        return {each.dsn for each in workloads if each.dsn} if self.sentry else set()

    @property
    def product_images(self) -> dict[str, str]:
        """The images the environment names, by config key, `services.api.image`."""
        return {
            f"{section}.{name}.image": workload.image
            for section, workloads in (("services", self.services), ("workers", self.workers))
            for name, workload in workloads.items()
        }


@dataclass(frozen=True)
class ClusterTarget:
    """The real cluster an environment names."""

    context: str | None
    """Context in the kubeconfig; None is the kubeconfig's current one."""
    kubeconfig: str | None
    """Path (or content) of a kubeconfig; None is the usual place."""


@dataclass(frozen=True)
class Environment:
    """A checked environment."""

    stack: str
    """Name of the Pulumi stack, e.g. `staging`."""
    platform: Platform
    """What it is made of."""
    cluster: ClusterTarget | None
    """The real cluster it names, or None: then it is for the embedded one."""
    drills: Mapping[str, int] = field(default_factory=dict[str, int])
    """Whose restore was tried, e.g. `Cluster shop-prod/postgres-main` -> when it last went well, seconds since 1970."""

    @property
    def required_secrets(self) -> tuple[str, ...]:
        """Config keys of all secret values the environment needs, sorted, e.g. `secrets:redis-queue-password`."""
        names = {
            name
            for workloads in (self.platform.services, self.platform.workers)
            for workload in workloads.values()
            for name in workload.secret_env.values()
        }
        names |= {redis_password(name) for name in self.platform.redis} | self.platform.dsns
        if self.platform.keycloak:
            names |= {ADMIN_PASSWORD, API_CLIENT_SECRET}
        if self.platform.observability:
            names |= set(self.platform.observability.secrets)
        # Not on the embedded cluster, where GitHub is not declared.
        if self.platform.github and self.cluster:
            names |= set(self.platform.github.secrets.values())
        for name, database in self.platform.postgres.items():
            if database.backup:
                names |= set(backup_keys(name))
        return tuple(f"{SECRETS}:{name}" for name in sorted(names))


def redis_password(name: str) -> str:
    """Name of the secret that holds a Redis' password."""
    return f"{redis.kubernetes_name(name)}-password"


def backup_keys(name: str) -> tuple[str, str]:
    """Names of the secrets that hold the key id and the key of a database's object store."""
    prefix = f"{postgres.kubernetes_name(name)}-backup"
    return f"{prefix}-access-key-id", f"{prefix}-secret-access-key"


def environment_file(stack: str) -> str:
    """Name of the file of a stack."""
    return f"Pulumi.{stack}.yaml"


def load(root: Path, stack: str) -> Environment:
    """Reads and checks `Pulumi.<stack>.yaml` in `root`, and what its evidence says. Raises InvalidEnvironment."""
    path = root / environment_file(stack)
    if not path.is_file():
        known = sorted(each.name.split(".")[1] for each in root.glob("Pulumi.*.yaml"))
        raise InvalidEnvironment(
            f"There is no stack {stack!r}: {path.name} does not exist in {root}. "
            f"Stacks here: {', '.join(known) or 'none'}."
        )
    try:
        content = read_yaml(path)
    except DuplicateKey as error:
        raise InvalidEnvironment(
            f"{path.name}, line {error.line}: the key {error.key!r} stands twice; keep one, or rename it."
        ) from None
    except ValueError as error:
        raise InvalidEnvironment(f"{path.name}: {error}.") from None
    config: Any = cast(dict[str, Any], content).get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        raise InvalidEnvironment(f"{path.name}: the key config is missing; the sections stand below it.")
    checked = cast(dict[str, Any], config)
    if plain := [key for key, value in checked.items() if key.startswith(f"{SECRETS}:") and not _is_encrypted(value)]:
        # Whoever reads the repository has it: besides encrypting it here, it has to be replaced where it is used.
        raise InvalidEnvironment(
            "\n".join(
                f"{path.name}: {key} stands there in plaintext; replace it by a new secret, with "
                f"`pulumi config set --secret --stack {stack} {key}`."
                for key in plain
            )
        )
    return replace(from_config(checked, stack), drills=last_drills(root, stack))


def _is_encrypted(value: Any) -> bool:
    return isinstance(value, dict) and "secure" in value


def from_config(config: Mapping[str, Any], stack: str) -> Environment:
    """Checks the config keys of a stack, e.g. `{"mainstay:services": {...}, "kubernetes:context": "…"}`.

    Raises InvalidEnvironment with a sentence for each fault.
    """
    file = environment_file(stack)
    sections: dict[str, Any] = {}
    faults: list[str] = []
    for key, value in config.items():
        namespace, _, name = key.partition(":")
        if namespace == PROJECT:
            sections[name] = value
        elif namespace == "kubernetes" and name in ("context", "kubeconfig"):
            if not isinstance(value, str) or not value:
                faults.append(f"{file}: {key} must be a text that is not empty.")
        elif namespace not in (SECRETS, "pulumi") and key not in ("github:owner", "github:token"):
            known = [f"{PROJECT}:{section}" for section in Platform.model_fields]
            known += ["kubernetes:context", "kubernetes:kubeconfig", "github:owner", "github:token"]
            close = get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
            faults.append(f"{file}: {key} is not a key that Mainstay knows; {hint}")
    try:
        platform = Platform.model_validate(sections)
    except ValidationError as error:
        faults += [sentence(file, PROJECT, fault, Platform) for fault in error.errors(include_url=False)]
        raise InvalidEnvironment("\n".join(faults)) from None
    faults += [f"{file}: {fault}" for fault in _faults_across_sections(platform)]
    if faults:
        raise InvalidEnvironment("\n".join(faults))
    context, kubeconfig = config.get("kubernetes:context"), config.get("kubernetes:kubeconfig")
    target = ClusterTarget(context, kubeconfig) if context or kubeconfig else None
    return Environment(stack, platform, target)


def _faults_across_sections(platform: Platform) -> list[str]:
    faults = faults_of_routes(platform.gateway, platform.routes)
    faults += slo_faults(platform)
    known = {slo.name for slo in slos(platform)}
    faults += [
        f"{PROJECT}:status.slos names {name!r}, which is no SLO here; there are: {', '.join(sorted(known)) or 'none'}."
        for name in (platform.status.slos if platform.status else ())
        if name not in known
    ]
    faults += faults_of_policies(platform.policies)
    faults += faults_of_images(platform.images, platform.product_images)
    taken: dict[str, str] = {}
    names: list[tuple[str, str]] = [
        *((f"postgres.{name}", postgres.kubernetes_name(name)) for name in platform.postgres),
        *((f"redis.{name}", redis.kubernetes_name(name)) for name in platform.redis),
        *((f"services.{name}", name) for name in platform.services),
        *((f"workers.{name}", name) for name in platform.workers),
        *([(KEYCLOAK, KEYCLOAK)] if platform.keycloak else []),
        *([(GATEWAY, GATEWAY)] if platform.routes else []),
        *((("observability", name) for name in WATCHERS) if platform.observability else []),
    ]
    for key, name in names:
        if name in taken:
            faults.append(
                f"{PROJECT}:{key} and {PROJECT}:{taken[name]} would both be called {name!r} in Kubernetes; rename one."
            )
        taken.setdefault(name, key)
    sections = {
        "postgres": platform.postgres,
        "redis": platform.redis,
        "services": platform.services,
        KEYCLOAK: dict.fromkeys(("issuer", "internal")) if platform.keycloak else {},
    }
    consumers: dict[str, list[str]] = {}
    for section, workloads in (("services", platform.services), ("workers", platform.workers)):
        for workload_name, workload in workloads.items():
            for variable, target in workload.connections.items():
                where = f"{PROJECT}:{section}.{workload_name}.connections.{variable}"
                consumers.setdefault(target, []).append(where)
                kind, _, name = target.partition(".")
                if kind not in sections or not name:
                    faults.append(
                        f"{where} is {target!r}; it must be postgres.<name>, redis.<name>, "
                        "services.<name>, keycloak.issuer or keycloak.internal."
                    )
                elif name not in sections[kind]:
                    there = ", ".join(f"{kind}.{each}" for each in sections[kind]) or "none"
                    faults.append(f"{where} names {target!r}, which is not declared; declared are: {there}.")
    if platform.keycloak:
        faults += keycloak_faults(platform.keycloak, platform.postgres, consumers)
    return faults
