"""Keycloak with its realm: replicas that share sessions, on a database of their own, behind the gateway."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.connection import Connection
from components.keycloak.network import HTTP_PORT, declare_network
from components.keycloak.realm import Realm, placeholder_value, realm_file
from components.keycloak.server import Options, option_value, pod_template
from components.labels import labels, selector
from components.postgres import Postgres
from components.workload.pods import Resources

POOL_SIZE = 20
"""Connections of one replica to the database."""
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where clusters have their pods, the gateway's among them."""


class KeycloakArgs(TypedDict):
    """What a Keycloak is given."""

    namespace: pulumi.Input[str]
    """Namespace to run in."""
    database: str
    """Name of the Postgres (`auth` for `postgres-auth`) in the same namespace. Nothing else may use it: Keycloak's
    tables have names such as `client` and `org`."""
    url: str
    """The one public address, without a path, e.g. `https://auth.shop.example`; it is in every token."""
    replicas: pulumi.Input[int]
    """Number of servers; from 2 on, sessions outlive the loss of one."""
    resources: Resources
    """Requests and limits of a server; 65 % of the limit is heap, and the limit is at least 1Gi."""
    realm: Realm
    """Clients, roles and rules. Imported once, while the realm does not exist: later changes of these args do not
    reach it (Keycloak never overwrites a realm at its start) and are made in Keycloak itself."""
    admin_password: pulumi.Input[str]
    """Password of the first administrator, `bootstrap-admin`; kept secret. Used once, with an empty database."""
    api_client_secret: pulumi.Input[str]
    """Secret of the API's client; kept secret. Used once, with the realm's import."""
    pool_size: NotRequired[int]
    """Connections of one replica to the database. Default: 20."""
    trusted_proxies: NotRequired[Sequence[str]]
    """Addresses (CIDR) whose X-Forwarded headers are believed. Default: the private networks."""


class Keycloak(pulumi.ComponentResource):
    """StatefulSet of the official image, Service, realm file, secrets, disruption budget and network policy."""

    def __init__(self, name: str, args: KeycloakArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        admin_password = pulumi.Output.secret(args["admin_password"])
        api_client_secret = pulumi.Output.secret(args["api_client_secret"])
        super().__init__(
            "mainstay:index:Keycloak",
            name,
            cast(pulumi.Inputs, {**args, "admin_password": admin_password, "api_client_secret": api_client_secret}),
            opts,
        )
        child = pulumi.ResourceOptions(parent=self)
        pods = selector(name, "keycloak")
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": name,
            "namespace": args["namespace"],
            "labels": labels(name, "keycloak"),
        }
        database = Postgres.connection(args["database"])
        files = {"realm.json": realm_file(args["realm"])}
        secret_values = {
            "admin-password": admin_password.apply(option_value),
            "api-client-secret": api_client_secret.apply(placeholder_value),
        }
        config = kubernetes.core.v1.ConfigMap(f"{name}-config", metadata=metadata, data=files, opts=child)
        secret = kubernetes.core.v1.Secret(f"{name}-secret", metadata=metadata, string_data=secret_values, opts=child)
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=metadata,
            automount_service_account_token=False,
            opts=child,
        )
        declare_network(name, args["namespace"], database, self)
        kubernetes.core.v1.Service(
            name,
            metadata=metadata,
            spec={
                "selector": pods,
                "ports": [{"name": "http", "port": HTTP_PORT, "target_port": "http"}],
            },
            opts=child,
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-disruption",
            metadata=metadata,
            spec={
                "max_unavailable": 1,
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
                "selector": {"match_labels": pods},
            },
            opts=child,
        )
        options: Options = {
            "url": args["url"],
            "trusted_proxies": args.get("trusted_proxies", PRIVATE_NETWORKS),
            "database": database["target"],
            "pool_size": args.get("pool_size", POOL_SIZE),
            "secret": name,
        }
        kubernetes.apps.v1.StatefulSet(
            name,
            metadata=metadata,
            spec={
                # No governing Service: the replicas find each other in the database, nobody asks DNS for one of them.
                "replicas": args["replicas"],
                "selector": {"match_labels": pods},
                # One at a time would wait for ever behind a pod that cannot start, even after the mistake is mended.
                # All at once may race for the first table of an empty database: the loser ends and is started again.
                "pod_management_policy": "Parallel",
                "template": pod_template(name, options, args["resources"], {**files, **secret_values}),
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[config, secret, account]),
        )
        self.register_outputs({})

    @staticmethod
    def issuer(name: str, url: str, realm: str) -> Connection:
        """The issuer in every token, at its public address: what a verifier compares, where a browser is sent."""
        return _connection(name, f"{url}/realms/{realm}")

    @staticmethod
    def internal(name: str, realm: str) -> Connection:
        """The same realm at its address in the cluster: where services fetch keys and tokens, past the gateway."""
        return _connection(name, f"http://{name}:{HTTP_PORT}/realms/{realm}")


def _connection(name: str, url: str) -> Connection:
    return {"target": name, "pod_labels": selector(name, "keycloak"), "port": HTTP_PORT, "url": {"value": url}}
