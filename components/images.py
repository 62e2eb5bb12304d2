"""Every container image and version that Mainstay itself chooses; nothing else names a tag.

The product's own images are values of an environment (`image:` of a service or worker).
"""

POSTGRES = "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm"
"""CloudNativePG's operand; the `standard` flavour carries pgvector and the failover-slot extension."""

REDIS = "docker.io/library/redis:7.4.5-bookworm"
KEYCLOAK = "quay.io/keycloak/keycloak:26.7.3"

REDIS_EXPORTER = "docker.io/oliver006/redis_exporter:v1.74.0"
PROMETHEUS = "quay.io/prometheus/prometheus:v3.15.0"
"""The release of the pinned promtool (devcluster/checks/promtool), which checks the rules."""
ALERTMANAGER = "quay.io/prometheus/alertmanager:v0.34.2"
"""The release of the pinned amtool (devcluster/checks/amtool), which checks the routes."""
KUBE_STATE_METRICS = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.16.0"
BLACKBOX_EXPORTER = "quay.io/prometheus/blackbox-exporter:v0.27.0"
GRAFANA = "docker.io/grafana/grafana:12.2.1"
LOKI = "docker.io/grafana/loki:3.7.8"
"""The release of the pinned Loki (devcluster/checks/loki), which the configuration is tested on."""
ALLOY = "docker.io/grafana/alloy:v1.11.0"
"""The release of the pinned Alloy (devcluster/checks/alloy)."""
TEMPO = "docker.io/grafana/tempo:2.8.1"
"""The pinned Tempo (devcluster/checks/tempo) is a commit shortly before 2.8: as a Go module there is no release."""
