"""Assessments for tests: small stacks, judged by rules made for them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from audit import intake, judge
from audit.assessment import Assessment, Input, assess
from policies.evidence import Evidence
from policies.exemptions import Register, parse
from policies.facts import Facts
from policies.model import Enforcement, Rule, Severity, Theme, Verdict
from policies.stack import ROOT, Resource, Stack
from tests.policies.builders import exemption_entry

AS_OF = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
DRILL = Evidence("restore-drill", "Cluster shop/main", "2026-11-20T03:12:00Z", True, "all rows", "drill.yaml", "0" * 64)
_VERDICTS = {
    "good": Verdict(),
    "bad": Verdict(("it is <b>wrong</b> & \x07odd",)),
    "open": Verdict(undecided=("spec is a secret",)),
    "none": Verdict(not_applicable="it is a job"),
}


def rule(name: str, theme: Theme = Theme.HEALTH, enforcement: Enforcement = Enforcement.MANDATORY) -> Rule:
    """A rule that reads each resource's verdict from its property `name`; one that has none is not its business."""

    def judge_it(resource: Resource, _stack: Stack) -> Verdict | None:
        return _VERDICTS[str(resource.props[name])] if name in resource.props else None

    return Rule(
        id=name,
        theme=theme,
        title=f"The rule {name}",
        why="Because.",
        applies_to="everything",
        severity=Severity.HIGH,
        controls=("SOC 2 A1.2", "NIST 800-53 r5 CP-9"),
        remediation="Mend it.",
        enforcement=enforcement,
        judge=judge_it,
    )


RULES = (rule("first"), rule("second", Theme.BACKUPS), rule("silent"), rule("mild", enforcement=Enforcement.ADVISORY))


def resource(name: str, **verdicts: str) -> Resource:
    """A Service whose properties say what the rules of these names find."""
    props: dict[str, object] = {"metadata": {"name": name, "namespace": "shop"}, **verdicts}
    token = "kubernetes:core/v1:Service"
    return Resource(f"urn:pulumi:prod::shop::{token}::{name}", token, name, props)  # type: ignore[arg-type]


def exemption(**changes: object) -> Register:
    """A register with one entry, for the rule `first` on the Service `b`."""
    return parse([exemption_entry(**{"stack": "prod", "rule": "first", "resource": "Service shop/b", **changes})])


def assessed(
    *resources: Resource,
    register: Register | None = None,
    evidence: tuple[Evidence, ...] = (),
    weakened: Mapping[str, str] | None = None,
) -> Assessment:
    """What RULES find in the resources, and a root."""
    everything = [*resources, Resource(f"urn:pulumi:prod::shop::{ROOT}::prod", ROOT, "prod", {})]
    judged = Input("deployed", "a cluster", "prod", intake.digest(everything), "abc123")
    facts = Facts("prod", AS_OF.date(), True, register or Register(), evidence)
    return assess(RULES, everything, judged, judge.this(), facts, AS_OF, weakened or {})
