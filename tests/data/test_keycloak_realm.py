"""What the Keycloak component renders, run for real: two replicas, imported realm, PostgreSQL over verified TLS."""

import base64
import json
import re
import signal
import socket
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from components.keycloak.alerts import ALERTS
from components.keycloak.network import CLUSTER_PORTS
from components.keycloak.server import ADMIN, SHUTDOWN_DELAY_SECONDS
from stacks.settings_keycloak import ADMIN_PASSWORD, API_CLIENT_SECRET
from tests.data.keycloak_database import APPLICATION, Database, certificates, create
from tests.data.keycloak_server import Answer, Server, distribution, keep_build, reuse_build
from tests.keycloak_rendering import SECRETS, SECTION, one, rendering

START_SECONDS = 300
"""Two servers build and start at once; a minute on two idle cores."""
REALM = SECTION["realm"]["name"]
ISSUER = f"{SECTION['url']}/realms/{REALM}"
TOKEN = "/protocol/openid-connect/token"


@dataclass(frozen=True)
class Deployment:
    """The rendered objects, the database, and the replicas that run."""

    folder: Path
    pod: dict[str, Any]
    realm: dict[str, Any]
    config_maps: Mapping[str, Mapping[str, str]]
    secrets: Mapping[str, Mapping[str, str]]
    database: Database
    replicas: list[Server]

    @contextmanager
    def server(
        self, name: str, image: Path, changes: dict[str, str] | None = None, dbname: str = APPLICATION["dbname"]
    ) -> Generator[Server]:
        """One more server, being started."""
        root = self.folder / name
        root.mkdir()
        server = Server(root, self.pod, free_ports(), changes or {})
        secrets = {**self.secrets, "postgres-auth-app": {**APPLICATION, "dbname": dbname}}
        try:
            server.start(image, self.config_maps, secrets, self.database)
            yield server
        finally:
            server.stop()

    @property
    def built(self) -> Path:
        """An image like the first replica's, whose build files are up to date: it starts without building."""
        return self.replicas[0].root / "opt" / "keycloak"


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with ExitStack() as stack:
        # Not pytest's own folder: PostgreSQL's user must be able to enter it.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mainstay-keycloak-")))
        folder.chmod(0o755)
        for name in ("postgres", "image"):
            (folder / name).mkdir()
        image = distribution(folder / "image")
        database = create(folder / "postgres", free_port())
        stack.callback(database.stop)
        manifests = rendering(secrets=SECRETS)
        config = one(manifests, "ConfigMap")["data"]
        running = Deployment(
            folder,
            one(manifests, "StatefulSet")["spec"]["template"]["spec"],
            json.loads(config["realm.json"]),
            {"keycloak": config},
            {
                "keycloak": one(manifests, "Secret")["stringData"],
                "postgres-auth-ca": {"ca.crt": database.authority},
            },
            database,
            [],
        )
        reused = reuse_build(image, running.pod)
        started = time.time()
        # At once, as the StatefulSet has it: only one may create the tables and import the realm. On an empty database
        # Keycloak's lock comes too late for the first table, and a replica that finds it there ends: once.
        running.replicas.extend(stack.enter_context(running.server(name, image)) for name in ("first", "second"))
        for replica in running.replicas:
            replica.wait_ready(START_SECONDS, restarts=1)
            assert replica.written_outside_volumes(started) == []
        if not reused:
            keep_build(running.built, running.pod)
        yield running


@pytest.fixture
def server(deployment: Deployment) -> Server:
    """One of the replicas."""
    return deployment.replicas[0]


@pytest.fixture
def admin(server: Server) -> Mapping[str, str]:
    """Headers of the first administrator."""
    form = {"client_id": "admin-cli", "username": ADMIN, "password": SECRETS[ADMIN_PASSWORD], "grant_type": "password"}
    answer = server.post(f"/realms/master{TOKEN}", form)
    assert answer.status == 200, answer.body
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def api_token(server: Server, secret: str = SECRETS[API_CLIENT_SECRET]) -> Answer:
    form = {"grant_type": "client_credentials", "client_id": "api", "client_secret": secret}
    return server.post(f"/realms/{REALM}{TOKEN}", form)


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_the_api_gets_a_token_with_its_roles_from_every_replica(deployment: Deployment) -> None:
    for replica in deployment.replicas:
        answer = api_token(replica)
        assert answer.status == 200, answer.body
        held = claims(answer.json["access_token"])
        assert held["iss"] == ISSUER
        assert held["aud"] == "api"
        assert held["realm_access"]["roles"] == SECTION["realm"]["apiRoles"]
        assert held["exp"] - held["iat"] == 300
    assert api_token(deployment.replicas[0], "wrong").status == 401


def test_no_header_changes_the_issuer_and_services_find_the_keys_inside(server: Server) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    for headers in ({}, forged):
        document = server.get(f"/realms/{REALM}/.well-known/openid-configuration", headers=headers).json
        assert document["issuer"] == ISSUER
        assert document["authorization_endpoint"].startswith(f"{ISSUER}/")
    inside = server.get(f"/realms/{REALM}/.well-known/openid-configuration").json["jwks_uri"]
    assert inside.startswith(f"http://127.0.0.1:{server.ports['http']}/realms/{REALM}/")


def test_the_realm_is_as_the_section_says(server: Server, admin: Mapping[str, str]) -> None:
    realm = server.get(f"/admin/realms/{REALM}", headers=admin).json
    assert realm["bruteForceProtected"] is True
    assert realm["displayName"] == SECTION["realm"]["displayName"]
    assert realm["sslRequired"] == "external"
    assert realm["passwordPolicy"].startswith("length(12)")
    default_role = realm["defaultRole"]["id"]
    given = server.get(f"/admin/realms/{REALM}/roles-by-id/{default_role}/composites", headers=admin).json
    assert {"user", "manage-account", "view-profile"} <= {role["name"] for role in given}
    assert "admin" not in {role["name"] for role in given}


def test_every_value_of_the_file_is_in_the_realm(
    deployment: Deployment, server: Server, admin: Mapping[str, str]
) -> None:
    """A key that the server knows and ignores would be worse than one it refuses."""
    realm = server.get(f"/admin/realms/{REALM}", headers=admin).json
    separate = {"roles", "clients", "users", "defaultRoles"}
    for key, value in deployment.realm.items():
        if key == "attributes":
            assert value.items() <= realm[key].items()
        elif key not in separate:
            assert realm[key] == value, key
    for client in deployment.realm["clients"]:
        (found,) = server.get(f"/admin/realms/{REALM}/clients?clientId={client['clientId']}", headers=admin).json
        for key in client.keys() - {"secret", "attributes", "protocolMappers"}:
            assert found[key] == client[key], (client["clientId"], key)
        assert client.get("attributes", {}).items() <= found["attributes"].items()
        (mapper,) = found["protocolMappers"]
        assert client["protocolMappers"][0]["config"].items() <= mapper["config"].items()


def test_the_web_client_needs_pkce_and_its_exact_address(server: Server) -> None:
    form = "?client_id=web&response_type=code&scope=openid&redirect_uri="
    challenge = "&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    good, bad = (f"https://staging.shop.example{path}" for path in ("/auth/callback", "/auth/callback/evil"))
    login = f"/realms/{REALM}/protocol/openid-connect/auth{form}"
    assert server.get(login + good + challenge).status == 200
    assert server.get(login + bad + challenge).status == 400
    without = server.get(login + good)
    assert without.status == 302
    assert without.location.startswith(good)
    assert "code_challenge" in without.location


def test_health_and_metrics_are_on_the_management_port_alone(deployment: Deployment, server: Server) -> None:
    assert api_token(server).status == 200
    assert [server.probe(kind) for kind in ("startup", "readiness", "liveness")] == [200, 200, 200]
    for path in ("/health", "/health/ready", "/health/live", "/health/started", "/metrics"):
        assert server.get(path).status == 404, path
    metrics = server.get("/metrics", "management").body.splitlines()
    assert any(line.startswith("keycloak_user_events_total{") and 'client_id="api"' in line for line in metrics)
    assert any(line.startswith("http_server_requests_seconds_bucket") and 'le="0.25"' in line for line in metrics)
    watched = {name for alert in ALERTS for name in re.findall(r"(\w+)\{", alert["expr"])} - {"up"}
    assert {name for name in watched if not any(line.startswith(f"{name}{{") for line in metrics)} == set()
    (size,) = [line for line in metrics if line.startswith("vendor_cluster_size")]
    assert float(size.split()[-1]) == len(deployment.replicas)


def test_replicas_listen_on_the_ports_that_the_policy_opens(server: Server) -> None:
    offset = CLUSTER_PORTS[1] - CLUSTER_PORTS[0]
    for port in (server.ports["cluster"], server.ports["cluster"] + offset):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_the_pool_is_as_large_as_declared_and_encrypted(deployment: Deployment) -> None:
    count = "SELECT ssl, count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'app' "
    answer = deployment.database.query(count + "AND application_name NOT LIKE 'psql%' GROUP BY 1")
    assert answer == f"t|{20 * len(deployment.replicas)}"


def test_the_replicas_find_each_other_in_the_database(deployment: Deployment) -> None:
    assert deployment.database.query("SELECT count(*) FROM jgroups_ping") == str(len(deployment.replicas))


def test_it_fits_its_memory_limit(deployment: Deployment) -> None:
    for replica in deployment.replicas:
        assert replica.resident_bytes() < 0.9 * replica.memory_limit


def test_without_its_database_it_is_not_ready_but_alive(deployment: Deployment, server: Server) -> None:
    deployment.database.stop()
    try:
        wait_for(server, "readiness", 503, 30)
        assert server.probe("liveness") == 200
    finally:
        deployment.database.start()
    for replica in deployment.replicas:
        replica.wait_ready(60)
    assert api_token(server).status == 200


def test_a_realm_with_an_unknown_key_is_refused(deployment: Deployment) -> None:
    deployment.database.query("CREATE DATABASE unknown_key")
    file = json.dumps({**deployment.realm, "bruteForceProtektion": True})
    changes = {"/opt/keycloak/data/import/realm.json": file}
    with deployment.server("unknown-key", deployment.built, changes, "unknown_key") as server:
        assert server.wait_ended(START_SECONDS) != 0
        assert "bruteForceProtektion" in server.log.read_text()


def test_a_database_of_another_authority_is_refused(deployment: Deployment) -> None:
    other = deployment.folder / "other-certificates"
    other.mkdir()
    changes = {"/etc/postgres-ca/ca.crt": certificates(other)}
    with deployment.server("other-authority", deployment.built, changes) as server:
        assert server.wait_ended(START_SECONDS) != 0
        assert "SSL error" in server.log.read_text(), server.tail()


def test_a_stopping_replica_serves_on_until_it_is_forgotten_and_ends_in_time(deployment: Deployment) -> None:
    stopping = deployment.replicas[1]
    assert stopping.process
    start = time.monotonic()
    stopping.process.send_signal(signal.SIGTERM)
    wait_for(stopping, "readiness", 503, SHUTDOWN_DELAY_SECONDS / 2)
    assert api_token(stopping).status == 200
    spec = stopping.pod
    pre_stop = stopping.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    stopping.wait_ended(spec["terminationGracePeriodSeconds"] - pre_stop)
    assert time.monotonic() - start >= SHUTDOWN_DELAY_SECONDS
    assert api_token(deployment.replicas[0]).status == 200


def wait_for(server: Server, probe: str, status: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (found := server.probe(probe)) != status:
        assert time.monotonic() < end, f"{probe} answers {found}, not {status}, for {seconds} s:\n{server.tail()}"
        time.sleep(0.25)


def free_port(at_least: int = 0) -> int:
    """A port that nobody uses now; above `at_least` where given."""
    for port in range(at_least, at_least + 2000) if at_least else [0]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise AssertionError(f"no free port from {at_least} on")


def free_ports() -> Mapping[str, int]:
    # The second cluster port is 50000 above the first: both must exist.
    start = 9100 + time.monotonic_ns() % 4000
    return {"http": free_port(), "management": free_port(), "cluster": free_port(start)}
