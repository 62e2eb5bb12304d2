"""A repository as it should be: an environment with reviewers, deployed from a protected branch."""

from policies.model import Outcome, Rule
from policies.stack import Resource
from policies.values import UNKNOWN
from tests.policies.builders import judged, resource

ENVIRONMENT = resource(
    "RepositoryEnvironment",
    "prod",
    {
        "repository": "shop",
        "environment": "prod",
        # At preview ids are not known.
        "reviewers": [{"users": [], "teams": [UNKNOWN]}],
        "preventSelfReview": True,
        "canAdminsBypass": False,
        "deploymentBranchPolicy": {"protectedBranches": False, "customBranchPolicies": True},
    },
)
TAGS = resource("DeploymentPolicy", "tags", {"repository": "shop", "environment": "prod", "tagPattern": "v*"})
RULESET = resource(
    "RepositoryRuleset",
    props={
        "repository": "shop",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"refName": {"includes": ["refs/heads/main"], "excludes": []}},
        "rules": {
            "deletion": True,
            "nonFastForward": True,
            "pullRequest": {"requiredApprovingReviewCount": 1},
            "requiredStatusChecks": {
                "requiredChecks": [{"context": "test"}],
                "strictRequiredStatusChecksPolicy": True,
            },
        },
    },
)
CLASSIC = resource(
    "BranchProtection",
    props={
        "repositoryId": UNKNOWN,
        "pattern": "main",
        "enforceAdmins": True,
        "allowsForcePushes": False,
        "allowsDeletions": False,
        "forcePushBypassers": [],
        "requiredPullRequestReviews": [{"requiredApprovingReviewCount": 1, "pullRequestBypassers": []}],
        "requiredStatusChecks": [{"contexts": ["test"], "strict": True}],
    },
)
CLASSIC_V3 = resource(
    "BranchProtectionV3",
    props={
        "repository": "shop",
        "branch": "main",
        "enforceAdmins": True,
        "requiredPullRequestReviews": {"requiredApprovingReviewCount": 1, "bypassPullRequestAllowances": {"users": []}},
        "requiredStatusChecks": {"contexts": [], "checks": ["test:15368"], "strict": True},
    },
)
EVERYWHERE = resource(
    "OrganizationRuleset",
    props={
        **RULESET.props,
        "repository": None,
        "conditions": {
            "refName": {"includes": ["~DEFAULT_BRANCH"], "excludes": []},
            "repositoryName": {"includes": ["sh*"], "excludes": ["shed"]},
        },
    },
)


def deployed_from(pattern: object) -> Resource:
    """What lets a branch be deployed."""
    return resource(
        "DeploymentPolicy", f"from-{pattern}", {"repository": "shop", "environment": "prod", "branchPattern": pattern}
    )


def verdict(rule: Rule, *beside: Resource, environment: Resource = ENVIRONMENT) -> tuple[Outcome, str]:
    """Outcome and reasons for the environment, and what else is declared."""
    finding = judged(rule, environment, *beside)["RepositoryEnvironment/prod"]
    return finding.outcome, "; ".join(finding.reasons)
