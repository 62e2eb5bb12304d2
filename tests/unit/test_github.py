"""What GitHub is told of an environment. Recording mocks throughout: no plugin and no GitHub take part here."""

import asyncio
import json
from typing import Any, cast

import pulumi
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
from pulumi.runtime.stack import run_pulumi_func
from pydantic import ValidationError

from components.github import GitHub
from stacks.settings_github import GitHubSettings, github_args, missing_access

CANARY = "canary-9c2e"
SECTION: dict[str, Any] = {
    "repository": "shop",
    "reviewers": {"users": ["ada"], "teams": ["platform"]},
    "deployFrom": {"branches": ["main"], "tags": ["v*"]},
    "secrets": {"LLM_API_KEY": "llm-api-key"},
    "variables": {"REGION": "eu-central-1"},
    "ruleset": {"branches": ["main"], "requiredChecks": ["preview", "ci"]},
}

Inputs = dict[str, Any]


class Answers(Mocks):
    """Creates all as asked; knows one person and one team."""

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        known = {
            "github:index/getUser:getUser": {"id": "101", "username": "ada"},
            "github:index/getTeam:getTeam": {"id": "202", "slug": "platform"},
        }
        return known[args.token], []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.name, cast(Inputs, args.inputs)


class Recorder(MockMonitor):
    """Keeps each resource's inputs as they go over the wire, where every secret is marked."""

    def __init__(self) -> None:
        super().__init__(Answers())
        self.wire: list[tuple[str, str, PropertyValue]] = []
        self.requests: list[RegisterResourceRequest] = []

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        self.requests.append(request)
        self.wire.append((request.type, request.name, PropertyValue(PropertyValue.unmarshal_map(request.object))))
        return super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]

    def inputs(self, kind: str) -> list[Inputs]:
        """Inputs of the resources of a kind, secrets as a marker."""
        return [cast(Inputs, shown(value)) for type_, _, value in self.wire if type_.endswith(f":{kind}")]


def shown(value: PropertyValue) -> Any:
    if value.is_secret:
        return "«secret»"
    content = value.value
    if isinstance(content, dict) or hasattr(content, "items"):
        return {key: shown(each) for key, each in cast(dict[str, PropertyValue], content).items()}
    if isinstance(content, list | tuple):
        return [shown(each) for each in cast(list[PropertyValue], content)]
    return content


def declared(changes: Inputs) -> Recorder:
    monitor = Recorder()
    settings = GitHubSettings.model_validate({**SECTION, **changes})

    def program() -> None:
        secrets = {"llm-api-key": pulumi.Output.secret(CANARY)}
        GitHub("github", github_args(settings, "prod", secrets))

    async def run() -> None:
        pulumi.runtime.set_mocks(monitor.mocks, project="mainstay", stack="prod", preview=False, monitor=monitor)
        await run_pulumi_func(program)

    asyncio.run(run())
    return monitor


def test_a_deployment_needs_a_reviewer_who_is_somebody_else_and_no_admin_can_pass_by() -> None:
    (environment,) = declared({}).inputs("RepositoryEnvironment")
    assert environment == {
        "repository": "shop",
        "environment": "prod",
        "reviewers": [{"users": [101], "teams": [202]}],
        "preventSelfReview": True,
        "canAdminsBypass": False,
        "deploymentBranchPolicy": {"protectedBranches": False, "customBranchPolicies": True},
    }


def test_only_the_branches_and_tags_named_may_deploy() -> None:
    policies = declared({"deployFrom": {"branches": ["main", "hotfix/*"], "tags": ["v*"]}}).inputs(
        "RepositoryEnvironmentDeploymentPolicy"
    )
    assert [each.get("branchPattern") or f"tag {each['tagPattern']}" for each in policies] == [
        "hotfix/*",
        "main",
        "tag v*",
    ]


def test_the_ruleset_demands_the_checks_and_has_no_way_round() -> None:
    (ruleset,) = declared({}).inputs("RepositoryRuleset")
    assert ruleset["name"] == "mainstay-prod"
    assert ruleset["enforcement"] == "active"
    assert "bypassActors" not in ruleset
    assert ruleset["conditions"]["refName"]["includes"] == ["refs/heads/main"]
    checks = ruleset["rules"]["requiredStatusChecks"]
    assert [each["context"] for each in checks["requiredChecks"]] == ["ci", "preview"]
    assert checks["strictRequiredStatusChecksPolicy"] is True
    assert ruleset["rules"]["pullRequest"]["requiredApprovingReviewCount"] == 1
    assert not declared({"ruleset": None}).inputs("RepositoryRuleset")


def test_secrets_are_secret_wherever_they_go_and_variables_are_not() -> None:
    monitor = declared({})
    (secret,) = monitor.inputs("ActionsEnvironmentSecret")
    assert secret == {"repository": "shop", "environment": "prod", "secretName": "LLM_API_KEY", "value": "«secret»"}
    (variable,) = monitor.inputs("ActionsEnvironmentVariable")
    assert variable["value"] == "eu-central-1"
    everything = json.dumps([shown(value) for _, _, value in monitor.wire], ensure_ascii=False)
    assert "«secret»" in everything
    assert CANARY not in everything


def test_all_children_hang_under_the_component(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no provider is declared: its class would copy the token of this run into the state."""
    monkeypatch.setenv("GITHUB_TOKEN", CANARY)
    requests = declared({}).requests
    (component,) = [each for each in requests if each.type == "mainstay:index:GitHub"]
    children = [each for each in requests if each.type.startswith("github:")]
    assert len(children) == 6
    assert len({each.name for each in children}) == 6
    for child in children:
        assert child.parent.endswith(f"::{component.name}"), child.name
    assert not [each for each in requests if each.type.startswith("pulumi:providers:")]


def test_without_owner_or_token_a_sentence_says_how_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    pulumi.runtime.set_all_config({"github:owner": "acme"}, [])
    assert missing_access("prod") == [
        "Pulumi.prod.yaml: mainstay:github needs a token that may administer the repository; set it with "
        "`pulumi config set --secret --stack prod github:token` or as GITHUB_TOKEN, or remove the section."
    ]
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    assert missing_access("prod") == []
    monkeypatch.delenv("GITHUB_TOKEN")
    pulumi.runtime.set_all_config({"github:token": "x"}, ["github:token"])
    assert missing_access("prod") == [
        "Pulumi.prod.yaml: mainstay:github needs to know whose repository it is; set it with "
        "`pulumi config set --stack prod github:owner <organization>`, or remove the section."
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"deployFrom": {}}, "neither branches nor tags are named, so that nothing could be deployed"),
        ({"secrets": {"GITHUB_KEY": "llm-api-key"}}, "is not a name GitHub takes for a secret or variable"),
        ({"variables": {"1ST": "x"}}, "is not a name GitHub takes for a secret or variable"),
        ({"reviewers": {"users": list("abcdefg")}}, "GitHub takes 6 reviewers at most, not 7"),
        ({"ruleset": {"branches": ["main"], "requiredChecks": []}}, "at least 1 item"),
    ],
)
def test_what_github_would_refuse_is_refused_at_once(change: Inputs, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        GitHubSettings.model_validate({**SECTION, **change})
