"""Who is told of what, and how the outside learns that nobody is told: Alertmanager's configuration."""

from collections.abc import Collection, Sequence
from typing import Any, TypedDict

import yaml

from components.observability.alert import URGENT, Level, Severity
from components.observability.alerts import WATCHDOG
from components.observability.messages import tellings

CONTACTS = "alertmanager-contacts"
"""Secret with the receivers' keys and addresses; each of its keys becomes a file."""
_FOLDER = f"/etc/alertmanager/secrets/{CONTACTS}"
HEARTBEAT = "heartbeat"

REPEAT = {Severity.P0: "15m", Severity.P1: "1h", Severity.P2: "12h", Severity.P3: "24h"}
"""How soon an alert that still fires is told again."""
_WORKING_TIME = "working-time"
_MAINTENANCE = "maintenance"
_WAYS = ("pagerduty_key", "slack_url", "webhook_url")
_SMTP_PASSWORD = "smtp_password"  # noqa: S105 (a file's name)

MUTES = (
    ("ServiceVerySlow", "ServiceSlow", ("namespace", "job")),
    ("WorkloadGone", "WorkloadIncomplete", ("namespace", "workload")),
    ("VolumeAlmostFull", "VolumeFilling", ("namespace", "persistentvolumeclaim")),
    ("SLOBurnsFast", "SLOBurnsSlowly", ("slo",)),
    ("ServiceErrorRateHigh", "ServiceRouteFails", ("namespace", "job")),
    ("NodeNotReady", "TargetDown", ("node",)),
    # Where the service itself tells, or is gone, the gateway has nothing to add.
    ("ServiceErrorRateHigh", "GatewayErrors", ("service",)),
    ("WorkloadGone", "GatewayErrors", ("service",)),
    ("WorkloadGone", "GatewayNoHealthyUpstream", ("service",)),
    ("ServiceSlow", "GatewaySlow", ("service",)),
    ("ServiceVerySlow", "GatewaySlow", ("service",)),
    ("KeycloakSlow", "GatewaySlow", ("service",)),
)
"""The first alert silences the second about the same thing: each pair is one trouble, at two degrees or seen from two
places, and nothing else is ever silenced. All labels named stand on both alerts: labels that are missing on both would
count as equal."""


class Email(TypedDict):
    """How e-mails are sent; the contact `smtp_password` is the password. TLS is required."""

    smarthost: str
    """Server and port, e.g. `smtp.example.com:587`."""
    sender: str
    """Address that the e-mails come from."""
    username: str
    """User name at the server."""
    to: Sequence[str]
    """Addresses that are told of every severity; may be empty where only levels of the escalation get e-mails."""


class Maintenance(TypedDict):
    """Planned work, during which nobody is told of what can wait."""

    day: str
    """A day of every week, e.g. `sunday`, or one date, e.g. `2026-12-01`."""
    start: str
    """Time of that day, UTC, e.g. `02:00`."""
    end: str
    """Later on the same day, e.g. `04:00`; `24:00` is its end."""


def configuration(
    contacts: Collection[str],
    environment: str,
    email: Email | None = None,
    escalation: Sequence[Level] = (),
    maintenance: Sequence[Maintenance] = (),
) -> str:
    """`alertmanager.yaml`. It holds no secret: keys and URLs are read from files at each message.

    `contacts`: names of the contacts there are. Raises ValueError where a receiver would tell nobody.
    """
    first = [way for way in _WAYS if way in contacts]
    if not first and not (email and email["to"]):
        raise ValueError("contacts name neither pagerduty, slack, webhook nor e-mail: nobody would be told of an alert")
    config: dict[str, Any] = {
        "route": {
            # What no route below knows is told like a P1, never lost.
            "receiver": _receiver(Severity.P1),
            # Two objectives, or two services, are two troubles: each its own message and its own incident.
            "group_by": ["alertname", "namespace", "job", "service", "slo"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": REPEAT[Severity.P1],
            "routes": [
                {
                    "matchers": [f'alertname="{WATCHDOG}"'],
                    "receiver": HEARTBEAT,
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "1m",
                },
                # Before the severities: who was told at first goes on being told by the alert itself.
                *(
                    {"matchers": [f'escalation="{level["name"]}"'], "receiver": level["name"], "group_wait": "10s"}
                    for level in escalation
                ),
                *(_route(severity, bool(maintenance)) for severity in Severity),
            ],
        },
        "time_intervals": [
            {"name": _WORKING_TIME, "time_intervals": [{"weekdays": ["monday:friday"], **_times("08:00", "18:00")}]},
            *(
                [{"name": _MAINTENANCE, "time_intervals": [_interval(each) for each in maintenance]}]
                if maintenance
                else []
            ),
        ],
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname="{source}"'],
                "target_matchers": [f'alertname="{muted}"'],
                "equal": list(equal),
            }
            for source, muted, equal in MUTES
        ],
        "receivers": [
            {
                "name": HEARTBEAT,
                "webhook_configs": [{"url_file": _file("heartbeat_url"), "send_resolved": False}],
            },
            *(_receiver_of_severity(severity, first, email, environment) for severity in Severity),
            *(_receiver_of_level(level, contacts, email, environment) for level in escalation),
        ],
    }
    if email:
        config["global"] = {
            "smtp_smarthost": email["smarthost"],
            "smtp_from": email["sender"],
            "smtp_auth_username": email["username"],
            "smtp_auth_password_file": _file(_SMTP_PASSWORD),
            "smtp_require_tls": True,
        }
    return yaml.safe_dump(config, sort_keys=False)


def _route(severity: Severity, maintained: bool) -> dict[str, Any]:
    route: dict[str, Any] = {
        "matchers": [f'severity="{severity}"'],
        "receiver": _receiver(severity),
        "repeat_interval": REPEAT[severity],
    }
    if severity is Severity.P0:
        route["group_wait"] = "10s"
    if severity is Severity.P3:
        route["active_time_intervals"] = [_WORKING_TIME]
    if maintained and severity not in URGENT:
        route["mute_time_intervals"] = [_MAINTENANCE]
    return route


def _interval(maintenance: Maintenance) -> dict[str, Any]:
    day, times = maintenance["day"], _times(maintenance["start"], maintenance["end"])
    if not day[0].isdigit():
        return {"weekdays": [day], **times}
    year, month, number = day.split("-")
    return {"years": [year], "months": [str(int(month))], "days_of_month": [str(int(number))], **times}


def _times(start: str, end: str) -> dict[str, Any]:
    return {"times": [{"start_time": start, "end_time": end}]}


def _receiver(severity: Severity) -> str:
    return f"people-{severity.lower()}"


def _receiver_of_severity(
    severity: Severity, ways: Sequence[str], email: Email | None, environment: str
) -> dict[str, Any]:
    addresses = email["to"] if email else ()
    urgent = severity in URGENT
    # PagerDuty calls people: for what cannot wait, or where there is nobody else to tell.
    if not urgent and (addresses or len(ways) > 1):
        ways = [way for way in ways if way != "pagerduty_key"]
    files = {way: way for way in ways}
    return {"name": _receiver(severity), **tellings(str(severity), urgent, files, addresses, environment, _FOLDER)}


def _receiver_of_level(
    level: Level, contacts: Collection[str], email: Email | None, environment: str
) -> dict[str, Any]:
    name = level["name"]
    files = {way: f"{name}-{way}" for way in _WAYS if f"{name}-{way}" in contacts}
    addresses = level.get("email", ())
    if not files and not addresses:
        raise ValueError(f"the escalation's level {name} tells nobody: give it pagerduty, slack, webhook or email")
    if addresses and not email:
        raise ValueError(f"the escalation's level {name} has e-mail addresses, and no server to send by: set email")
    return {"name": name, **tellings(f"after {level['after']}", True, files, addresses, environment, _FOLDER)}


def _file(contact: str) -> str:
    return f"{_FOLDER}/{contact}"
