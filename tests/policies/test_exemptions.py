"""The register of exemptions: an entry that is wrong exempts nothing, and the rule exemption-valid tells."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import exemptions
from policies.evaluation import evaluate, unused
from policies.exemptions import LONGEST_DAYS, Register
from policies.facts import Facts
from policies.model import Outcome
from policies.rules.meta import exemption_valid
from policies.rules.security import image_digest
from policies.stack import Stack
from tests.policies.builders import resource, workload

GOOD = """\
- id: EX-1
  stack: prod
  rule: image-digest
  resource: Deployment shop/api
  reason: The registry of the vendor gives no digests
  owner: platform
  approver: ana
  created: 2026-11-01
  expires: 2026-12-01
  ticket: OPS-17
  compensatingControl: The image is compared by hand at each update
"""
TODAY = date(2026, 11, 25)
GONE = object()


def written(tmp_path: Path, text: str) -> Register:
    (file := tmp_path / "exemptions.yaml").write_text(text)
    return exemptions.load(file)


def entry(**changes: object) -> Register:
    """The good entry, with some keys changed or `GONE`."""
    values = {**yaml.safe_load(GOOD)[0], **changes}
    return exemptions.parse([{key: value for key, value in values.items() if value is not GONE}])


def outcomes(register: Register, day: date | None = TODAY) -> tuple[Outcome, Outcome, str]:
    """Of the rule on the resource that is named; of the rule about the register, and what it says."""
    image = {"containers": [{"name": "main", "image": "vendor/api:1"}]}
    stack = Stack([workload(pod=image), resource("Stack")], Facts("prod", day, register=register))
    (about,), (digest,) = (result.findings for result in evaluate([image_digest.RULE, exemption_valid.RULE], stack))
    return digest.outcome, about.outcome, "; ".join(about.reasons)


def test_a_good_entry_exempts_and_is_valid(tmp_path: Path) -> None:
    assert outcomes(written(tmp_path, GOOD)) == (Outcome.EXEMPT, Outcome.PASS, "")
    last = TODAY + timedelta(days=LONGEST_DAYS)
    assert outcomes(entry(created=TODAY, expires=last)) == (Outcome.EXEMPT, Outcome.PASS, "")


def test_without_entries_nothing_is_exempt(tmp_path: Path) -> None:
    nothing = (Outcome.FAIL, Outcome.NOT_APPLICABLE, "nothing is exempt from anything")
    assert outcomes(exemptions.load(tmp_path / "none.yaml")) == nothing
    assert outcomes(written(tmp_path, "# Nothing.\n[]\n")) == nothing


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # Too wide.
        ({"resource": "Deployment shop/*"}, "EX-1: resource is 'Deployment shop/*'; it must name one resource"),
        ({"resource": "Deployment shop/ap?"}, "it must name one resource"),
        ({"resource": "Deployment shop/[a-z]pi"}, "it must name one resource"),
        ({"resource": "Deployment"}, "it must name one resource"),
        ({"rule": "*"}, "rule is '*'; it must name one, without a pattern"),
        ({"stack": "pro*"}, "stack is 'pro*'; it must name one, without a pattern"),
        ({"rule": ["image-digest"]}, "rule must be a text"),
        ({"resource": ["Deployment shop/api"]}, "resource must be a text"),
        # Too long, or at no time.
        ({"expires": date(2026, 11, 1) + timedelta(days=LONGEST_DAYS + 1)}, "it lasts 91 days; 90 are the most"),
        ({"expires": date(2026, 10, 31)}, "it expires before it was created"),
        ({"expires": "2026-12-01"}, "expires is '2026-12-01'; it must be a day"),
        ({"expires": "never"}, "expires is 'never'; it must be a day"),
        ({"created": GONE}, "created must be given"),
        ({"expires": GONE}, "expires must be given"),
        # Nobody answers for it.
        ({"owner": ""}, "owner must be given"),
        ({"approver": "  "}, "approver must be a text that is not empty"),
        ({"approver": "platform"}, "owner and approver are the same"),
        ({"approver": "Platform "}, "owner and approver are the same"),
        ({"ticket": 17}, "ticket must be a text"),
        ({"reason": GONE, "compensatingControl": GONE}, "reason, compensatingControl must be given"),
        ({"id": GONE}, "id must be given"),
        ({"until": "later"}, "the keys until are not known"),
    ],
)
def test_an_entry_that_is_wrong_exempts_nothing(changes: dict[str, Any], said: str) -> None:
    digest, about, reasons = outcomes(entry(**changes))
    assert (digest, about) == (Outcome.FAIL, Outcome.FAIL)
    assert said in reasons


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {", "exemptions.yaml cannot be read"),
        (GOOD.replace("2026-12-01", "2026-02-30"), "exemptions.yaml cannot be read: day"),
        ("EX-1: {}", "exemptions.yaml is not a list of entries"),
        ("- EX-1", "entry 0: it is not a mapping of keys"),
        (GOOD + GOOD.replace("image-digest", "another-rule"), "EX-1: there is another entry with this id"),
    ],
)
def test_a_register_that_cannot_be_read_exempts_nothing(text: str, said: str, tmp_path: Path) -> None:
    digest, about, reasons = outcomes(written(tmp_path, text))
    assert (digest, about) == (Outcome.FAIL, Outcome.FAIL)
    assert said in reasons


def test_bytes_that_are_no_text_exempt_nothing(tmp_path: Path) -> None:
    (file := tmp_path / "exemptions.yaml").write_bytes(GOOD.encode() + b"\xff")
    assert outcomes(exemptions.load(file))[:2] == (Outcome.FAIL, Outcome.FAIL)


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2026, 12, 2)])
def test_an_entry_of_the_past_or_of_the_future_exempts_nothing_and_is_told(day: date) -> None:
    said = f"exemption EX-1 counted from 2026-11-01 to 2026-12-01, not on {day}"
    assert outcomes(entry(), day) == (Outcome.FAIL, Outcome.FAIL, said)


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
    good = yaml.safe_load(GOOD)[0]
    register = exemptions.parse([good, {**good, "id": "EX-2", "expires": "never"}])
    assert [each.id for each in register.entries] == ["EX-1"]
    assert outcomes(register)[:2] == (Outcome.EXEMPT, Outcome.FAIL)


def test_the_register_cannot_exempt_itself() -> None:
    for rule in ("exemption-valid", " exemption-valid "):
        register = entry(rule=rule, resource="Stack main")
        assert register.entries == ()
        assert "nothing can be exempt from" in register.problems[0]


def test_an_entry_of_another_stack_may_have_expired() -> None:
    assert outcomes(entry(stack="staging", expires=date(2026, 11, 2)))[1] is Outcome.PASS
