"""Rule no-plaintext-secret: what trips it, what comes close and must not; and what it never says."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from policies import normalise
from policies.model import Outcome
from policies.rules.security.no_plaintext_secret import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import TYPES, changed, judged, resource

VALUE = "hunter2"
POD = "spec.template.spec"


def verdict(subject: Resource) -> tuple[Outcome, str]:
    """Outcome and reasons, which never hold the value; a pass if there was nothing to look at."""
    findings = judged(RULE, subject)
    if not findings:
        return Outcome.PASS, ""
    (finding,) = findings.values()
    reasons = "; ".join(finding.reasons)
    assert VALUE not in reasons
    return finding.outcome, reasons


def config_map(**data: object) -> Resource:
    return resource("ConfigMap", props={"data": data})


def container(kind: str = "Deployment", **fields: object) -> Resource:
    spec = {"containers": [{"name": "api", **fields}]}
    return resource(kind, props={"spec": {"template": {"spec": spec}}})


def variable(name: object, value: object) -> Resource:
    return container(env=[{"name": "LOG_LEVEL", "value": "info"}, {"name": name, "value": value}])


def custom(spec: object) -> Resource:
    return resource("Cluster", props={"spec": spec, "status": {"password": VALUE}})


@pytest.mark.parametrize(
    ("subject", "clause"),
    [
        (config_map(DB_PASSWORD=VALUE), "data.DB_PASSWORD is a literal value, and by its name a secret"),
        (config_map(url=f"redis://:{VALUE}@redis"), "data.url holds a URL with a password"),
        (config_map(conf=f"port 1\nrequirepass {VALUE}\n"), "data.conf gives requirepass a literal value in line 2"),
        (config_map(key="-----BEGIN " + "PRIVATE KEY-----"), "data.key holds a private key"),
        (config_map(blob="9zXw3Lb7RtV5nMcJ1dF6sA0eU4ik8GhY"), "data.blob is random, as keys and tokens are"),
        (
            resource(
                "ConfigMap", props={"binaryData": {"conf": base64.b64encode(f"password={VALUE}".encode()).decode()}}
            ),
            "binaryData.conf gives password a literal value in line 1",
        ),
        (variable("API_TOKEN", VALUE), "container api: variable API_TOKEN is a literal value, and by its name"),
        (variable("DATABASE_URL", f"postgres://app:{VALUE}@db"), "variable DATABASE_URL holds a URL with a password"),
        (variable("SEED", "9zXw3Lb7RtV5nMcJ1dF6sA0eU4ik8GhY"), "variable SEED is random"),
        (variable("OPTIONS", f"--password={VALUE}"), "variable OPTIONS gives password a literal value in line 1"),
        (container(args=["serve", f"--db-password={VALUE}"]), "container api: args[1] is a literal value"),
        (container(args=["serve", "--db-password", VALUE]), "container api: args[2] is a literal value"),
        (container(args=["-api-key", VALUE]), "container api: args[1] is a literal value"),
        (container(command=["env", f"PGPASSWORD={VALUE}", "psql"]), "container api: command[1] is a literal value"),
        (
            container(command=["sh", "-c", f"export PGPASSWORD={VALUE}\npsql"]),
            "container api: command[2] gives PGPASSWORD a literal value in line 1",
        ),
        *(
            (
                changed(
                    container(), f"{POD}.containers.0.{probe}", {"exec": {"command": ["ping", f"--password={VALUE}"]}}
                ),
                f"container api: {probe}.exec.command[1] is a literal value",
            )
            for probe in ("startupProbe", "readinessProbe", "livenessProbe")
        ),
        *(
            (
                container(lifecycle={hook: {"exec": {"command": ["stop", f"--token={VALUE}"]}}}),
                f"container api: lifecycle.{hook}.exec.command[1] is a literal value",
            )
            for hook in ("postStart", "preStop")
        ),
        (variable("CONFIG_HASH", f"postgres://app:{VALUE}@db"), "variable CONFIG_HASH holds a URL with a password"),
        (custom({"containers": [{"command": [f"--token={VALUE}"]}]}), "spec.containers[0].command[0] is a literal"),
        (
            resource("Service", props={"metadata": {"annotations": {"example.org/api-token": VALUE}}}),
            "annotation example.org/api-token is a literal value",
        ),
        (
            changed(container(), "spec.template.metadata", {"annotations": {"vault/password": VALUE}}),
            "annotation vault/password is a literal value",
        ),
        (custom({"clientSecret": VALUE}), "spec.clientSecret is a literal value"),
        (custom({"auth": {"password": VALUE}}), "spec.auth.password is a literal value"),
        (custom({"auth": {"password": 123456}}), "spec.auth.password is a literal value"),
        (custom({"passwords": ["a", VALUE]}), "spec.passwords[1] is a literal value"),
        (custom({"env": [{"name": "A_SECRET", "value": VALUE}]}), "spec.env[0].value is a literal value"),
        (custom({"containers": [{"args": [f"--token={VALUE}"]}]}), "spec.containers[0].args[0] is a literal value"),
        (custom({"postgresql": {"conninfo": f"host=db password={VALUE}"}}), "spec.postgresql.conninfo gives password"),
    ],
)
def test_a_secret_in_the_clear_fails_and_says_where(subject: Resource, clause: str) -> None:
    outcome, reasons = verdict(subject)
    assert outcome is Outcome.FAIL
    assert clause in reasons


@pytest.mark.parametrize(
    "subject",
    [
        config_map(PASSWORD_FILE="/run/password", LOG_LEVEL="info", SECRET_NAME="api-env", count=4),
        config_map(**{"realm.json": '{"secret": "${API_CLIENT_SECRET}", "passwordPolicy": "length(12)"}'}),
        config_map(**{"ca.crt": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"}),
        config_map(**{"jwt.pub": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"}),
        resource("ConfigMap", props={"binaryData": {"image": "/9j/4AAQSkZJRgABAQ==", "broken": "%"}}),
        resource("ConfigMap"),
        variable("DATABASE_URL", "postgres://app@db/app"),
        variable("GIT_COMMIT", "4f0e7a9c1b2d3e5f60718293a4b5c6d7e8f90123"),
        variable("CLIENT_ID", "9zXw3Lb7RtV5nMcJ1dF6sA0eU4ik8GhY"),
        variable("MAX_TOKENS", "4096"),
        variable("API_TOKEN", None),
        container(env=[{"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}}]),
        container(args=["serve", "--password-file", "/run/password", "--verbose", "--token=$(API_TOKEN)"]),
        container(args=["--password", "--verbose", VALUE]),
        container(args=["--api-key", "$(API_KEY)", VALUE]),
        container(args=["--level=info", VALUE]),
        resource("Deployment", props={"metadata": {"annotations": {"checksum/config": "4f0e7a9c1b2d3e5f" * 4}}}),
        custom({"superuserSecret": {"name": "x"}, "configSecret": "alertmanager", "secretName": "tls", "on": True}),
        custom({"tokenSecretRef": {"name": "api", "key": "password"}, "encryptedData": {"password": "AgBy3i4OJSWK"}}),
        custom({"env": [{"name": "A_SECRET", "valueFrom": {"secretKeyRef": {"key": "password"}}}]}),
        custom({"value": VALUE}),
        config_map(password={"a": VALUE}),
        variable("PASSWORD", [VALUE]),
        resource("Service", props={"metadata": {"annotations": {"mainstay.dev/plain-keys": f"password={VALUE}"}}}),
        resource("HttpService", props={"metadata": {"annotations": {"a/token": VALUE}}, "value": f"token={VALUE}"}),
        resource("Secret", props={"stringData": {"password": SECRET}}),
        resource("Service", props={"spec": {"password": VALUE}}),
        resource("HttpService", props={"env": {"PASSWORD": VALUE}}),
    ],
)
def test_near_misses_pass(subject: Resource) -> None:
    assert verdict(subject) == (Outcome.PASS, "")


@pytest.mark.parametrize("field", ["containers", "initContainers", "ephemeralContainers"])
def test_every_container_counts(field: str) -> None:
    entry = {"name": "a", "env": [{"name": "TOKEN", "value": VALUE}]}
    assert verdict(changed(container(), f"{POD}.{field}", [{"name": "b"}, entry]))[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Pod", "spec"),
        ("CronJob", "spec.jobTemplate.spec.template.spec"),
        ("ScaledJob", "spec.jobTargetRef.template.spec"),
    ],
)
def test_pods_are_judged_wherever_they_are(kind: str, path: str) -> None:
    props: Any = {"containers": [{"name": "api", "env": [{"name": "TOKEN", "value": VALUE}]}]}
    for key in reversed(path.split(".")):
        props = {key: props}
    outcome, reasons = verdict(resource(kind, props=props))
    assert outcome is Outcome.FAIL
    assert reasons.count("literal value") == 1


def test_annotations_of_a_bare_pod_are_told_once() -> None:
    metadata = {"annotations": {"a/token": VALUE}}
    assert verdict(resource("Pod", props={"metadata": metadata, "spec": {}}))[1].count("annotation a/token") == 1


@pytest.mark.parametrize(
    ("type_token", "outcome"),
    [
        ("kubernetes:postgresql.cnpg.io/v1:Cluster", Outcome.FAIL),
        ("kubernetes:gateway.networking.k8s.io/v1:Gateway", Outcome.FAIL),
        ("kubernetes:example.x-k8s.io/v1:Thing", Outcome.FAIL),
        ("kubernetes:helm.sh/v3:Release", Outcome.FAIL),
        ("kubernetes:storage.k8s.io/v1:StorageClass", None),
        ("kubernetes:core/v1:Service", None),
        ("docker:index/container:Container", None),
    ],
)
def test_custom_resources_are_those_that_kubernetes_does_not_have(type_token: str, outcome: Outcome | None) -> None:
    findings = judged(RULE, Resource("urn:a::b::c", type_token, "c", {"spec": {"values": {"password": VALUE}}}))
    assert [finding.outcome for finding in findings.values()] == ([outcome] if outcome else [])


IN_THE_CLEAR = "is a secret of the stack, and stands here in the clear"


@pytest.mark.parametrize(
    ("subject", "where"),
    [
        (config_map(anything=SECRET), "data.anything"),
        (variable("ANYTHING", SECRET), "container api: variable ANYTHING"),
        (container(args=["--x", SECRET]), "container api: args[1]"),
        (container(command=[SECRET]), "container api: command[0]"),
        (resource("Service", props={"metadata": {"annotations": {"a/b": SECRET}}}), "annotation a/b"),
    ],
)
def test_a_secret_of_the_stack_in_the_clear_fails_whatever_its_name(subject: Resource, where: str) -> None:
    assert verdict(subject) == (Outcome.FAIL, f"{where} {IN_THE_CLEAR}")


def test_a_digest_of_secrets_is_none_though_the_stack_takes_it_for_one() -> None:
    metadata = {"annotations": {"mainstay.dev/fingerprint": SECRET}}
    assert verdict(changed(container(), "spec.template.metadata", metadata)) == (Outcome.PASS, "")
    assert verdict(custom({"fingerprint": SECRET})) == (Outcome.PASS, "")


UNREADABLE: list[Callable[[object], Resource]] = [
    lambda marker: resource("ConfigMap", props={"data": marker}),
    lambda marker: container(env=marker),
    lambda marker: container(env=[marker]),
    lambda marker: changed(container(), f"{POD}.containers", marker),
    lambda marker: changed(container(), f"{POD}.containers", [marker]),
    lambda marker: changed(container(), "spec", marker),
    lambda marker: container(args=marker),
    lambda marker: container(livenessProbe=marker),
    lambda marker: resource("Service", props={"metadata": {"annotations": marker}}),
    custom,
    lambda marker: custom({"anything": marker}),
    lambda marker: custom({"list": [marker]}),
    lambda marker: custom({"args": marker}),
]


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("subject", UNREADABLE)
def test_what_cannot_be_read_is_inconclusive(subject: Callable[[object], Resource], marker: object) -> None:
    assert verdict(subject(marker))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    "subject", [config_map(a=UNKNOWN), variable("A", UNKNOWN), container(args=[UNKNOWN]), custom({"a": UNKNOWN})]
)
def test_a_value_that_is_not_known_yet_is_inconclusive(subject: Resource) -> None:
    assert verdict(subject)[0] is Outcome.INCONCLUSIVE


def test_an_unknown_value_does_not_hide_a_secret() -> None:
    assert verdict(config_map(a=UNKNOWN, password=VALUE))[0] is Outcome.FAIL
    assert verdict(changed(variable("TOKEN", VALUE), f"{POD}.initContainers", UNKNOWN))[0] is Outcome.FAIL
    assert verdict(variable(UNKNOWN, VALUE))[0] is Outcome.PASS


def test_all_that_is_wrong_is_told_at_once() -> None:
    reasons = verdict(config_map(PASSWORD=VALUE, TOKEN=f"postgres://a:{VALUE}@b"))[1]
    assert "data.PASSWORD is a literal" in reasons
    assert "data.TOKEN holds a URL with a password" in reasons
    assert "data.TOKEN is a literal" in reasons
    both = verdict(variable("API_TOKEN", "9zXw3Lb7RtV5nMcJ1dF6sA0eU4ik8GhY"))[1]
    assert both == "container api: variable API_TOKEN is a literal value, and by its name a secret"
    hidden = resource("Service", props={"metadata": {"annotations": UNKNOWN}})
    assert verdict(hidden)[1] == "metadata.annotations is not known before the deployment"


def test_outputs_of_the_stack_count_and_secret_ones_are_encrypted() -> None:
    outputs: dict[str, object] = {"hosts": ["a.example"], "key": SECRET, "database": {"url": SECRET}}
    assert verdict(resource("Stack", props=outputs)) == (Outcome.PASS, "")
    outcome, reasons = verdict(resource("Stack", props={**outputs, "adminPassword": VALUE}))
    assert (outcome, reasons) == (Outcome.FAIL, "adminPassword is a literal value, and by its name a secret")
    assert verdict(resource("Stack", props={"url": f"postgres://a:{VALUE}@b"}))[0] is Outcome.FAIL
    assert verdict(resource("Stack", props={"url": UNKNOWN}))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    "kind", ["actionsVariable:ActionsVariable", "actionsEnvironmentVariable:ActionsEnvironmentVariable"]
)
def test_variables_of_github_count(kind: str) -> None:
    for name, value, outcome in (
        ("NAMESPACE", "shop", Outcome.PASS),
        ("DEPLOY_TOKEN", VALUE, Outcome.FAIL),
        ("NAMESPACE", SECRET, Outcome.FAIL),
        ("NAMESPACE", UNKNOWN, Outcome.INCONCLUSIVE),
    ):
        found = Resource("urn:a::b::c", f"github:index/{kind}", "c", {"variableName": name, "value": value})
        assert verdict(found)[0] is outcome
        assert verdict(found)[1].startswith("value " if outcome is not Outcome.PASS else "")


def test_patches_and_lists_are_judged_by_what_they_set() -> None:
    def last(type_token: str, props: dict[str, Any]) -> Resource:
        return list(normalise.resources("urn:x::y::z", type_token, "z", props, {}))[-1]

    for data, outcome in (({"password": VALUE}, Outcome.FAIL), ({"level": "info"}, Outcome.PASS)):
        assert verdict(last("kubernetes:core/v1:ConfigMapPatch", {"data": data}))[0] is outcome
        assert verdict(last("kubernetes:core/v1:ConfigMapList", {"items": [{"data": data}]}))[0] is outcome
    image = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "x"}]}}}}
    assert verdict(last("kubernetes:apps/v1:DeploymentPatch", image)) == (Outcome.PASS, "")
    assert verdict(last("kubernetes:apps/v1:DeploymentPatch", {"spec": {"replicas": 2}})) == (Outcome.PASS, "")


def test_what_has_nothing_to_read_is_not_its_business() -> None:
    others = [resource(kind) for kind in TYPES if kind not in ("Deployment", "Stack")]
    assert judged(RULE, *others) == {}
