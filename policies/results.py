"""The file by which the pack tells its caller what it found.

The engine's own events carry violations and names of policies that had none, not what a rule looked at. The pack
therefore writes its results to the file named by `MAINSTAY_POLICY_RESULTS`, if that is set. Each run removes the file
first and writes it in one step at the end: a file that is missing means that the policies were not evaluated. It holds
no secret and no time; the same stack gives the same bytes:

    {"format": 2, "pack": "mainstay", "version": "0.1.0", "project": "...", "stack": "staging", "preview": true,
     "resources": 57,
     "rules": [{"id": "...", "theme": "backups", "title": "...", "enforcement": "mandatory", "severity": "high",
                "remediation": "...",
                "findings": [{"urn": "...", "subject": "Deployment staging/api", "outcome": "fail",
                              "reasons": ["..."], "exemption": ""}]}],
     "unused_exemptions": ["EX-1: ..."]}
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from policies.model import Enforcement, Finding, Outcome, RuleResult, Severity, Theme

VARIABLE: Final = "MAINSTAY_POLICY_RESULTS"
FORMAT: Final = 2


class UnreadableResults(ValueError):
    """The file is not one that this version of the pack wrote; `str()` is a sentence."""


@dataclass(frozen=True)
class Results:
    """What the pack found in one run."""

    pack: str
    version: str
    """Of the pack."""
    project: str
    stack: str
    """Both empty when the engine does not say, as in `pulumi policy analyze`."""
    preview: bool
    """Whether the run only previewed: values may have been unknown."""
    resources: int
    """Number of resources in the stack, whether or not a rule is about them."""
    rules: tuple[RuleResult, ...]
    """By id."""
    unused_exemptions: tuple[str, ...] = ()
    """Entries of the register for this stack that exempted nothing."""


def read(path: Path) -> Results | None:
    """The results of the last run; None if it did not get as far as the policies. Raises `UnreadableResults`."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        rules = tuple(_rule_result(rule) for rule in content.pop("rules"))
        unused = tuple(content.pop("unused_exemptions"))
        return Results(rules=rules, unused_exemptions=unused, **content)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableResults(
            f"{path} does not hold policy results that this version can read ({error}); run the command again."
        ) from error


def write(results: Results, path: Path) -> None:
    """Replaces the file in one step. Raises OSError."""
    content = {"format": FORMAT, **asdict(results)}
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _rule_result(content: dict[str, Any]) -> RuleResult:
    findings = tuple(
        Finding(found["urn"], found["subject"], Outcome(found["outcome"]), tuple(found["reasons"]), found["exemption"])
        for found in content["findings"]
    )
    return RuleResult(
        id=content["id"],
        theme=Theme(content["theme"]),
        title=content["title"],
        enforcement=Enforcement(content["enforcement"]),
        severity=Severity(content["severity"]),
        remediation=content["remediation"],
        findings=findings,
    )
