"""Rule service-has-slos: what trips it, what comes close and must not."""

import pytest

from policies.model import Enforcement, Outcome
from policies.rules.service_has_slos import RULE
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import judged, resource

SLO = {"name": "availability", "objective": 99.5}
EMPTY: list[object] = [None, [], {}, [{}], {"availability": {}}, "99"]
NO_PROMISE: list[dict[str, object]] = [{}, *({"slos": empty} for empty in EMPTY)]


@pytest.mark.parametrize("kind", ["HttpService", "Worker"])
@pytest.mark.parametrize("slos", [[SLO], [{}, SLO], {"availability": SLO}, [UNKNOWN, SLO], [{"objective": SECRET}]])
def test_a_declared_objective_passes(kind: str, slos: object) -> None:
    assert judged(RULE, resource(kind, props={"slos": slos}))[f"{kind}/main"].outcome is Outcome.PASS


@pytest.mark.parametrize("kind", ["HttpService", "Worker"])
@pytest.mark.parametrize("props", NO_PROMISE)
def test_an_empty_promise_fails(kind: str, props: dict[str, object]) -> None:
    finding = judged(RULE, resource(kind, props=props))[f"{kind}/main"]
    assert (finding.outcome, finding.reasons) == (Outcome.FAIL, ("it declares no SLO (slos)",))


@pytest.mark.parametrize("slos", [UNKNOWN, SECRET, [UNKNOWN], {"availability": UNKNOWN}, [{}, SECRET]])
def test_what_cannot_be_read_is_inconclusive(slos: object) -> None:
    finding = judged(RULE, resource("Worker", props={"slos": slos}))["Worker/main"]
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Redis"), resource("Deployment"), resource("Service")) == {}


def test_it_only_advises() -> None:
    assert RULE.enforcement is Enforcement.ADVISORY
