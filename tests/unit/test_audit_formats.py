"""What others read of an audit: SARIF, JUnit, OSCAL, and the page's text."""

import json
import re
import uuid
from typing import Any
from xml.etree import ElementTree as xml

from audit.assessment import Assessment
from audit.formats import junit, oscal, page, sarif
from tests.audits import DRILL, assessed, exemption, resource

WRONG = "it is <b>wrong</b> & \x07odd"


def mixed(weakened: bool = False) -> Assessment:
    return assessed(
        resource("a", first="good", second="bad"),
        resource("b", first="bad", mild="bad"),
        resource("c", first="open", second="none"),
        register=exemption(),
        evidence=(DRILL,),
        weakened={"second": "not yet, see OPS-2"} if weakened else {},
    )


def test_code_scanning_is_given_failures_and_nothing_else() -> None:
    run = json.loads(sarif.render(mixed()))["runs"][0]
    assert [(each["ruleId"], each["level"], each["kind"]) for each in run["results"]] == [
        ("second", "error", "fail"),
        ("mild", "warning", "fail"),
    ]
    assert run["results"][0]["message"]["text"] == f"Service shop/a: {WRONG}. Mend it."
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "Pulumi.prod.yaml"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["first", "mild", "second", "silent"]
    assert len({each["partialFingerprints"]["ruleAndResource/v1"] for each in run["results"]}) == 2


def test_code_scanning_takes_five_thousand_and_the_mandatory_ones_first() -> None:
    many = [resource(f"r{number}", mild="bad") for number in range(sarif.MOST)]
    run = json.loads(sarif.render(assessed(*many, resource("z", first="bad"))))["runs"][0]
    assert len(run["results"]) == sarif.MOST
    assert run["results"][0]["ruleId"] == "first"
    assert run["properties"]["failures"] == sarif.MOST + 1


def test_ci_fails_for_what_stops_a_deployment_only() -> None:
    root = xml.fromstring(junit.render(mixed(weakened=True)))  # noqa: S314 (our own)
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "0",
        "errors": "0",
        "skipped": "5",
    }
    said = [str(each.get("message")) for each in root.iter("skipped")]
    assert any(each.startswith("exempt: EX-1") for each in said)
    assert "fail, but advisory: it is <b>wrong</b> & \\x07odd" in said
    assert xml.fromstring(junit.render(mixed())).get("failures") == "1"  # noqa: S314


def test_a_control_is_satisfied_only_if_all_its_rules_hold() -> None:
    def states(assessment: Assessment) -> dict[str, str]:
        found = json.loads(oscal.render(assessment))["assessment-results"]["results"][0]
        return {each["target"]["target-id"]: each["target"]["status"]["state"] for each in found.get("findings", [])}

    assert states(mixed()) == {"soc-2_a1.2": "not-satisfied", "nist-800-53-r5_cp-9": "not-satisfied"}
    assert set(states(assessed(resource("a", first="good"))).values()) == {"satisfied"}
    assert states(assessed(resource("a"))) == {}


def test_oscal_refers_to_what_is_there_by_uuids_that_stay() -> None:
    content = json.loads(oscal.render(mixed()))["assessment-results"]
    result = content["results"][0]
    observations = {each["uuid"] for each in result["observations"]}
    named = {each["observation-uuid"] for finding in result["findings"] for each in finding["related-observations"]}
    assert named <= observations
    plans = [each["uuid"] for each in content["back-matter"]["resources"]]
    assert content["import-ap"]["href"].removeprefix("#") in plans
    assert all(uuid.UUID(each).version == 5 for each in _uuids(content))
    assert oscal.render(mixed()) == oscal.render(mixed())


def _uuids(value: Any) -> list[str]:
    return re.findall(r'"uuid": "([^"]+)"', json.dumps(value))


def test_the_page_says_the_verdict_first_and_escapes_what_it_quotes() -> None:
    text = page.render(mixed())
    assert "<title>Failed: policies of prod, 2026-11-25</title>" in text
    assert text.index("1 mandatory rule of 3 fail") < text.index("By theme")
    assert "it is &lt;b&gt;wrong&lt;/b&gt; &amp;" in text
    assert "<b>wrong" not in text
    assert "\x07" not in text
    for told in ("EX-1", "looked at by hand", "drill.yaml", "1 evaluated + 1 not applicable + 2 of other kinds = 4"):
        assert told in text
    assert "not yet, see OPS-2" in page.render(mixed(weakened=True))


def test_the_page_needs_no_network() -> None:
    text = page.render(mixed())
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', text) == []
    assert "://" not in text
