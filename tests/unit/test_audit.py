"""The bundle of an audit: what is judged, what is written, and that no change goes unnoticed."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import AuditError, bundle, intake, statement
from audit.assessment import Assessment, Verdict, from_json, to_json
from audit.comparison import compare
from audit.readiness import ITEMS, Answer, checklist
from policies.model import Outcome
from policies.pack import RULES as PACK
from policies.stack import ROOT
from policies.values import SECRET
from tests.audits import DRILL, assessed, exemption, resource

CANARY = "canary-5d1e"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SEALED = "1b47061264138c4ac30d75fd1eb44270"
A, B = resource("a", first="good", second="bad"), resource("b", first="bad", mild="bad")


def mixed() -> Assessment:
    return assessed(A, B, register=exemption(), evidence=(DRILL,), weakened={"second": "not yet, see OPS-2"})


@pytest.mark.parametrize(
    ("first", "weakened", "verdict"),
    [
        ("good", {}, Verdict.PASSED),
        ("bad", {}, Verdict.FAILED),
        ("open", {}, Verdict.INCOMPLETE),
        ("none", {}, Verdict.PASSED),
        ("bad", {"first": "for now"}, Verdict.PASSED),
    ],
)
def test_the_verdict_is_of_the_mandatory_rules(first: str, weakened: dict[str, str], verdict: Verdict) -> None:
    assert assessed(resource("a", first=first, mild="bad"), weakened=weakened).verdict is verdict


def test_every_resource_is_accounted_for_in_every_rule() -> None:
    found = assessed(A, B, resource("c", first="none"))
    numbers = {result.id: found.population_of(result) for result in found.results}
    assert numbers["first"] == {"all": 4, "evaluated": 2, "not_applicable": 1, "other_kinds": 1}
    assert numbers["silent"] == {"all": 4, "evaluated": 0, "not_applicable": 0, "other_kinds": 4}
    assert found.vacuous == ("silent",)


def test_an_assessment_is_read_back_as_it_was() -> None:
    assert from_json(to_json(mixed())) == mixed()
    with pytest.raises(AuditError, match="cannot be read by this version"):
        from_json(to_json(mixed()).replace('"format": 1', '"format": 9'))


def test_what_became_of_each_exemption_is_told() -> None:
    def state(**changes: object) -> str:
        return assessed(A, B, register=exemption(**changes)).exemptions[0].state

    assert state() == "used"
    assert state(resource="Service shop/gone") == "unused"
    assert state(stack="staging") == "other stack"
    assert state(created=date(2026, 9, 1), expires=date(2026, 11, 24)) == "expired"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        bundle.write(mixed(), tmp_path / name, None)
    names = sorted(each.name for each in (tmp_path / "one").iterdir())
    assert names == sorted([bundle.RESULTS, bundle.STATEMENT, *bundle.FORMATS])
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_bundle_that_nobody_touched_is_believed_and_its_signer_named(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    bundle.write(mixed(), tmp_path / "b", key)
    name = statement.key_id(key.public_key())
    assert bundle.verify(tmp_path / "b", key.public_key()) == (mixed(), f"signed by {name}")
    assert bundle.verify(tmp_path / "b", None)[1] == f"signed by {name}, not checked: no key was given"
    with pytest.raises(AuditError, match="not signed by this key"):
        bundle.verify(tmp_path / "b", Ed25519PrivateKey.generate().public_key())
    with pytest.raises(AuditError, match="is not an empty folder"):
        bundle.write(mixed(), tmp_path / "b", None)


@pytest.mark.parametrize("name", [bundle.RESULTS, *bundle.FORMATS])
def test_a_file_that_was_changed_or_removed_is_named(name: str, tmp_path: Path) -> None:
    bundle.write(mixed(), tmp_path / "b", None)
    file = tmp_path / "b" / name
    before = file.read_bytes()
    file.write_bytes(before.replace(b"EX-1", b"EX-2") if b"EX-1" in before else before + b"\n")
    with pytest.raises(AuditError, match=rf"{name} was changed"):
        bundle.verify(tmp_path / "b", None)
    file.unlink()
    with pytest.raises(AuditError, match=rf"{name} is missing"):
        bundle.verify(tmp_path / "b", None)


def test_a_file_that_was_added_and_half_a_bundle_are_noticed(tmp_path: Path) -> None:
    bundle.write(mixed(), tmp_path / "b", None)
    (tmp_path / "b" / "more.txt").write_text("x")
    with pytest.raises(AuditError, match=r"more\.txt is in the folder, but not in the statement"):
        bundle.verify(tmp_path / "b", None)
    (tmp_path / "b" / bundle.STATEMENT).unlink()
    with pytest.raises(AuditError, match="half of one"):
        bundle.verify(tmp_path / "b", None)


def test_a_statement_made_anew_for_changed_files_is_found_by_what_the_results_give(tmp_path: Path) -> None:
    made = bundle.files(mixed())
    forged = {**made, "report.html": made["report.html"].replace(b"Because", b"Whatever")}
    (tmp_path / "b").mkdir()
    for name, content in forged.items():
        (tmp_path / "b" / name).write_bytes(content)
    said = statement.statement(mixed(), forged)
    (tmp_path / "b" / bundle.STATEMENT).write_bytes(statement.envelope(said, None))
    with pytest.raises(AuditError) as error:
        bundle.verify(tmp_path / "b", None)
    assert str(error.value).startswith("report.html is not what these results give.")


def test_results_made_anew_are_found_by_the_signature_alone(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    bundle.write(assessed(A), tmp_path / "b", None)
    assert bundle.verify(tmp_path / "b", None)[1] == "not signed"
    with pytest.raises(AuditError, match="never signed"):
        bundle.verify(tmp_path / "b", key.public_key())


def test_the_statement_is_a_test_result_about_input_and_files() -> None:
    said = statement.statement(mixed(), bundle.files(mixed()))
    names = [each["name"] for each in said["subject"]]
    assert names == ["deployed:prod", *sorted([bundle.RESULTS, *bundle.FORMATS])]
    predicate = said["predicate"]
    assert predicate["result"] == "PASSED"
    assert (predicate["passedTests"], predicate["warnedTests"], predicate["failedTests"]) == (
        ["first"],
        ["mild", "second"],
        [],
    )


def exported(*resources: dict[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {"urn": f"urn:pulumi:prod::shop::{ROOT}::shop-prod", "type": ROOT, "inputs": {}}
    return {"version": 3, "deployment": {"resources": [root, *resources]}}


def state_of(name: str, **more: Any) -> dict[str, Any]:
    token = "kubernetes:core/v1:ConfigMap"
    return {"urn": f"urn:pulumi:prod::shop::{token}::{name}", "type": token, "inputs": {}, **more}


def test_a_state_gives_what_stands_without_what_goes_and_what_is_only_read() -> None:
    stack, found = intake.from_state(
        exported(
            state_of("kept", inputs={"data": {"a": "declared"}}, outputs={"data": {"a": "stands"}}),
            state_of("gone", delete=True),
            state_of("read", external=True),
        ),
        "state.json",
    )
    assert stack == "prod"
    assert [each.name for each in found] == ["shop-prod", "kept"]
    assert found[1].props["data"] == {"a": "stands"}


@pytest.mark.parametrize(
    "sealed", [{"ciphertext": "v1:x"}, {"plaintext": json.dumps({"a": CANARY})}, {"value": CANARY}]
)
def test_no_secret_of_a_state_is_read(sealed: dict[str, Any]) -> None:
    secret = {SIGNATURE: SEALED, **sealed}
    _, found = intake.from_state(exported(state_of("x", outputs={"data": secret})), "s")
    assert found[1].props["data"] in (SECRET, {"a": SECRET})
    assert CANARY not in repr(found)
    assert CANARY not in intake.digest(found)


@pytest.mark.parametrize("content", [None, [], {}, {"deployment": []}, {"deployment": {"resources": {}}}])
def test_what_is_no_state_is_told(content: Any) -> None:
    with pytest.raises(AuditError, match=r"state\.json is no state"):
        intake.from_state(content, "state.json")


@pytest.mark.parametrize("content", [{"deployment": {}}, {"deployment": {"resources": []}}])
def test_a_state_of_which_nothing_is_left_is_told(content: Any) -> None:
    with pytest.raises(AuditError, match=r"state\.json holds no stack: nothing is deployed with it"):
        intake.from_state(content, "state.json")


MANIFESTS = """\
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}}
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, stringData: {password: canary-5d1e}}
---
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""


def test_manifests_of_whatever_origin_are_read_lists_opened_secrets_hidden(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text(MANIFESTS)
    (tmp_path / "b.json").write_text('{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api"}}')
    (tmp_path / "README.md").write_text("no manifest")
    found = intake.from_manifests(tmp_path, "prod")
    assert sorted(each.subject for each in found) == [
        "Deployment shop/api",
        "Namespace default/shop",
        "Secret shop/s",
        "Service default/api",
        "Stack prod",
    ]
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read"),
        ("just text", "no Kubernetes object"),
        ("kind: Service", "without apiVersion and kind"),
        ("{apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n" * 2, "stands in"),
    ],
)
def test_a_file_that_is_no_manifest_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(AuditError, match=rf"a\.yaml.*{said}"):
        intake.from_manifests(tmp_path, "prod")


def test_a_folder_without_manifests_is_told(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="holds no manifests"):
        intake.from_manifests(tmp_path, "prod")


def test_the_digest_is_of_the_resources_whatever_their_order() -> None:
    assert intake.digest([A, B]) == intake.digest([B, A])
    assert intake.digest([A, B]) != intake.digest([A])


def test_a_comparison_tells_worse_better_new_and_gone() -> None:
    before = assessed(resource("a", first="good", second="bad"), resource("b", first="bad"), resource("c", mild="bad"))
    after = assessed(resource("a", first="bad", second="good"), resource("b", first="bad"), resource("d", mild="bad"))
    found = compare(before, after)
    assert [(each.rule, each.subject) for each in found.worse] == [("first", "Service shop/a")]
    assert [(each.rule, each.before, each.after) for each in found.better] == [("second", Outcome.FAIL, Outcome.PASS)]
    assert [each.subject for each in found.new] == ["Service shop/d"]
    assert [each.subject for each in found.gone] == ["Service shop/c"]
    assert (found.resources_new, found.resources_gone, found.rules_new, found.rules_gone) == (1, 1, (), ())
    same = compare(before, before)
    assert not any((same.worse, same.better, same.new, same.gone))


def test_the_checklist_asks_every_rule_and_leaves_to_people_only_what_no_rule_can_see() -> None:
    known = {rule.id for rule in PACK}
    asked = {rule for item in ITEMS for rule in item.rules}
    assert asked == known
    assert all(item.rules or item.where for item in ITEMS)


def test_the_checklist_says_yes_no_exempt_or_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [ITEMS[0]._replace(rules=rules) for rules in (("first",), ("second", "first"), ("silent",), ())]
    monkeypatch.setattr("audit.readiness.ITEMS", items)

    def answers(assessment: Assessment) -> list[Answer]:
        return [line.answer for line in checklist(assessment)]

    assert answers(mixed()) == [Answer.EXEMPT, Answer.NO, Answer.OPEN, Answer.ASK]
    assert answers(assessed(resource("a", first="good")))[:2] == [Answer.YES, Answer.YES]
    assert answers(assessed(resource("a", first="open")))[:2] == [Answer.OPEN, Answer.OPEN]
    assert answers(assessed(resource("a", first="none")))[:2] == [Answer.NOTHING, Answer.OPEN]
