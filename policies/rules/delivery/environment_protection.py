"""Nobody deploys alone, nor from anywhere: an environment has reviewers, and branches or tags it may come from."""

from functools import partial

from policies.model import Rule, Severity, Theme, Verdict, verdict
from policies.protected_branches import ENVIRONMENT, deployment_policies
from policies.stack import Resource, Stack
from policies.values import Node

_EVERYTHING = ("*", "**", "**/*")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    if resource.kind != ENVIRONMENT:
        return None
    return verdict(
        [
            partial(_reviewer_faults, resource.root.at("reviewers")),
            partial(_bypass_faults, resource.root.at("canAdminsBypass")),
            partial(_self_review_faults, resource.root.at("preventSelfReview")),
            partial(_origin_faults, resource, stack),
        ]
    )


def _reviewer_faults(reviewers: Node) -> list[str]:
    # Who it is need not be known: at preview, ids are not.
    if any(reviewer.at(kind).items() for reviewer in reviewers.items() for kind in ("users", "teams")):
        return []
    return ["nobody must approve a deployment (reviewers)"]


def _bypass_faults(bypass: Node) -> list[str]:
    return [] if bypass.known() is False else [f"administrators may deploy without an approval ({bypass.path})"]


def _self_review_faults(prevented: Node) -> list[str]:
    return [] if prevented.known() is True else [f"whoever starts a deployment may approve it ({prevented.path})"]


def _origin_faults(environment: Resource, stack: Stack) -> list[str]:
    policy = environment.root.at("deploymentBranchPolicy")
    if policy.at("protectedBranches").known() is True:
        return []
    if policy.at("customBranchPolicies").known() is not True:
        return [f"any branch or tag may be deployed ({policy.path})"]
    policies = deployment_policies(environment, stack)
    patterns = [policy.root.at(key) for policy in policies for key in ("branchPattern", "tagPattern")]
    named = [pattern.text() for pattern in patterns if pattern.text()]
    if not named:
        return ["no RepositoryEnvironmentDeploymentPolicy names a branch or tag that may be deployed"]
    return [f"anything may be deployed: a policy has the pattern {each}" for each in named if each in _EVERYTHING]


RULE = Rule(
    id="environment-protection",
    theme=Theme.DELIVERY,
    title="A deployment comes from a named branch or tag and is approved by somebody else",
    why="Without it whoever can push a branch deploys what nobody has seen, and reads the environment's secrets.",
    applies_to="deployment environments on GitHub",
    severity=Severity.HIGH,
    controls=("SOC 2 CC8.1", "ISO/IEC 27001:2022 8.32", "NIST 800-53 r5 CM-3", "NIST 800-53 r5 CM-5"),
    remediation=(
        "Name reviewers and what may be deployed (reviewers, deployFrom); on the environment itself, set "
        "preventSelfReview to true and canAdminsBypass to false."
    ),
    judge=_judge,
)
