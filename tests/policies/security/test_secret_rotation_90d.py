"""Rule secret-rotation-90d: what trips it, what comes close and must not."""

from datetime import date

import pytest

from policies.evidence import Evidence
from policies.facts import Facts
from policies.model import Outcome
from policies.rules.security.secret_rotation_90d import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, changed, judged, resource

DAY = date(2026, 11, 25)
API = resource("Secret", "api-env", {"type": "Opaque", "stringData": {"SESSION_KEY": SECRET}})
ALERTMANAGER = resource(
    "Alertmanager", "alertmanager", {"spec": {"configSecret": "alertmanager", "secrets": ["alertmanager-contacts"]}}
)
CONFIG = resource("Secret", "alertmanager", {"stringData": {"alertmanager.yaml": SECRET}})


def rotation(
    at: str, subject: str = "Secret shop/api-env", passed: bool = True, kind: str = "secret-rotation"
) -> Evidence:
    return Evidence(kind, subject, f"{at}T12:00:00Z", passed, "by ana", "november.yaml", "0" * 64)


def verdict(
    *evidence: Evidence, secret: Resource = API, others: tuple[Resource, ...] = (), as_of: date | None = DAY
) -> tuple[Outcome, str]:
    facts = Facts("prod", as_of, deployed=True, evidence=evidence)
    finding = judged(RULE, secret, *others, facts=facts)[f"Secret/{secret.name}"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("at", ["2026-08-27", "2026-11-24", "2026-11-25"])
def test_a_rotation_within_90_days_is_enough(at: str) -> None:
    assert verdict(rotation(at)) == (Outcome.PASS, "")
    assert verdict(rotation("2026-01-01"), rotation(at)) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("evidence", "clause"),
    [
        ([], "no rotation of it is on record (evidence secret-rotation)"),
        ([rotation("2026-08-26")], "it was last rotated on 2026-08-26, 91 days ago, which is more than 90"),
        ([rotation("2026-11-26")], "no rotation of it is on record"),
        ([rotation("2026-11-01", subject="Secret shop/web-env")], "no rotation of it is on record"),
        ([rotation("2026-11-01", subject="Secret other/api-env")], "no rotation of it is on record"),
        ([rotation("2026-11-01", kind="restore-drill")], "no rotation of it is on record"),
        ([rotation("2026-11-01", passed=False)], "its rotation of 2026-11-01 went wrong (november.yaml)"),
        ([rotation("2026-10-01"), rotation("2026-11-01", passed=False)], "its rotation of 2026-11-01 went wrong"),
    ],
)
def test_anything_else_fails(evidence: list[Evidence], clause: str) -> None:
    outcome, reasons = verdict(*evidence)
    assert outcome is Outcome.FAIL
    assert reasons.startswith(clause)


def test_a_deployment_is_not_asked() -> None:
    (finding,) = judged(RULE, API, facts=Facts("prod", DAY)).values()
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert finding.reasons == ("dated evidence is judged by mainstay audit, not by a deployment",)


@pytest.mark.parametrize("kind", ["Opaque", GONE, None, "kubernetes.io/basic-auth", "kubernetes.io/dockerconfigjson"])
@pytest.mark.parametrize(
    "content", [{"data": {"password": SECRET}}, {"data": SECRET}, {"data": {"a.crt": SECRET, "b": SECRET}}]
)
def test_every_secret_with_credentials_is_asked(kind: object, content: dict[str, object]) -> None:
    secret = changed(resource("Secret", "api-env", {"type": "", **content}), "type", kind)
    assert verdict(secret=secret)[0] is Outcome.FAIL
    assert verdict(rotation("2026-11-01"), secret=secret)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("props", "reason"),
    [
        ({"type": "kubernetes.io/tls", "data": {"tls.key": SECRET}}, "certificates expire, and are renewed before"),
        ({"type": "kubernetes.io/service-account-token", "data": SECRET}, "Kubernetes makes it"),
        ({"type": "bootstrap.kubernetes.io/token", "data": SECRET}, "it expires by itself"),
        ({"type": "helm.sh/release.v1", "data": SECRET}, "it holds what Helm has deployed"),
        ({}, "nothing is in it"),
        ({"data": {}, "stringData": None}, "nothing is in it"),
        ({"data": {"ca.crt": SECRET}, "stringData": {"jwt.pub": SECRET}}, "what is in it is public"),
    ],
)
def test_what_nobody_rotates_is_not_applicable(props: dict[str, object], reason: str) -> None:
    assert verdict(secret=resource("Secret", "x", props)) == (Outcome.NOT_APPLICABLE, reason)


def test_the_configuration_of_alertmanager_is_not_applicable_if_its_contacts_stand_elsewhere() -> None:
    outcome, reasons = verdict(secret=CONFIG, others=(ALERTMANAGER,))
    assert outcome is Outcome.NOT_APPLICABLE
    assert reasons == "it is the configuration of a server that reads its credentials from other Secrets"
    for path, value in (
        ("spec.secrets", GONE),
        ("spec.secrets", list[str]()),
        ("spec.secrets", UNKNOWN),
        ("spec.configSecret", "other"),
        ("spec.configSecret", UNKNOWN),
        ("metadata.namespace", "elsewhere"),
    ):
        assert verdict(secret=CONFIG, others=(changed(ALERTMANAGER, path, value),))[0] is Outcome.FAIL, path
    more = changed(CONFIG, "stringData.password", SECRET)
    assert verdict(secret=more, others=(ALERTMANAGER,))[0] is Outcome.FAIL
    assert verdict(secret=CONFIG)[0] is Outcome.FAIL


@pytest.mark.parametrize("kind", ["Prometheus", "PrometheusAgent"])
@pytest.mark.parametrize(
    "member", ["additionalScrapeConfigs", "additionalAlertRelabelConfigs", "additionalAlertManagerConfigs"]
)
def test_a_part_of_prometheus_configuration_is_not_applicable(kind: str, member: str) -> None:
    secret = resource("Secret", "scrape", {"stringData": {"nodes.yaml": SECRET}})
    server = resource(kind, props={"spec": {member: {"name": "scrape", "key": "nodes.yaml"}}})
    assert verdict(secret=secret, others=(server,))[0] is Outcome.NOT_APPLICABLE
    assert verdict(secret=secret, others=(changed(server, f"spec.{member}.key", "other.yaml"),))[0] is Outcome.FAIL
    assert verdict(secret=secret, others=(changed(server, f"spec.{member}.name", "other"),))[0] is Outcome.FAIL
    as_token = changed(server, "spec", {"remoteWrite": [{"name": "scrape", "key": "nodes.yaml"}]})
    assert verdict(secret=secret, others=(as_token,))[0] is Outcome.FAIL


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize("path", ["type", "metadata.name", "metadata.namespace"])
def test_what_cannot_be_read_is_inconclusive(path: str, marker: object) -> None:
    assert verdict(rotation("2026-11-01"), secret=changed(API, path, marker))[0] is Outcome.INCONCLUSIVE


def test_without_a_day_nothing_is_decided() -> None:
    assert verdict(rotation("2026-11-01"), as_of=None)[0] is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, ALERTMANAGER, resource("ConfigMap"), resource("Cluster"), facts=Facts(evidence=())) == {}
