"""The tables and lists at the end."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

from rich.console import Console

from cli import report
from engine.result import Change, Result, Step
from engine.running import Workload
from policies.model import Enforcement, Finding, Outcome, RuleResult, Severity, Theme
from policies.results import Results


def test_changes_are_listed_property_by_property() -> None:
    change = Change("spec.replicas", "update", False, 1, 3)
    added = Change("spec.paused", "add", False, None, True)
    moved = Change("spec.clusterIP", "update", True, "a", "b")
    text = _text(report.changes, _result([_step("update", change, added), _step("replace", moved), _step("same")]))
    assert "  ~ update   Deployment shop/api\n      spec.replicas: 1 → 3\n      spec.paused: + true\n" in text
    assert "spec.clusterIP: a → b  (forces replacement)" in text
    assert "2 changes: 1 replace, 1 update; 1 unchanged" in text


def test_no_change_says_so() -> None:
    assert report.summary(_result([_step("same")])) == "0 changes; 1 unchanged"
    assert report.summary(_result([_step("create")])) == "1 change: 1 create"


def test_long_values_are_cut_and_on_one_line() -> None:
    change = Change("data.x", "update", False, "line\n" * 50, "short")
    (line,) = [
        each for each in _text(report.changes, _result([_step("update", change)])).splitlines() if "data.x" in each
    ]
    assert "…" in line
    assert len(line) < 120


def test_drift_is_told_apart_from_changes() -> None:
    gone, changed = _step("delete"), _step("update", Change("spec.replicas", "update", False, 1, 9))
    text = _text(report.changes, _result([], drift=[gone, changed]))
    assert "Changed outside Mainstay" in text
    assert "Deployment shop/api  the object is gone" in text
    assert "spec.replicas: 1 → 9" in text


def test_policies_show_counts_and_why_for_all_that_is_no_plain_pass() -> None:
    findings = (
        Finding("a", "Deployment shop/a", Outcome.PASS, ()),
        Finding("b", "Deployment shop/b", Outcome.FAIL, ("it has no probe",)),
        Finding("c", "Deployment shop/c", Outcome.EXEMPT, ("by design",)),
        Finding("d", "Deployment shop/d", Outcome.NOT_APPLICABLE, ("a job",)),
    )
    text = _policies(_rule("probes-present", *findings), _rule("holds", findings[0], findings[3]), _rule("silent"))
    assert "probes-present  mandatory    1     1     1       0" in text
    assert "probes-present: fail: Deployment shop/b: it has no probe" in text
    assert "probes-present: exempt: Deployment shop/c: by design" in text
    assert "shop/d" not in text
    assert "1 of 3 rules hold everywhere, 2 passes in all\nnothing here to ask for 1: silent\n" in text
    assert "holds" not in text.split("nothing here")[1]


def test_of_many_failures_a_few_are_shown_and_the_rest_counted() -> None:
    failures = [Finding(f"{n}", f"Deployment shop/{n}", Outcome.FAIL, ("no",)) for n in range(7)]
    text = _policies(_rule("probes-present", *failures))
    assert text.count("probes-present: fail: Deployment") == 5
    assert "probes-present: fail: and 2 more\n" in text
    assert "more" not in _policies(_rule("probes-present", *failures[:5]))


def test_policies_that_did_not_run_are_not_called_passed() -> None:
    assert "not evaluated" in _text(report.policies, _result([]))


def test_tables_fit_80_columns_and_line_up() -> None:
    workloads = [
        Workload("Deployment", "api", 2, 2, "registry.example/shop/api:1.4.2", 2, ("local-a", "local-b")),
        Workload("StatefulSet", "redis-queue", 0, 1, "docker.io/library/redis:7.4.5-bookworm", 0, ()),
    ]
    lines = [line for line in _text(report.running, workloads).splitlines() if line]
    assert max(map(len, lines)) <= 80
    header, first = lines[1], lines[2]
    assert header.index("name") == first.index("api")
    assert header.index("ready") == first.index("2/2")
    assert header.index("image") == first.index("registry")


def _rule(name: str, *findings: Finding) -> RuleResult:
    return RuleResult(name, Theme.HEALTH, "t", Enforcement.MANDATORY, Severity.HIGH, "r", findings)


def _policies(*rules: RuleResult) -> str:
    return _text(report.policies, _result([], policy=Results("mainstay", "0.1.0", "p", "s", True, 4, rules)))


def _text(show: Any, what: Any) -> str:
    out = StringIO()
    show(Console(file=out, width=80), what)
    return out.getvalue()


def _step(op: Any, *changes: Change) -> Step:
    return Step(
        urn=f"urn:{op}",
        type="kubernetes:apps/v1:Deployment",
        name="api",
        op=op,
        kind="Deployment",
        namespace="shop",
        object_name="api",
        parent=None,
        protected=False,
        changes=changes,
        state="planned",
        seconds=None,
    )


def _result(steps: Sequence[Step], drift: Sequence[Step] = (), policy: Results | None = None) -> Result:
    return Result(
        operation="preview",
        stack="staging",
        started="2026-01-02T03:04:05+00:00",
        seconds=1.0,
        outcome="succeeded",
        steps=tuple(steps),
        drift=tuple(drift),
        policy=policy,
        violations=(),
        outputs={},
        outputs_changed=False,
        diagnostics=(),
    )
