"""An environment that names its cluster: nothing is guessed, nothing generated, nothing done unasked."""

import pytest

from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from tests.engine.product import changes
from tests.engine.team import STACK, Team, make_team


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, toolchain: Toolchain) -> Team:
    return make_team(tmp_path_factory.mktemp("real"), cluster, toolchain)


def test_a_stack_the_backend_does_not_have_is_told(team: Team) -> None:
    ended = team.run("preview", STACK)
    assert ended.code == 1
    assert ended.err.startswith("error: Your Pulumi backend has no stack real: `pulumi stack init real` makes it")


def test_missing_secrets_are_listed_as_the_commands_that_set_them(team: Team) -> None:
    team.pulumi("stack", "init", STACK)
    ended = team.run("up", STACK, "--yes")
    assert ended.code == 1
    assert ended.err.splitlines()[1:] == [
        "  pulumi config set --secret --stack real secrets:session-key",
        "  pulumi config set --secret --stack real secrets:token",
    ]
    assert "Traceback" not in ended.text


def test_it_is_deployed_only_after_a_question(team: Team) -> None:
    team.set_secrets()
    asked = team.run("up", STACK)
    assert asked.code == 1
    assert "Namespace shop-real" in asked.out
    assert asked.err.startswith("error: A real cluster is only changed after a question")
    agreed = team.run("up", STACK, "--yes")
    assert agreed.code == 0, agreed.text
    assert changes(agreed.out.splitlines()[-1]) > 5
    assert "Simulated" not in agreed.out
    assert not (team.product.root / ".mainstay" / "state").exists()


def test_down_wants_the_name_typed(team: Team) -> None:
    ended = team.run("down", STACK)
    assert ended.code == 1
    assert "there is no terminal to ask" in ended.err
