"""Rule required-checks: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.delivery.required_checks import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource
from tests.policies.delivery.github import (
    CLASSIC,
    CLASSIC_V3,
    EVERYWHERE,
    RULESET,
    TAGS,
    deployed_from,
    verdict,
)

NONE = "no check must pass before branch main or master of shop changes"
OLD = "checks of branch main or master of shop may have passed on an older state of it (strict)"
RULES = "rules.requiredStatusChecks"


@pytest.mark.parametrize("protection", [RULESET, CLASSIC, CLASSIC_V3, EVERYWHERE])
def test_a_strict_check_passes(protection: Resource) -> None:
    assert verdict(RULE, TAGS, protection) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("protection", "path", "value", "reason"),
    [
        (RULESET, RULES, GONE, NONE),
        (RULESET, f"{RULES}.requiredChecks", [], NONE),
        (RULESET, f"{RULES}.requiredChecks", [{"context": " "}], NONE),
        (RULESET, f"{RULES}.strictRequiredStatusChecksPolicy", False, OLD),
        (RULESET, f"{RULES}.strictRequiredStatusChecksPolicy", GONE, OLD),
        (CLASSIC, "requiredStatusChecks", GONE, NONE),
        (CLASSIC, "requiredStatusChecks", [], NONE),
        (CLASSIC, "requiredStatusChecks.0.contexts", [], NONE),
        (CLASSIC, "requiredStatusChecks.0.strict", GONE, OLD),
        (CLASSIC_V3, "requiredStatusChecks.checks", [], NONE),
        (CLASSIC_V3, "requiredStatusChecks.strict", False, OLD),
    ],
)
def test_no_check_or_one_on_an_old_state_fails(protection: Resource, path: str, value: object, reason: str) -> None:
    assert verdict(RULE, TAGS, changed(protection, path, value)) == (Outcome.FAIL, reason)


@pytest.mark.parametrize(
    ("protection", "path", "value"),
    [
        (RULESET, f"{RULES}.requiredChecks", [{"context": ""}, {"context": "test", "integrationId": UNKNOWN}]),
        (RULESET, f"{RULES}.requiredChecks", [{"context": UNKNOWN}, {"context": "test"}]),
        (CLASSIC_V3, "requiredStatusChecks", {"contexts": ["test"], "strict": True}),
        # These are told by branch-protection.
        (RULESET, "bypassActors", [{"actorType": "Team"}]),
        (RULESET, "rules.pullRequest", GONE),
        (CLASSIC, "enforceAdmins", False),
    ],
)
def test_near_misses_pass(protection: Resource, path: str, value: object) -> None:
    assert verdict(RULE, TAGS, changed(protection, path, value)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "protections", [[], [changed(RULESET, "enforcement", "evaluate")], [changed(CLASSIC, "pattern", "develop")]]
)
def test_a_branch_that_nothing_protects_is_another_rules_business(protections: list[Resource]) -> None:
    outcome, reasons = verdict(RULE, TAGS, *protections)
    assert outcome is Outcome.NOT_APPLICABLE
    assert "branch-protection" in reasons


def test_checks_of_an_idle_ruleset_or_another_branch_do_not_count() -> None:
    bare = changed(CLASSIC, "requiredStatusChecks", [])
    assert verdict(RULE, TAGS, bare, changed(RULESET, "enforcement", "evaluate")) == (Outcome.FAIL, NONE)
    elsewhere = changed(RULESET, "conditions.refName.includes", ["refs/heads/develop"])
    assert verdict(RULE, TAGS, bare, elsewhere) == (Outcome.FAIL, NONE)
    assert verdict(RULE, TAGS, bare, RULESET) == (Outcome.PASS, "")


def test_strictness_of_one_without_checks_does_not_count() -> None:
    loose = changed(CLASSIC, "requiredStatusChecks.0.strict", False)
    empty = changed(RULESET, f"{RULES}.requiredChecks", [])
    assert verdict(RULE, TAGS, loose, empty) == (Outcome.FAIL, OLD)


def test_every_branch_that_may_be_deployed_needs_them() -> None:
    origins = [deployed_from("main"), deployed_from("develop")]
    bare = changed(changed(CLASSIC, "pattern", "develop"), "requiredStatusChecks", [])
    outcome, reasons = verdict(RULE, *origins, RULESET, bare)
    assert (outcome, reasons) == (Outcome.FAIL, "no check must pass before branch develop of shop changes")
    # One that nothing protects is told by branch-protection.
    assert verdict(RULE, *origins, RULESET) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("protection", "path"),
    [
        (RULESET, "enforcement"),
        (RULESET, RULES),
        (RULESET, f"{RULES}.requiredChecks"),
        (RULESET, f"{RULES}.requiredChecks.0.context"),
        (RULESET, f"{RULES}.strictRequiredStatusChecksPolicy"),
        (CLASSIC, "requiredStatusChecks"),
        (CLASSIC, "requiredStatusChecks.0.contexts"),
        (CLASSIC_V3, "requiredStatusChecks.strict"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(protection: Resource, path: str, marker: object) -> None:
    assert verdict(RULE, TAGS, changed(protection, path, marker))[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    assert verdict(RULE, TAGS, changed(changed(RULESET, RULES, GONE), "bypassActors", UNKNOWN))[0] is Outcome.FAIL


def test_a_branch_that_cannot_be_read_does_not_hide_another() -> None:
    hidden = changed(resource("RepositoryRuleset", "develop", dict(RULESET.props)), "enforcement", UNKNOWN)
    hidden = changed(hidden, "conditions.refName.includes", ["refs/heads/develop"])
    bare = changed(RULESET, RULES, GONE)
    for names in (("develop", "main"), ("main", "develop")):
        origins = [deployed_from(name) for name in names]
        assert verdict(RULE, *origins, bare, hidden)[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, TAGS, RULESET, CLASSIC) == {}
