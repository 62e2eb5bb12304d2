"""The rules about results: the register, what cannot be judged, what stays open."""

from dataclasses import replace
from datetime import date

import pytest

from policies import exemptions
from policies.evaluation import evaluate
from policies.facts import Facts
from policies.model import Enforcement, Outcome, Rule, Verdict
from policies.rules.health import probes_present
from policies.rules.meta import exemption_valid, inventory_complete, no_inconclusive_on_deployed
from policies.stack import Resource, Stack
from tests.policies.builders import exemption_entry, judged, resource

ROOT = resource("Stack", "shop")
ENTRY = exemption_entry()


def verdict(rule: Rule, facts: Facts, *resources: Resource) -> tuple[Outcome, tuple[str, ...]]:
    finding = judged(rule, ROOT, *resources, facts=facts)["Stack/shop"]
    return finding.outcome, finding.reasons


@pytest.mark.parametrize(
    ("entries", "day", "outcome", "reasons"),
    [
        ([], 20, Outcome.NOT_APPLICABLE, ("nothing is exempt from anything",)),
        ([ENTRY], 20, Outcome.PASS, ()),
        ([{**ENTRY, "expires": date(2026, 11, 19)}], 20, Outcome.FAIL, None),
        ([{**ENTRY, "expires": date(2026, 11, 20)}], 20, Outcome.PASS, ()),
        ([{**ENTRY, "stack": "prod", "expires": date(2026, 11, 19)}], 20, Outcome.PASS, ()),
        ([{**ENTRY, "owner": ""}], 20, Outcome.FAIL, ("exemptions.yaml: EX-1: owner must be given",)),
        ([ENTRY], None, Outcome.INCONCLUSIVE, ("the day as of which to judge is not given",)),
    ],
)
def test_the_register_is_in_order(
    entries: list[object], day: int | None, outcome: Outcome, reasons: tuple[str, ...] | None
) -> None:
    known = Facts("staging", date(2026, 11, day) if day else None, register=exemptions.parse(entries))
    expired = ("exemption EX-1 counted from 2026-11-01 to 2026-11-19, not on 2026-11-20",)
    assert verdict(exemption_valid.RULE, known) == (outcome, expired if reasons is None else reasons)
    assert judged(exemption_valid.RULE, resource("Service"), facts=known) == {}


@pytest.mark.parametrize(
    "type_token",
    [
        *("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Release"),
        *("command:local:Command", "command:remote:Command", "docker:index/container:Container"),
    ],
)
def test_what_cannot_be_looked_into_fails(type_token: str) -> None:
    opaque = Resource(f"urn:pulumi:staging::shop::{type_token}::x", type_token, "x", {})
    (finding,) = judged(inventory_complete.RULE, opaque).values()
    assert finding.outcome is Outcome.FAIL
    assert len(finding.reasons) == 1


def test_what_can_be_looked_into_passes_and_what_is_made_of_it_is_not_asked() -> None:
    chart = Resource("urn:pulumi:staging::shop::kubernetes:helm.sh/v4:Chart::x", "kubernetes:helm.sh/v4:Chart", "x", {})
    found = judged(inventory_complete.RULE, ROOT, resource("HttpService"), resource("Service"), chart)
    assert {key: each.outcome for key, each in found.items()} == {
        "Service/main": Outcome.PASS,
        "Chart/x": Outcome.PASS,
    }


@pytest.mark.parametrize("level", Enforcement)
@pytest.mark.parametrize("deployed", [True, False])
def test_on_what_is_deployed_no_mandatory_rule_stays_open(level: Enforcement, deployed: bool) -> None:
    def asked(undecided: tuple[str, ...]) -> tuple[Outcome, tuple[str, ...]]:
        def judge(_one: Resource, _stack: Stack) -> Verdict:
            return Verdict(undecided=undecided)

        rule = replace(probes_present.RULE, id="a-rule", judge=judge)
        stack = Stack([ROOT, resource("Service")], Facts("staging", deployed=deployed))
        _, found = evaluate([rule, no_inconclusive_on_deployed.RULE], stack, {"a-rule": level})
        (finding,) = found.findings
        return finding.outcome, finding.reasons

    if not deployed:
        assert asked(("x", "y"))[0] is asked(())[0] is Outcome.NOT_APPLICABLE
        return
    assert asked(()) == (Outcome.PASS, ())
    if level is Enforcement.MANDATORY:
        subjects = ("Service shop/main", "Stack shop")
        reasons = tuple(f"a-rule cannot be decided for {each}: x; y" for each in subjects)
        assert asked(("x", "y")) == (Outcome.FAIL, reasons)
    else:
        assert asked(("x", "y")) == (Outcome.PASS, ())
