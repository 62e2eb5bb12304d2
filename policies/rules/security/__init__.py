"""Theme `security`: what runs has no more rights and reach than it needs."""

from policies.model import Rule
from policies.rules.security import (
    image_digest,
    network_default_deny,
    no_plaintext_secret,
    pod_security_restricted,
    rbac_least_privilege,
    secret_rotation_90d,
)

RULES: tuple[Rule, ...] = (
    image_digest.RULE,
    network_default_deny.RULE,
    no_plaintext_secret.RULE,
    pod_security_restricted.RULE,
    rbac_least_privilege.RULE,
    secret_rotation_90d.RULE,
)
