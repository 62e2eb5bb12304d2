"""Every rule over every resource: nothing passes by accident, nothing takes the others down."""

import random
from collections.abc import Callable

import pytest

from policies import model
from policies.evaluation import evaluate
from policies.model import Enforcement, Outcome, Resource, Rule, Severity, Stack, Verdict
from policies.values import SECRET, UNKNOWN, Marker, Undecided
from tests.policies.builders import changed, resource

FAULTY = Verdict(faults=("it is wrong",))
OPEN = Verdict(undecided=("spec is not known before the deployment",))


def rule(judge: Callable[[Resource, Stack], Verdict | None], rule_id: str = "a-rule") -> Rule:
    return Rule(
        id=rule_id,
        title="Title",
        enforcement=Enforcement.MANDATORY,
        severity=Severity.LOW,
        frameworks=(),
        remediation="Mend it.",
        judge=judge,
    )


def answering(verdict: Verdict | None, rule_id: str = "a-rule") -> Rule:
    return rule(lambda _resource, _stack: verdict, rule_id)


def outcome(verdict: Verdict, subject: Resource | None = None) -> tuple[Outcome, tuple[str, ...]]:
    (result,) = evaluate([answering(verdict)], Stack([subject or resource("Service")]))
    return result.findings[0].outcome, result.findings[0].reasons


def exempted(reason: object) -> Resource:
    return changed(resource("Service"), "metadata.annotations", {"policy.mainstay.dev/a-rule": reason})


def test_outcomes() -> None:
    assert outcome(Verdict()) == (Outcome.PASS, ())
    assert outcome(FAULTY) == (Outcome.FAIL, ("it is wrong",))
    assert outcome(OPEN) == (Outcome.INCONCLUSIVE, OPEN.undecided)
    assert outcome(Verdict(not_applicable="because")) == (Outcome.NOT_APPLICABLE, ("because",))
    assert outcome(Verdict(FAULTY.faults, OPEN.undecided)) == (Outcome.FAIL, ("it is wrong",))


def test_an_exemption_needs_a_reason_and_something_to_exempt() -> None:
    assert outcome(FAULTY, exempted(" known and accepted ")) == (Outcome.EXEMPT, ("known and accepted",))
    assert outcome(OPEN, exempted("known")) == (Outcome.EXEMPT, ("known",))
    assert outcome(Verdict(), exempted("known")) == (Outcome.PASS, ())
    assert outcome(FAULTY, exempted(""))[0] is Outcome.FAIL
    assert outcome(OPEN, exempted(""))[0] is Outcome.FAIL
    assert outcome(FAULTY, exempted(None)) == (Outcome.FAIL, ("it is wrong",))


@pytest.mark.parametrize("reason", [UNKNOWN, SECRET])
def test_an_exemption_that_cannot_be_read_exempts_nothing(reason: object) -> None:
    assert outcome(FAULTY, exempted(reason))[0] is Outcome.FAIL
    assert outcome(OPEN, exempted(reason))[0] is Outcome.INCONCLUSIVE
    assert outcome(FAULTY, changed(resource("Service"), "metadata", reason))[0] is Outcome.FAIL


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
    read = model._text_or_marker  # pyright: ignore[reportPrivateUsage]

    def counted(subject: Resource, path: tuple[str, ...]) -> str | Marker:
        nonlocal reads
        reads += 1
        return read(subject, path)

    def judge(subject: Resource, stack: Stack) -> Verdict:
        assert stack.find("core/Service", "shop", ("metadata", "name"), subject.name).certain == (subject,)
        return Verdict()

    monkeypatch.setattr(model, "_text_or_marker", counted)
    evaluate([rule(judge)], Stack(resource("Service", f"s{number}") for number in range(200)))
    # The name searched for, the namespace, and the name in messages.
    assert reads <= 3 * 200
