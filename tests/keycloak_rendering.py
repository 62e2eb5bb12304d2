"""Keycloak alone, rendered from a section as an environment file would hold it."""

import asyncio
import copy
from typing import Any

import pulumi
from pulumi.runtime.stack import run_pulumi_func

from components.keycloak import Keycloak
from stacks.render import Manifest, Recorder
from stacks.settings_keycloak import ADMIN_PASSWORD, API_CLIENT_SECRET, NAME, KeycloakSettings, keycloak_args

NAMESPACE = "shop-staging"
SECTION: dict[str, Any] = {
    "database": "postgres.auth",
    "url": "https://auth.staging.shop.example",
    "replicas": 2,
    "resources": {"cpu": "250m", "memory": "1Gi", "memoryLimit": "1Gi"},
    "realm": {
        "name": "shop",
        "displayName": "Shop ${HOME}",
        "roles": ["user", "admin", "service"],
        "apiRoles": ["service"],
        "defaultRoles": ["user"],
        "web": {"url": "https://staging.shop.example", "redirectPaths": ["/auth/callback"]},
    },
}
SECRETS = {
    # What a person may set: characters that mean something to JSON, to shells and to Keycloak's own placeholders.
    ADMIN_PASSWORD: 'adm"in\\${HOME}$$1',
    API_CLIENT_SECRET: 'cl"ient\\n-${HOME}$$1-é',
}


def section(**changes: Any) -> dict[str, Any]:
    """The section, with keys of its realm and others replaced: `section(realm={"roles": []})`."""
    changed = copy.deepcopy(SECTION)
    changed["realm"].update(changes.pop("realm", {}))
    return {**changed, **changes}


def rendering(settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None) -> list[Manifest]:
    """All of its Kubernetes objects; `secrets` are shown in them only when given."""
    monitor = Recorder()
    asyncio.run(_declare(monitor, KeycloakSettings.model_validate(settings or SECTION), secrets or SECRETS))
    return monitor.manifests(show_secrets=secrets is not None)


async def _declare(monitor: Recorder, settings: KeycloakSettings, secrets: dict[str, str]) -> None:
    pulumi.runtime.set_mocks(monitor.mocks, project="mainstay", stack="staging", preview=False, monitor=monitor)
    await run_pulumi_func(lambda: _component(settings, secrets))


def _component(settings: KeycloakSettings, secrets: dict[str, str]) -> None:
    Keycloak(NAME, keycloak_args(settings, NAMESPACE, secrets))


def one(manifests: list[Manifest], kind: str, name: str = NAME) -> dict[str, Any]:
    """The one object of that kind and name."""
    (found,) = [each.manifest for each in manifests if (each.kind, each.name) == (kind, name)]
    return found
