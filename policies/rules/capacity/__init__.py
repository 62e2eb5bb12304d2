"""Theme `capacity`: what runs has room, and takes no more than its share."""

from policies.model import Rule

RULES: tuple[Rule, ...] = ()
