"""What one public service is reached by, and the rules that follow from it.

The gateway routes by the longest prefix. A service that is given `/` would so be given `/metrics` as well; that is why
each route first answers 404 itself for what is closed. Closed are the paths listed, and every spelling of a path that
the gateway and the service could read differently.
"""

from typing import Any, TypedDict

CLOSED_ALWAYS = ("/metrics",)
"""Never routed, whatever an environment says; a service's own probe paths are closed as well."""

AMBIGUOUS = r".*(%(2[DdEe]|3[0-9Bb]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff])|;).*"
"""Paths with an encoded letter, digit, `-`, `.` or `_` (a service decodes `/%6detrics` to `/metrics`) or with a path
parameter (some servers ignore the `;x` of `/admin;x`). No client has a need for either. Envoy Gateway lets a regular
expression win over any prefix, and Envoy itself resolves `..`, double slashes and backslashes before it matches."""


class Route(TypedDict):
    """One service as the gateway sees it."""

    service: str
    """Kubernetes name of the service, in the gateway's namespace."""
    port: int
    """The service's port."""
    hosts: list[str]
    """Public hosts, e.g. `api.staging.shop.example`."""
    paths: list[str]
    """Path prefixes that lead to it, by whole segments; `/` is everything that nobody else has."""
    closed: list[str]
    """Path prefixes that lead nowhere on these hosts: its probes, beside those closed for all."""


def closed_paths(route: Route, closed_for_all: list[str]) -> list[str]:
    """All that is closed on the route's hosts, sorted, each once."""
    return sorted({*CLOSED_ALWAYS, *route["closed"], *closed_for_all})


def rules(route: Route, closed: list[str], filter_name: str, request_seconds: int) -> list[dict[str, Any]]:
    """The HTTPRoute's rules: what is closed answers by itself, what is open goes to the service."""
    return [
        {
            "matches": [
                {"path": {"type": "RegularExpression", "value": AMBIGUOUS}},
                *({"path": {"type": "PathPrefix", "value": path}} for path in closed),
            ],
            "filters": [
                {
                    "type": "ExtensionRef",
                    "extensionRef": {
                        "group": "gateway.envoyproxy.io",
                        "kind": "HTTPRouteFilter",
                        "name": filter_name,
                    },
                }
            ],
        },
        {
            "matches": [{"path": {"type": "PathPrefix", "value": path}} for path in sorted(set(route["paths"]))],
            "backendRefs": [{"name": route["service"], "port": route["port"]}],
            "timeouts": {"request": f"{request_seconds}s"},
        },
    ]
