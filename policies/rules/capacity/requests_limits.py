"""Every container says what it needs, and how much memory it may take at the most."""

from functools import partial

from policies.demand import Demand, demands
from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.pods import Container
from policies.quantity import InvalidQuantity
from policies.stack import Resource, Stack


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    found = demands(resource)
    if not found:
        return None
    if not any(demand.containers for demand in found):
        return Verdict(("it names no container",))
    return verdict(
        [
            partial(check, demand, container)
            for demand in found
            for container in demand.containers
            for check in (_cpu_faults, _memory_faults, _limit_faults)
        ]
    )


def _cpu_faults(demand: Demand, container: Container) -> list[str]:
    return _request_faults(demand, container, "cpu")


def _memory_faults(demand: Demand, container: Container) -> list[str]:
    return _request_faults(demand, container, "memory")


def _request_faults(demand: Demand, container: Container, name: str) -> list[str]:
    try:
        asked = demand.request(container, name)
    except InvalidQuantity as invalid:
        return [f"{container.title}: {invalid}"]
    return [] if asked else [f"{container.title} requests no {name}"]


def _limit_faults(demand: Demand, container: Container) -> list[str]:
    """There is no need for a limit of CPU: it throttles a pod while its node idles."""
    try:
        limit, asked = demand.limit(container, "memory"), demand.request(container, "memory")
    except InvalidQuantity:
        # Told where the request is looked at, or no limit at all.
        limit = asked = None
    if not limit:
        return [f"{container.title} has no memory limit"]
    return [f"{container.title} requests more memory than its limit"] if asked and asked > limit else []


RULE = Rule(
    id="requests-limits",
    theme=Theme.CAPACITY,
    title="Every container requests CPU and memory, and has a limit of memory",
    why=(
        "A container that requests nothing is placed where there is no room for it, and is the first to be evicted; "
        "one without a limit of memory takes down its neighbours when it leaks."
    ),
    applies_to="all containers, init containers and sidecars included; operators' resources that set `resources`",
    severity=Severity.MEDIUM,
    controls=("SOC 2 A1.1", "ISO/IEC 27001:2022 8.6", "NIST 800-53 r5 SC-5", "NIST 800-53 r5 SC-6"),
    remediation="Set resources.requests.cpu, resources.requests.memory and resources.limits.memory.",
    judge=_judge,
)
