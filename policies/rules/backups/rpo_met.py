"""What a lost database would lose: minutes, since its log leaves all the time, and a backup is taken every day."""

import re
from functools import partial

from policies.cron import InvalidSchedule, runs_daily
from policies.databases import BARMAN, CLUSTER, NO_BACKUP, has_no_backup, schedules
from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

LONGEST_SECONDS = 120
"""How long a segment of the log may stay: with the way to the store, well below the 5 minutes that may be lost."""

_UNITS = {"ms": 0.001, "s": 1, "": 1, "min": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h|d|)")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != CLUSTER:
        return None
    answer = verdict([partial(_timeout_faults, resource), partial(_schedule_faults, resource, stack)])
    return NO_BACKUP if answer == Verdict() and has_no_backup(resource, stack) else answer


def _timeout_faults(cluster: Resource) -> list[str]:
    timeout = cluster.root.at("spec", "postgresql", "parameters", "archive_timeout")
    value = timeout.known()
    if value is None:
        return [f"{timeout.path} is not set, and 5 minutes are the default; {LONGEST_SECONDS} s are the most"]
    parsed = _TIME.fullmatch(str(value).strip())
    if parsed is None:
        return [f"{timeout.path} is not a time like 1min"]
    # 0 switches it off: a segment stays until it is full.
    if not 0 < float(parsed[1]) * _UNITS[parsed[2]] <= LONGEST_SECONDS:
        return [f"{timeout.path} is {value}, not between 1 and {LONGEST_SECONDS} s"]
    return []


def _schedule_faults(cluster: Resource, stack: Stack) -> list[str]:
    """None if one schedule is in order, whatever the others are; nor if there is none at all."""
    found = schedules(cluster, stack)
    verdicts = [(backup, verdict(_schedule_checks(backup.root.at("spec")))) for backup in found.certain]
    if any(answer == Verdict() for _, answer in verdicts):
        return []
    for backup, answer in verdicts:
        if not answer.faults:
            raise Undecided(f"of {backup.subject}, {answer.undecided[0]}")
    for backup in found.possible:
        raise Undecided(f"whether {backup.subject} is meant for it is not known before the deployment")
    return [f"{backup.subject} {fault}" for backup, answer in verdicts for fault in answer.faults]


def _schedule_checks(spec: Node) -> list[Check]:
    return [
        partial(_method_faults, spec),
        partial(_suspension_faults, spec.at("suspend")),
        partial(_cron_faults, spec.at("schedule")),
    ]


def _method_faults(spec: Node) -> list[str]:
    if spec.at("method").text() != "plugin":
        return ["does not back up through the plugin (method: plugin)"]
    if spec.at("pluginConfiguration", "name").text() != BARMAN:
        return [f"does not name the plugin (pluginConfiguration.name: {BARMAN})"]
    return []


def _suspension_faults(suspend: Node) -> list[str]:
    return [] if suspend.known() in (None, False) else ["is suspended"]


def _cron_faults(schedule: Node) -> list[str]:
    text = schedule.text()
    if not text:
        return ["has no schedule"]
    try:
        return [] if runs_daily(text) else [f"does not run every day (schedule: {text!r})"]
    except InvalidSchedule as invalid:
        return [f"has a schedule that {invalid}"]


RULE = Rule(
    id="rpo-met",
    theme=Theme.BACKUPS,
    title="A database loses less than 5 minutes, and is backed up every day",
    why=(
        "What was written since the last segment of the log left is lost with the cluster. Without a recent backup to "
        "start from, restoring replays days of log."
    ),
    applies_to="CloudNativePG clusters with a backup",
    severity=Severity.CRITICAL,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.13", "NIST 800-53 r5 CP-9", "NIST 800-53 r5 CP-10"),
    remediation=(
        "Set archive_timeout to 1min, and give the ScheduledBackup six fields (seconds first) that come due every day."
    ),
    judge=_judge,
)
