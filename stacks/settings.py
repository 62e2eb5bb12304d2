"""The sections of an environment file, as pydantic models. Keys are camelCase in YAML; unknown keys are errors."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from components.gateway.addresses import checked_host, checked_path
from components.quantity import parse
from stacks.settings_section import Section
from stacks.settings_slo import PostgresSlos, ServiceSlos, WorkerSlos

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*?(:(?P<tag>[\w][\w.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?")
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,\-?]+")
_RETENTION = re.compile(r"[1-9][0-9]*[dwm]")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a name that Kubernetes takes: use 1 to 40 lower-case letters, digits and '-', "
            "a letter first and no '-' last"
        )
    return value


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError(
            f"{value!r} is not an environment variable's name: use letters, digits and '_', no digit first"
        )
    return value


def _quantity(value: str) -> str:
    if parse(value) <= 0:
        raise ValueError(f"must be more than nothing, not {value}")
    return value


def _number_as_text(value: Any) -> Any:
    """`cpu: 2` is as good as `cpu: "2"`, to Kubernetes too."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _image(value: str) -> str:
    match = _IMAGE.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not an image reference such as registry.example/team/api:1.4.2")
    if match["digest"] is None and match["tag"] in (None, "latest"):
        raise ValueError(
            f"{value!r} must name a tag other than latest, or a digest: what runs must not change by itself"
        )
    return value


def _schedule(value: str) -> str:
    fields = value.split()
    if len(fields) != 6 or not all(_CRON_FIELD.fullmatch(field) for field in fields):
        raise ValueError(
            f"{value!r} is not a cron schedule of six fields, seconds first, such as '0 0 3 * * *' (daily at 03:00 UTC)"
        )
    return value


def _retention(value: str) -> str:
    if not _RETENTION.fullmatch(value):
        raise ValueError(f"{value!r} is not a retention such as 30d, 8w or 12m")
    return value


Name = Annotated[str, AfterValidator(_name)]
Variable = Annotated[str, AfterValidator(_variable)]
Quantity = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity)]
Image = Annotated[str, AfterValidator(_image)]
Host = Annotated[str, AfterValidator(checked_host)]
RoutedPath = Annotated[str, AfterValidator(checked_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Destination = Annotated[str, Field(pattern=r"^s3://[^/]+(/.*)?$")]
Text = Annotated[str, Field(min_length=1)]

SENTRY_DSN = "SENTRY_DSN"
"""The variable that every Sentry SDK reads; empty, it turns reporting off."""
SHARED_DSN = "sentry-dsn"
"""Name of the secret with the DSN of all services and workers that have none of their own."""


class NamespaceSettings(Section):
    """The namespace and the most that may run in it."""

    name: Name = Field(description="Kubernetes namespace of the environment.")
    cpu: Quantity = Field(description="Sum of CPU requests.")
    memory: Quantity = Field(description="Sum of memory limits.")
    storage: Quantity = Field(description="Sum of volume claims.")
    pods: Annotated[int, Field(ge=1)] = Field(description="Number of pods.")
    protect: bool = Field(False, description="Refuse to delete the namespace.")


class OffsiteSettings(Section):
    """The bucket in another account and region that the backups' bucket is replicated to, by the store itself."""

    destination: Destination = Field(description="Its path, `s3://bucket/path`.")
    account: Text = Field(description="Account it belongs to.")
    region: Text = Field(description="Region it is in.")
    lock_days: Annotated[int, Field(ge=0)] = Field(
        description="For how many days nobody can delete what is in it (object lock)."
    )


class BackupSettings(Section):
    """Where and how often a database is backed up."""

    destination: Destination = Field(description="Path in the object store, `s3://bucket/path`.")
    account: Text | None = Field(None, description="Account the bucket belongs to.")
    region: Text | None = Field(None, description="Region the bucket is in.")
    offsite: OffsiteSettings | None = Field(
        None, description="The bucket it is replicated to, outside Kubernetes; the policies demand it in production."
    )
    endpoint: Annotated[str, Field(pattern=r"^https?://")] | None = Field(
        None, description="URL of an S3-compatible store other than AWS."
    )
    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        "0 0 3 * * *", description="Cron with six fields, seconds first, UTC."
    )
    retention: Annotated[str, AfterValidator(_retention)] = Field("30d", description="How long base backups are kept.")


class PostgresSettings(Section):
    """One PostgreSQL cluster."""

    instances: Annotated[int, Field(ge=1, le=9)] = Field(description="Servers; 1 primary, the others replicas.")
    cpu: Quantity = Field(description="CPU request of an instance.")
    memory: Quantity = Field(description="Memory request and limit of an instance.")
    storage: Quantity = Field(description="Volume for the data; can grow, never shrink.")
    wal_storage: Quantity = Field(description="Volume for the write-ahead log.")
    max_connections: Annotated[int, Field(ge=20)] = Field(200, description="Server's limit on connections.")
    backup: BackupSettings | None = Field(None, description="Backups; the policies demand them.")
    slos: PostgresSlos = Field(default_factory=lambda: PostgresSlos.model_validate({}), description="What it promises.")
    protect: bool = Field(False, description="Refuse to delete or replace the database.")


class RedisSettings(Section):
    """One Redis server."""

    cpu: Quantity = Field(description="CPU request.")
    memory: Quantity = Field(description="Memory request and limit; 75 % of it is maxmemory.")
    storage: Quantity = Field(description="Volume for the append-only file, at least twice the memory.")
    unbacked_reason: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Why losing this data with its volume is acceptable; it is not backed up."
    )
    protect: bool = Field(False, description="Refuse to delete or replace the server.")

    @model_validator(mode="after")
    def _room_for_a_rewrite(self) -> Self:
        if parse(self.storage) < 2 * parse(self.memory):
            raise ValueError(
                f"storage {self.storage} is less than twice memory {self.memory}: "
                "rewriting the append-only file needs room for both copies"
            )
        return self


class ResourcesSettings(Section):
    """What one pod asks for."""

    cpu: Quantity = Field(description="CPU request.")
    memory: Quantity = Field(description="Memory request.")
    memory_limit: Quantity = Field(description="Memory limit, at least the request.")

    @model_validator(mode="after")
    def _limit_not_below_request(self) -> Self:
        if parse(self.memory_limit) < parse(self.memory):
            raise ValueError(
                f"memoryLimit {self.memory_limit} is below memory {self.memory}: raise the limit or lower the request"
            )
        return self


class ProbeSettings(Section):
    """HTTP paths of the health probes."""

    startup: Annotated[str, Field(pattern="^/")] = Field("/health", description="Answers once started.")
    readiness: Annotated[str, Field(pattern="^/")] = Field(
        "/readiness", description="Answers while requests are welcome."
    )
    liveness: Annotated[str, Field(pattern="^/")] = Field(
        "/liveness", description="Answers unless only a restart helps."
    )


class WorkloadSettings(Section):
    """What services and workers have in common."""

    image: Image = Field(description="Image reference with tag or digest.")
    command: list[str] | None = Field(None, description="Arguments in place of the image's own command.")
    replicas: Annotated[int, Field(ge=1)] = Field(description="Number of pods.")
    resources: ResourcesSettings = Field(description="Requests and limits of a pod.")
    probes: ProbeSettings = Field(
        default_factory=lambda: ProbeSettings.model_validate({}), description="Paths of the health probes."
    )
    env: dict[Variable, str] = Field(default_factory=dict, description="Environment variables.")
    secret_env: dict[Variable, Name] = Field(
        default_factory=dict, description="Environment variable -> secret, set as `secrets:<name>`."
    )
    connections: dict[Variable, str] = Field(
        default_factory=dict,
        description="Environment variable -> whose URL it holds: `postgres.<name>`, `redis.<name>`, `services.<name>`, "
        "`keycloak.issuer` (as users see it) or `keycloak.internal` (from inside).",
    )
    internet_ports: list[Port] = Field(
        default_factory=list[int], description="Ports on public addresses that the pods may reach."
    )

    @model_validator(mode="after")
    def _one_source_per_variable(self) -> Self:
        sources = [("env", self.env), ("secretEnv", self.secret_env), ("connections", self.connections)]
        for index, (first, variables) in enumerate(sources):
            for second, others in sources[index + 1 :]:
                for variable in variables:
                    if variable in others:
                        raise ValueError(f"the variable {variable} is set twice, in {first} and in {second}: keep one")
        return self

    @model_validator(mode="after")
    def _dsn_is_a_secret(self) -> Self:
        if self.env.get(SENTRY_DSN) or SENTRY_DSN in self.connections:
            raise ValueError(
                f"{SENTRY_DSN} is a secret: name one in secretEnv; only an empty one, which turns reporting off, "
                "may stand in env"
            )
        return self

    @property
    def dsn(self) -> str | None:
        """Name of the secret that holds the DSN its errors are reported to; None: it reports none."""
        return None if SENTRY_DSN in self.env else self.secret_env.get(SENTRY_DSN, SHARED_DSN)


class ServiceSettings(WorkloadSettings):
    """One HTTP service."""

    port: Port = Field(description="Port the process listens on, for requests and probes.")
    hosts: Annotated[list[Host], Field(max_length=16)] = Field(
        default_factory=list[str],
        description="Public hosts; with one, the gateway is let in. Needs `mainstay:gateway`.",
    )
    paths: Annotated[list[RoutedPath], Field(min_length=1, max_length=32)] = Field(
        default_factory=lambda: ["/"], description="Path prefixes on these hosts that lead here."
    )
    drain_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        30, description="How long requests may take to end after SIGTERM, in seconds."
    )
    slos: ServiceSlos = Field(default_factory=lambda: ServiceSlos.model_validate({}), description="What it promises.")

    @model_validator(mode="after")
    def _reachable_needs_an_address(self) -> Self:
        if self.slos.reachable and not self.hosts:
            raise ValueError("slos.reachable is promised, but there are no hosts to reach: name some, or leave it out")
        return self


class WorkerSettings(WorkloadSettings):
    """One worker."""

    health_port: Port = Field(8081, description="Port the process answers its probes on.")
    longest_job_seconds: Annotated[int, Field(ge=1, le=86400)] = Field(
        30, description="The longest job to finish after SIGTERM, in seconds."
    )
    singleton: bool = Field(False, description="Never two at a time.")
    slos: WorkerSlos = Field(default_factory=lambda: WorkerSlos.model_validate({}), description="What it promises.")

    @model_validator(mode="after")
    def _one_means_one(self) -> Self:
        if self.singleton and self.replicas != 1:
            raise ValueError(f"singleton is true but replicas is {self.replicas}: a singleton has 1")
        return self
