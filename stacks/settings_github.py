"""The section `mainstay:github`: the repository's deployment environment of the stack, which bears the stack's name."""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Self

import pulumi
from pydantic import AfterValidator, Field, model_validator

from stacks.settings import Name, Section, Text

if TYPE_CHECKING:
    # Else every command would pay for importing pulumi-github, also where nothing of it is declared.
    from components.github import GitHubArgs

_ACTIONS_NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")


def _actions_name(value: str) -> str:
    if not _ACTIONS_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a name GitHub takes for a secret or variable: use capital letters, digits and '_', "
            "no digit first and not GITHUB_ first"
        )
    return value


ActionsName = Annotated[str, AfterValidator(_actions_name)]


class ReviewersSettings(Section):
    """Who must approve a deployment; one of them is enough, and never the one who started it."""

    users: list[Text] = Field(default_factory=list[str], description="Login names.")
    teams: list[Text] = Field(default_factory=list[str], description="Slugs of teams.")

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        if (count := len(self.users) + len(self.teams)) > 6:
            raise ValueError(f"GitHub takes 6 reviewers at most, not {count}: name a team instead of its members")
        return self


class DeployFromSettings(Section):
    """Where deployments may come from."""

    branches: list[Text] = Field(default_factory=list[str], description="Patterns of branches, such as `develop`.")
    tags: list[Text] = Field(default_factory=list[str], description="Patterns of tags, such as `v*`.")

    @model_validator(mode="after")
    def _from_somewhere(self) -> Self:
        if not self.branches and not self.tags:
            raise ValueError("neither branches nor tags are named, so that nothing could be deployed: name one")
        return self


class RulesetSettings(Section):
    """What a change must pass before it is merged."""

    branches: Annotated[list[Text], Field(min_length=1)] = Field(description="Branches that demand it.")
    required_checks: Annotated[list[Text], Field(min_length=1)] = Field(description="Checks that must pass.")
    approvals: Annotated[int, Field(ge=0, le=6)] = Field(1, description="People who must approve.")


class GitHubSettings(Section):
    """The repository, and its deployment environment called like the stack."""

    repository: Annotated[str, Field(pattern="^[A-Za-z0-9._-]+$")] = Field(
        description="Name of the repository; its owner stands in `github:owner`."
    )
    reviewers: ReviewersSettings = Field(
        default_factory=lambda: ReviewersSettings.model_validate({}), description="Who must approve a deployment."
    )
    deploy_from: DeployFromSettings = Field(description="Branches and tags that may deploy.")
    secrets: dict[ActionsName, Name] = Field(
        default_factory=dict, description="Actions secret -> secret, set as `secrets:<name>`."
    )
    variables: dict[ActionsName, str] = Field(default_factory=dict, description="Actions variables.")
    ruleset: RulesetSettings | None = Field(None, description="What the branches demand of a change.")


def missing_access(stack: str) -> list[str]:
    """What the provider lacks to reach the repository, in sentences; nothing if all is there."""
    faults: list[str] = []
    if not pulumi.runtime.get_config("github:owner"):
        faults.append(
            f"Pulumi.{stack}.yaml: mainstay:github needs to know whose repository it is; set it with "
            f"`pulumi config set --stack {stack} github:owner <organization>`, or remove the section."
        )
    if not pulumi.runtime.get_config("github:token") and not os.environ.get("GITHUB_TOKEN"):
        faults.append(
            f"Pulumi.{stack}.yaml: mainstay:github needs a token that may administer the repository; set it with "
            f"`pulumi config set --secret --stack {stack} github:token` or as GITHUB_TOKEN, or remove the section."
        )
    return faults


def github_args(settings: GitHubSettings, stack: str, secrets: Mapping[str, pulumi.Output[str]]) -> "GitHubArgs":
    """What the component is given. `secrets`: values by name, without the `secrets:` prefix."""
    args: GitHubArgs = {
        "repository": settings.repository,
        "environment": stack,
        "reviewer_users": settings.reviewers.users,
        "reviewer_teams": settings.reviewers.teams,
        "branches": settings.deploy_from.branches,
        "tags": settings.deploy_from.tags,
        "secrets": {key: secrets[name] for key, name in settings.secrets.items()},
        "variables": settings.variables,
    }
    if settings.ruleset:
        args["ruleset"] = {
            "branches": settings.ruleset.branches,
            "required_checks": settings.ruleset.required_checks,
            "approvals": settings.ruleset.approvals,
        }
    return args
