"""JUnit XML for CI systems: a suite a rule, a case a resource. Only what stops a deployment is a failure there."""

from xml.etree import ElementTree as xml

from audit.assessment import Assessment
from audit.formats.printable import printable
from policies.model import Enforcement, Finding, Outcome, RuleResult


def render(assessment: Assessment) -> str:
    """The file."""
    root = xml.Element("testsuites", name=f"Mainstay policies: {assessment.input.stack}")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for result in assessment.results:
        suite = xml.SubElement(root, "testsuite", name=result.id, timestamp=assessment.as_of.removesuffix("Z"))
        counts = dict.fromkeys(totals, 0)
        for finding in result.findings:
            case = xml.SubElement(
                suite, "testcase", classname=f"{result.theme}.{result.id}", name=printable(finding.subject)
            )
            counts["tests"] += 1
            if (tag := _tag(result, finding)) is not None:
                said = printable("; ".join(finding.reasons))
                told = xml.SubElement(case, tag)
                told.set("message", f"{_word(result, finding)}: {said}" if tag == "skipped" else said)
                counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[tag]] += 1
        for key, count in counts.items():
            suite.set(key, str(count))
            totals[key] += count
    for key, count in totals.items():
        root.set(key, str(count))
    xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml.tostring(root, encoding="unicode")}\n'


def _tag(result: RuleResult, finding: Finding) -> str | None:
    if finding.outcome is Outcome.PASS:
        return None
    if finding.outcome in (Outcome.FAIL, Outcome.ERROR) and result.enforcement is Enforcement.MANDATORY:
        return "failure" if finding.outcome is Outcome.FAIL else "error"
    return "skipped"


def _word(result: RuleResult, finding: Finding) -> str:
    if finding.outcome in (Outcome.FAIL, Outcome.ERROR):
        return f"{finding.outcome}, but {result.enforcement}"
    return finding.outcome.replace("_", " ")
