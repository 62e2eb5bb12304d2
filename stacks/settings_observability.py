"""The section `mainstay:observability` of an environment file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self, cast

import pulumi
from pydantic import Field, model_validator

from components.observability import Alert, ObservabilityArgs, Target
from components.observability.alertmanager import Contacts
from components.workload import Resources
from stacks.settings import Quantity, ResourcesSettings, Section

HEARTBEAT_SECRET = "alert-heartbeat-url"  # noqa: S105 (a secret's name)
"""Always needed: whoever does not hear of Alertmanager must be told so from outside."""

ADMIN_PASSWORD = "grafana-admin-password"  # noqa: S105 (a secret's name)


HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s/]+\S*$")]


class ContactsSettings(Section):
    """Who is told of alerts; keys and URLs are secrets of the environment."""

    pagerduty: bool = Field(False, description="Call through PagerDuty; needs the secret `alert-pagerduty-key`.")
    slack: bool = Field(False, description="Write to Slack; needs the secret `alert-slack-url`.")
    webhook: bool = Field(False, description="Post to a webhook; needs the secret `alert-webhook-url`.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.pagerduty or self.slack or self.webhook):
            raise ValueError("nobody would be told of any alert: set pagerduty, slack or webhook to true")
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """Contact, as `components.observability.alertmanager.Contacts` calls it -> name of its secret."""
        names = {"heartbeat_url": HEARTBEAT_SECRET}
        if self.pagerduty:
            names["pagerduty_key"] = "alert-pagerduty-key"
        if self.slack:
            names["slack_url"] = "alert-slack-url"
        if self.webhook:
            names["webhook_url"] = "alert-webhook-url"
        return names


class PrometheusSettings(Section):
    """The metrics server."""

    replicas: Annotated[int, Field(ge=1, le=4)] = Field(description="Servers that scrape the same; 2 in production.")
    resources: ResourcesSettings = Field(description="Requests and limits of a server.")
    storage: Quantity = Field(description="Volume of a server.")
    retention: Annotated[str, Field(pattern=r"^[1-9][0-9]*[dwy]$")] = Field(
        "35d", description="How long samples are kept; at least the window of the longest objective (30 days)."
    )


class AlertmanagerSettings(Section):
    """Who tells people of alerts."""

    replicas: Annotated[int, Field(ge=1, le=5)] = Field(description="Servers that agree who tells; 3 in production.")
    resources: ResourcesSettings = Field(description="Requests and limits of a server.")
    contacts: ContactsSettings = Field(description="Who is told.")


class GrafanaSettings(Section):
    """The dashboards; the secret `grafana-admin-password` is the password of the user `admin`."""

    resources: ResourcesSettings = Field(description="Requests and limits.")


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
    grafana: GrafanaSettings = Field(description="Dashboards.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of all secrets the section needs."""
        return (*self.alertmanager.contacts.secrets.values(), ADMIN_PASSWORD)


def observability_args(
    settings: ObservabilitySettings,
    namespace: str,
    environment: str,
    targets: Sequence[Target],
    alerts: Mapping[str, Sequence[Alert]],
    secrets: Mapping[str, pulumi.Input[str]],
) -> ObservabilityArgs:
    """The component's args. `targets`, `alerts`: what the rooms of the environment want watched."""
    contacts = {contact: secrets[name] for contact, name in settings.alertmanager.contacts.secrets.items()}
    return {
        "namespace": namespace,
        "environment": environment,
        "owner": settings.owner,
        "runbooks": settings.runbooks,
        "targets": targets,
        "alerts": alerts,
        "public_hosts": settings.public_hosts,
        "prometheus": {
            "replicas": settings.prometheus.replicas,
            "resources": _resources(settings.prometheus.resources),
            "storage": settings.prometheus.storage,
            "retention": settings.prometheus.retention,
        },
        "alertmanager": {
            "replicas": settings.alertmanager.replicas,
            "resources": _resources(settings.alertmanager.resources),
            "contacts": cast(Contacts, contacts),
        },
        "grafana": {
            "admin_password": secrets[ADMIN_PASSWORD],
            "resources": _resources(settings.grafana.resources),
        },
    }


def _resources(settings: ResourcesSettings) -> Resources:
    return {"cpu": settings.cpu, "memory": settings.memory, "memory_limit": settings.memory_limit}
