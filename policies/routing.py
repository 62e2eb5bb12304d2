"""Alertmanager's configuration: where an alert goes, and what keeps it from being told.

Routes are walked as Alertmanager walks them: from the root into the first child that matches, and on to the next where
that one says `continue`. Of an alert only some labels are known; where the others decide, all that may be is followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import yaml

from policies.promql import seconds
from policies.series import Labels
from policies.stack import Resource, Stack
from policies.targets import namespaces
from policies.values import Node, Plain, Undecided

ALERTMANAGER = "monitoring.coreos.com/Alertmanager"
FILE = "alertmanager.yaml"
_SECRET = "core/Secret"  # noqa: S105
_MATCHER = re.compile(
    r'\s*(?P<label>[\w:.-]+)\s*(?P<operator>=~|!~|!=|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^,"{}]*))\s*,?'
)
_TARGETS = {
    "webhook_configs": ("url", "url_file"),
    "slack_configs": ("api_url", "api_url_file"),
    "pagerduty_configs": ("routing_key", "routing_key_file", "service_key", "service_key_file"),
    "email_configs": ("to",),
    "opsgenie_configs": ("api_key", "api_key_file"),
    "msteams_configs": ("webhook_url", "webhook_url_file"),
    "discord_configs": ("webhook_url", "webhook_url_file"),
    "telegram_configs": ("chat_id",),
    "pushover_configs": ("user_key", "user_key_file"),
    "victorops_configs": ("routing_key",),
    "sns_configs": ("topic_arn", "target_arn", "phone_number"),
    "webex_configs": ("room_id",),
}
"""Kind of integration -> what says whom it tells; one of them must be there."""
_OF_EVERYBODY = {
    "slack_configs": ("slack_api_url", "slack_api_url_file"),
    "opsgenie_configs": ("opsgenie_api_key", "opsgenie_api_key_file"),
}
"""The same, for all integrations of a kind, below `global`."""

Condition = tuple[str, str, str]
"""Label, operator (`=`, `!=`, `=~`, `!~`), value."""


class InvalidConfiguration(ValueError):
    """What Alertmanager would not start with; `str()` is a clause."""


@dataclass(frozen=True)
class Route:
    """One route, with what it inherits from its parents."""

    node: Node
    receiver: str
    conditions: tuple[Condition, ...]
    goes_on: bool
    """Whether its siblings are asked, too (`continue`)."""
    group_interval: str
    repeat_interval: str
    silent: bool
    """Whether there are times at which it tells nobody."""
    routes: tuple["Route", ...]

    def takes(self, labels: Labels) -> bool | None:
        """Whether it takes an alert with these labels, its parents having done so. None: that depends on others."""
        answers = [labels.passes(*condition) for condition in self.conditions]
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True)
class Inhibition:
    """While one alert fires, others are not told."""

    node: Node
    source: tuple[Condition, ...]
    target: tuple[Condition, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True)
class Configuration:
    """What an Alertmanager is told to do."""

    server: Resource
    root: Route
    receivers: dict[str, Node]
    inhibitions: tuple[Inhibition, ...]
    everybody: Node
    """The settings for all receivers (`global`)."""

    def ends(self, labels: Labels) -> list[Route]:
        """The routes at which an alert with these labels may end."""
        ends, _ = _walk(self.root, labels)
        return ends

    def every(self) -> Iterator[Route]:
        """All routes, the root first."""
        waiting = [self.root]
        while waiting:
            route = waiting.pop(0)
            yield route
            waiting.extend(route.routes)

    def integrations(self, receiver: str) -> list[tuple[str, Node]]:
        """The ways to tell of a receiver that reach somebody: kind and settings."""
        node = self.receivers.get(receiver, Node(None))
        return [
            (kind, entry)
            for kind in node.keys()  # noqa: SIM118 (a Node, whose keys are read)
            if kind.endswith("_configs")
            for entry in node.at(kind).items()
            if self._tells(kind, entry)
        ]

    def _tells(self, kind: str, entry: Node) -> bool:
        targets = _TARGETS.get(kind)
        if targets is None:
            return bool(entry.keys())
        common = _OF_EVERYBODY.get(kind, ())
        found = [entry.at(key) for key in targets] + [self.everybody.at(key) for key in common]
        return any(_says(each) and not is_loopback(each.text()) for each in found)

    @cached_property
    def folders(self) -> dict[str, str]:
        """Folder in the servers' pods -> name of the Secret that is mounted there by the operator."""
        names = [each.text() for each in self.server.root.at("spec", "secrets").items()]
        return {f"/etc/alertmanager/secrets/{name}": name for name in names}


def configurations(stack: Stack) -> tuple[Configuration | str, ...]:
    """Of each Alertmanager, or why it has none; ask through `stack.once`. Raises Undecided."""
    return tuple(_configuration(server, stack) for server in stack.of(ALERTMANAGER))


def readable(stack: Stack) -> tuple[Configuration, ...]:
    """Those that are in order."""
    return tuple(each for each in stack.once(configurations) if isinstance(each, Configuration))


def _configuration(server: Resource, stack: Stack) -> Configuration | str:
    name = server.root.at("spec", "configSecret").text() or f"alertmanager-{server.object_name}"
    found = stack.find(_SECRET, str(server.namespace), ("metadata", "name"), name)
    if not found.certain:
        if found.possible:
            raise Undecided(f"whether {found.possible[0].subject} is the one that {server.subject} names")
        return f"Secret {server.namespace}/{name}, which {server.subject} reads, is not in this stack"
    secret = found.certain[0]
    if secret.root.at("stringData").value is None and secret.root.at("data").value is not None:
        raise Undecided(f"of {secret.subject}, data is a secret")
    text = secret.root.at("stringData", FILE)
    try:
        document: Any = yaml.safe_load(text.text())
    except Undecided as reason:
        raise Undecided(f"of {secret.subject}, {reason}") from None
    except yaml.YAMLError:
        return f"{FILE} in {secret.subject} is no YAML"
    try:
        return _parsed(server, Node(document))
    except InvalidConfiguration as invalid:
        return f"{FILE} in {secret.subject}: {invalid}"


def _parsed(server: Resource, document: Node) -> Configuration:
    receivers = {each.at("name").text(): each for each in document.at("receivers").items()}
    route = document.at("route")
    if not route.keys():
        raise InvalidConfiguration("it has no route")
    root = _route(route, Node(None), route)
    found = Configuration(
        server,
        root,
        receivers,
        tuple(_inhibition(each) for each in document.at("inhibit_rules").items()),
        document.at("global"),
    )
    for each in found.every():
        if each.receiver not in receivers:
            raise InvalidConfiguration(f"{each.node.path} names the receiver {each.receiver!r}, which is not there")
    if root.conditions:
        raise InvalidConfiguration("the first route must take every alert, and has matchers")
    return found


def _route(node: Node, parent: Node, defaults: Node) -> Route:
    """`defaults`: what the parents say, merged into one."""
    inherited = {key: defaults.at(key).value for key in ("receiver", "group_interval", "repeat_interval")}
    own = {key: node.at(key).value for key in inherited if node.at(key).value not in (None, "")}
    merged: dict[str, Plain] = {**inherited, **own}
    return Route(
        node,
        str(merged.get("receiver") or ""),
        _conditions(node, ""),
        node.at("continue").value is True,
        str(merged.get("group_interval") or "5m"),
        str(merged.get("repeat_interval") or "4h"),
        bool(node.at("mute_time_intervals").items() or node.at("active_time_intervals").items()),
        tuple(_route(each, node, Node(merged)) for each in node.at("routes").items()),
    )


def _inhibition(node: Node) -> Inhibition:
    equal = tuple(each.text() for each in node.at("equal").items())
    return Inhibition(node, _conditions(node, "source_"), _conditions(node, "target_"), equal)


def _conditions(node: Node, prefix: str) -> tuple[Condition, ...]:
    """From `matchers`, and from `match` and `match_re`, as they were written before."""
    found: list[Condition] = []
    for each in node.at(f"{prefix}matchers").items():
        found += _matchers(each)
    for key, operator in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
        pairs = node.at(key)
        found += [(label, operator, str(pairs.at(label).value)) for label in pairs.keys()]  # noqa: SIM118
    return tuple(found)


def _matchers(node: Node) -> list[Condition]:
    rest = node.text()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1]
    found: list[Condition] = []
    while rest.strip():
        each = _MATCHER.match(rest)
        if each is None:
            raise InvalidConfiguration(f'{node.path} has no matcher such as severity="P0"')
        quoted, bare = each["quoted"], each["bare"]
        # As in Go, of which regular expressions have backslashes of their own.
        value = bare.strip() if quoted is None else quoted.replace('\\"', '"').replace("\\\\", "\\")
        found.append((each["label"], each["operator"], value))
        rest = rest[each.end() :]
    return found


def _walk(route: Route, labels: Labels) -> tuple[list[Route], bool | None]:
    """Where an alert that comes to this route may end below it, and whether it comes here."""
    here = route.takes(labels)
    if here is False:
        return [], False
    ends: list[Route] = []
    taken = False
    for child in route.routes:
        below, comes = _walk(child, labels)
        ends += below
        if comes:
            taken = True
            if not child.goes_on:
                break
    return (ends if taken else [*ends, route]), here


def _says(value: Node) -> bool:
    known = value.known()
    return bool(known.strip()) if isinstance(known, str) else known is not None


def is_loopback(address: str) -> bool:
    """Whether it is a URL that leads to the pod itself."""
    host = urlsplit(address).hostname if "://" in address else None
    return host is not None and (host == "localhost" or _ip(host, "is_loopback") or _ip(host, "is_unspecified"))


def leaves_the_cluster(address: str, stack: Stack) -> bool:
    """Whether a URL's host is outside the cluster: a public address, or a name that ends like a public one.

    A name and a namespace of this stack, `heartbeat.shop`, is a Service; of a namespace elsewhere nobody can tell.
    """
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        return ip_address(host).is_global
    except ValueError:
        pass
    ending = host.rpartition(".")[2]
    inside = ("svc", "local", "internal", "localhost", "lan", "home", "cluster", *stack.once(namespaces))
    return "." in host and ending not in inside and "svc" not in host.split(".")[1:]


def _ip(host: str, question: str) -> bool:
    try:
        return bool(getattr(ip_address(host), question))
    except ValueError:
        return False


def length(duration: str) -> float:
    """Seconds of a duration; without end for what is none."""
    found = seconds(duration)
    return float("inf") if found is None else found
