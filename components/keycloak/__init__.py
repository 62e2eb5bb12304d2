"""Sign-in for people and services: Keycloak, its realm, and its database on a Postgres of its own."""

from components.keycloak.keycloak import Keycloak, KeycloakArgs
from components.keycloak.realm import Realm, WebClient

__all__ = ["Keycloak", "KeycloakArgs", "Realm", "WebClient"]
