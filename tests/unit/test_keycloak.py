"""Keycloak as it is declared: what the section refuses, what the objects say, who may reach what."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.images import KEYCLOAK
from components.keycloak import Keycloak
from components.keycloak.realm import placeholder_value
from stacks.faults import sentence
from stacks.render import Manifest
from stacks.settings import PostgresSettings, Section
from stacks.settings_keycloak import API_CLIENT_SECRET, KeycloakSettings, keycloak_faults
from tests.keycloak_rendering import SECRETS, one, rendering, section


class _Root(Section):
    keycloak: KeycloakSettings


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return rendering()


@pytest.fixture(scope="module")
def pod(manifests: list[Manifest]) -> dict[str, Any]:
    return one(manifests, "StatefulSet")["spec"]["template"]["spec"]


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key of the realm": (
        section(realm={"bruteForceProtektion": True}),
        "f: mainstay:keycloak.realm.bruteForceProtektion is not a key that Mainstay knows; known are name, ",
    ),
    "misspelt key of the realm": (
        section(realm={"displayNames": "Shop"}),
        "f: mainstay:keycloak.realm.displayNames is not a key that Mainstay knows; did you mean displayName?",
    ),
    "address without TLS": (
        section(url="http://auth.shop.example"),
        "f: mainstay:keycloak.url: 'http://auth.shop.example' is not an https address without a path, such as "
        "https://auth.shop.example.",
    ),
    "address with a path": (section(url="https://shop.example/auth"), "f: mainstay:keycloak.url: "),
    "wildcard redirect": (
        section(realm={"web": {"url": "https://shop.example", "redirectPaths": ["/*"]}}),
        "f: mainstay:keycloak.realm.web.redirectPaths.0: '/*' is not an exact path such as /auth/callback: "
        "whoever a wildcard lets in can take the code.",
    ),
    "role that does not exist": (
        section(realm={"apiRoles": ["servce"]}),
        "f: mainstay:keycloak.realm: apiRoles names 'servce', which is not among roles (user, admin, service).",
    ),
    "realm of the administrators": (section(realm={"name": "master"}), "f: mainstay:keycloak.realm: name must not be"),
    "session shorter than its token": (
        section(realm={"accessTokenSeconds": 1800}),
        "f: mainstay:keycloak.realm: accessTokenSeconds 1800, sessionIdleSeconds 1800 and sessionMaxSeconds 36000 "
        "must grow in this order.",
    ),
    "too little memory": (
        section(resources={"cpu": "1", "memory": "512Mi", "memoryLimit": "512Mi"}),
        "f: mainstay:keycloak: memoryLimit 512Mi is below 1Gi: Keycloak needs that to start.",
    ),
    "no network": (
        section(trustedProxies=["10.0.0.1/8"]),
        "f: mainstay:keycloak.trustedProxies.0: '10.0.0.1/8' is not a network such as 10.0.0.0/8.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_its_sentence(mistake: str) -> None:
    settings, expected = MISTAKES[mistake]
    with pytest.raises(ValidationError) as refused:
        _Root.model_validate({"keycloak": settings})
    (fault,) = refused.value.errors(include_url=False)
    assert sentence("f", "mainstay", fault, _Root).startswith(expected)


def database(max_connections: int = 100) -> PostgresSettings:
    sizes = {"cpu": "1", "memory": "1Gi", "storage": "1Gi", "walStorage": "1Gi"}
    return PostgresSettings.model_validate({"instances": 1, "maxConnections": max_connections, **sizes})


def test_its_database_exists_is_its_own_and_large_enough() -> None:
    settings = KeycloakSettings.model_validate(section(replicas=3, poolSize=30))
    assert keycloak_faults(settings, {"auth": database()}, {"postgres.main": ["mainstay:services.api"]}) == []
    assert keycloak_faults(settings, {"main": database()}, {}) == [
        "mainstay:keycloak.database names 'postgres.auth', which is not declared; declared are: postgres.main."
    ]
    consumers = {"postgres.auth": ["mainstay:services.api.connections.DATABASE_URL"]}
    assert keycloak_faults(settings, {"auth": database(99)}, consumers) == [
        "mainstay:keycloak.database names 'postgres.auth', which mainstay:services.api.connections.DATABASE_URL uses "
        "too: the tables of both would stand in one schema; give Keycloak a PostgreSQL cluster of its own.",
        "mainstay:keycloak: replicas x poolSize is 90, but mainstay:postgres.auth.maxConnections is 99 and 10 of them "
        "must stay free; lower poolSize or raise maxConnections.",
    ]


def test_no_secret_stands_outside_the_secret() -> None:
    values = dict.fromkeys(SECRETS, "canary-77")
    for each in rendering(secrets=values):
        assert ("canary-77" in json.dumps(each.manifest)) == (each.kind == "Secret"), each.kind


def test_only_our_own_placeholder_is_left_for_the_server(manifests: list[Manifest]) -> None:
    file = one(manifests, "ConfigMap")["data"]["realm.json"]
    assert file.count("$") == 1
    realm = json.loads(file)
    assert realm["clients"][0]["secret"] == "${API_CLIENT_SECRET}"
    assert realm["displayName"] == "Shop ${HOME}"


@pytest.mark.parametrize("secret", ["plain", 'a"b\\c', "${HOME}", "line\nbreak", "é€"])
def test_a_secret_survives_the_way_into_the_file(secret: str) -> None:
    pasted = '{"secret": "${API_CLIENT_SECRET}"}'.replace("${API_CLIENT_SECRET}", placeholder_value(secret))
    assert "$" not in pasted
    assert json.loads(pasted) == {"secret": secret}


def test_a_changed_realm_or_secret_rolls_the_pods() -> None:
    def template(settings: dict[str, Any], secrets: dict[str, str]) -> dict[str, Any]:
        return one(rendering(settings, secrets), "StatefulSet")["spec"]["template"]

    before = template(section(), SECRETS)
    assert before == template(section(), SECRETS)
    assert before != template(section(realm={"registration": True}), SECRETS)
    assert before != template(section(), {**SECRETS, API_CLIENT_SECRET: "new"})


def test_the_service_has_the_http_port_alone(manifests: list[Manifest]) -> None:
    (port,) = one(manifests, "Service")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8080, "http")


def test_probes_ask_the_management_port(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {probe["port"] for probe in probes.values()} == {"management"}
    assert len({probe["path"] for probe in probes.values()}) == 3
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert (ports["http"], ports["management"]) == (8080, 9000)


def test_the_pod_is_restricted_and_its_image_read_only(pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["containers"], *pod["initContainers"]):
        assert container["image"] == KEYCLOAK
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert "cpu" not in container["resources"]["limits"]


def test_it_has_time_to_end(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    values = {each["name"]: each.get("value", "") for each in container["env"]}
    phases = (int(values[name].removesuffix("s")) for name in ("KC_SHUTDOWN_DELAY", "KC_SHUTDOWN_TIMEOUT"))
    assert pod["terminationGracePeriodSeconds"] > container["lifecycle"]["preStop"]["sleep"]["seconds"] + sum(phases)


def test_the_database_is_reached_past_the_pooler_and_verified(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    values = {each["name"]: each.get("value") or each["valueFrom"] for each in container["env"]}
    assert values["KC_DB_URL_HOST"] == "postgres-auth-rw"
    assert values["KC_DB_TLS_MODE"] == "verify-server"
    assert values["KC_DB_PASSWORD"] == {"secretKeyRef": {"name": "postgres-auth-app", "key": "password"}}
    (authority,) = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    # Never the authority's key, which stands in the same Secret.
    assert authority["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "postgres-ca"]
    assert values["KC_DB_TLS_TRUST_STORE_FILE"] == f"{mount['mountPath']}/ca.crt"


def test_the_network_lets_in_the_gateway_and_the_replicas_only(manifests: list[Manifest]) -> None:
    policy = one(manifests, "NetworkPolicy")["spec"]
    own = {"podSelector": policy["podSelector"]}
    opened = [(rule["from"], [port["port"] for port in rule["ports"]]) for rule in policy["ingress"]]
    gateway = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "envoy-gateway-system"}}}
    assert opened == [([gateway], [8080]), ([own], [7800, 57800])]
    reached = [(rule["to"], [port["port"] for port in rule["ports"]]) for rule in policy["egress"]]
    to_database = {"podSelector": {"matchLabels": {"cnpg.io/cluster": "postgres-auth"}}}
    assert reached == [([own], [7800, 57800]), ([to_database], [5432])]
    at_database = one(manifests, "NetworkPolicy", "keycloak-to-postgres-auth")["spec"]
    assert at_database["ingress"][0]["from"] == [own]


def test_consumers_know_the_issuer_and_the_way_inside() -> None:
    issuer = Keycloak.issuer("keycloak", "https://auth.shop.example", "shop")
    inside = Keycloak.internal("keycloak", "shop")
    assert issuer["url"] == {"value": "https://auth.shop.example/realms/shop"}
    assert inside["url"] == {"value": "http://keycloak:8080/realms/shop"}
    assert issuer["target"] == inside["target"] == "keycloak"
    assert issuer["port"] == 8080
