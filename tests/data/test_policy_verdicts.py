"""The same program gives the same verdict, however often one looks, and in whatever order the engine tells of it."""

import pytest

import devcluster.toolchain
from devcluster.toolchain import Toolchain
from policies.model import Outcome
from tests.engine.policy_runs import Runner, one_violation, project, run

__all__ = ["project", "run"]

TIMES = 20


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return devcluster.toolchain.ensure(print)


def test_unknown_values_hide_no_violation_twenty_times_in_a_row(run: Runner) -> None:
    first = run(one_violation)
    assert not first.succeeded
    backup = first.rule("stateful-has-backup")
    assert [finding.subject for finding in backup.of(Outcome.FAIL)] == ["StatefulSet shop/redis"]
    assert backup.count(Outcome.INCONCLUSIVE) == 18
    for _ in range(TIMES - 1):
        again = run(one_violation)
        assert (again.succeeded, again.found) == (False, first.found)
