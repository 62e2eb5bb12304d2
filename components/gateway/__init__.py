"""The way in from the internet: TLS, routes, limits, and paths that are never routed."""

from components.gateway.gateway import Gateway, GatewayArgs
from components.gateway.route import Route

__all__ = ["Gateway", "GatewayArgs", "Route"]
