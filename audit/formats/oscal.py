"""OSCAL 1.1.2 assessment results: one finding a control, one observation a rule.

A control is satisfied if each of its rules that asked something of anything held. Controls of which no rule asked
anything are named as not assessed: nothing was shown.
"""

import json
import re
import uuid
from typing import Any

from audit.assessment import Assessment, RuleText
from policies.controls import FRAMEWORKS, parts
from policies.model import Outcome, RuleResult

VERSION = "1.1.2"
_NAMES = uuid.UUID("5a0f5c4e-0d0b-5a39-9d6b-6f6c2f0f6f11")
_MOST_SUBJECTS = 50


def render(assessment: Assessment) -> str:
    """The file. UUIDs come from what they name, so that the same assessment gives the same bytes."""
    source = f"{assessment.input.digest}|{assessment.judge.digest}|{assessment.as_of}"

    def name(kind: str, key: str = "") -> str:
        return str(uuid.uuid5(_NAMES, f"{source}|{kind}|{key}"))

    results = {result.id: result for result in assessment.results}
    rules_of: dict[str, list[RuleText]] = {}
    for rule in assessment.rules:
        for control in rule.controls:
            rules_of.setdefault(control, []).append(rule)
    assessed = {
        control: [rule for rule in rules if not results[rule.id].vacuous] for control, rules in sorted(rules_of.items())
    }
    left = [control for control, rules in assessed.items() if not rules]
    result: dict[str, Any] = {
        "uuid": name("result"),
        "title": f"Policies of {assessment.input.stack}: {assessment.verdict}",
        "description": (
            f"{len(assessment.rules)} rules asked of {len(assessment.population)} resources of "
            f"{assessment.input.source}, SHA-256 {assessment.input.digest}."
        ),
        "start": assessment.as_of,
        "end": assessment.as_of,
        "reviewed-controls": {
            "control-selections": [{"include-controls": [{"control-id": control_id(control)} for control in assessed]}],
            **({"remarks": f"Not assessed, as no rule asked anything: {', '.join(left)}."} if left else {}),
        },
        "observations": [_observation(assessment, each, name) for each in assessment.results],
    }
    # The schema knows no empty list.
    if findings := [_finding(control, rules, results, name) for control, rules in assessed.items() if rules]:
        result["findings"] = findings
    content = {
        "assessment-results": {
            "uuid": name("assessment-results"),
            "metadata": {
                "title": f"Mainstay policy assessment of {assessment.input.stack}",
                "last-modified": assessment.as_of,
                "version": assessment.judge.version,
                "oscal-version": VERSION,
            },
            "import-ap": {"href": f"#{name('plan')}"},
            "results": [result],
            "back-matter": {
                "resources": [
                    {
                        "uuid": name("plan"),
                        "title": f"Policy pack {assessment.judge.pack} {assessment.judge.version}",
                        "description": f"The rules are the plan of the assessment; SHA-256 {assessment.judge.digest}.",
                    }
                ]
            },
        }
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def control_id(control: str) -> str:
    """A control as a token: `NIST 800-53 r5 CP-9` is `nist-800-53-r5_cp-9`."""
    framework, number = parts(control)
    return "_".join(re.sub(r"[^a-z0-9.]+", "-", each.lower()) for each in (framework, number))


def _observation(assessment: Assessment, result: RuleResult, name: Any) -> dict[str, Any]:
    counts = ", ".join(f"{result.count(each)} {each.replace('_', ' ')}" for each in Outcome if result.count(each))
    wrong = [each for each in result.findings if each.outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE)]
    said = [f"{each.subject}: {each.outcome}: {'; '.join(each.reasons)}" for each in wrong[:_MOST_SUBJECTS]]
    if len(wrong) > _MOST_SUBJECTS:
        said.append(f"… and {len(wrong) - _MOST_SUBJECTS} more")
    numbers = assessment.population_of(result)
    return {
        "uuid": name("observation", result.id),
        "title": result.id,
        "description": f"{result.title}. {counts or 'It is about none of the resources'}.",
        "methods": ["TEST"],
        "props": [
            {"name": "enforcement", "value": result.enforcement.value},
            {"name": "severity", "value": result.severity.value},
            *({"name": f"population-{key.replace('_', '-')}", "value": str(value)} for key, value in numbers.items()),
        ],
        "collected": assessment.as_of,
        **({"remarks": "\n".join(said)} if said else {}),
    }


def _finding(control: str, rules: list[RuleText], results: dict[str, RuleResult], name: Any) -> dict[str, Any]:
    framework, number = parts(control)
    open_or_wrong = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE)
    broken = [rule.id for rule in rules if any(results[rule.id].count(outcome) for outcome in open_or_wrong)]
    held = f"All of its rules hold: {', '.join(rule.id for rule in rules)}."
    return {
        "uuid": name("finding", control),
        "title": f"{control}: {FRAMEWORKS[framework][number]}",
        "description": f"These rules do not hold everywhere: {', '.join(broken)}." if broken else held,
        "target": {
            "type": "objective-id",
            "target-id": control_id(control),
            "status": {"state": "not-satisfied" if broken else "satisfied"},
        },
        "related-observations": [{"observation-uuid": name("observation", rule.id)} for rule in rules],
    }
