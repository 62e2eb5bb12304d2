"""The budget gate inside `mainstay up` on a cluster that the environment names: a genuine Prometheus, engine and API.

What the gate finds, and what it says, is in test_budgets_verbs.py; here is what becomes of the deployment. The tests go
on from each other, in the order of the file.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import devcluster.cluster
import devcluster.toolchain
from budgets import overrides
from tests.data.budgets_prometheus import STEP, Past, inventory, promised, running
from tests.engine.product import Ended
from tests.engine.team import CONTEXT, STACK, Team, make_team

FIRST, SECOND, THIRD = (f"registry.example/shop/api:{version}" for version in ("1.4.2", "1.5.0", "1.6.0"))
NOWHERE = "http://127.0.0.1:1"
KINDS = "deployments,secrets,services,networkpolicies,resourcequotas,poddisruptionbudgets"


@dataclass(frozen=True)
class Gated:
    """A team whose environment asks the gate."""

    team: Team
    kubectl: Path
    spent: str
    """Address of a Prometheus that says: the budget is exhausted."""

    def up(self, image: str, *options: str, prometheus: str = "", unreachable: str = "refuse") -> Ended:
        """Deploys the image of the service; `prometheus` other than `spent`."""
        self.team.declare({"prometheus": prometheus or self.spent, "unreachable": unreachable}, image=image)
        return self.team.run("up", STACK, *options)

    def objects(self) -> dict[str, Any]:
        """What stands on the API server, by kind and name, as it was asked for."""
        command = [self.kubectl, "--kubeconfig", self.team.variables["KUBECONFIG"], "--context", CONTEXT]
        listing = subprocess.run(
            [*command, "-n", "shop-real", "get", KINDS, "-o", "json"], check=True, capture_output=True
        )
        return {
            f"{each['kind']}/{each['metadata']['name']}": {key: each.get(key) for key in ("spec", "data")}
            for each in json.loads(listing.stdout)["items"]
        }

    def image(self) -> str:
        return self.objects()["Deployment/api"]["spec"]["template"]["spec"]["containers"][0]["image"]

    def history(self) -> list[dict[str, Any]]:
        """The deployments that Pulumi's backend knows, newest first."""
        return json.loads(self.team.pulumi("stack", "history", "--json", "--stack", STACK))

    def overridden(self) -> list[dict[str, Any]]:
        file = self.team.product.root / overrides.FILE
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []

    def state(self) -> object:
        """All that a deployment leaves behind."""
        return self.objects(), self.history(), self.overridden()


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    now = int(time.time()) // STEP * STEP
    times = range(now - 86_400, now + 7200, STEP)

    def told() -> Iterator[Past]:
        yield promised("api-availability", 0.995, times)
        yield Past("slo:budget_left:ratio", inventory("api-availability"), ((at, -0.38) for at in times))
        yield Past("slo:bad:events", {"slo": "api-availability"}, ((at, 4140) for at in times))
        yield Past("slo:total:events", {"slo": "api-availability"}, ((at, 600_000) for at in times))

    with running(tmp_path_factory.mktemp("spent"), told()) as url:
        yield url


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, spent: str) -> Iterator[Gated]:
    """A team that has deployed nothing yet, on a cluster of its own."""
    toolchain = devcluster.toolchain.ensure(print)
    root = tmp_path_factory.mktemp("cluster")
    try:
        team = make_team(tmp_path_factory.mktemp("real"), devcluster.cluster.start(root, print), toolchain)
        team.pulumi("stack", "init", STACK)
        team.set_secrets()
        yield Gated(team, toolchain.path("kubectl"), spent)
    finally:
        devcluster.cluster.stop(root, print, delete=True)


def test_the_first_deployment_passes_as_nothing_runs_that_it_could_hurt(gated: Gated) -> None:
    deployed = gated.up(FIRST, "--yes")
    assert deployed.code == 0, deployed.text
    assert "Budget gate: passes. Nothing in this change is risky." in deployed.out
    assert "Simulated" not in deployed.out
    assert gated.image() == FIRST


def test_a_risky_change_is_refused_and_nothing_is_changed(gated: Gated) -> None:
    before = gated.state()
    # Asked before the question: nobody is to agree to what will be refused.
    for options in ((), ("--yes",)):
        refused = gated.up(SECOND, *options)
        assert refused.code == 1, refused.text
        assert refused.err.startswith("error: The budget gate refuses this change.\napi-availability: 99.31 % attained")
        assert f"Risky in this change: Deployment shop-real/api: image {FIRST} → {SECOND}.\n" in refused.err
        assert "Nothing was changed." in refused.err
    assert gated.state() == before


def test_an_override_counts_only_with_a_name_and_only_if_the_change_is_agreed_to(gated: Gated) -> None:
    before = gated.state()
    nameless = gated.up(SECOND, "--yes", "--override", "1.5.0 is the fix")
    assert (nameless.code, nameless.err.partition(" belong")[0]) == (1, "error: --override REASON and --by WHO")
    unasked = gated.up(SECOND, "--override", "1.5.0 is the fix", "--by", "ana")
    assert (unasked.code, unasked.err.partition(" only")[0]) == (1, "error: A real cluster is")
    assert gated.state() == before


def test_an_override_that_cannot_be_recorded_changes_nothing(gated: Gated) -> None:
    before = gated.state()
    folder = gated.team.product.root / overrides.FILE.parent
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where a folder should be")
    try:
        refused = gated.up(SECOND, "--yes", "--override", "1.5.0 is the fix", "--by", "ana")
    finally:
        folder.unlink()
    assert refused.code == 1
    assert "so it does not count" in refused.err
    assert gated.state() == before


def test_an_override_deploys_and_is_recorded_in_the_clone_and_in_pulumis_history(gated: Gated) -> None:
    deployed = gated.up(SECOND, "--yes", "--override", "1.5.0 is the fix", "--by", "ana")
    assert deployed.code == 0, deployed.text
    assert "Budget gate: overridden by ana: 1.5.0 is the fix (recorded in .mainstay/gate/" in deployed.out
    assert gated.image() == SECOND
    (record,) = gated.overridden()
    assert (record["stack"], record["by"], record["reason"]) == (STACK, "ana", "1.5.0 is the fix")
    assert record["risks"] == [f"Deployment shop-real/api: image {FIRST} → {SECOND}"]
    newest = gated.history()[0]
    assert (newest["kind"], newest["result"]) == ("update", "succeeded")
    assert newest["message"] == "Budget gate overridden by ana: 1.5.0 is the fix"


def test_what_ran_before_passes_at_once(gated: Gated) -> None:
    """The cluster itself is asked which revisions it has had."""
    deployed = gated.up(FIRST, "--yes")
    assert deployed.code == 0, deployed.text
    assert "Budget gate: passes. This change goes back to what ran before." in deployed.out
    assert "overridden at" in deployed.out
    assert gated.image() == FIRST
    assert len(gated.overridden()) == 1


def test_without_prometheus_it_is_refused_and_nothing_is_changed(gated: Gated) -> None:
    before = gated.state()
    refused = gated.up(THIRD, "--yes", prometheus=NOWHERE)
    assert refused.code == 1, refused.text
    assert f"Prometheus does not answer at {NOWHERE}: connection refused." in refused.err
    assert gated.state() == before


def test_without_prometheus_it_passes_where_the_environment_allows_it(gated: Gated) -> None:
    deployed = gated.up(THIRD, "--yes", prometheus=NOWHERE, unreachable="allow")
    assert deployed.code == 0, deployed.text
    assert f"Budget gate: passes. Prometheus does not answer at {NOWHERE}: connection refused." in deployed.out
    assert gated.image() == THIRD
    assert len(gated.overridden()) == 1
