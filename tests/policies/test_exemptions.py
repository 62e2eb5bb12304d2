"""The register of exemptions: an entry that is wrong exempts nothing, says why, and the rule exemption-valid tells."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policies.evaluation import evaluate, unused
from policies.exemptions import LONGEST_DAYS, Exemption, Register, load, parse
from policies.facts import Facts
from policies.model import Outcome
from policies.rules.meta import exemption_valid
from policies.rules.security import image_digest
from policies.stack import Stack
from tests.policies.builders import resource, workload

GOOD: dict[str, Any] = {
    "id": "EX-1",
    "stack": "prod",
    "rule": "image-digest",
    "resource": "Deployment shop/api",
    "reason": " The vendor gives no digests",
    "owner": "platform",
    "approver": "ana",
    "created": date(2026, 11, 1),
    "expires": date(2027, 1, 30),
    "ticket": "OPS-17",
    "compensatingControl": "It is compared by hand",
}
ENTRY = Exemption(
    id="EX-1",
    stack="prod",
    rule="image-digest",
    resource="Deployment shop/api",
    reason="The vendor gives no digests",
    owner="platform",
    approver="ana",
    created=date(2026, 11, 1),
    expires=date(2027, 1, 30),
    ticket="OPS-17",
    compensating_control="It is compared by hand",
)


def test_entries_are_read_and_sorted_by_id() -> None:
    assert parse([{**GOOD, "id": "EX-2"}, GOOD]).entries == (ENTRY, replace(ENTRY, id="EX-2"))
    assert parse([GOOD]).problems == ()
    assert parse(None) == Register()


NOT_ONE = "it must name one resource, e.g. Deployment shop-prod/api"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        *(
            ({key: empty}, [f"{key} must be given"])
            for key in GOOD
            if key not in ("id", "resource")
            for empty in (None, "")
        ),
        ({"resource": None}, ["resource must be given"]),
        ({"resource": ""}, ["resource must be given", f"resource is ''; {NOT_ONE}"]),
        ({"owner": None, "ticket": ""}, ["owner, ticket must be given"]),
        ({"b": 1, "a": 2}, ["the keys a, b are not known"]),
        ({"created": "2026-11-01"}, ["created is '2026-11-01'; it must be a day, e.g. 2026-12-01"]),
        (
            {"expires": datetime(2026, 12, 1)},
            ["expires is datetime.datetime(2026, 12, 1, 0, 0); it must be a day, e.g. 2026-12-01"],
        ),
        *(({key: 7}, [f"{key} must be a text that is not empty"]) for key in ("reason", "stack", "rule", "resource")),
        *(({key: [GOOD[key]]}, [f"{key} must be a text that is not empty"]) for key in ("rule", "resource")),
        *(({key: " "}, [f"{key} must be a text that is not empty"]) for key in ("reason", "ticket")),
        ({"expires": date(2026, 10, 31)}, ["it expires before it was created"]),
        ({"expires": date(2026, 11, 1)}, []),
        (
            {"expires": date(2027, 1, 31)},
            ["it lasts 91 days; 90 are the most: expires must be earlier"],
        ),
        *(
            ({"resource": each}, [f"resource is {each!r}; {NOT_ONE}"])
            for each in ("Deployment shop/*", "Deployment shop/a?", "Deployment [ab]", "everything", "a::b*")
        ),
        ({"resource": "urn:pulumi:prod::shop::kubernetes:core/v1:Service::api"}, []),
        ({"stack": "*"}, ["stack is '*'; it must name one, without a pattern"]),
        ({"rule": "backup-?"}, ["rule is 'backup-?'; it must name one, without a pattern"]),
        ({"rule": "exemption-valid"}, ["nothing can be exempt from exemption-valid"]),
        ({"approver": "platform"}, ["owner and approver are the same; somebody else must approve"]),
        ({"approver": "Platform "}, ["owner and approver are the same; somebody else must approve"]),
        ({"rule": " exemption-valid "}, ["nothing can be exempt from exemption-valid"]),
        ({"approver": "", "owner": ""}, ["owner, approver must be given"]),
    ],
)
def test_what_is_wrong_with_an_entry_is_told_and_it_does_not_count(change: dict[str, Any], problems: list[str]) -> None:
    found = parse([{**GOOD, **change}])
    assert found.problems == tuple(f"exemptions.yaml: EX-1: {each}" for each in problems)
    assert len(found.entries) == (not problems)


def test_two_entries_of_one_id_count_neither() -> None:
    found = parse([GOOD, {**GOOD, "rule": "rpo-met"}, {**GOOD, "id": "EX-2"}, 5, {**GOOD, "id": None}], "other.yaml")
    assert [each.id for each in found.entries] == ["EX-2"]
    assert found.problems == (
        *(["other.yaml: EX-1: there is another entry with this id"] * 2),
        "other.yaml: entry 3: it is not a mapping of keys",
        "other.yaml: entry 4: id must be given",
    )
    assert parse({"id": 1}).problems == ("exemptions.yaml is not a list of entries",)


def test_a_file_that_cannot_be_read_is_a_problem_and_none_is_not(tmp_path: Path) -> None:
    path = tmp_path / "register.yaml"
    assert load(path) == Register()
    path.write_text("[")
    (problem,) = load(path).problems
    assert problem.startswith("register.yaml cannot be read: while parsing")
    path.write_bytes(b"\xff\xfe\xff")
    assert load(path).problems[0].startswith("register.yaml cannot be read: ")
    assert load(tmp_path).problems[0].startswith(f"{tmp_path.name} cannot be read: ")
    path.write_text("- id: 5")
    assert load(path).problems[0].startswith("register.yaml: 5: ")
    assert load().problems == ()


TODAY = date(2026, 11, 25)


def entry(**changes: object) -> Register:
    """The good entry, with some keys changed."""
    return parse([{**GOOD, **changes}])


def outcomes(register: Register, day: date | None = TODAY) -> tuple[Outcome, Outcome, str]:
    """Of the rule on the resource that is named; of the rule about the register, and what it says."""
    image = {"containers": [{"name": "main", "image": "vendor/api:1"}]}
    stack = Stack([workload(pod=image), resource("Stack")], Facts("prod", day, register=register))
    (about,), (digest,) = (result.findings for result in evaluate([image_digest.RULE, exemption_valid.RULE], stack))
    return digest.outcome, about.outcome, "; ".join(about.reasons)


def test_a_good_entry_exempts_and_is_valid() -> None:
    assert outcomes(entry()) == (Outcome.EXEMPT, Outcome.PASS, "")
    last = TODAY + timedelta(days=LONGEST_DAYS)
    assert outcomes(entry(created=TODAY, expires=last)) == (Outcome.EXEMPT, Outcome.PASS, "")


def test_without_entries_nothing_is_exempt() -> None:
    assert outcomes(Register()) == (Outcome.FAIL, Outcome.NOT_APPLICABLE, "nothing is exempt from anything")


@pytest.mark.parametrize(
    "register",
    [
        entry(resource="Deployment shop/*"),
        entry(expires=date(2027, 2, 1)),
        entry(expires="never"),
        entry(approver="platform"),
        entry(until="later"),
        parse([GOOD, {**GOOD, "rule": "another-rule"}]),
        parse({"EX-1": GOOD}),
    ],
)
def test_what_is_wrong_exempts_nothing(register: Register) -> None:
    assert outcomes(register)[:2] == (Outcome.FAIL, Outcome.FAIL)


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2026, 12, 2)])
def test_an_entry_of_the_past_or_of_the_future_exempts_nothing_and_is_told(day: date) -> None:
    said = f"exemption EX-1 counted from 2026-11-01 to 2026-12-01, not on {day}"
    assert outcomes(entry(expires=date(2026, 12, 1)), day) == (Outcome.FAIL, Outcome.FAIL, said)


def test_without_a_day_nothing_is_exempt() -> None:
    assert outcomes(entry(), None)[:2] == (Outcome.FAIL, Outcome.INCONCLUSIVE)


@pytest.mark.parametrize("changes", [{"rule": "image-digests"}, {"resource": "Deployment shop/apis"}, {"stack": "prd"}])
def test_an_entry_for_what_is_not_there_exempts_nothing(changes: dict[str, Any]) -> None:
    assert outcomes(entry(**changes))[0] is Outcome.FAIL


@pytest.mark.parametrize("changes", [{"rule": "image-digests"}, {"resource": "Deployment shop/apis"}])
def test_an_entry_that_exempts_nothing_is_named_as_unused(changes: dict[str, Any]) -> None:
    register = entry(**changes)
    stack = Stack([resource("Stack")], Facts("prod", TODAY, register=register))
    assert [each.id for each in unused(register, evaluate([exemption_valid.RULE], stack), stack)] == ["EX-1"]


def test_an_entry_that_is_wrong_leaves_the_others_what_they_are() -> None:
    register = parse([GOOD, {**GOOD, "id": "EX-2", "expires": "never"}])
    assert [each.id for each in register.entries] == ["EX-1"]
    assert outcomes(register)[:2] == (Outcome.EXEMPT, Outcome.FAIL)


def test_an_entry_of_another_stack_may_have_expired() -> None:
    assert outcomes(entry(stack="staging", expires=date(2026, 11, 2)))[1] is Outcome.PASS
