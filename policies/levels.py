"""How strict an environment is: everything is mandatory unless its file says otherwise, with a reason.

    mainstay:policies:
      production: false
      advisory:
        backup-3-2-1: Nothing here is worth a second account

An environment that does not say `production: false` is production, and cannot weaken a rule.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from policies.model import Enforcement

KEY = "mainstay:policies"
"""The environment's section, in the stack's configuration."""


def weakened(config: Mapping[str, str]) -> dict[str, str]:
    """Rule id -> why it is only advisory, from a stack's configuration as the engine has it; none in production."""
    try:
        section: Any = json.loads(config[KEY])
    except (KeyError, ValueError):
        return {}
    if not isinstance(section, dict):
        return {}
    known = cast(dict[str, Any], section)
    reasons = known.get("advisory")
    if known.get("production") is not False or not isinstance(reasons, dict):
        return {}
    return {
        str(rule): reason.strip()
        for rule, reason in cast(dict[Any, Any], reasons).items()
        if isinstance(reason, str) and reason.strip()
    }


def levels(config: Mapping[str, str]) -> dict[str, Enforcement]:
    """Rule id -> level, for the rules that the environment weakens."""
    return dict.fromkeys(weakened(config), Enforcement.ADVISORY)
