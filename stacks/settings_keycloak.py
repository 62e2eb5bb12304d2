"""The section `mainstay:keycloak`: what an environment says of sign-in, and how that becomes the component's args."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Self

import pulumi
from pydantic import AfterValidator, Field, model_validator

from components.keycloak import KeycloakArgs
from components.keycloak.keycloak import POOL_SIZE, PRIVATE_NETWORKS
from components.quantity import parse
from components.workload import Resources
from stacks.settings import Name, PostgresSettings, ResourcesSettings, Section
from stacks.settings_slo import KeycloakSlos

NAME = "keycloak"
"""Kubernetes name of its objects; there is one in an environment."""
ADMIN_PASSWORD = "keycloak-admin-password"  # noqa: S105 (a name)
"""Name of the secret that holds the first administrator's password."""
API_CLIENT_SECRET = "keycloak-api-client-secret"  # noqa: S105 (a name)
"""Name of the secret that the API signs in with; the API gets it through its `secretEnv`."""
SPARE_CONNECTIONS = 10
"""What the pools leave of the database's connections: the operator, the exporter, a person."""
LEAST_MEMORY = "1Gi"

_URL = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_ROLE = re.compile(r"[a-z][a-z0-9_-]*")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError(f"{value!r} is not an https address without a path, such as https://auth.shop.example")
    return value


def _role(value: str) -> str:
    if not _ROLE.fullmatch(value):
        raise ValueError(f"{value!r} is not a role's name: use lower-case letters, digits, '-' and '_', a letter first")
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        raise ValueError(
            f"{value!r} is not an exact path such as /auth/callback: whoever a wildcard lets in can take the code"
        )
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a network such as 10.0.0.0/8") from None


Url = Annotated[str, AfterValidator(_url)]
Role = Annotated[str, AfterValidator(_role)]
Path = Annotated[str, AfterValidator(_path)]
Network = Annotated[str, AfterValidator(_network)]


class WebClientSettings(Section):
    """The web frontend's client: public, PKCE."""

    url: Url = Field(description="Where people open the web frontend, `https://shop.example`.")
    redirect_paths: Annotated[list[Path], Field(min_length=1)] = Field(
        description="Exact paths to which the browser may come back with a code."
    )


class RealmSettings(Section):
    """The users, clients and roles of the product; read once, while the realm does not exist."""

    name: Name = Field(description="Name in URLs; cannot be changed later.")
    display_name: Annotated[str, Field(min_length=1)] = Field(description="Title of the sign-in page.")
    roles: Annotated[list[Role], Field(min_length=1)] = Field(description="Roles that users and services may have.")
    api_roles: list[Role] = Field(default_factory=list[str], description="Roles of the API's own service account.")
    default_roles: list[Role] = Field(default_factory=list[str], description="Roles that every new user has.")
    web: WebClientSettings = Field(description="The web frontend's client.")
    registration: bool = Field(False, description="Whether people may create their own account.")
    password_length: Annotated[int, Field(ge=8, le=64)] = Field(12, description="Least characters of a password.")
    failures_before_lockout: Annotated[int, Field(ge=3, le=100)] = Field(
        10, description="Failed sign-ins in a row before an account must wait."
    )
    access_token_seconds: Annotated[int, Field(ge=60, le=3600)] = Field(300, description="Lifetime of an access token.")
    session_idle_seconds: Annotated[int, Field(ge=300)] = Field(
        1800, description="A session ends after so long without a request."
    )
    session_max_seconds: Annotated[int, Field(ge=300)] = Field(
        36000, description="A session ends after so long in any case."
    )

    @model_validator(mode="after")
    def _known_roles(self) -> Self:
        for key, roles in (("apiRoles", self.api_roles), ("defaultRoles", self.default_roles)):
            for role in roles:
                if role not in self.roles:
                    raise ValueError(f"{key} names {role!r}, which is not among roles ({', '.join(self.roles)})")
        if self.name == "master":
            raise ValueError("name must not be 'master': that is the realm of Keycloak's own administrators")
        return self

    @model_validator(mode="after")
    def _lifetimes_in_order(self) -> Self:
        if not self.access_token_seconds < self.session_idle_seconds <= self.session_max_seconds:
            raise ValueError(
                f"accessTokenSeconds {self.access_token_seconds}, sessionIdleSeconds {self.session_idle_seconds} and "
                f"sessionMaxSeconds {self.session_max_seconds} must grow in this order"
            )
        return self


class KeycloakSettings(Section):
    """Keycloak: sign-in for people and services."""

    database: Annotated[str, Field(pattern=r"^postgres\.")] = Field(
        description="Its PostgreSQL cluster, `postgres.<name>`; nothing else may use it."
    )
    url: Url = Field(description="The one public address, `https://auth.shop.example`; it is in every token.")
    replicas: Annotated[int, Field(ge=1)] = Field(description="Number of servers.")
    resources: ResourcesSettings = Field(description="Requests and limits of a server; the limit is at least 1Gi.")
    pool_size: Annotated[int, Field(ge=5)] = Field(POOL_SIZE, description="Database connections of one server.")
    trusted_proxies: Annotated[list[Network], Field(min_length=1)] = Field(
        default_factory=lambda: list(PRIVATE_NETWORKS),
        description="Networks of the gateway's pods, whose X-Forwarded headers are believed.",
    )
    realm: RealmSettings = Field(description="Clients, roles and rules; imported once.")
    slos: KeycloakSlos = Field(default_factory=lambda: KeycloakSlos.model_validate({}), description="What it promises.")

    @model_validator(mode="after")
    def _room_beside_the_heap(self) -> Self:
        if parse(self.resources.memory_limit) < parse(LEAST_MEMORY):
            raise ValueError(
                f"memoryLimit {self.resources.memory_limit} is below {LEAST_MEMORY}: Keycloak needs that to start"
            )
        return self

    @property
    def database_name(self) -> str:
        """Name of the PostgreSQL cluster."""
        return self.database.partition(".")[2]


def keycloak_faults(
    settings: KeycloakSettings,
    databases: Mapping[str, PostgresSettings],
    consumers: Mapping[str, list[str]],
) -> list[str]:
    """What is wrong between this section and others. `consumers`: connection target -> the keys that name it."""
    where = f"mainstay:{NAME}.database"
    name = settings.database_name
    if name not in databases:
        there = ", ".join(f"postgres.{each}" for each in databases) or "none"
        return [f"{where} names {settings.database!r}, which is not declared; declared are: {there}."]
    faults: list[str] = []
    if others := consumers.get(settings.database):
        faults.append(
            f"{where} names {settings.database!r}, which {others[0]} uses too: the tables of both would stand in one "
            "schema; give Keycloak a PostgreSQL cluster of its own."
        )
    wanted, limit = settings.replicas * settings.pool_size, databases[name].max_connections
    if wanted > limit - SPARE_CONNECTIONS:
        faults.append(
            f"mainstay:{NAME}: replicas x poolSize is {wanted}, but mainstay:{settings.database}.maxConnections is "
            f"{limit} and {SPARE_CONNECTIONS} of them must stay free; lower poolSize or raise maxConnections."
        )
    return faults


def keycloak_args(settings: KeycloakSettings, namespace: str, secrets: Mapping[str, pulumi.Input[str]]) -> KeycloakArgs:
    """The component's args. `secrets`: values of ADMIN_PASSWORD and API_CLIENT_SECRET by name."""
    realm = settings.realm
    return {
        "namespace": namespace,
        "database": settings.database_name,
        "url": settings.url,
        "replicas": settings.replicas,
        "resources": Resources(
            cpu=settings.resources.cpu,
            memory=settings.resources.memory,
            memory_limit=settings.resources.memory_limit,
        ),
        "realm": {
            "name": realm.name,
            "display_name": realm.display_name,
            "roles": realm.roles,
            "api_roles": realm.api_roles,
            "default_roles": realm.default_roles,
            "web": {"url": realm.web.url, "redirect_paths": realm.web.redirect_paths},
            "registration": realm.registration,
            "password_length": realm.password_length,
            "failures_before_lockout": realm.failures_before_lockout,
            "access_token_seconds": realm.access_token_seconds,
            "session_idle_seconds": realm.session_idle_seconds,
            "session_max_seconds": realm.session_max_seconds,
        },
        "admin_password": secrets[ADMIN_PASSWORD],
        "api_client_secret": secrets[API_CLIENT_SECRET],
        "pool_size": settings.pool_size,
        "trusted_proxies": settings.trusted_proxies,
    }
