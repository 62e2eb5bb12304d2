"""Every Secret with credentials has been given new ones within 90 days, and somebody has put that on record."""

from collections import defaultdict
from collections.abc import Iterator

from policies.model import Rule, Severity, Theme, Verdict
from policies.operators import ALERTMANAGER, PROMETHEUS, PROMETHEUS_AGENT
from policies.stack import Resource, Stack
from policies.values import Marker, Node

MAX_AGE_DAYS = 90
"""Greatest age of the last rotation (requirement X1)."""

_SECRET = "core/Secret"  # noqa: S105
_RENEWED = {
    "kubernetes.io/tls": "certificates expire, and are renewed before",
    "kubernetes.io/service-account-token": "Kubernetes makes it",
    "bootstrap.kubernetes.io/token": "it expires by itself",
    "helm.sh/release.v1": "it holds what Helm has deployed",
}
"""Type of a Secret -> why nobody rotates it."""
_PUBLIC = (".crt", ".pub")
_PARTS_OF_PROMETHEUS = ("additionalAlertManagerConfigs", "additionalAlertRelabelConfigs", "additionalScrapeConfigs")
"""Members of its spec that name a Secret, and the key in it that is a part of its configuration."""


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != _SECRET:
        return None
    if stack.facts.evidence is None:
        return Verdict(not_applicable="dated evidence is judged by mainstay audit, not by a deployment")
    for path, value in (("name", resource.object_name), ("namespace", resource.namespace)):
        Node(value, f"metadata.{path}").known()
    reason = _nothing_to_rotate(resource, stack)
    return Verdict(not_applicable=reason) if reason else Verdict(tuple(_faults(resource, stack)))


def _nothing_to_rotate(secret: Resource, stack: Stack) -> str:
    """Why nobody need rotate it; empty if somebody must, as of a Secret that shows nothing of itself."""
    kind = secret.root.at("type").text()
    if kind in _RENEWED:
        return _RENEWED[kind]
    contents = [secret.root.at(field) for field in ("data", "stringData")]
    if any(isinstance(content.value, Marker) for content in contents):
        return ""
    keys = {key for content in contents for key in content.keys()}  # noqa: SIM118 (a Node)
    if not keys:
        return "nothing is in it"
    if all(key.endswith(_PUBLIC) for key in keys):
        return "what is in it is public"
    if keys <= stack.once(_configuration)[str(secret.namespace), str(secret.object_name)]:
        return "it is the configuration of a server that reads its credentials from other Secrets"
    return ""


def _configuration(stack: Stack) -> defaultdict[tuple[str, str], set[str]]:
    """Namespace and name of Secrets -> the keys that are configuration. What is written into it inline is not seen."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for server in stack.of(ALERTMANAGER):
        spec = server.root.at("spec")
        # Without other Secrets, the keys by which it tells anybody can only stand in its configuration.
        if isinstance(spec.at("secrets").value, list) and spec.at("secrets").items():
            found[str(server.namespace), str(spec.at("configSecret").value)].add("alertmanager.yaml")
    for server in (*stack.of(PROMETHEUS), *stack.of(PROMETHEUS_AGENT)):
        for member in _PARTS_OF_PROMETHEUS:
            part = server.root.at("spec", member)
            found[str(server.namespace), str(part.at("name").value)].add(str(part.at("key").value))
    return found


def _faults(secret: Resource, stack: Stack) -> Iterator[str]:
    latest = stack.facts.latest("secret-rotation", secret.subject)
    if latest is None:
        yield "no rotation of it is on record (evidence secret-rotation)"
        return
    if not latest.passed:
        yield f"its rotation of {latest.day} went wrong ({latest.source})"
    age = (stack.facts.day() - latest.day).days
    if age > MAX_AGE_DAYS:
        yield f"it was last rotated on {latest.day}, {age} days ago, which is more than {MAX_AGE_DAYS}"


RULE = Rule(
    id="secret-rotation-90d",
    theme=Theme.SECURITY,
    title="Every Secret with credentials was rotated within 90 days",
    why="A key that nobody saw leak opens for ever. Who left, or read an old backup, still has it.",
    applies_to="Secrets that hold credentials",
    severity=Severity.MEDIUM,
    controls=(
        "SOC 2 CC6.1",
        "ISO/IEC 27001:2022 5.17",
        "ISO/IEC 27001:2022 8.24",
        "NIST 800-53 r5 IA-5",
    ),
    remediation="Set new values, deploy, withdraw the old ones at their source, and record it as evidence.",
    judge=_judge,
)
