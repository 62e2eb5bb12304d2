"""Two assessments compared: what got better, worse, is new, is gone."""

from dataclasses import dataclass

from audit.assessment import Assessment
from policies.model import Finding, Outcome

_RANKS = {
    Outcome.PASS: 0,
    Outcome.NOT_APPLICABLE: 0,
    Outcome.EXEMPT: 1,
    Outcome.INCONCLUSIVE: 2,
    Outcome.FAIL: 3,
    Outcome.ERROR: 3,
}
"""From good to bad. A pass that becomes not applicable is neither better nor worse."""


@dataclass(frozen=True)
class Change:
    """What became of one rule on one resource."""

    rule: str
    subject: str
    before: Outcome | None
    """None: it was not there."""
    after: Outcome | None
    """None: it is gone."""
    reasons: tuple[str, ...]
    """Why, after; before, if it is gone."""


@dataclass(frozen=True)
class Comparison:
    """By rule and resource; a finding whose rank did not change is in none of them."""

    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    new: tuple[Change, ...]
    """Of resources or rules that were not there, what is no pass."""
    gone: tuple[Change, ...]
    """Of resources or rules that are no longer there, what was no pass."""
    rules_new: tuple[str, ...]
    rules_gone: tuple[str, ...]
    resources_new: int
    resources_gone: int


def compare(before: Assessment, after: Assessment) -> Comparison:
    """What changed from one to the other."""
    old, new = _findings(before), _findings(after)
    changes = [_change(key, old.get(key), new.get(key)) for key in sorted({*old, *new})]
    both = [each for each in changes if each.before is not None and each.after is not None]
    rules_before, rules_after = ({rule.id for rule in each.rules} for each in (before, after))
    there, here = ({each.urn for each in assessment.population} for assessment in (before, after))
    return Comparison(
        worse=tuple(each for each in both if _rank(each.after) > _rank(each.before)),
        better=tuple(each for each in both if _rank(each.after) < _rank(each.before)),
        new=tuple(each for each in changes if each.before is None and _rank(each.after)),
        gone=tuple(each for each in changes if each.after is None and _rank(each.before)),
        rules_new=tuple(sorted(rules_after - rules_before)),
        rules_gone=tuple(sorted(rules_before - rules_after)),
        resources_new=len(here - there),
        resources_gone=len(there - here),
    )


_Key = tuple[str, str]


def _findings(assessment: Assessment) -> dict[_Key, Finding]:
    return {(result.id, finding.urn): finding for result in assessment.results for finding in result.findings}


def _change(key: _Key, old: Finding | None, new: Finding | None) -> Change:
    told = next(each for each in (new, old) if each)
    return Change(key[0], told.subject, old.outcome if old else None, new.outcome if new else None, told.reasons)


def _rank(outcome: Outcome | None) -> int:
    return 0 if outcome is None else _RANKS[outcome]
