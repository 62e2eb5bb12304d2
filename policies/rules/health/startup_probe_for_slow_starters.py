"""What starts slowly is given the time: a startup probe holds liveness back, and lasts long enough."""

import re
from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.pods import Container, Pod, each_running, pods, serving
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

LEAST_SECONDS = 30
"""What any process may take to start on a busy node."""
SLOW_SECONDS = 120
"""What a Java virtual machine takes on a busy node, or a server that reads its data back first."""

_JAVA_IMAGE = re.compile(
    r"(^|[/._-])(java|jdk|jre|openjdk|temurin|corretto|zulu|tomcat|jetty|spring|quarkus|keycloak|kafka|zookeeper"
    r"|elasticsearch|opensearch|cassandra|jenkins|sonarqube|nexus3?)[0-9]*([/._:@-]|$)"
)
_JAVA_VARIABLE = re.compile(r"(JAVA|JDK|JVM|CATALINA)_.*|.*_JAVA_OPTS")


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if not pods(resource):
        return None
    served = serving(resource)
    if not served:
        return Verdict(not_applicable="its pods end by themselves; they take the time they take")
    return verdict([check for pod in served for check in each_running(pod, partial(_faults, resource, pod))])


def _faults(resource: Resource, pod: Pod, container: Container) -> list[str]:
    if container.node.at("livenessProbe").known() is None:
        # Nothing restarts it, however long it takes.
        return []
    probe = container.node.at("startupProbe")
    if probe.known() is None:
        return [f"{container.title} has a livenessProbe and no startupProbe; an initial delay is a guess"]
    seconds = _seconds(probe)
    if seconds < LEAST_SECONDS:
        return [f"{container.title} is given {seconds:g} s to start (startupProbe), not {LEAST_SECONDS} s"]
    if seconds >= SLOW_SECONDS:
        return []
    if reason := _slow(resource, pod, container):
        return [f"{container.title} {reason} and is given {seconds:g} s to start (startupProbe), not {SLOW_SECONDS} s"]
    return []


def _seconds(probe: Node) -> float:
    delay, period, failures = (
        default if (number := probe.at(key).number()) is None else number
        for key, default in (("initialDelaySeconds", 0), ("periodSeconds", 10), ("failureThreshold", 3))
    )
    return delay + period * failures


def _slow(resource: Resource, pod: Pod, container: Container) -> str:
    """Why it starts slowly; empty if nothing says that it does."""
    undecided: Undecided | None = None
    for ask in (_is_java, partial(_keeps_data, resource, pod)):
        try:
            if reason := ask(container):
                return reason
        except Undecided as open_question:
            undecided = undecided or open_question
    if undecided:
        raise undecided
    return ""


def _is_java(container: Container) -> str:
    names = [each.at("name").value for each in container.node.at("env").items()]
    if any(isinstance(name, str) and _JAVA_VARIABLE.fullmatch(name) for name in names):
        return "runs Java"
    words = [*container.node.at("command").items(), *container.node.at("args").items()]
    if words and words[0].text().rpartition("/")[2] == "java":
        return "runs Java"
    return "runs Java" if _JAVA_IMAGE.search(container.node.at("image").text().lower()) else ""


def _keeps_data(resource: Resource, pod: Pod, container: Container) -> str:
    """Whether it mounts a persistent volume."""
    claimed = [each.at("metadata", "name").text() for each in resource.root.at("spec", "volumeClaimTemplates").items()]
    claimed += [
        volume.at("name").text()
        for volume in pod.spec.at("volumes").items()
        if volume.at("persistentVolumeClaim").known() is not None
    ]
    mounted = [each.at("name").text() for each in container.node.at("volumeMounts").items()] if claimed else []
    return "reads back what it keeps" if set(mounted) & set(claimed) else ""


RULE = Rule(
    id="startup-probe-for-slow-starters",
    theme=Theme.HEALTH,
    title="What starts slowly has a startup probe that lasts long enough",
    why=(
        "A process that is killed while it starts begins again, on a node that is busier for it, and never gets there. "
        "An initial delay of the liveness probe is too long on good days and too short on bad ones."
    ),
    applies_to=(
        f"containers with a liveness probe: {LEAST_SECONDS} s, and {SLOW_SECONDS} s for Java and for what keeps data"
    ),
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.14", "NIST 800-53 r5 CP-10", "NIST 800-53 r5 SI-13"),
    remediation="Give the container a startupProbe; failureThreshold times periodSeconds is the time it has.",
    judge=_judge,
)
