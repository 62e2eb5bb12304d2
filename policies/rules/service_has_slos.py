"""Services and workers promise something: each declares at least one service-level objective."""

from policies.model import Enforcement, Resource, Rule, Severity, Stack, Verdict
from policies.values import Marker

_SERVICES = frozenset({"mainstay:index:HttpService", "mainstay:index:Worker"})


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if resource.kind not in _SERVICES:
        return None
    declared = resource.root.at("slos")
    entries = [*declared.items(), *declared.members()]
    # An empty entry promises nothing.
    if any(entry.value and not isinstance(entry.value, Marker) for entry in entries):
        return Verdict()
    for entry in entries:
        entry.known()
    return Verdict(faults=("it declares no SLO (slos)",))


RULE = Rule(
    id="service-has-slos",
    title="Every service and worker declares a service-level objective",
    # Until the SLO generator stands, a service has no way to comply.
    enforcement=Enforcement.ADVISORY,
    severity=Severity.MEDIUM,
    frameworks=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4"),
    remediation="Declare what its users may expect of it, e.g. availability and latency.",
    judge=_judge,
)
