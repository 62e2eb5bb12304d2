"""Logs are kept for as long as somebody may ask for them, and then deleted: Loki does either only if it is told to."""

import re
from functools import partial

import promql_parser

from policies.collecting import Store, telemetry
from policies.model import Check, Rule, Severity, Theme, Verdict, each, verdict
from policies.mounted import flag
from policies.pods import Container, pods
from policies.promql import conditions, seconds
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

LEAST_DAYS = 30
"""Requirement C10."""
_DAY = 86400
_NOISE = ("debug", "trace")
"""Levels of lines that explain a fault of today, and nothing a month later."""
_LOKI = re.compile(r"(^|/)loki([:@]|$)")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    stores = [store for store in stack.once(telemetry).stores if store.kind == "logs" and store.resource is resource]
    if stores:
        return verdict([check for store in stores for check in _checks(store)])
    if not any(_is_loki(container) for pod in pods(resource) for container in pod.main()):
        return None
    for reason in stack.once(telemetry).unread:
        if reason.startswith(f"of {resource.subject}, "):
            return Verdict(undecided=(reason,))
    return Verdict(("its configuration is in no ConfigMap of this stack that it is told to read (config.file)",))


def _is_loki(container: Container) -> bool:
    image = container.node.at("image").value
    return isinstance(image, str) and bool(_LOKI.search(image))


def _checks(store: Store) -> list[Check]:
    limits = store.config.at("limits_config")
    return [
        partial(_enabled_faults, store),
        partial(_period_faults, _given(store, "store.retention", limits.at("retention_period"))),
        *each(limits.at("retention_stream"), _stream_faults),
        partial(_overrides_faults, store),
    ]


def _given(store: Store, name: str, setting: Node) -> Node:
    """A setting; the command line goes before the file."""
    told = flag(store.container, name)
    return setting if told is None else Node(told, f"-{name}")


def _enabled_faults(store: Store) -> list[str]:
    setting = _given(store, "compactor.retention-enabled", store.config.at("compactor", "retention_enabled"))
    if _text(setting).lower() == "true":
        return []
    return [f"{setting.path} is not true, so that retention_period deletes nothing and is no promise"]


def _period_faults(period: Node) -> list[str]:
    kept = seconds(_text(period))
    if not kept:
        return [f"{period.path} is not set, so that nothing says how long logs are kept"]
    if kept < LEAST_DAYS * _DAY:
        return [f"{period.path} is {_text(period)}, less than {LEAST_DAYS} days"]
    return []


def _stream_faults(stream: Node) -> list[str]:
    faults = _period_faults(stream.at("period"))
    return [] if faults and _is_noise(stream.at("selector").text()) else faults


def _is_noise(selector: str) -> bool:
    """Whether it picks lines of these levels alone."""
    try:
        parsed = promql_parser.parse(selector)
    except ValueError:
        return False
    if not isinstance(parsed, promql_parser.VectorSelector):
        return False
    return any(
        (operator in ("=", "=~")) and all(each in _NOISE for each in value.split("|"))
        for label, operator, value in conditions(parsed)
        if label in ("level", "detected_level")
    )


def _overrides_faults(store: Store) -> list[str]:
    """Limits of single tenants stand in another file."""
    setting = store.config.at("limits_config", "per_tenant_override_config")
    if not _text(setting):
        return []
    raise Undecided(f"{setting.path} names a file with limits that go before these")


def _text(setting: Node) -> str:
    known = setting.known()
    text = "" if known is None else str(known).strip()
    if "${" in text:
        raise Undecided(f"{setting.path} is a variable")
    return text


RULE = Rule(
    id="log-retention",
    theme=Theme.OBSERVABILITY,
    title=f"Logs are kept for at least {LEAST_DAYS} days, and for a time that is set",
    why=(
        "An intrusion is noticed weeks later; without its logs nobody can say what it reached. "
        "What is kept for ever costs for ever, and is more to lose."
    ),
    applies_to="Loki",
    severity=Severity.MEDIUM,
    controls=("SOC 2 CC7.3", "ISO/IEC 27001:2022 8.15", "NIST 800-53 r5 AU-11", "NIST 800-53 r5 AU-4"),
    remediation=(
        "Set limits_config.retention_period to 720h or more and compactor.retention_enabled to true; only streams of "
        "debug lines may go sooner."
    ),
    judge=_judge,
)
