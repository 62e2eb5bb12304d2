"""A deployment environment of a GitHub repository: who may deploy, from where, with which secrets."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_github as github


class Ruleset(TypedDict):
    """What the branches that lead to the environment demand of a change."""

    branches: Sequence[str]
    """The branches, e.g. `main`; GitHub's patterns are understood."""
    required_checks: Sequence[str]
    """Checks that must pass, on the newest state of the branch, e.g. `ci`."""
    approvals: int
    """People who must approve, beside the author."""


class GitHubArgs(TypedDict):
    """What a deployment environment is given."""

    repository: pulumi.Input[str]
    """Name of the repository, without owner."""
    environment: pulumi.Input[str]
    """Name of the deployment environment."""
    reviewer_users: NotRequired[Sequence[str]]
    """Login names of people of whom one must approve each deployment, never the one who started it. Default: none."""
    reviewer_teams: NotRequired[Sequence[str]]
    """Teams of whom one member must approve each deployment, by slug. Default: none."""
    branches: NotRequired[Sequence[str]]
    """Patterns of branches that may deploy. Default: none may."""
    tags: NotRequired[Sequence[str]]
    """Patterns of tags that may deploy, e.g. `v*`. Default: none may."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Actions secrets of the environment by name; secret in the state too."""
    variables: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Actions variables of the environment by name; anybody who reads the workflow's log may see them."""
    ruleset: NotRequired[Ruleset]
    """What a change must pass before it is merged. Default: no ruleset."""


class GitHub(pulumi.ComponentResource):
    """Deployment environment, its branch and tag policy, its secrets and variables, and the branches' ruleset.

    Owner and token come from the provider's own config, `github:owner` and `github:token` or GITHUB_TOKEN. No provider
    is made here, since its Python class would copy a token that changes with every run of a workflow into the state.
    """

    def __init__(self, name: str, args: GitHubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        secrets = {key: pulumi.Output.secret(value) for key, value in args.get("secrets", {}).items()}
        super().__init__("mainstay:index:GitHub", name, cast(pulumi.Inputs, {**args, "secrets": secrets}), opts)
        child = pulumi.ResourceOptions(parent=self)
        environment = github.RepositoryEnvironment(
            name,
            repository=args["repository"],
            environment=args["environment"],
            reviewers=_reviewers(args, pulumi.InvokeOutputOptions(parent=self)),
            prevent_self_review=True,
            can_admins_bypass=False,
            deployment_branch_policy={"protected_branches": False, "custom_branch_policies": True},
            opts=child,
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[environment])
        for pattern in sorted(args.get("branches", [])):
            github.RepositoryEnvironmentDeploymentPolicy(
                f"{name}-branch-{pattern}",
                repository=args["repository"],
                environment=args["environment"],
                branch_pattern=pattern,
                opts=inside,
            )
        for pattern in sorted(args.get("tags", [])):
            github.RepositoryEnvironmentDeploymentPolicy(
                f"{name}-tag-{pattern}",
                repository=args["repository"],
                environment=args["environment"],
                tag_pattern=pattern,
                opts=inside,
            )
        for key, secret in sorted(secrets.items()):
            github.ActionsEnvironmentSecret(
                f"{name}-secret-{key}",
                repository=args["repository"],
                environment=args["environment"],
                secret_name=key,
                value=secret,
                opts=inside,
            )
        for key, value in sorted(args.get("variables", {}).items()):
            github.ActionsEnvironmentVariable(
                f"{name}-variable-{key}",
                repository=args["repository"],
                environment=args["environment"],
                variable_name=key,
                value=value,
                opts=inside,
            )
        if "ruleset" in args:
            _ruleset(name, args["repository"], args["environment"], args["ruleset"], child)
        self.register_outputs({})


def _reviewers(
    args: GitHubArgs, asked_through: pulumi.InvokeOutputOptions
) -> list[github.RepositoryEnvironmentReviewerArgsDict] | None:
    """GitHub wants ids; people know names, so these are looked up."""
    users = sorted(args.get("reviewer_users", []))
    teams = sorted(args.get("reviewer_teams", []))
    if not users and not teams:
        return None
    return [
        {
            "users": [github.get_user_output(username=each, opts=asked_through).id.apply(int) for each in users],
            "teams": [github.get_team_output(slug=each, opts=asked_through).id.apply(int) for each in teams],
        }
    ]


def _ruleset(
    name: str,
    repository: pulumi.Input[str],
    environment: pulumi.Input[str],
    ruleset: Ruleset,
    opts: pulumi.ResourceOptions,
) -> None:
    github.RepositoryRuleset(
        f"{name}-ruleset",
        # Named by environment: each stack has its own, and none takes another's for its own.
        name=pulumi.Output.concat("mainstay-", environment),
        repository=repository,
        target="branch",
        enforcement="active",
        conditions={
            "ref_name": {
                "includes": [f"refs/heads/{branch}" for branch in sorted(ruleset["branches"])],
                "excludes": [],
            }
        },
        rules={
            "deletion": True,
            "non_fast_forward": True,
            "pull_request": {
                "required_approving_review_count": ruleset["approvals"],
                "dismiss_stale_reviews_on_push": True,
                "require_last_push_approval": ruleset["approvals"] > 0,
                "required_review_thread_resolution": True,
            },
            "required_status_checks": {
                "required_checks": [{"context": check} for check in sorted(ruleset["required_checks"])],
                "strict_required_status_checks_policy": True,
            },
        },
        opts=opts,
    )
