"""SARIF 2.1.0 for code scanning: failures only.

GitHub shows a result of kind `pass` as a problem, ignores suppressions and shows 5,000 results at most, so passes and
exemptions stay out, and what exceeds the number is cut, mandatory rules first.
"""

import json
from typing import Any

from audit.assessment import Assessment
from audit.statement import sha256
from policies.model import Enforcement, Finding, Outcome, RuleResult, Severity

MOST = 5000
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Enforcement.MANDATORY: "error", Enforcement.ADVISORY: "warning", Enforcement.DISABLED: "none"}
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""Where code scanning puts its own words: 9.0 and more is critical, 7.0 high, 4.0 medium."""


def render(assessment: Assessment) -> str:
    """The file."""
    failures = [
        (result, finding)
        for result in sorted(assessment.results, key=lambda each: each.enforcement is not Enforcement.MANDATORY)
        for finding in result.findings
        if finding.outcome in (Outcome.FAIL, Outcome.ERROR)
    ]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Mainstay policies",
                "semanticVersion": assessment.judge.version,
                "rules": [
                    {
                        "id": rule.id,
                        "name": rule.id,
                        "shortDescription": {"text": rule.title},
                        "fullDescription": {"text": f"{rule.title}. {rule.why}"},
                        "help": {"text": f"{rule.why}\n\n{rule.remediation}"},
                        "properties": {
                            "security-severity": _SCORES[rule.severity],
                            "tags": [f"theme/{rule.theme}", *(f"control/{control}" for control in rule.controls)],
                        },
                    }
                    for rule in assessment.rules
                ],
            }
        },
        "automationDetails": {"id": f"mainstay/{assessment.input.stack}/"},
        "results": [_result(assessment, *each) for each in failures[:MOST]],
        "properties": {"failures": len(failures), "inputDigest": assessment.input.digest},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _result(assessment: Assessment, result: RuleResult, finding: Finding) -> dict[str, Any]:
    said = "; ".join(finding.reasons)
    broken = " (the rule itself failed)" if finding.outcome is Outcome.ERROR else ""
    return {
        "ruleId": result.id,
        "level": _LEVELS[result.enforcement],
        "kind": "fail",
        "message": {"text": f"{finding.subject}: {said}{broken}. {result.remediation}"},
        "locations": [
            {
                # An object of a deployment has no line; the environment's file is where it is mended.
                "physicalLocation": {
                    "artifactLocation": {"uri": f"Pulumi.{assessment.input.stack}.yaml"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.urn, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"ruleAndResource/v1": sha256(f"{result.id}\n{finding.urn}".encode())},
    }
