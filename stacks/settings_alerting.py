"""The section `mainstay:observability.alertmanager` of an environment file: who is told of alerts, and by what."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.observability.alert import Level
from stacks.settings import Name, ResourcesSettings, Section

HEARTBEAT_SECRET = "alert-heartbeat-url"  # noqa: S105 (a secret's name)
"""Always needed: whoever does not hear of Alertmanager must be told so from outside."""

SMTP_PASSWORD = "alert-smtp-password"  # noqa: S105 (a secret's name)
"""Needed where e-mails are sent."""

Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]*[mh]$")]
Address = Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+$")]


class ContactsSettings(Section):
    """Who is told of alerts at once; keys and URLs are secrets of the environment."""

    pagerduty: bool = Field(False, description="Call through PagerDuty; needs the secret `alert-pagerduty-key`.")
    slack: bool = Field(False, description="Write to Slack; needs the secret `alert-slack-url`.")
    webhook: bool = Field(False, description="Post to a webhook; needs the secret `alert-webhook-url`.")

    @property
    def secrets(self) -> dict[str, str]:
        """Contact, as `components.observability.alertmanager.Contacts` calls it -> name of its secret."""
        return {"heartbeat_url": HEARTBEAT_SECRET, **_secrets_of(self, "alert")}


class EmailSettings(Section):
    """The server that sends e-mails; the secret `alert-smtp-password` is its password."""

    smarthost: Annotated[str, Field(pattern=r"^[^\s:/]+:[1-9][0-9]{0,4}$")] = Field(
        description="Server and port, e.g. `smtp.example.com:587`; it must offer TLS."
    )
    sender: Address = Field(description="Address that the e-mails come from.")
    username: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="User name at the server. Without it, the address that the e-mails come from."
    )
    to: list[Address] = Field(
        default_factory=list[str], description="Addresses that are told of every alert, of any severity."
    )


class EscalationSettings(Section):
    """A level: who is told of a P0 or P1 that still fires and is not silenced."""

    name: Name = Field(description="Who that is, e.g. `tech-lead`.")
    after: Duration = Field(description="How long the alert has been firing, e.g. `15m`.")
    pagerduty: bool = Field(False, description="Call through PagerDuty; needs the secret `alert-<name>-pagerduty-key`.")
    slack: bool = Field(False, description="Write to Slack; needs the secret `alert-<name>-slack-url`.")
    webhook: bool = Field(False, description="Post to a webhook; needs the secret `alert-<name>-webhook-url`.")
    email: list[Address] = Field(default_factory=list[str], description="Addresses that get an e-mail.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.pagerduty or self.slack or self.webhook or self.email):
            raise ValueError(f"the level {self.name} tells nobody: set pagerduty, slack or webhook to true, or email")
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """Contact, as `components.observability.alertmanager.Contacts` calls it -> name of its secret."""
        found = _secrets_of(self, f"alert-{self.name}")
        return {f"{self.name}-{contact}": secret for contact, secret in found.items()}


def _secrets_of(contacts: ContactsSettings | EscalationSettings, prefix: str) -> dict[str, str]:
    ways = {
        "pagerduty_key": (contacts.pagerduty, "pagerduty-key"),
        "slack_url": (contacts.slack, "slack-url"),
        "webhook_url": (contacts.webhook, "webhook-url"),
    }
    return {contact: f"{prefix}-{secret}" for contact, (wanted, secret) in ways.items() if wanted}


class AlertmanagerSettings(Section):
    """Who tells people of alerts."""

    replicas: Annotated[int, Field(ge=1, le=5)] = Field(description="Servers that agree who tells; 3 in production.")
    resources: ResourcesSettings = Field(description="Requests and limits of a server.")
    contacts: ContactsSettings = Field(description="Who is told at once.")
    email: EmailSettings | None = Field(None, description="How e-mails are sent, and to whom.")
    escalation: list[EscalationSettings] = Field(
        default_factory=list[EscalationSettings],
        description="Who is told, level by level, of a P0 or P1 that nobody has mended or silenced. Alertmanager knows "
        "no acknowledgement: a silence is one. PagerDuty has levels of its own, which need nothing here.",
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        contacts, email = self.contacts, self.email
        if not (contacts.pagerduty or contacts.slack or contacts.webhook or (email and email.to)):
            raise ValueError(
                "nobody would be told of any alert: set pagerduty, slack or webhook to true in contacts, or email.to"
            )
        for level in self.escalation:
            if level.email and not email:
                raise ValueError(f"the level {level.name} has e-mail addresses: set email, the server that sends them")
        names, waits = [each.name for each in self.escalation], [_minutes(each.after) for each in self.escalation]
        if len(set(names)) < len(names):
            raise ValueError("two levels of the escalation have the same name")
        if waits != sorted(set(waits)):
            raise ValueError("each level of the escalation must wait longer than the one before it")
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """Contact, as `components.observability.alertmanager.Contacts` calls it -> name of its secret."""
        levels = {contact: name for level in self.escalation for contact, name in level.secrets.items()}
        return {**self.contacts.secrets, **({"smtp_password": SMTP_PASSWORD} if self.email else {}), **levels}


def _minutes(duration: str) -> int:
    return int(duration[:-1]) * (60 if duration.endswith("h") else 1)


def levels(settings: AlertmanagerSettings) -> list[Level]:
    """The escalation, level by level."""
    return [{"name": each.name, "after": each.after, "email": list(each.email)} for each in settings.escalation]
