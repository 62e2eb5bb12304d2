"""Rule branch-protection, and what protects a branch: rulesets beside classic protection."""

from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.delivery.branch_protection import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource
from tests.policies.delivery.github import (
    CLASSIC,
    CLASSIC_V3,
    ENVIRONMENT,
    EVERYWHERE,
    RULESET,
    TAGS,
    deployed_from,
    verdict,
)

KINDS = [RULESET, CLASSIC, CLASSIC_V3, EVERYWHERE]
IDS = [each.type.rpartition(":")[2] for each in KINDS]
MAIN = "branch main or master of shop"
OPEN = f"no ruleset and no branch protection holds for {MAIN}"
INCLUDES = "conditions.refName.includes"
REVIEWS = "requiredPullRequestReviews"
REPOSITORY = resource("Repository", "shop", {"name": "shop", "nodeId": "R_1", "defaultBranch": "main"})
OTHER = resource("Repository", "other", {"name": "other", "nodeId": "R_2"})


def second(original: Resource, **changes: object) -> Resource:
    """Another one of a kind, with something changed."""
    copy = Resource(f"{original.urn}-second", original.type, "second", original.props)
    for path, value in changes.items():
        copy = changed(copy, path, value)
    return copy


@pytest.mark.parametrize("protection", KINDS, ids=IDS)
def test_each_kind_of_protection_suffices(protection: Resource) -> None:
    assert verdict(RULE, TAGS, protection) == (Outcome.PASS, "")


def test_without_any_it_fails() -> None:
    assert verdict(RULE, TAGS) == (Outcome.FAIL, OPEN)


@pytest.mark.parametrize("enforcement", ["evaluate", "disabled", GONE])
@pytest.mark.parametrize("ruleset", [RULESET, EVERYWHERE])
def test_a_ruleset_that_is_not_active_is_none(ruleset: Resource, enforcement: object) -> None:
    outcome, reasons = verdict(RULE, TAGS, changed(ruleset, "enforcement", enforcement))
    assert outcome is Outcome.FAIL
    assert reasons == f"{OPEN} (not active: {ruleset.subject})"


@pytest.mark.parametrize(
    ("protection", "path", "value", "clause"),
    [
        (RULESET, "rules.pullRequest", GONE, f"{MAIN} changes without an approval"),
        (RULESET, "rules.pullRequest.requiredApprovingReviewCount", 0, f"{MAIN} changes without an approval"),
        (RULESET, "rules.pullRequest.requiredApprovingReviewCount", GONE, f"{MAIN} changes without an approval"),
        (RULESET, "rules.nonFastForward", False, f"{MAIN} can be overwritten by a force push"),
        (RULESET, "rules.nonFastForward", GONE, f"{MAIN} can be overwritten by a force push"),
        (RULESET, "rules.deletion", GONE, f"{MAIN} can be deleted"),
        (CLASSIC, REVIEWS, GONE, f"{MAIN} changes without an approval"),
        (CLASSIC, REVIEWS, [], f"{MAIN} changes without an approval"),
        (CLASSIC, f"{REVIEWS}.0.requiredApprovingReviewCount", 0, f"{MAIN} changes without an approval"),
        (CLASSIC, "allowsForcePushes", True, f"{MAIN} can be overwritten by a force push"),
        (CLASSIC, "allowsDeletions", True, f"{MAIN} can be deleted"),
        (CLASSIC_V3, REVIEWS, GONE, f"{MAIN} changes without an approval"),
    ],
)
def test_what_it_does_not_ask_for_is_named(protection: Resource, path: str, value: object, clause: str) -> None:
    assert verdict(RULE, TAGS, changed(protection, path, value)) == (Outcome.FAIL, clause)


TEAM = {"actorId": UNKNOWN, "actorType": "Team", "bypassMode": "pull_request"}


@pytest.mark.parametrize(
    ("protection", "path", "value", "way"),
    [
        (RULESET, "bypassActors", [TEAM], "bypassActors"),
        (EVERYWHERE, "bypassActors", [{"actorType": "OrganizationAdmin", "bypassMode": "always"}], "bypassActors"),
        (CLASSIC, "enforceAdmins", False, "enforceAdmins"),
        (CLASSIC, "enforceAdmins", GONE, "enforceAdmins"),
        (CLASSIC, "forcePushBypassers", ["/ana"], "forcePushBypassers"),
        (CLASSIC, f"{REVIEWS}.0.pullRequestBypassers", [UNKNOWN], f"{REVIEWS}[0].pullRequestBypassers"),
        (CLASSIC_V3, "enforceAdmins", False, "enforceAdmins"),
        (
            CLASSIC_V3,
            f"{REVIEWS}.bypassPullRequestAllowances",
            {"users": [], "apps": ["bot"]},
            f"{REVIEWS}.bypassPullRequestAllowances.apps",
        ),
    ],
)
def test_one_that_somebody_may_pass_by_fails_unless_another_asks_the_same(
    protection: Resource, path: str, value: object, way: str
) -> None:
    loose = changed(protection, path, value)
    fault = f"{loose.subject} holds for {MAIN}, but not for everybody ({way})"
    assert verdict(RULE, TAGS, loose) == (Outcome.FAIL, fault)
    assert verdict(RULE, TAGS, loose, second(RULESET)) == (Outcome.PASS, "")
    for missing in ("pullRequest", "nonFastForward", "deletion"):
        weak = second(RULESET, **{f"rules.{missing}": None})
        assert verdict(RULE, TAGS, loose, weak) == (Outcome.FAIL, fault)


def test_several_hold_together() -> None:
    reviews = changed(changed(RULESET, "rules.deletion", GONE), "rules.nonFastForward", False)
    rest = second(RULESET, **{"rules.pullRequest": GONE})
    assert verdict(RULE, TAGS, reviews, rest) == (Outcome.PASS, "")
    assert verdict(RULE, TAGS, reviews, changed(CLASSIC, REVIEWS, [])) == (Outcome.PASS, "")
    idle = changed(rest, "enforcement", "evaluate")
    assert verdict(RULE, TAGS, reviews, idle)[1] == f"{MAIN} can be overwritten by a force push; {MAIN} can be deleted"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rules.pullRequest.requiredApprovingReviewCount", 2),
        ("bypassActors", []),
        ("bypassActors", None),
        (INCLUDES, ["~ALL"]),
        (INCLUDES, ["~DEFAULT_BRANCH"]),
        (INCLUDES, ["refs/heads/release/*", "refs/heads/master"]),
        (INCLUDES, ["refs/heads/ma?n"]),
        (INCLUDES, ["refs/heads/**/*"]),
        (INCLUDES, ["refs/**/main"]),
        (INCLUDES, ["refs/**"]),
        ("conditions.refName.excludes", ["refs/heads/feature/*", "refs/heads/mainline"]),
        ("rules.requiredStatusChecks", GONE),
        ("name", UNKNOWN),
    ],
)
def test_rulesets_that_nearly_miss_pass(path: str, value: object) -> None:
    assert verdict(RULE, TAGS, changed(RULESET, path, value)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("target", "tag"),
        ("repository", "other"),
        ("conditions", GONE),
        (INCLUDES, []),
        # GitHub wants whole refs.
        (INCLUDES, ["main"]),
        (INCLUDES, ["refs/tags/main"]),
        (INCLUDES, ["refs/heads/develop"]),
        (INCLUDES, ["refs/*"]),
        (INCLUDES, ["refs/heads/main/*"]),
        (INCLUDES, ["refs/heads/m.in"]),
        (INCLUDES, ["refs?heads?main"]),
        ("conditions.refName.excludes", ["~ALL"]),
        ("conditions.refName.excludes", ["refs/heads/main"]),
    ],
)
def test_a_ruleset_for_something_else_is_none(path: str, value: object) -> None:
    assert verdict(RULE, TAGS, changed(RULESET, path, value)) == (Outcome.FAIL, OPEN)


@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("conditions.repositoryName.includes", ["~ALL"], Outcome.PASS),
        ("conditions.repositoryName.includes", ["other"], Outcome.FAIL),
        ("conditions.repositoryName.excludes", ["shop"], Outcome.FAIL),
        ("conditions.repositoryName", GONE, Outcome.INCONCLUSIVE),
    ],
)
def test_a_ruleset_of_the_organization_is_for_some_repositories(path: str, value: object, outcome: Outcome) -> None:
    assert verdict(RULE, TAGS, changed(EVERYWHERE, path, value))[0] is outcome


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [("ma*", Outcome.PASS), ("*", Outcome.PASS), ("develop", Outcome.FAIL), ("refs/heads/main", Outcome.FAIL)],
)
def test_a_classic_protection_names_branches(pattern: str, outcome: Outcome) -> None:
    assert verdict(RULE, TAGS, changed(CLASSIC, "pattern", pattern))[0] is outcome
    assert verdict(RULE, TAGS, changed(CLASSIC_V3, "branch", pattern))[0] is outcome


def test_the_number_of_approvals_that_a_classic_protection_leaves_open_is_one() -> None:
    open_number = changed(CLASSIC, f"{REVIEWS}.0.requiredApprovingReviewCount", GONE)
    assert verdict(RULE, TAGS, open_number) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("repository_id", "beside", "outcome"),
    [
        ("shop", [OTHER], Outcome.PASS),
        ("R_1", [REPOSITORY, OTHER], Outcome.PASS),
        # Everything else is about one repository.
        ("R_1", [], Outcome.PASS),
        (UNKNOWN, [REPOSITORY], Outcome.PASS),
        ("other", [OTHER], Outcome.FAIL),
        ("R_2", [OTHER], Outcome.FAIL),
        (UNKNOWN, [OTHER], Outcome.INCONCLUSIVE),
        ("R_3", [OTHER], Outcome.INCONCLUSIVE),
    ],
)
def test_a_classic_protection_names_its_repository_by_name_or_id(
    repository_id: object, beside: list[Resource], outcome: Outcome
) -> None:
    assert verdict(RULE, TAGS, changed(CLASSIC, "repositoryId", repository_id), *beside)[0] is outcome


@pytest.mark.parametrize(
    "default",
    [
        resource("BranchDefault", "shop", {"repository": "shop", "branch": "trunk"}),
        changed(REPOSITORY, "defaultBranch", "trunk"),
    ],
)
def test_a_default_branch_may_be_called_otherwise(default: Resource) -> None:
    assert verdict(RULE, TAGS, RULESET, default) == (Outcome.FAIL, OPEN.replace("main or master", "trunk"))
    assert verdict(RULE, TAGS, changed(RULESET, INCLUDES, ["refs/heads/trunk"]), default) == (Outcome.PASS, "")
    assert verdict(RULE, TAGS, changed(RULESET, INCLUDES, ["~DEFAULT_BRANCH"]), default) == (Outcome.PASS, "")
    # That of another repository says nothing.
    other: dict[str, Any] = {key: "other" if text == "shop" else text for key, text in default.props.items()}
    assert verdict(RULE, TAGS, RULESET, Resource(default.urn, default.type, "other", other)) == (Outcome.PASS, "")


def test_every_branch_that_may_be_deployed_must_be_protected() -> None:
    origins = [deployed_from("main"), deployed_from("release/*")]
    assert verdict(RULE, *origins, RULESET) == (
        Outcome.FAIL,
        "no ruleset and no branch protection holds for branch release/* of shop",
    )
    both = changed(RULESET, INCLUDES, ["refs/heads/main", "refs/heads/release/**"])
    assert verdict(RULE, *origins, both) == (Outcome.PASS, "")
    assert verdict(RULE, *origins, RULESET, second(RULESET, **{INCLUDES: ["refs/heads/release/*"]}))[0] is Outcome.PASS


def test_a_branch_that_is_not_the_default_is_not_covered_by_it() -> None:
    by_default = changed(RULESET, INCLUDES, ["~DEFAULT_BRANCH"])
    assert verdict(RULE, deployed_from("develop"), by_default)[0] is Outcome.FAIL
    assert verdict(RULE, deployed_from("main"), by_default) == (Outcome.PASS, "")


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("protection", "path"),
    [
        (RULESET, "enforcement"),
        (RULESET, "target"),
        (RULESET, INCLUDES),
        (RULESET, "conditions.refName.excludes"),
        (RULESET, "rules"),
        (RULESET, "rules.deletion"),
        (RULESET, "rules.pullRequest.requiredApprovingReviewCount"),
        (RULESET, "bypassActors"),
        (CLASSIC, "pattern"),
        (CLASSIC, "enforceAdmins"),
        (CLASSIC, REVIEWS),
        (CLASSIC, "allowsForcePushes"),
        (CLASSIC_V3, "branch"),
    ],
)
def test_what_cannot_be_read_is_inconclusive_unless_another_suffices(
    protection: Resource, path: str, marker: object
) -> None:
    unread = changed(protection, path, marker)
    assert verdict(RULE, TAGS, unread)[0] is Outcome.INCONCLUSIVE
    assert verdict(RULE, TAGS, unread, second(RULESET)) == (Outcome.PASS, "")


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    unread = changed(changed(RULESET, "rules.deletion", UNKNOWN), "rules.nonFastForward", False)
    assert verdict(RULE, TAGS, unread) == (Outcome.FAIL, f"{MAIN} can be overwritten by a force push")
    other = changed(changed(RULESET, "target", UNKNOWN), "enforcement", "disabled")
    assert verdict(RULE, TAGS, other) == (Outcome.FAIL, OPEN)


def test_an_origin_that_cannot_be_read_is_inconclusive() -> None:
    assert verdict(RULE, deployed_from(UNKNOWN), RULESET)[0] is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, TAGS, RULESET, CLASSIC, REPOSITORY) == {}
    assert set(judged(RULE, ENVIRONMENT, RULESET)) == {"RepositoryEnvironment/prod"}
