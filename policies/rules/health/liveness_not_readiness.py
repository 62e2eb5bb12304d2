"""Liveness asks the process alone: a restart mends no dependency, and takes down what still worked."""

import re
import shlex

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.pods import Container, each_running, pods, serving
from policies.stack import Resource, Stack
from policies.values import Node

_LOCAL = re.compile(r"localhost|127(\.[0-9]+){3}|\[?::1\]?|0\.0\.0\.0|/.*|\$[{(]?(HOSTNAME|hostname|(MY_)?POD_IP)\b.*")
"""Hosts that are the pod itself, sockets among them."""
_DEPENDENCIES = frozenset(
    ("ready", "readyz", "readiness", "dependencies", "dependency", "deps", "database", "db", "upstream", "upstreams")
)
"""Words of paths that look at more than the process."""
_AGGREGATES = ("/actuator/health", "/q/health")
"""Where Spring Boot and Quarkus answer for all their checks, readiness included."""
_HOST_OPTIONS = re.compile(r"(?:-h|--host|--hostname|-host|--server|--addr|-addr|--address)(?:=(.*))?")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?(\[[^\]]*\]|[^/:?\s]*)")
_DEVICE = re.compile(r"/dev/(?:tcp|udp)/([^/\s]+)/")
_TALKERS = frozenset({"nc", "ncat", "netcat", "telnet", "ping"})
"""Commands whose first argument is a host."""


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if not pods(resource):
        return None
    served = serving(resource)
    if not served:
        return Verdict(not_applicable="its pods end by themselves, and have no use for a liveness probe")
    return verdict(
        [
            check
            for pod in served
            for ask in (_same_faults, _path_faults, _host_faults, _command_faults)
            for check in each_running(pod, ask)
        ]
    )


def _same_faults(container: Container) -> list[str]:
    liveness, readiness = (container.node.at(probe) for probe in ("livenessProbe", "readinessProbe"))
    asked = _question(container, liveness)
    if not asked or asked != _question(container, readiness):
        return []
    return [f"{container.title}: livenessProbe asks the same as readinessProbe, so that who is not ready is restarted"]


def _question(container: Container, probe: Node) -> tuple[object, ...]:
    """What a probe asks: how, where, what; defaults filled in, a named port as its number. Empty if nothing."""
    http, tcp, grpc = (probe.at(handler) for handler in ("httpGet", "tcpSocket", "grpc"))
    if http.known() is not None:
        return "http", http.at("host").text(), _port(container, http), http.at("path").text() or "/"
    if tcp.known() is not None:
        return "tcp", tcp.at("host").text(), _port(container, tcp)
    if grpc.known() is not None:
        return "grpc", _port(container, grpc), grpc.at("service").text()
    command = [part.text() for part in probe.at("exec", "command").items()]
    return ("exec", *command) if command else ()


def _port(container: Container, handler: Node) -> object:
    port = handler.at("port").known()
    for declared in container.node.at("ports").items() if isinstance(port, str) else ():
        if declared.at("name").known() == port:
            return declared.at("containerPort").known()
    return port


def _path_faults(container: Container) -> list[str]:
    path = container.node.at("livenessProbe", "httpGet", "path").text()
    words = re.split(r"[^a-z]+", path.lower())
    if path.rstrip("/") not in _AGGREGATES and _DEPENDENCIES.isdisjoint(words):
        return []
    return [f"{container.title}: livenessProbe.httpGet.path is one that looks at dependencies"]


def _host_faults(container: Container) -> list[str]:
    probe = container.node.at("livenessProbe")
    return [
        f"{container.title}: livenessProbe.{handler}.host is another host"
        for handler in ("httpGet", "tcpSocket")
        if (host := probe.at(handler, "host").text()) and not _LOCAL.fullmatch(host)
    ]


def _command_faults(container: Container) -> list[str]:
    """What cannot be read counts only where all that can be read stays with the pod."""
    command = container.node.at("livenessProbe", "exec", "command").items()
    words = [part.value for part in command if isinstance(part.value, str)]
    if any(not _LOCAL.fullmatch(host) for host in _hosts(words)):
        return [f"{container.title}: livenessProbe.exec asks another host"]
    for part in command:
        part.known()
    return []


def _hosts(words: list[str]) -> list[str]:
    """Hosts that a command names, scripts given to a shell included."""
    found: list[str] = []
    tokens = [token for word in words for token in _split(word)]
    for index, token in enumerate(tokens):
        # After options and their numbers, such as `-w 1`.
        following = next((each for each in tokens[index + 1 :] if not re.match(r"-|[0-9]+$", each)), "")
        found += _URL.findall(token) + _DEVICE.findall(token)
        option = _HOST_OPTIONS.fullmatch(token)
        if option:
            found.append(_without_port(option[1] or following))
        elif token.rpartition("/")[2] in _TALKERS:
            found.append(_without_port(following))
    return [host for host in found if host]


def _split(word: str) -> list[str]:
    try:
        return shlex.split(word.replace(";", " ").replace("|", " ").replace("&", " "))
    except ValueError:
        return word.split()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


RULE = Rule(
    id="liveness-not-readiness",
    theme=Theme.HEALTH,
    title="Liveness looks at the process alone, never at what it depends on",
    why=(
        "A liveness probe that fails with a database restarts every replica of every service at once, "
        "again and again, and keeps them down after the database is back."
    ),
    applies_to="containers with a liveness probe, in pods that run until they are stopped",
    severity=Severity.HIGH,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.14", "NIST 800-53 r5 CP-10", "NIST 800-53 r5 SI-13"),
    remediation="Let liveness ask for something that only a restart mends; dependencies belong to readiness.",
    judge=_judge,
)
