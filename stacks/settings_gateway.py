"""The section `mainstay:gateway`, and what must hold between it and the public services."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from components.gateway import Route
from components.gateway.addresses import within
from components.gateway.route import closed_paths
from stacks.settings import Name, Quantity, RoutedPath, Section

NAME = "gateway"
"""Kubernetes name of the Gateway."""
HOSTS_AT_MOST = 63
"""A Gateway has 64 listeners at most; one is for the redirect."""


class IssuerSettings(Section):
    """Who issues the certificates."""

    name: Name = Field(description="Name of cert-manager's issuer.")
    kind: Annotated[str, Field(pattern="^(Cluster)?Issuer$")] = Field(
        "ClusterIssuer", description="`ClusterIssuer`, or `Issuer` for one in the namespace."
    )


class GatewaySettings(Section):
    """The way in for services with `hosts`."""

    class_name: Name = Field("envoy-gateway", description="GatewayClass of Envoy Gateway in the cluster.")
    issuer: IssuerSettings = Field(description="cert-manager's issuer of the hosts' certificates.")
    requests_per_minute: Annotated[int, Field(ge=1)] = Field(
        600, description="Requests of one client address per proxy and route; more get 429."
    )
    request_size: Annotated[Quantity, Field(pattern=r"^[1-9][0-9]*([KMG]i)$")] = Field(
        "10Mi", description="The largest request; larger ones get 413."
    )
    request_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        30, description="The longest a request may take, in seconds; then it gets 504."
    )
    trusted_hops: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None, description="Proxies in front of the gateway that append to X-Forwarded-For."
    )
    closed_paths: Annotated[list[RoutedPath], Field(max_length=32)] = Field(
        default_factory=lambda: ["/admin", "/debug", "/internal"],
        description="Paths that lead nowhere on any host, beside `/metrics` and the services' probe paths.",
    )


def faults_of_routes(gateway: GatewaySettings | None, routes: Mapping[str, Route]) -> list[str]:
    """What is wrong with the routes, in sentences without the file's name. `routes`: by config key, `services.api`."""
    if not routes:
        return []
    if gateway is None:
        return [f"mainstay:{next(iter(routes))}.hosts needs the section mainstay:gateway; add it, or drop the hosts."]
    faults: list[str] = []
    owners: dict[tuple[str, str], str] = {}
    closed: dict[str, dict[str, str]] = {}
    for key, route in routes.items():
        for host in route["hosts"]:
            for path in closed_paths(route, gateway.closed_paths):
                closed.setdefault(host, {}).setdefault(path, key)
    for key, route in routes.items():
        for host in dict.fromkeys(route["hosts"]):
            for path in dict.fromkeys(route["paths"]):
                owner = owners.setdefault((host, path), key)
                if owner != key:
                    faults.append(
                        f"mainstay:{key} and mainstay:{owner} both claim {host}{path}; give one of them another host "
                        "or other paths."
                    )
                shut = next((each for each in closed[host] if within(path, each)), None)
                if shut:
                    faults.append(
                        f"mainstay:{key}.paths has {path}, but {shut} is never routed on {host} "
                        f"(metrics, the probes of its services and mainstay:gateway.closedPaths are not); "
                        "choose another path."
                    )
    if len(closed) > HOSTS_AT_MOST:
        faults.append(
            f"mainstay:gateway: the services have {len(closed)} hosts together, and a gateway takes {HOSTS_AT_MOST}; "
            "serve several of them from one host by paths."
        )
    return faults
