"""What passes the gate and what does not: recorded previews against budgets; what ran before as plain data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from budgets import BudgetsError, gate, overrides, revisions
from budgets.gate import Asked, Changes
from budgets.overrides import Override
from budgets.risk import risks
from budgets.status import Budget, Objective
from engine.result import Change, Result, Step
from tests.unit.recorded import recorded

API = Objective("api-availability", "api", "platform", "P1", 0.995, 30)
FULL = Budget(API, 0.999, 0.8, 0.1, 0.1, None, 100, 100_000, None)
SPENT = replace(FULL, attained=0.99, left=-1.0, exhausted_since=0)
UNKNOWN = Asked((), "Prometheus does not answer.")
NEW, OLD = "registry.example/shop/api:1.5.0", "registry.example/shop/api:1.4.2"


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str], Result]:
    """A recorded preview by name."""

    def read(name: str) -> Result:
        result = recorded(name, tmp_path).result
        assert result
        return result

    return read


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", []),
        ("scale", []),
        ("image-bump", [f"Deployment shop/api: image {OLD} → {NEW}", "Deployment shop/web: image "]),
        ("queue-resized", ["StatefulSet shop/redis-queue: is deleted and made anew"]),
        ("database-resized", ["Cluster shop/postgres-main: changes spec.resources.limits.memory, "]),
        ("secret-rotated", ["Deployment shop/api: changes spec.template.", "Secret shop/api-env: changes "]),
    ],
)
def test_what_is_risky(plan: Callable[[str], Result], name: str, expected: list[str]) -> None:
    found = [str(risk) for risk in risks(plan(name))]
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True)), found


def test_what_is_new_or_deleted_is_risky(plan: Callable[[str], Result]) -> None:
    assert "Deployment shop/search: is new" in map(str, risks(plan("new-service")))
    assert "Cluster shop/postgres-main: is deleted" in map(str, risks(plan("database-deleted")))


def test_fewer_replicas_are_risky(plan: Callable[[str], Result]) -> None:
    fewer = _changing(plan("scale"), Change("spec.replicas", "update", False, 3, 1))
    assert [str(risk) for risk in risks(fewer)] == ["Deployment shop/api: replicas 3 → 1"]


def test_more_replicas_do_not_hide_what_else_changes(plan: Callable[[str], Result]) -> None:
    more = Change("spec.replicas", "update", False, 1, 3)
    env = Change("spec.template.spec.containers[0].env[0].value", "update", False, "a", "b")
    assert len(risks(_changing(plan("scale"), more, env))) == 1


@pytest.mark.parametrize(("old", "new", "count"), [("8", "12", 0), ("8", "7500m", 1), ("8", None, 1)])
def test_a_larger_quota_is_harmless(plan: Callable[[str], Result], old: str, new: str | None, count: int) -> None:
    change = Change('spec.hard["requests.cpu"]', "update", False, old, new)
    assert len(risks(_changing(plan("scale"), change, kind="ResourceQuota"))) == count


@pytest.mark.parametrize(
    ("urn", "type_"),
    [
        (
            "urn:pulumi:shop::mainstay::mainstay:index:Observability$kubernetes:apps/v1:Deployment::grafana",
            "kubernetes:apps/v1:Deployment",
        ),
        (
            "urn:pulumi:shop::mainstay::mainstay:index:HttpService$kubernetes:monitoring.coreos.com/v1:PodMonitor::api",
            "kubernetes:monitoring.coreos.com/v1:PodMonitor",
        ),
        ("urn:pulumi:shop::mainstay::mainstay:index:GitHub$github:index:Variable::x", "github:index:Variable"),
    ],
)
def test_what_only_watches_is_harmless(plan: Callable[[str], Result], urn: str, type_: str) -> None:
    assert risks(_each(plan("image-bump"), lambda step: replace(step, urn=urn, type=type_))) == []


def test_a_first_deployment_is_harmless_as_nothing_runs(plan: Callable[[str], Result]) -> None:
    first = _each(plan("image-bump"), lambda step: replace(step, op="create"))
    only = replace(first, steps=first.changed)
    assert risks(only) == []
    assert len(risks(first)) == 2


def _template(image: str, level: str = "info") -> Any:
    container = {"name": "api", "image": image, "env": [{"name": "LOG_LEVEL", "value": level}]}
    return {"metadata": {}, "spec": {"containers": [container], "dnsPolicy": "ClusterFirst"}}


IMAGE = Change("spec.template.spec.containers[0].image", "update", False, OLD, NEW)
LEVEL = Change("spec.template.spec.containers[0].env[0].value", "update", False, "info", "debug")
SECRET = Change(
    'spec.template.metadata.annotations["mainstay.dev/fingerprint"]', "update", False, "[secret]", "[secret]"
)
STRATEGY = Change("spec.strategy.rollingUpdate", "delete", False, {}, None)
REPLICAS = Change("spec.replicas", "update", False, 3, 1)


@pytest.mark.parametrize(
    ("changes", "revisions_", "back"),
    [
        ([IMAGE], [_template(NEW)], True),
        ([IMAGE], [_template(OLD)], False),
        ([IMAGE], [], False),
        ([IMAGE, LEVEL], [_template(NEW, "debug")], True),
        # Each of them ran, but never together.
        ([IMAGE, LEVEL], [_template(NEW), _template(OLD, "debug")], False),
        ([IMAGE, SECRET], [_template(NEW)], False),
        ([IMAGE, REPLICAS], [_template(NEW)], False),
        ([IMAGE, STRATEGY], [_template(NEW)], False),
    ],
)
def test_a_way_back_is_what_one_revision_had(
    plan: Callable[[str], Result], changes: list[Change], revisions_: list[Any], back: bool
) -> None:
    known = {("Deployment", "shop", "api"): revisions_}
    assert revisions.goes_back(risks(_changing(plan("scale"), *changes)), lambda: known) == back


def test_a_way_back_of_one_service_takes_no_other_along(plan: Callable[[str], Result]) -> None:
    known = {("Deployment", "shop", "api"): [_template(NEW)]}
    assert not revisions.goes_back(risks(plan("image-bump")), lambda: known)


@pytest.mark.parametrize(
    ("asked", "unreachable", "name", "back", "passes"),
    [
        (Asked((FULL,), None), "refuse", "image-bump", False, True),
        (Asked((replace(FULL, left=None),), None), "refuse", "image-bump", False, True),
        (Asked((SPENT,), None), "refuse", "image-bump", False, False),
        (Asked((SPENT,), None), "allow", "image-bump", False, False),
        (Asked((SPENT,), None), "refuse", "image-bump", True, True),
        (Asked((SPENT,), None), "refuse", "scale", False, True),
        (UNKNOWN, "refuse", "image-bump", False, False),
        (UNKNOWN, "refuse", "scale", False, True),
        (UNKNOWN, "allow", "image-bump", False, True),
    ],
)
def test_the_verdict(
    plan: Callable[[str], Result], asked: Asked, unreachable: str, name: str, back: bool, passes: bool
) -> None:
    verdict = gate.judge(asked, unreachable, lambda: Changes(risks(plan(name)), lambda: back))
    assert verdict.passes == passes
    assert all((asked.unknown or reason) in verdict.why for reason in asked.reasons)


def test_nothing_is_previewed_while_no_budget_is_exhausted() -> None:
    def unwanted() -> Changes:
        raise AssertionError

    assert gate.judge(Asked((FULL,), None), "refuse", unwanted).passes


def test_a_budget_spent_to_the_last_event_is_exhausted_whatever_rounding_left() -> None:
    assert replace(FULL, left=2e-16).exhausted
    assert not replace(FULL, left=0.001).exhausted


def test_overrides_are_appended_and_read_back_by_stack_and_time(tmp_path: Path) -> None:
    noon = 1_760_000_000
    for stack, time in (("prod", noon), ("staging", noon), ("prod", noon + 60)):
        overrides.record(tmp_path, Override(overrides.stamp(time), stack, "ana", f"at {time}", ["x"], ["y"]))
    assert [each.reason for each in overrides.read(tmp_path, "prod", noon, noon + 61)] == [
        f"at {noon}",
        f"at {noon + 60}",
    ]
    assert len(overrides.read(tmp_path, "prod", noon, noon + 60)) == 1
    with (tmp_path / overrides.FILE).open("a") as file:
        file.write("{}\n")
    with pytest.raises(BudgetsError, match=r"line 4: this is no record of an override"):
        overrides.read(tmp_path, "prod", 0, noon)


def test_what_cannot_be_recorded_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / ".mainstay").write_text("a file where a folder should be")
    with pytest.raises(BudgetsError, match="so it does not count"):
        overrides.record(tmp_path, Override("", "prod", "ana", "why", [], []))


def _each(plan: Result, change: Callable[[Step], Step]) -> Result:
    return replace(plan, steps=tuple(step if step not in plan.changed else change(step) for step in plan.steps))


def _changing(plan: Result, *changes: Change, kind: str = "Deployment") -> Result:
    return _each(plan, lambda step: replace(step, changes=changes, kind=kind))


def test_a_step_says_all_that_is_risky_in_it(plan: Callable[[str], Result]) -> None:
    (risk, _) = risks(_each(plan("image-bump"), lambda step: replace(step, changes=(IMAGE, REPLICAS, LEVEL))))
    assert str(risk).endswith(
        f"image {OLD} → {NEW}; replicas 3 → 1; changes spec.template.spec.containers[0].env[0].value"
    )
