"""The section `mainstay:observability.alertmanager` of an environment file: who is told of alerts, and by what."""

import re
from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from components.observability.alert import Level
from components.observability.routing import Maintenance
from stacks.settings import Name, ResourcesSettings, Section

HEARTBEAT_SECRET = "alert-heartbeat-url"  # noqa: S105 (a secret's name)
"""Always needed: whoever does not hear of Alertmanager must be told so from outside."""

SMTP_PASSWORD = "alert-smtp-password"  # noqa: S105 (a secret's name)
"""Needed where e-mails are sent."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _day(value: str) -> str:
    try:
        known = value in _WEEKDAYS or str(date.fromisoformat(value)) == value
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"{value!r} is neither a day of the week, such as sunday, nor a date, such as 2026-12-01")
    return value


def _date_as_text(value: Any) -> Any:
    """YAML reads 2026-12-01 as a date."""
    return value.isoformat() if isinstance(value, date) else value


def _minutes_as_time(value: Any) -> Any:
    """YAML 1.1 reads 22:00 as a number of base 60, and 02:00 as text."""
    return f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) else value


def _time(value: str) -> str:
    if not _TIME.fullmatch(value):
        raise ValueError(f'{value!r} is not a time of day from "00:00" to "24:00"')
    return value


_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
Day = Annotated[str, BeforeValidator(_date_as_text), AfterValidator(_day)]
Time = Annotated[str, BeforeValidator(_minutes_as_time), AfterValidator(_time)]
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


class MaintenanceSettings(Section):
    """Planned work: when nobody is told of a P2 or P3. A P0 or P1 is told at any time."""

    day: Day = Field(description="A day of every week, e.g. `sunday`, or one date, e.g. `2026-12-01`.")
    start: Time = Field(description="Time of that day, UTC, e.g. `02:00`.")
    end: Time = Field(description="Time of the same day, later; `24:00` is its end. A night is two entries.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError(
                f"end {self.end} is not after start {self.start}: write a night as two entries, one until 24:00 and "
                "one from 00:00 of the next day"
            )
        return self


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

    maintenance: list[MaintenanceSettings] = Field(
        default_factory=list[MaintenanceSettings],
        description="When nobody is told of a P2 or P3; what still fires afterwards is told then.",
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


def maintenance(settings: AlertmanagerSettings) -> list[Maintenance]:
    """The planned work, as Alertmanager's component takes it."""
    return [{"day": each.day, "start": each.start, "end": each.end} for each in settings.maintenance]
