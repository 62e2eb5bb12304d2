"""How strict an environment is: nothing but what it says, with a reason, outside production, is advisory."""

import json

import pytest

from policies.levels import levels, weakened
from policies.model import Enforcement

GOOD = {"production": False, "advisory": {"a-rule": " not yet ", "b-rule": "never"}}


def test_a_rule_is_weakened_by_a_reason() -> None:
    config = {"mainstay:policies": json.dumps(GOOD), "mainstay:other": "{}"}
    assert weakened(config) == {"a-rule": "not yet", "b-rule": "never"}
    assert levels(config) == {"a-rule": Enforcement.ADVISORY, "b-rule": Enforcement.ADVISORY}


@pytest.mark.parametrize(
    "section",
    [
        {**GOOD, "production": True},
        {"advisory": GOOD["advisory"]},
        {**GOOD, "production": "false"},
        {**GOOD, "advisory": ["a-rule"]},
        {**GOOD, "advisory": {"a-rule": "", "b-rule": " "}},
        {**GOOD, "advisory": {"a-rule": 5, "b-rule": None}},
        {"production": False},
        [],
        "text",
    ],
)
def test_production_and_what_is_no_reason_weaken_nothing(section: object) -> None:
    assert weakened({"mainstay:policies": json.dumps(section)}) == {}


def test_what_is_not_there_or_cannot_be_read_weakens_nothing() -> None:
    assert weakened({}) == weakened({"mainstay:policies": "{"}) == levels({}) == {}
