"""What an environment would send: complete, deterministic, without secrets, and safe by default."""

import json
from typing import Any

import pytest

from stacks.environment import WATCHERS, from_config, load
from stacks.render import SECRET_MARKER, Manifest, render
from tests.conftest import ROOT, Config, only
from tests.renderings import own_names, rendering, with_secrets

CANARY = "canary-4f1d"


def find(manifests: list[Manifest], kind: str, name: str) -> dict[str, Any]:
    found = [each.manifest for each in manifests if (each.kind, each.name) == (kind, name)]
    assert len(found) == 1, f"{kind}/{name} stands {len(found)} times in the rendering"
    return found[0]


@pytest.fixture(scope="module")
def prod() -> list[Manifest]:
    return rendering("prod")


@pytest.fixture(scope="module")
def pods(prod: list[Manifest]) -> dict[str, dict[str, Any]]:
    """Pod template by workload."""
    return {each.name: each.manifest["spec"]["template"] for each in prod if each.kind in ("Deployment", "StatefulSet")}


def test_no_object_stands_twice(prod: list[Manifest]) -> None:
    keys = [(each.kind, each.namespace, each.name) for each in prod]
    assert len(keys) == len(set(keys))


def test_secrets_are_marked_and_shown_only_when_given() -> None:
    environment = load(ROOT, "staging")
    values = {key: f"{CANARY}-{index}" for index, key in enumerate(environment.required_secrets)}
    hidden, shown = (
        json.dumps([each.manifest for each in manifests])
        for manifests in (rendering("staging"), render(environment, values))
    )
    assert SECRET_MARKER in json.dumps(json.loads(hidden), ensure_ascii=False)
    for value in values.values():
        assert value not in hidden
        assert value in shown


def test_a_rotated_secret_rolls_the_pods_that_read_it_and_no_others() -> None:
    before = with_secrets("staging")

    def restarted(secret: str) -> set[str]:
        after = render(load(ROOT, "staging"), {**own_names("staging"), f"secrets:{secret}": "new"})
        kinds = ("Deployment", "StatefulSet")
        pairs = [
            (one.name, one.manifest, other.manifest)
            for one, other in zip(before, after, strict=True)
            if one.kind in kinds
        ]
        return {name for name, one, other in pairs if one["spec"]["template"] != other["spec"]["template"]}

    assert restarted("session-key") == {"api"}
    # Everyone whose URL holds the password, and nobody else.
    assert restarted("redis-queue-password") == {"redis-queue", "api", "email-worker", "engine-worker", "scheduler"}
    assert restarted("logs-access-key-id") == {"loki"}
    assert restarted("sentry-dsn") == {"api", "web", "email-worker", "engine-worker", "scheduler"}


def test_every_pod_is_restricted(pods: dict[str, dict[str, Any]]) -> None:
    for name, template in pods.items():
        spec = template["spec"]
        # These two read the API server; nothing else may.
        assert spec["automountServiceAccountToken"] is (name in ("kube-state-metrics", "alloy")), name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }, name
            assert set(container["resources"]) == {"requests", "limits"}, name
            assert "cpu" not in container["resources"]["limits"], name


def test_pods_have_time_to_drain(pods: dict[str, dict[str, Any]]) -> None:
    for name, work in {"api": 30, "email-worker": 60, "engine-worker": 10}.items():
        spec = pods[name]["spec"]
        pre_stop = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert spec["terminationGracePeriodSeconds"] > pre_stop + work, name


def test_liveness_never_asks_what_readiness_asks(pods: dict[str, dict[str, Any]]) -> None:
    for name, template in pods.items():
        container = template["spec"]["containers"][0]
        probes = [container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")]
        assert all(probes), name
        assert probes[1] != probes[2], name


def test_a_singleton_never_runs_twice(prod: list[Manifest]) -> None:
    assert find(prod, "Deployment", "scheduler")["spec"]["strategy"] == {"type": "Recreate"}
    assert find(prod, "Deployment", "email-worker")["spec"]["strategy"]["type"] == "RollingUpdate"


def test_each_connection_opens_both_ways_of_the_network_and_nothing_else_does(prod: list[Manifest]) -> None:
    """Recomputes who may reach whom from the policies alone, and compares with what the environment declares."""
    workloads = {
        each.name: each.manifest["spec"]["template"]["metadata"]["labels"]
        for each in prod
        if each.kind in ("Deployment", "StatefulSet")
    }
    for watcher in WATCHERS:
        # Who reads metrics, and how, is the monitors' own test.
        workloads.pop(watcher, None)
    for database in ("postgres-main", "postgres-auth"):
        workloads[database] = {"cnpg.io/cluster": database}
    policies = [each.manifest["spec"] for each in prod if each.kind == "NetworkPolicy"]

    def selected(selector: dict[str, Any], labels: dict[str, str]) -> bool:
        return selector.get("matchLabels", {}).items() <= labels.items()

    def open_ports(pod: str, direction: str, peer: str) -> set[int]:
        side = {"ingress": "from", "egress": "to"}[direction]
        return {
            port["port"]
            for policy in policies
            if selected(policy["podSelector"], workloads[pod])
            for rule in policy.get(direction, [])
            for other in rule.get(side, [])
            if "namespaceSelector" not in other and "podSelector" in other
            if selected(other["podSelector"], workloads[peer])
            for port in rule["ports"]
        }

    reachable = {
        (source, target, port)
        for source in workloads
        for target in workloads
        for port in open_ports(source, "egress", target) & open_ports(target, "ingress", source)
    }
    declared = {
        (source, target, port)
        for source in ("api", "email-worker", "engine-worker", "scheduler")
        for target, port in (("postgres-main", 5432), ("redis-queue", 6379))
    }
    instances = {(each, each, port) for each in ("postgres-main", "postgres-auth") for port in (5432, 8000)}
    sign_in = {
        ("keycloak", "postgres-auth", 5432),
        ("api", "keycloak", 8080),
        *(("keycloak", "keycloak", port) for port in (7800, 57800)),
    }
    assert reachable == declared | instances | sign_in | {("web", "api", 8000)}


def test_only_public_services_let_the_gateway_in(prod: list[Manifest]) -> None:
    admitted = {
        each.name
        for each in prod
        if each.kind == "NetworkPolicy" and "envoy-gateway-system" in json.dumps(each.manifest["spec"].get("ingress"))
    }
    assert admitted == {"api", "keycloak", "web"}


def test_a_database_without_backup_has_no_trace_of_one(staging: Config) -> None:
    del staging["mainstay:postgres"]["main"]["backup"]
    manifests = render(from_config(only("postgres", staging), "staging"))
    backups = [each.name for each in manifests if each.kind in ("ObjectStore", "ScheduledBackup")]
    assert set(backups) == {"postgres-auth"}
    assert "plugins" not in find(manifests, "Cluster", "postgres-main")["spec"]


def test_a_store_says_where_its_bucket_and_the_copy_are(prod: list[Manifest]) -> None:
    assert find(prod, "ObjectStore", "postgres-main")["metadata"]["annotations"] == {
        "mainstay.dev/account": "111111111111",
        "mainstay.dev/region": "eu-central-1",
        "mainstay.dev/offsite-destination": "s3://shop-prod-offsite/postgres",
        "mainstay.dev/offsite-account": "222222222222",
        "mainstay.dev/offsite-region": "eu-west-1",
        "mainstay.dev/offsite-lock-days": "30",
    }
    one = find(rendering("staging"), "ObjectStore", "postgres-main")
    assert set(one["metadata"]["annotations"]) == {"mainstay.dev/account", "mainstay.dev/region"}


def test_three_instances_commit_on_two_and_one_has_no_budget_that_blocks_drains(prod: list[Manifest]) -> None:
    three = find(prod, "Cluster", "postgres-main")["spec"]
    assert three["postgresql"]["synchronous"]["dataDurability"] == "required"
    assert three["enablePDB"] is True
    one = find(rendering("staging"), "Cluster", "postgres-main")["spec"]
    assert "synchronous" not in one["postgresql"]
    assert one["enablePDB"] is False


def test_redis_keeps_a_quarter_of_its_memory_for_rewrites(prod: list[Manifest]) -> None:
    configuration = find(prod, "ConfigMap", "redis-queue")["data"]["redis.conf"]
    assert f"maxmemory {2 * 1024**3 * 3 // 4}\n" in configuration
    assert "appendonly yes" in configuration
    assert "noeviction" in configuration


def test_a_password_with_awkward_characters_survives(staging: Config) -> None:
    environment = from_config(only("redis", staging), "staging")
    values = {**dict.fromkeys(environment.required_secrets, "x"), "secrets:redis-queue-password": 'a"b\\c/d@e'}
    secret = find(render(environment, values), "Secret", "redis-queue")["stringData"]
    assert secret["auth.conf"] == 'requirepass "a\\"b\\\\c/d@e"\n'
    assert secret["url"] == "redis://:a%22b%5Cc%2Fd%40e@redis-queue:6379/0"


def test_a_fingerprint_of_secrets_is_a_secret_itself(prod: list[Manifest]) -> None:
    annotations = find(prod, "Deployment", "api")["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"mainstay.dev/fingerprint": SECRET_MARKER, "mainstay.dev/drain-seconds": "30"}
