"""Rule environment-protection: what trips it, what comes close and must not."""

import pytest

from policies.model import Outcome
from policies.rules.delivery.environment_protection import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged
from tests.policies.delivery.github import ENVIRONMENT, RULESET, TAGS, deployed_from, verdict

NO_IDS: list[int] = []
NO_KINDS: dict[str, list[int]] = {}
NOBODY = "nobody must approve a deployment (reviewers)"


def test_reviewers_and_a_named_origin_pass() -> None:
    assert verdict(RULE, TAGS) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value", "clause"),
    [
        ("reviewers", GONE, NOBODY),
        ("reviewers", [], NOBODY),
        ("reviewers", [{"users": NO_IDS, "teams": NO_IDS}], NOBODY),
        ("reviewers", [NO_KINDS], NOBODY),
        ("canAdminsBypass", True, "administrators may deploy without an approval"),
        # They may unless it is forbidden.
        ("canAdminsBypass", GONE, "administrators may deploy without an approval"),
        ("preventSelfReview", False, "whoever starts a deployment may approve it"),
        ("preventSelfReview", GONE, "whoever starts a deployment may approve it"),
        ("deploymentBranchPolicy", GONE, "any branch or tag may be deployed (deploymentBranchPolicy)"),
        ("deploymentBranchPolicy.customBranchPolicies", False, "any branch or tag may be deployed"),
    ],
)
def test_each_hole_fails_and_is_named(path: str, value: object, clause: str) -> None:
    outcome, reasons = verdict(RULE, TAGS, environment=changed(ENVIRONMENT, path, value))
    assert outcome is Outcome.FAIL
    assert clause in reasons
    assert "; " not in reasons


@pytest.mark.parametrize(
    ("policies", "clause"),
    [
        ([], "no RepositoryEnvironmentDeploymentPolicy names a branch or tag"),
        ([changed(TAGS, "environment", "staging")], "no RepositoryEnvironmentDeploymentPolicy"),
        ([changed(TAGS, "repository", "other")], "no RepositoryEnvironmentDeploymentPolicy"),
        ([changed(TAGS, "tagPattern", "")], "no RepositoryEnvironmentDeploymentPolicy"),
        ([TAGS, deployed_from("*")], "anything may be deployed: a policy has the pattern *"),
        ([TAGS, deployed_from("**")], "anything may be deployed: a policy has the pattern **"),
        ([changed(TAGS, "tagPattern", "**/*")], "anything may be deployed: a policy has the pattern **/*"),
    ],
)
def test_what_may_be_deployed_must_be_named(policies: list[Resource], clause: str) -> None:
    outcome, reasons = verdict(RULE, *policies)
    assert outcome is Outcome.FAIL
    assert clause in reasons


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("reviewers", [{"users": [7]}]),
        ("reviewers", [{"users": [UNKNOWN], "teams": NO_IDS}]),
        ("reviewers", [{"users": NO_IDS}, {"teams": [7]}]),
        ("waitTimer", UNKNOWN),
    ],
)
def test_near_misses_pass(path: str, value: object) -> None:
    assert verdict(RULE, TAGS, environment=changed(ENVIRONMENT, path, value)) == (Outcome.PASS, "")


def test_protected_branches_or_branches_by_name_are_an_origin() -> None:
    assert verdict(RULE, deployed_from("release/*")) == (Outcome.PASS, "")
    protected = changed(ENVIRONMENT, "deploymentBranchPolicy", {"protectedBranches": True})
    assert verdict(RULE, environment=protected) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", ["reviewers", "canAdminsBypass", "preventSelfReview", "deploymentBranchPolicy"])
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(RULE, TAGS, environment=changed(ENVIRONMENT, path, marker))[0] is Outcome.INCONCLUSIVE


def test_a_policy_that_cannot_be_read_is_inconclusive_and_hides_nothing() -> None:
    unknown = changed(TAGS, "environment", UNKNOWN)
    assert verdict(RULE, unknown)[0] is Outcome.INCONCLUSIVE
    assert verdict(RULE, unknown, environment=changed(ENVIRONMENT, "canAdminsBypass", True))[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, TAGS, RULESET) == {}
