"""Every rule over every resource: nothing passes by accident, nothing takes the others down."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies import exemptions
from policies import stack as stack_module
from policies.evaluation import evaluate, unused
from policies.exemptions import Register
from policies.facts import Facts
from policies.model import Enforcement, Outcome, Rule, RuleResult, Severity, Theme, Verdict
from policies.stack import Resource, Stack
from policies.values import Marker, Undecided
from tests.policies.builders import exemption_entry, resource

FAULTY = Verdict(faults=("it is wrong",))
OPEN = Verdict(undecided=("spec is not known before the deployment",))


def rule(judge: Callable[[Resource, Stack], Verdict | None], rule_id: str = "a-rule") -> Rule:
    return Rule(
        id=rule_id,
        theme=Theme.HEALTH,
        title="Title",
        why="Because.",
        applies_to="everything",
        enforcement=Enforcement.MANDATORY,
        severity=Severity.LOW,
        controls=(),
        remediation="Mend it.",
        judge=judge,
    )


def answering(verdict: Verdict | None, rule_id: str = "a-rule") -> Rule:
    return rule(lambda _resource, _stack: verdict, rule_id)


def outcome(verdict: Verdict) -> tuple[Outcome, tuple[str, ...]]:
    (result,) = evaluate([answering(verdict)], Stack([resource("Service")]))
    return result.findings[0].outcome, result.findings[0].reasons


def test_outcomes() -> None:
    assert outcome(Verdict()) == (Outcome.PASS, ())
    assert outcome(FAULTY) == (Outcome.FAIL, ("it is wrong",))
    assert outcome(OPEN) == (Outcome.INCONCLUSIVE, OPEN.undecided)
    assert outcome(Verdict(not_applicable="because")) == (Outcome.NOT_APPLICABLE, ("because",))
    assert outcome(Verdict(FAULTY.faults, OPEN.undecided)) == (Outcome.FAIL, ("it is wrong",))


def register(**changes: object) -> Register:
    return exemptions.parse([exemption_entry(**changes)])


def exempted(verdict: Verdict, day: date | None = date(2026, 11, 20), **changes: object) -> RuleResult:
    facts = Facts("staging", day, register=register(**changes))
    (result,) = evaluate([answering(verdict)], Stack([resource("Service"), resource("Service", "other")], facts))
    return result


@pytest.mark.parametrize("verdict", [FAULTY, OPEN])
@pytest.mark.parametrize("named", ["Service shop/main", resource("Service").urn])
def test_an_exemption_covers_one_resource_and_shows_who_answers_for_it(verdict: Verdict, named: str) -> None:
    main, other = exempted(verdict, resource=named).findings
    assert (main.outcome, main.exemption) == (Outcome.EXEMPT, "EX-1")
    assert main.reasons == ("EX-1: known and accepted (owner platform, until 2026-12-01)",)
    assert other.outcome is (Outcome.FAIL if verdict is FAULTY else Outcome.INCONCLUSIVE)


def test_a_pass_needs_no_exemption() -> None:
    assert exempted(Verdict()).findings[0].outcome is Outcome.PASS


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2026, 12, 2), None])
def test_an_exemption_counts_from_its_first_day_to_its_last(day: date | None) -> None:
    assert exempted(FAULTY, day).findings[0].outcome is Outcome.FAIL
    for counted in (date(2026, 11, 1), date(2026, 12, 1)):
        assert exempted(FAULTY, counted).findings[0].outcome is Outcome.EXEMPT


@pytest.mark.parametrize(
    "changes",
    [
        {"stack": "prod"},
        {"rule": "another-rule"},
        {"resource": "Service shop/maine"},
        {"resource": "Service shop/*"},
        {"approver": ""},
        {"expires": date(2027, 2, 1)},
    ],
)
def test_what_an_exemption_does_not_name_or_says_wrongly_stays_a_failure(changes: dict[str, Any]) -> None:
    assert exempted(FAULTY, **changes).findings[0].outcome is Outcome.FAIL


def test_an_entry_that_exempts_nothing_is_told_if_it_is_for_this_stack_and_still_counts() -> None:
    def left(verdict: Verdict, day: date = date(2026, 11, 20), **changes: object) -> list[str]:
        facts = Facts("staging", day, register=register(**changes))
        stack = Stack([resource("Service")], facts)
        return [each.id for each in unused(facts.register, evaluate([answering(verdict)], stack), stack)]

    assert left(FAULTY) == []
    assert left(Verdict()) == ["EX-1"]
    assert left(Verdict(), stack="prod") == []
    assert left(Verdict(), date(2027, 1, 1)) == []


def test_rules_about_rules_come_last_and_see_the_others() -> None:
    def judge(_subject: Resource, stack: Stack) -> Verdict:
        return Verdict(tuple(result.id for result in stack.results))

    meta = replace(rule(judge, "a-meta-rule"), theme=Theme.META)
    results = evaluate([meta, answering(OPEN, "b"), answering(OPEN, "a")], Stack([resource("Service")]))
    assert [result.id for result in results] == ["a", "a-meta-rule", "b"]
    assert results[1].findings[0].reasons == ("a", "b")


def test_a_fault_in_a_rule_stays_there() -> None:
    def broken(subject: Resource, _stack: Stack) -> Verdict:
        raise KeyError(subject.name)

    broken_result, good = evaluate(
        [rule(broken, "broken"), answering(Verdict(), "good")],
        Stack([resource("Service", "a"), resource("Service", "b")]),
    )
    assert [(found.outcome, found.reasons) for found in broken_result.findings] == [
        (Outcome.ERROR, ("KeyError: 'a'",)),
        (Outcome.ERROR, ("KeyError: 'b'",)),
    ]
    assert good.count(Outcome.PASS) == 2


def test_an_unreadable_value_costs_its_own_resource_only() -> None:
    def judge(subject: Resource, _stack: Stack) -> Verdict:
        if subject.name == "a":
            raise Undecided("spec is a secret")
        return FAULTY

    (result,) = evaluate([rule(judge)], Stack([resource("Service", "a"), resource("Service", "b")]))
    assert [found.outcome for found in result.findings] == [Outcome.INCONCLUSIVE, Outcome.FAIL]


def test_the_order_of_the_engine_changes_nothing() -> None:
    resources = [resource("Service", f"s{number}") for number in range(20)]
    rules = [answering(FAULTY, "b"), answering(OPEN, "a")]
    expected = evaluate(rules, Stack(resources))
    for seed in range(10):
        random.Random(seed).shuffle(resources)  # noqa: S311
        assert evaluate(reversed(rules), Stack(resources)) == expected
    assert [result.id for result in expected] == ["a", "b"]


def test_a_rule_that_asked_nothing_of_anyone_shows() -> None:
    (nobody,) = evaluate([answering(None)], Stack([resource("Service")]))
    assert (nobody.findings, nobody.evaluated, nobody.vacuous) == ((), 0, True)
    (excused,) = evaluate([answering(Verdict(not_applicable="because"))], Stack([resource("Service")]))
    assert (excused.count(Outcome.NOT_APPLICABLE), excused.evaluated, excused.vacuous) == (1, 0, True)
    (seen,) = evaluate([answering(Verdict())], Stack([resource("Service")]))
    assert (seen.evaluated, seen.vacuous) == (1, False)


def test_the_level_can_be_set_and_a_disabled_rule_shows_as_such() -> None:
    stack = Stack([resource("Service")])
    (advisory,) = evaluate([answering(FAULTY)], stack, {"a-rule": Enforcement.ADVISORY})
    assert (advisory.enforcement, advisory.count(Outcome.FAIL)) == (Enforcement.ADVISORY, 1)
    (disabled,) = evaluate([answering(FAULTY)], stack, {"a-rule": Enforcement.DISABLED})
    assert (disabled.enforcement, disabled.findings, disabled.vacuous) == (Enforcement.DISABLED, (), True)


def test_a_search_reads_every_resource_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    read = stack_module._text_or_marker  # pyright: ignore[reportPrivateUsage]

    def counted(subject: Resource, path: tuple[str, ...]) -> str | Marker:
        nonlocal reads
        reads += 1
        return read(subject, path)

    def judge(subject: Resource, stack: Stack) -> Verdict:
        assert stack.find("core/Service", "shop", ("metadata", "name"), subject.name).certain == (subject,)
        return Verdict()

    monkeypatch.setattr(stack_module, "_text_or_marker", counted)
    evaluate([rule(judge)], Stack(resource("Service", f"s{number}") for number in range(200)))
    # The name searched for, the namespace, and the name in messages.
    assert reads <= 3 * 200
