"""The realm: typed args in, the JSON file out that Keycloak imports at its first start.

One key that Keycloak does not know makes it refuse the whole file, so no key comes from outside: what is written
here is imported into the real server by `tests/data/test_keycloak_realm.py`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

API_CLIENT = "api"
"""Client id of the API, and the audience of the tokens that are meant for it."""
WEB_CLIENT = "web"
"""Client id of the web frontend."""
API_CLIENT_SECRET = "API_CLIENT_SECRET"  # noqa: S105 (a variable's name)
"""Environment variable from which the server takes the API client's secret while it imports the file."""
EVENT_DAYS = 30
"""How long the database keeps sign-in and administration events; without an end those tables only grow."""


class WebClient(TypedDict):
    """The web frontend: a public client, since a browser keeps no secret; PKCE takes the secret's place."""

    url: str
    """Where people open it, without a path, e.g. `https://shop.example`."""
    redirect_paths: Sequence[str]
    """Paths under it to which the browser may come back with a code, exactly, e.g. `/auth/callback`."""


class Realm(TypedDict):
    """The users, clients and roles of one product."""

    name: str
    """Name in URLs, e.g. `shop`; cannot be changed later."""
    display_name: str
    """Title of the sign-in page."""
    roles: Sequence[str]
    """Roles that users and services may have."""
    api_roles: Sequence[str]
    """Those of the roles that the API's own service account has."""
    default_roles: Sequence[str]
    """Those of the roles that every new user has."""
    web: WebClient
    """The web frontend."""
    registration: bool
    """Whether people may create their own account."""
    password_length: int
    """Least number of characters of a password."""
    failures_before_lockout: int
    """Failed sign-ins in a row after which an account waits, a minute more each time, a quarter of an hour at most."""
    access_token_seconds: int
    """Lifetime of an access token; a revoked session stays usable that long."""
    session_idle_seconds: int
    """A session ends after so long without a request."""
    session_max_seconds: int
    """A session ends after so long in any case."""


def realm_file(realm: Realm) -> str:
    """The file to import. It holds no secret: the server puts the API client's in from its environment."""
    representation: dict[str, Any] = {
        "realm": realm["name"],
        "displayName": realm["display_name"],
        "enabled": True,
        "sslRequired": "external",
        "registrationAllowed": realm["registration"],
        "loginWithEmailAllowed": True,
        "duplicateEmailsAllowed": False,
        "passwordPolicy": f"length({realm['password_length']}) and notUsername(undefined) and notEmail(undefined)",
        **_brute_force_protection(realm["failures_before_lockout"]),
        "accessTokenLifespan": realm["access_token_seconds"],
        "ssoSessionIdleTimeout": realm["session_idle_seconds"],
        "ssoSessionMaxLifespan": realm["session_max_seconds"],
        # A refresh token works once; one that was stolen and used shows itself at the next use.
        "revokeRefreshToken": True,
        "refreshTokenMaxReuse": 0,
        "eventsEnabled": True,
        "eventsExpiration": EVENT_DAYS * 86400,
        "adminEventsEnabled": True,
        "attributes": {"adminEventsExpiration": str(EVENT_DAYS * 86400)},
        "roles": {"realm": [{"name": role} for role in realm["roles"]]},
        # In addition to those that Keycloak itself gives to new users.
        "defaultRoles": list(realm["default_roles"]),
        "clients": [_api_client(), _web_client(realm["web"])],
        "users": [
            {
                "username": f"service-account-{API_CLIENT}",
                "enabled": True,
                "serviceAccountClientId": API_CLIENT,
                "realmRoles": list(realm["api_roles"]),
            }
        ],
    }
    # The server replaces ${NAME} anywhere in the file, before it reads the JSON. Only our own placeholder is meant.
    text = json.dumps(representation, indent=2).replace("$", "\\u0024")
    return text.replace(f"@{API_CLIENT_SECRET}@", f"${{{API_CLIENT_SECRET}}}")


def placeholder_value(secret: str) -> str:
    """A secret as it must stand in the environment: the server pastes it between the quotes of a JSON text."""
    return json.dumps(secret)[1:-1].replace("$", "\\u0024")


def _brute_force_protection(failures: int) -> Mapping[str, Any]:
    return {
        "bruteForceProtected": True,
        # A permanent lock-out would let anyone lock anyone out.
        "permanentLockout": False,
        "failureFactor": failures,
        "waitIncrementSeconds": 60,
        "maxFailureWaitSeconds": 900,
        "maxDeltaTimeSeconds": 43200,
        "quickLoginCheckMilliSeconds": 1000,
        "minimumQuickLoginWaitSeconds": 60,
    }


def _api_client() -> Mapping[str, Any]:
    """Confidential; signs in as itself (client credentials) and accepts bearer tokens. No person signs in to it."""
    return {
        "clientId": API_CLIENT,
        "name": "API",
        "protocol": "openid-connect",
        "enabled": True,
        "publicClient": False,
        "clientAuthenticatorType": "client-secret",
        "secret": f"@{API_CLIENT_SECRET}@",
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "redirectUris": [],
        "webOrigins": [],
        "protocolMappers": [_audience_of_the_api()],
    }


def _web_client(web: WebClient) -> Mapping[str, Any]:
    """Public; authorization code with PKCE (S256) and nothing else, to exact addresses."""
    return {
        "clientId": WEB_CLIENT,
        "name": "Web",
        "protocol": "openid-connect",
        "enabled": True,
        "publicClient": True,
        "standardFlowEnabled": True,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "rootUrl": web["url"],
        "baseUrl": "/",
        "redirectUris": [web["url"] + path for path in web["redirect_paths"]],
        "webOrigins": [web["url"]],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": f"{web['url']}/",
        },
        "protocolMappers": [_audience_of_the_api()],
    }


def _audience_of_the_api() -> Mapping[str, Any]:
    """Puts the API into `aud`, so that the API can refuse tokens that were made for somebody else."""
    return {
        "name": "audience-api",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "consentRequired": False,
        "config": {
            "included.client.audience": API_CLIENT,
            "access.token.claim": "true",
            "id.token.claim": "false",
        },
    }
