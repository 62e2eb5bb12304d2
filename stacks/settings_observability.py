"""The section `mainstay:observability` of an environment file."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Self

import pulumi
from pydantic import Field, model_validator

from components.observability.alert import Alert, Recording
from components.observability.alertmanager import AlertmanagerArgs
from components.observability.monitors import Target
from components.observability.object_store import ObjectStore
from components.observability.observability import ObservabilityArgs
from components.observability.prometheus import PrometheusArgs
from components.slo.objective import Slo
from components.workload import Resources
from stacks.settings import Name, Quantity, ResourcesSettings, Section
from stacks.settings_alerting import AlertmanagerSettings, ContactsSettings, levels, maintenance

__all__ = ["AlertmanagerSettings", "ContactsSettings", "ObservabilitySettings", "observability_args"]

ADMIN_PASSWORD = "grafana-admin-password"  # noqa: S105 (a secret's name)
REMOTE_WRITE_TOKEN = "remote-write-token"  # noqa: S105 (a secret's name)
"""Needed where samples are copied elsewhere."""

HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s/]+\S*$")]


class RemoteWriteSettings(Section):
    """A server elsewhere that takes Prometheus' remote write; the secret `remote-write-token` opens it."""

    url: HttpsUrl = Field(description="Its address, e.g. `https://metrics.example.com/api/v1/push`.")
    username: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="User name, of whom the secret is the password; without it, the secret is a bearer token."
    )


class PrometheusSettings(Section):
    """The metrics server."""

    replicas: Annotated[int, Field(ge=1, le=4)] = Field(description="Servers that scrape the same; 2 in production.")
    resources: ResourcesSettings = Field(description="Requests and limits of a server.")
    storage: Quantity = Field(description="Volume of a server.")
    retention: Annotated[str, Field(pattern=r"^[1-9][0-9]*[dwy]$")] = Field(
        "35d", description="How long samples are kept; at least the window of the longest objective (30 days)."
    )
    remote_write: RemoteWriteSettings | None = Field(
        None, description="Where a copy of all samples goes; needs the secret `remote-write-token`."
    )

    @property
    def retention_days(self) -> int:
        """The retention in days."""
        return int(self.retention[:-1]) * {"d": 1, "w": 7, "y": 365}[self.retention[-1]]


class GrafanaSettings(Section):
    """The dashboards; the secret `grafana-admin-password` is the password of the user `admin`."""

    resources: ResourcesSettings = Field(description="Requests and limits.")
    url: HttpsUrl | None = Field(
        None, description="URL at which people open it; without it alerts have no link to a dashboard."
    )


Days = Annotated[str, Field(pattern=r"^[1-9][0-9]*d$")]


def _days(text: str) -> int:
    return int(text.removesuffix("d"))


class ObjectStoreSettings(Section):
    """An S3-compatible bucket; its keys are the secrets `<section>-access-key-id` and `<section>-secret-access-key`."""

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = Field(description="Its name.")
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = Field(
        description="Address of the store, e.g. `https://s3.eu-central-1.amazonaws.com`."
    )
    region: Annotated[str, Field(min_length=1)] = Field(description="Its region, e.g. `eu-central-1`.")


class LogsSettings(Section):
    """Loki; the keys of its bucket are the secrets `logs-access-key-id` and `logs-secret-access-key`."""

    retention: Days = Field(description="How long a line is kept, in days.")
    retention_by_level: dict[Name, Days] = Field(
        default_factory=dict, description="Level, e.g. `debug` -> how long its lines are kept instead, which is less."
    )
    object_store: ObjectStoreSettings = Field(description="Where logs are kept.")
    storage: Quantity = Field(description="Volume for what is not in the bucket yet.")
    resources: ResourcesSettings = Field(description="Requests and limits.")
    namespaces: list[Name] = Field(
        default_factory=list[str],
        description="Other namespaces whose logs are kept beside the environment's own, e.g. those of operators; "
        "the collector may then read the logs of the whole cluster.",
    )

    @model_validator(mode="after")
    def _levels_are_kept_shorter(self) -> Self:
        for level, days in self.retention_by_level.items():
            if _days(days) >= _days(self.retention):
                raise ValueError(
                    f"retentionByLevel.{level} is {days}, not less than retention {self.retention}, "
                    "for which all other lines are kept: shorten it, or raise retention"
                )
        return self


class TracesSettings(Section):
    """Tempo; the keys of its bucket are the secrets `traces-access-key-id` and `traces-secret-access-key`."""

    retention: Days = Field(description="How long a trace is kept, in days.")
    share: Annotated[float, Field(ge=0, le=100)] = Field(
        100, description="Per cent of the ordinary traces that are kept; all with an error or something slow are."
    )
    object_store: ObjectStoreSettings = Field(description="Where traces are kept.")
    storage: Quantity = Field(description="Volume for what is not in the bucket yet.")
    resources: ResourcesSettings = Field(description="Requests and limits.")


class CollectorSettings(Section):
    """Alloy: reads the logs of pods and receives OpenTelemetry from the product."""

    replicas: Annotated[int, Field(ge=1, le=9)] = Field(description="Servers that share the pods; 2 in production.")
    resources: ResourcesSettings = Field(description="Requests and limits of a server.")


class ObservabilitySettings(Section):
    """What watches the environment."""

    owner: Annotated[str, Field(min_length=1)] = Field(description="Who answers for the alerts: their label `owner`.")
    runbooks: HttpsUrl = Field(description="URL below which the pages of docs/runbooks stand.")
    public_hosts: list[HttpsUrl] = Field(
        default_factory=list[str],
        description="Public URLs that are asked every 5 minutes.",
    )
    prometheus: PrometheusSettings = Field(description="Metrics.")
    alertmanager: AlertmanagerSettings = Field(description="Alerts.")
    logs: LogsSettings = Field(description="Logs.")
    traces: TracesSettings = Field(description="Traces.")
    collector: CollectorSettings = Field(description="What brings logs and traces there.")
    grafana: GrafanaSettings = Field(description="Dashboards.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of all secrets the section needs."""
        stores = (key for section in ("logs", "traces") for key in _store_keys(section))
        copied = (REMOTE_WRITE_TOKEN,) if self.prometheus.remote_write else ()
        return (*self.alertmanager.secrets.values(), ADMIN_PASSWORD, *stores, *copied)


def observability_args(
    settings: ObservabilitySettings,
    namespace: str,
    environment: str,
    targets: Sequence[Target],
    alerts: Mapping[str, Sequence[Alert]],
    secrets: Mapping[str, pulumi.Input[str]],
    slos: Sequence[Slo] = (),
    recordings: Mapping[str, Sequence[Recording]] = MappingProxyType({}),
) -> ObservabilityArgs:
    """The component's args. `targets`, `alerts`, `slos`, `recordings`: what the environment's rooms want watched."""
    args: ObservabilityArgs = {
        "namespace": namespace,
        "environment": environment,
        "owner": settings.owner,
        "runbooks": settings.runbooks,
        "targets": targets,
        "alerts": alerts,
        "slos": slos,
        "recordings": recordings,
        "public_hosts": settings.public_hosts,
        "prometheus": _prometheus(settings.prometheus, secrets),
        "alertmanager": _alertmanager(settings.alertmanager, secrets),
        "logs": {
            "retention": settings.logs.retention,
            "retention_by_level": settings.logs.retention_by_level,
            "store": _store("logs", settings.logs.object_store, secrets),
            "storage": settings.logs.storage,
            "resources": _resources(settings.logs.resources),
            "namespaces": list(settings.logs.namespaces),
        },
        "traces": {
            "retention": settings.traces.retention,
            "share": settings.traces.share,
            "store": _store("traces", settings.traces.object_store, secrets),
            "storage": settings.traces.storage,
            "resources": _resources(settings.traces.resources),
        },
        "collector": {
            "replicas": settings.collector.replicas,
            "resources": _resources(settings.collector.resources),
        },
        "grafana": {
            "admin_password": secrets[ADMIN_PASSWORD],
            "resources": _resources(settings.grafana.resources),
        },
    }
    if settings.grafana.url:
        args["dashboards"] = settings.grafana.url
    return args


def _prometheus(settings: PrometheusSettings, secrets: Mapping[str, pulumi.Input[str]]) -> PrometheusArgs:
    args: PrometheusArgs = {
        "replicas": settings.replicas,
        "resources": _resources(settings.resources),
        "storage": settings.storage,
        "retention": settings.retention,
    }
    if copied := settings.remote_write:
        args["remote_write"] = {"url": copied.url, "token": secrets[REMOTE_WRITE_TOKEN]}
        if copied.username:
            args["remote_write"]["username"] = copied.username
    return args


def _alertmanager(settings: AlertmanagerSettings, secrets: Mapping[str, pulumi.Input[str]]) -> AlertmanagerArgs:
    args: AlertmanagerArgs = {
        "replicas": settings.replicas,
        "resources": _resources(settings.resources),
        "contacts": {contact: secrets[name] for contact, name in settings.secrets.items()},
        "escalation": levels(settings),
        "maintenance": maintenance(settings),
    }
    if email := settings.email:
        args["email"] = {
            "smarthost": email.smarthost,
            "sender": email.sender,
            "username": email.username or email.sender,
            "to": list(email.to),
        }
    return args


def _resources(settings: ResourcesSettings) -> Resources:
    return {"cpu": settings.cpu, "memory": settings.memory, "memory_limit": settings.memory_limit}


def _store(section: str, settings: ObjectStoreSettings, secrets: Mapping[str, pulumi.Input[str]]) -> ObjectStore:
    key_id, key = _store_keys(section)
    return {
        "bucket": settings.bucket,
        "endpoint": settings.endpoint,
        "region": settings.region,
        "access_key_id": secrets[key_id],
        "secret_access_key": secrets[key],
    }


def _store_keys(section: str) -> tuple[str, str]:
    """Names of the secrets that hold the key id and the key of the bucket of `logs` or `traces`."""
    return f"{section}-access-key-id", f"{section}-secret-access-key"
