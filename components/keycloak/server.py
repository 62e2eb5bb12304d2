"""The Keycloak server itself: its options, all of them environment variables, and its pod.

Options as of 26.7: https://www.keycloak.org/server/all-config. The data test starts the real server with them.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import from_secret, variable
from components.fingerprint import ANNOTATION, fingerprint
from components.images import KEYCLOAK
from components.keycloak.network import CLUSTER_PORTS, HTTP_PORT, MANAGEMENT_PORT
from components.keycloak.realm import API_CLIENT_SECRET
from components.labels import DRAIN_SECONDS, labels, selector
from components.workload.pods import PRE_STOP_SECONDS, TMP, Resources, spread

USER = 1000
"""User id of the official image."""
ADMIN = "bootstrap-admin"
"""The first administrator, made together with the database. It is for setting up: replace it by named people."""
HEAP_PERCENT = 65
"""Heap as a share of the container's limit. Metaspace, code, threads and buffers take 250 to 350 MiB beside it."""
STARTUP_SECONDS = 300
"""The first start creates about 90 tables and the realm; on a slow database that takes minutes."""
SHUTDOWN_DELAY_SECONDS = 10
"""After SIGTERM the server calls itself not ready and closes idle connections, but still serves."""
SHUTDOWN_TIMEOUT_SECONDS = 30
"""Then it lets running requests end and hands its caches over."""
GRACE_MARGIN_SECONDS = 10
HTTP_BUCKETS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Buckets of the request durations; latency thresholds of SLOs must be one of them."""
HOME = "/opt/keycloak"
CA_FOLDER = "/etc/postgres-ca"


class Options(TypedDict):
    """What differs between environments."""

    url: pulumi.Input[str]
    """The one public address, e.g. `https://auth.shop.example`."""
    trusted_proxies: Sequence[str]
    """Addresses (CIDR) whose X-Forwarded headers are believed."""
    database: str
    """Kubernetes name of the database, e.g. `postgres-auth`."""
    pool_size: int
    """Connections each replica keeps open, from the first moment to the last."""
    secret: str
    """Name of the Secret with the keys `admin-password` (as `option_value`) and `api-client-secret` (as the realm's
    `placeholder_value`)."""


def environment(options: Options) -> list[kubernetes.core.v1.EnvVarArgsDict]:
    """The container's environment variables."""
    database_secret = f"{options['database']}-app"
    pool_size = str(options["pool_size"])
    plain: dict[str, pulumi.Input[str]] = {
        "KC_DB": "postgres",
        # The primary itself: a pooler in transaction mode breaks Keycloak's prepared statements and locks.
        "KC_DB_URL_HOST": f"{options['database']}-rw",
        "KC_DB_URL_PORT": "5432",
        "KC_DB_TLS_MODE": "verify-server",
        "KC_DB_TLS_TRUST_STORE_FILE": f"{CA_FOLDER}/ca.crt",
        "KC_DB_POOL_INITIAL_SIZE": pool_size,
        "KC_DB_POOL_MIN_SIZE": pool_size,
        "KC_DB_POOL_MAX_SIZE": pool_size,
        "KC_HOSTNAME": options["url"],
        "KC_HOSTNAME_STRICT": "true",
        # Services in the namespace fetch keys and tokens from the Service; the issuer stays the public address.
        "KC_HOSTNAME_BACKCHANNEL_DYNAMIC": "true",
        # TLS ends at the gateway; the network policy lets nobody else in but declared connections.
        "KC_HTTP_ENABLED": "true",
        "KC_PROXY_HEADERS": "xforwarded",
        "KC_PROXY_TRUSTED_ADDRESSES": ",".join(options["trusted_proxies"]),
        "KC_HEALTH_ENABLED": "true",
        "KC_METRICS_ENABLED": "true",
        "KC_EVENT_METRICS_USER_ENABLED": "true",
        "KC_EVENT_METRICS_USER_TAGS": "realm,clientId",
        "KC_HTTP_METRICS_SLOS": ",".join(str(bucket) for bucket in HTTP_BUCKETS_MS),
        "KC_CACHE": "ispn",
        "KC_CACHE_STACK": "jdbc-ping",
        "KC_SHUTDOWN_DELAY": f"{SHUTDOWN_DELAY_SECONDS}s",
        "KC_SHUTDOWN_TIMEOUT": f"{SHUTDOWN_TIMEOUT_SECONDS}s",
        "KC_LOG_CONSOLE_OUTPUT": "json",
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "JAVA_OPTS_KC_HEAP": f"-XX:MaxRAMPercentage={HEAP_PERCENT} -XX:InitialRAMPercentage={HEAP_PERCENT}",
    }
    return [
        *({"name": name, "value": value} for name, value in plain.items()),
        variable("KC_DB_URL_DATABASE", from_secret(database_secret, "dbname")),
        variable("KC_DB_USERNAME", from_secret(database_secret, "username")),
        variable("KC_DB_PASSWORD", from_secret(database_secret, "password")),
        variable("KC_BOOTSTRAP_ADMIN_PASSWORD", from_secret(options["secret"], "admin-password")),
        variable(API_CLIENT_SECRET, from_secret(options["secret"], "api-client-secret")),
        # By default it looks for a private address, which some clusters do not give to pods.
        {
            "name": "KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS",
            "value_from": {"field_ref": {"field_path": "status.podIP"}},
        },
    ]


def option_value(secret: str) -> str:
    """A secret as it must stand in an option: Keycloak replaces ${NAME} in options, and reads $$ as $."""
    return secret.replace("$", "\\$")


def pod_template(
    name: str,
    options: Options,
    resources: Resources,
    fingerprinted: Mapping[str, pulumi.Input[str]],
) -> kubernetes.core.v1.PodTemplateSpecArgsDict:
    """The server's pod. `fingerprinted`: what it reads at start only; a change restarts it."""
    image = KEYCLOAK
    requests: kubernetes.core.v1.ResourceRequirementsArgsDict = {
        "requests": {"cpu": resources["cpu"], "memory": resources["memory"]},
        "limits": {"memory": resources["memory_limit"]},
    }
    security: kubernetes.core.v1.SecurityContextArgsDict = {
        "allow_privilege_escalation": False,
        "read_only_root_filesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {
        "metadata": {
            "labels": labels(name, "keycloak"),
            "annotations": {
                ANNOTATION: fingerprint(name, fingerprinted),
                DRAIN_SECONDS: str(SHUTDOWN_DELAY_SECONDS + SHUTDOWN_TIMEOUT_SECONDS),
            },
        },
        "spec": {
            "service_account_name": name,
            "automount_service_account_token": False,
            "enable_service_links": False,
            "termination_grace_period_seconds": (
                PRE_STOP_SECONDS + SHUTDOWN_DELAY_SECONDS + SHUTDOWN_TIMEOUT_SECONDS + GRACE_MARGIN_SECONDS
            ),
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "topology_spread_constraints": spread(selector(name, "keycloak"), "controller-revision-hash"),
            "init_containers": [
                {
                    # At its start the server rebuilds these files for its options; the image itself stays read-only.
                    "name": "build-files",
                    "image": image,
                    "command": ["cp", "-R", f"{HOME}/lib/quarkus/.", "/build"],
                    "resources": requests,
                    "security_context": security,
                    "volume_mounts": [{"name": "build", "mount_path": "/build"}],
                }
            ],
            "containers": [
                {
                    "name": "keycloak",
                    "image": image,
                    "args": ["start", "--import-realm"],
                    "ports": [
                        {"name": "http", "container_port": HTTP_PORT},
                        {"name": "management", "container_port": MANAGEMENT_PORT},
                        *({"name": f"cluster-{port}", "container_port": port} for port in CLUSTER_PORTS),
                    ],
                    "env": environment(options),
                    "resources": requests,
                    "startup_probe": _probe("started", 5, STARTUP_SECONDS // 5),
                    # Asks the database too.
                    "readiness_probe": _probe("ready", 5, 3),
                    "liveness_probe": _probe("live", 10, 6),
                    "lifecycle": {"pre_stop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
                    "security_context": security,
                    "volume_mounts": [
                        {"name": "tmp", "mount_path": TMP},
                        {"name": "build", "mount_path": f"{HOME}/lib/quarkus"},
                        {"name": "data", "mount_path": f"{HOME}/data"},
                        {"name": "realm", "mount_path": f"{HOME}/data/import", "read_only": True},
                        {"name": "postgres-ca", "mount_path": CA_FOLDER, "read_only": True},
                    ],
                }
            ],
            "volumes": [
                {"name": "tmp", "empty_dir": {"size_limit": "256Mi"}},
                {"name": "build", "empty_dir": {"size_limit": "64Mi"}},
                {"name": "data", "empty_dir": {"size_limit": "256Mi"}},
                {"name": "realm", "config_map": {"name": name, "default_mode": 0o444}},
                {
                    "name": "postgres-ca",
                    "secret": {
                        "secret_name": f"{options['database']}-ca",
                        "default_mode": 0o444,
                        # The Secret's other key is the authority's private key.
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    },
                },
            ],
        },
    }


def _probe(question: str, period: int, failures: int) -> kubernetes.core.v1.ProbeArgsDict:
    return {
        "http_get": {"path": f"/health/{question}", "port": "management"},
        "period_seconds": period,
        "failure_threshold": failures,
        "timeout_seconds": 3,
    }
