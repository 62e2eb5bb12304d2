"""What others read of an audit: SARIF, JUnit, OSCAL, and the page's text."""

import json
import re
import uuid
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any, cast
from xml.etree import ElementTree as xml

from audit.assessment import Assessment
from audit.formats import junit, oscal, page, sarif
from policies.pack import RULES as PACK
from tests.audits import DRILL, assessed, exemption, resource

TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
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


def test_sarif_has_what_its_schema_asks_for() -> None:
    content = json.loads(sarif.render(mixed()))
    assert content["version"] == "2.1.0"
    (run,) = content["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])
    for each in driver["rules"]:
        # Code scanning shows 1024 characters at most.
        assert 0 < len(each["shortDescription"]["text"]) <= 1024
        assert 0 < len(each["fullDescription"]["text"]) <= 1024
        assert 0 <= float(each["properties"]["security-severity"]) <= 10
        assert len(each["properties"]["tags"]) == len(set(each["properties"]["tags"])) <= 20
    known = {each["id"] for each in driver["rules"]}
    for each in run["results"]:
        assert each["ruleId"] in known
        assert each["message"]["text"]
        assert each["level"] in {"none", "note", "warning", "error"}
        # Unless the kind is fail, the schema allows the level none alone.
        assert each["kind"] == "fail"
        (location,) = each["locations"]
        place = location["physicalLocation"]
        assert not re.match(r"/|\w+:", place["artifactLocation"]["uri"])
        assert place["region"]["startLine"] >= 1


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


def test_oscal_has_what_its_schema_asks_for_and_no_empty_list() -> None:
    """Required properties, tokens, times and UUIDs of the schema of OSCAL 1.1.2, which no package of our size has."""
    for assessment in (mixed(), assessed(resource("a"))):
        content = json.loads(oscal.render(assessment))
        _no_empty(content)
        content = content["assessment-results"]
        assert content.keys() >= {"uuid", "metadata", "import-ap", "results"}
        assert content["metadata"].keys() >= {"title", "last-modified", "version", "oscal-version"}
        (result,) = content["results"]
        assert result.keys() >= {"uuid", "title", "description", "start", "reviewed-controls"}
        for each in result["observations"]:
            assert each.keys() >= {"uuid", "description", "methods", "collected"}
            assert all(
                TOKEN.fullmatch(prop["name"]) and re.fullmatch(r"\S(.*\S)?", prop["value"]) for prop in each["props"]
            )
        for each in result.get("findings", []):
            assert each.keys() >= {"uuid", "title", "description", "target"}
            assert each["target"].keys() >= {"type", "target-id", "status"}
            assert each["target"]["type"] in {"statement-id", "objective-id"}
            assert each["target"]["status"]["state"] in {"satisfied", "not-satisfied"}
            assert TOKEN.fullmatch(each["target"]["target-id"])
        (selection,) = result["reviewed-controls"]["control-selections"]
        assert all(TOKEN.fullmatch(each["control-id"]) for each in selection["include-controls"])
        assert all(
            datetime.fromisoformat(each).tzinfo for each in (result["start"], content["metadata"]["last-modified"])
        )
    assert all(TOKEN.fullmatch(oscal.control_id(control)) for rule in PACK for control in rule.controls)


def _no_empty(value: Any) -> None:
    if isinstance(value, dict | list):
        assert value
        for each in cast("list[Any]", value if isinstance(value, list) else [*value.values()]):
            _no_empty(each)


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


class _Elements(HTMLParser):
    """Each element of a page: its tag, its attributes, and the tags it stands in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], "not all is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs), tuple(self._open)))
        if tag not in {"meta", "input", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_the_page_can_be_read_by_who_does_not_see_it() -> None:
    elements = _Elements(page.render(mixed())).all
    assert ("html", {"lang": "en"}, ()) in elements
    levels = [int(tag[1]) for tag, *_ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    inputs = [(names, around) for tag, names, around in elements if tag == "input"]
    assert len(inputs) == 8
    assert all("label" in around or names.get("aria-label") for names, around in inputs)
    heads = [names.get("scope") for tag, names, _ in elements if tag == "th"]
    assert len(heads) > 20
    assert set(heads) == {"col", "row"}
    ids = [names["id"] for _, names, _ in elements if "id" in names]
    assert len(ids) == len(set(ids))
    links = {str(names["href"])[1:] for tag, names, _ in elements if tag == "a"}
    assert links <= set(ids)


def test_evidence_of_a_later_day_is_told_and_not_counted() -> None:
    later = replace(DRILL, at="2026-11-26T00:30:00Z")
    assert "later, not counted" in page.render(assessed(resource("a"), evidence=(later,)))
    assert "later, not counted" not in page.render(assessed(resource("a"), evidence=(DRILL,)))


def test_a_rule_that_fails_everywhere_hides_no_other_at_the_top() -> None:
    many = [resource(f"r{number:02}", first="bad") for number in range(40)]
    top = page.render(assessed(*many, resource("z", second="bad"))).split("By theme")[0]
    assert "and 35 more" in top
    assert "Service shop/z" in top
