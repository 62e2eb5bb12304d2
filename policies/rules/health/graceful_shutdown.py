"""A pod that is told to stop ends in peace: it serves until nobody sends it anything more, finishes, and then ends."""

import re
from dataclasses import dataclass
from functools import partial

from policies.label_selectors import Labelled
from policies.model import Check, Rule, Severity, Theme, Verdict, verdict
from policies.pods import Container, Pod, each_running, pods, serving
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

DRAIN = "mainstay.dev/drain-seconds"
"""Annotation of a pod: how long its processes need after SIGTERM, at the most, for what they have begun."""

DEFAULT_GRACE_SECONDS = 30
"""Kubernetes' own, where a pod sets none."""

_SERVICE = "core/Service"
_SLEEP = re.compile(r"(?:^|[\s;&/])sleep\s+([0-9]+)([smh]?)(?=$|[\s;&])")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if not pods(resource):
        return None
    served = serving(resource)
    if not served:
        return Verdict(not_applicable="its pods end by themselves; what they may not lose, they do again")
    return verdict([check for pod in served for check in _checks(resource, pod, stack)])


def _checks(resource: Resource, pod: Pod, stack: Stack) -> list[Check]:
    return [
        partial(_drain_form_faults, pod),
        *each_running(pod, partial(_time_faults, pod)),
        *each_running(pod, partial(_service_faults, resource, pod, stack)),
    ]


def _drain(pod: Pod) -> int | None:
    """Seconds that its processes need after SIGTERM; None if nothing says."""
    text = pod.template.at("metadata", "annotations", DRAIN).text()
    return int(text) if text.isdecimal() else None


def _drain_form_faults(pod: Pod) -> list[str]:
    node = pod.template.at("metadata", "annotations", DRAIN)
    if node.known() is None or _drain(pod) is not None:
        return []
    return [f'its annotation {DRAIN} is not a number of seconds such as "30"']


def _time_faults(pod: Pod, container: Container) -> list[str]:
    number = pod.spec.at("terminationGracePeriodSeconds").number()
    grace = DEFAULT_GRACE_SECONDS if number is None else number
    wait, drain = _wait(container) or 0, _drain(pod) or 0
    if wait + drain < grace:
        return []
    return [
        f"{container.title} waits {wait} s before SIGTERM, may need {drain} s after it, and is killed after {grace} s "
        "(preStop, drain, terminationGracePeriodSeconds)"
    ]


def _wait(container: Container) -> int | None:
    """Seconds that its preStop waits, as far as it says; None if there is none that does anything."""
    hook = container.node.at("lifecycle", "preStop")
    seconds = hook.at("sleep", "seconds").number()
    if seconds is not None:
        return int(seconds) or None
    command = " ".join(part.text() for part in hook.at("exec", "command").items())
    if command:
        return sum(int(number) * _UNITS[unit] for number, unit in _SLEEP.findall(command))
    return 0 if hook.at("httpGet").known() is not None else None


def _service_faults(resource: Resource, pod: Pod, stack: Stack, container: Container) -> list[str]:
    if _wait(container) is not None or _drain(pod) is not None:
        return []
    found, key = stack.once(_services), (resource.urn, pod.template.path)
    for service in found.certain.get(key, ()):
        if _sends_to(service, container, pod):
            return [
                f"{container.title} is behind {service.subject}, which sends it requests for seconds after SIGTERM: "
                "it has no preStop that waits, and declares no drain"
            ]
    for reason in found.possible.get(key, ()):
        raise Undecided(reason)
    return []


def _sends_to(service: Resource, container: Container, pod: Pod) -> bool:
    """Whether one of the Service's ports leads to the container; a port that none declares may lead to any."""
    ports = service.root.at("spec", "ports").items()
    return not ports or any(_leads_to(port, container, pod) for port in ports)


def _leads_to(port: Node, container: Container, pod: Pod) -> bool:
    target = port.at("targetPort").known()
    wanted = port.at("port").known() if target is None else target
    return _declares(container, wanted) or not any(_declares(each, wanted) for each in pod.containers())


def _declares(container: Container, wanted: object) -> bool:
    return any(
        wanted in (port.at("name").known(), port.at("containerPort").known())
        for port in container.node.at("ports").items()
    )


@dataclass(frozen=True)
class _Services:
    """Which Services send requests to which pods."""

    certain: dict[tuple[str, str], list[Resource]]
    """URN of a workload and path of the template -> Services."""
    possible: dict[tuple[str, str], list[str]]
    """The same where a value that cannot be read decides: clauses."""


def _services(stack: Stack) -> _Services:
    labelled = Labelled(
        (resource.namespace, pod.labels, (resource.urn, pod.template.path))
        for resource in stack.resources
        for pod in pods(resource)
    )
    found = _Services({}, {})
    for service in stack.of(_SERVICE):
        pairs = service.root.at("spec", "selector")
        if pairs.value == {} or pairs.value is None:
            continue
        certain, possible = labelled.picked(service.namespace, Node({"matchLabels": pairs.value}, pairs.path))
        for key in certain:
            found.certain.setdefault(key, []).append(service)
        for key in possible:
            found.possible.setdefault(key, []).append(f"whether {service.subject} selects its pods is not known")
    return found


RULE = Rule(
    id="graceful-shutdown",
    theme=Theme.HEALTH,
    title="Pods that are stopped serve until nothing is sent to them, and have the time to finish",
    why=(
        "Every deployment and every drain stops pods. One that ends at once refuses requests still sent to it; "
        "one that is killed while it finishes loses what it was doing."
    ),
    applies_to="pods that run until they are stopped, those behind a Service above all",
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.2", "ISO/IEC 27001:2022 8.14", "NIST 800-53 r5 SI-13"),
    remediation=(
        "Give the container a preStop that sleeps for about 10 s, say in the pod's annotation "
        f"{DRAIN} how long it needs after SIGTERM, and set terminationGracePeriodSeconds above the sum."
    ),
    judge=_judge,
)
