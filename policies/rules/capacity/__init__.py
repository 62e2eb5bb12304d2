"""Theme `capacity`: what runs has room, and takes no more than its share."""

from policies.model import Rule
from policies.rules.capacity import autoscaler_valid, namespace_quota, requests_limits, singleton_really_single

RULES: tuple[Rule, ...] = (
    autoscaler_valid.RULE,
    namespace_quota.RULE,
    requests_limits.RULE,
    singleton_really_single.RULE,
)
