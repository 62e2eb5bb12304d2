"""Verdicts that no recorded preview shows; those are in test_cli_comment.py."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine import review
from engine.result import Diagnostic, Result
from engine.review import Level
from policies.model import Enforcement, Finding, Outcome
from tests.unit.recorded import recorded


@pytest.fixture
def nothing(tmp_path: Path) -> Result:
    """A preview that finds everything as declared."""
    result = recorded("nothing", tmp_path).result
    assert result is not None
    return result


def test_policies_that_were_not_evaluated_are_worth_a_look(nothing: Result) -> None:
    assert _judged(replace(nothing, policy=None)) == (Level.LOOK, "policies were not evaluated")


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR])
def test_a_mandatory_policy_that_does_not_know_is_worth_a_look(nothing: Result, outcome: Outcome) -> None:
    assert nothing.policy is not None
    mandatory = next(rule for rule in nothing.policy.rules if rule.enforcement is Enforcement.MANDATORY)
    unsure = replace(mandatory, findings=(Finding("urn", "Deployment shop/api", outcome, ("why",)),))
    judged = _judged(replace(nothing, policy=replace(nothing.policy, rules=(unsure,))))
    assert judged == (Level.LOOK, f"mandatory policies left open: {unsure.id}")


def test_outputs_alone_are_a_change(nothing: Result) -> None:
    level, summary = _judged(replace(nothing, outputs_changed=True))
    assert level is Level.SAFE
    assert "only outputs" in summary


def test_a_failure_without_a_policy_is_a_stop_with_what_was_found(nothing: Result) -> None:
    failed = review.refused("The API server refuses it.", replace(nothing, outcome="failed"), "a cluster")
    assert (failed.level, failed.summary, failed.failure) == (
        Level.STOP,
        "the preview failed",
        "The API server refuses it.",
    )


def test_the_order_and_the_time_of_what_was_said_make_no_difference(nothing: Result) -> None:
    said = (Diagnostic("warning", None, "b"), Diagnostic("warning", None, "a"))
    one = review.of(replace(nothing, diagnostics=said, started="now", seconds=1.0), "a cluster")
    other = review.of(replace(nothing, diagnostics=said[::-1], started="then", seconds=2.0), "a cluster")
    assert json.dumps(one.to_dict()) == json.dumps(other.to_dict())


def _judged(result: Result) -> tuple[Level, str]:
    judged = review.of(result, "a cluster")
    return judged.level, judged.summary
