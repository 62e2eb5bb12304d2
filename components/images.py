"""Every container image and version that Mainstay itself chooses; nothing else names a tag.

The product's own images are values of an environment (`image:` of a service or worker).
"""

POSTGRES = "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm"
"""CloudNativePG's operand; the `standard` flavour carries pgvector and the failover-slot extension."""

REDIS = "docker.io/library/redis:7.4.5-bookworm"
