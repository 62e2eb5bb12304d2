"""The page about all rules, written from the rules.

`python -m policies.reference > docs/policies.md` renews it; a test fails while it is out of date.
"""

import sys

from policies.controls import FRAMEWORKS, parts
from policies.exemptions import LONGEST_DAYS
from policies.model import Enforcement, Rule, Theme
from policies.pack import NAME, RULES, VERSION

_INTRODUCTION = f"""\
# Policies

<!-- Generated from policies/rules by `python -m policies.reference > docs/policies.md`; do not edit. -->

The pack `{NAME}` {VERSION} judges every preview and every update (`mainstay preview`, `mainstay up`, or `pulumi up
--policy-pack policies`), and what is deployed or rendered, by whoever (`mainstay audit`, see [Audit](audit.md)).

A rule gives each resource one of six outcomes:

| outcome | what it means |
|---|---|
| pass | it was asked, and holds |
| fail | it does not hold; the message says where, and what to do |
| exempt | it does not hold, and an entry of the register allows that until a day |
| not applicable | the rule looked, and has nothing to ask of this resource; the reason says why |
| inconclusive | it depends on a value that is secret, or not known before the deployment |
| error | the rule itself is at fault |

A rule that asked nothing of anything is named as such: that it did not fail proves nothing.

## How strict

Every rule is mandatory: where one fails, nothing is deployed. An environment that says `production: false` may have
rules that only advise, each with its reason; production cannot.

```yaml
  mainstay:policies:
    production: false
    advisory:
      backup-3-2-1: Nothing here is worth a second account
```

## Exemptions

`policies/exemptions.yaml` is the register: one entry for one rule on one resource of one stack, with reason, owner,
another person who approved, ticket, what is done instead, and an end, {LONGEST_DAYS} days away at most. An entry that
is wrong, too wide or expired exempts nothing, and the rule `exemption-valid` fails. One that exempts nothing any more
is told. Each shows in every report.

```yaml
- id: EX-1
  stack: prod
  rule: backup-3-2-1
  resource: Cluster shop-prod/postgres-auth
  reason: The second account is being set up
  owner: platform
  approver: ana
  created: 2026-11-01
  expires: 2026-12-01
  ticket: OPS-17
  compensatingControl: A dump is copied by hand every Friday
```

A volume whose content can be made again is no exemption: its workload says how, in the annotation
`mainstay.dev/unbacked-reason`, and is not applicable. A database cannot.
"""  # noqa: S608 (no SQL)


def page() -> str:
    """The whole page."""
    rules = [rule for theme in Theme for rule in sorted(RULES, key=lambda rule: rule.id) if rule.theme is theme]
    head = "## Rules\n\n| rule | what must be true | severity |\n|---|---|---|\n"
    rows = "".join(f"| [`{rule.id}`](#{rule.id}) | {rule.title} | {rule.severity} |\n" for rule in rules)
    return "\n".join([_INTRODUCTION, head + rows, *map(_section, rules), _controls(rules)])


def _section(rule: Rule) -> str:
    level = "" if rule.enforcement is Enforcement.MANDATORY else f" Level: {rule.enforcement}."
    return (
        f"### {rule.id}\n\n{rule.title}. {rule.why}\n\n"
        f"- **Asked of:** {rule.applies_to}\n- **Theme:** {rule.theme}; severity {rule.severity}.{level}\n"
        f"- **Controls:** {'; '.join(rule.controls)}\n- **Mend it:** {rule.remediation}\n"
    )


def _controls(rules: list[Rule]) -> str:
    rows: list[str] = []
    for framework, controls in FRAMEWORKS.items():
        for number, title in controls.items():
            serving = [rule.id for rule in rules if (framework, number) in map(parts, rule.controls)]
            if serving:
                links = ", ".join(f"[`{rule}`](#{rule})" for rule in serving)
                rows.append(f"| {framework} {number} | {title} | {links} |\n")
    return f"## Controls\n\n| control | about | rules |\n|---|---|---|\n{''.join(rows)}"


if __name__ == "__main__":
    sys.stdout.write(page())
