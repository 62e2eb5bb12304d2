"""Nothing is deployed that the rules cannot look into."""

from policies.model import Rule, Severity, Theme, Verdict
from policies.stack import Resource, Stack

OPAQUE = {
    "kubernetes:helm.sh/v3:Release": "the objects of a Helm release are known to Helm alone",
    "kubernetes:helm.sh/v4:Release": "the objects of a Helm release are known to Helm alone",
    "command:local:Command": "what a command does cannot be seen",
    "command:remote:Command": "what a command does cannot be seen",
    "docker:index/container:Container": "a container beside the cluster is subject to none of the rules",
}
"""Type token -> why it cannot be judged."""


def _judge(resource: Resource, _stack: Stack) -> Verdict | None:
    if resource.type.startswith(("pulumi:", "mainstay:")):
        return None
    reason = OPAQUE.get(resource.type)
    return Verdict((reason,)) if reason else Verdict()


RULE = Rule(
    id="inventory-complete",
    theme=Theme.META,
    title="Everything that is deployed can be judged",
    why="What the rules cannot look into passes them all, whatever is in it.",
    applies_to="every resource but components and providers",
    severity=Severity.HIGH,
    controls=("SOC 2 CC7.1", "ISO/IEC 27001:2022 8.9", "NIST 800-53 r5 CM-8"),
    remediation="Declare the objects themselves, e.g. by rendering a chart into resources (helm.sh/v4 Chart).",
    judge=_judge,
)
