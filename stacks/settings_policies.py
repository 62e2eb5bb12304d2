"""The section `mainstay:policies`: whether the environment is production, and which rules only advise."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

from pydantic import Field

from policies.pack import RULES
from policies.rules.meta import exemption_valid
from stacks.settings_section import Section

Reason = Annotated[str, Field(min_length=10, max_length=200)]


class PoliciesSettings(Section):
    """How strict the policies are: in production every rule is mandatory."""

    production: bool = Field(
        True, description="Whether people depend on the environment; only where they do not may a rule be weakened."
    )
    advisory: dict[str, Reason] = Field(
        default_factory=dict, description="Rule -> why it only advises here instead of stopping a deployment."
    )


def faults_of_policies(settings: PoliciesSettings) -> Iterable[str]:
    """What is wrong with the section, a sentence each."""
    if settings.production and settings.advisory:
        yield (
            "mainstay:policies.advisory weakens rules, which production must not; "
            "say production: false, or use an exemption (policies/exemptions.yaml)."
        )
    known = [rule.id for rule in RULES]
    for rule in settings.advisory:
        if rule not in known:
            close = get_close_matches(rule, known, 1)
            hint = f"did you mean {close[0]}?" if close else "docs/policies.md lists them."
            yield f"mainstay:policies.advisory.{rule} is not a rule; {hint}"
        if rule == exemption_valid.RULE.id:
            yield f"mainstay:policies.advisory.{rule}: this rule cannot be weakened."
