"""The repository's own staging, whole: everything it declares stands on a real API server, twice the same."""

import shutil
from pathlib import Path

from devcluster.cluster import Cluster
from stacks.environment import load
from stacks.render import render
from tests.engine.product import REPOSITORY, Product, changes


def test_all_of_staging_deploys_and_a_second_up_changes_nothing(cluster: Cluster, cluster_root: Path) -> None:
    product = Product(cluster_root)
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copy(file, cluster_root)
    first = product.run("up", "staging")
    assert first.code == 0, first.text
    declared = {(each.kind, each.name) for each in render(load(REPOSITORY, "staging"))}
    assert product.recorded("staging") == declared
    again = product.run("up", "staging")
    assert (again.code, changes(again.out)) == (0, 0), again.text
    down = product.run("down", "staging")
    assert down.code == 0, down.text
