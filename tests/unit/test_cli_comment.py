"""The comment on a pull request: recorded previews against golden files, its limit, and text that means harm."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.comment import LIMIT, MARKER, markdown
from cli.markdown import cell, code, fenced, prose, visible
from engine import review
from engine.result import MASK, Change, Data, Diagnostic, Image, Result, Step, Violation
from engine.review import Review
from policies.model import Enforcement, Finding, Outcome, RuleResult, Severity, Theme
from policies.results import Results
from tests.unit.recorded import GOLDEN, recorded

RECORDED = sorted(file.stem for file in GOLDEN.glob("*.json"))
HOSTILE = "</details> ```` <script>@everyone #12 | [x](http://evil.example) **bold** \u202e\nnew line"


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_preview_gives_its_golden_comment(name: str, tmp_path: Path) -> None:
    """To renew them all: python -m tests.unit.test_cli_comment."""
    assert markdown([recorded(name, tmp_path)]) == (GOLDEN / f"{name}.md").read_text()


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_verdict_is_what_the_command_said(name: str, tmp_path: Path) -> None:
    reviewed = recorded(name, tmp_path)
    said = json.loads((GOLDEN / f"{name}.json").read_text())["verdict"]
    assert f"{reviewed.level}: {reviewed.summary}" == said


def test_the_golden_files_cover_what_a_team_does() -> None:
    assert {
        *("image-bump", "scale", "new-service", "service-renamed", "nothing", "misspelt"),
        *("database-resized", "database-deleted", "backup-removed", "queue-resized", "secret-rotated"),
    } <= set(RECORDED)


def test_a_backup_that_is_removed_is_told_in_the_first_lines(tmp_path: Path) -> None:
    first, _, third, *_ = markdown([recorded("backup-removed", tmp_path)]).splitlines()
    assert first.startswith("**Stop** · `shop`: 1 mandatory policy fails (stateful-has-backup)")
    assert "Give the database a backup" in third


def test_an_advisory_policy_that_fails_is_told_first_of_the_policies_and_stops_nothing() -> None:
    fault = Finding("api", "HttpService api", Outcome.FAIL, ("it has no owner",))
    advisory = RuleResult("service-has-owner", Theme.SLO, "t", Enforcement.ADVISORY, Severity.LOW, "r", (fault,))
    result = _result([_step("api", "create")])
    assert result.policy is not None
    policy = replace(result.policy, rules=(*result.policy.rules, advisory))
    violations = (Violation(advisory.id, "advisory", fault.urn, "m"),)
    text = markdown([review.of(replace(result, policy=policy, violations=violations), "a cluster")])
    assert text.startswith("**Safe** · `shop`: 1 new\n")
    row, other = (f"\n| `{rule.id}` | {rule.enforcement.value} | " for rule in (advisory, *result.policy.rules))
    assert text.index(row) < text.index(other)
    assert "\n- fail: `service-has-owner` `HttpService api`: it has no owner.\n" in text


def test_a_comment_of_several_environments_begins_with_the_verdict_of_each(tmp_path: Path) -> None:
    staging, prod = recorded("image-bump", tmp_path), recorded("backup-removed", tmp_path)
    text = markdown([replace(staging, stack="staging"), replace(prod, stack="prod")])
    first, second, empty, *rest = text.splitlines()
    assert first.startswith("- **Safe** · `staging`: 2 updates in place")
    assert second.startswith("- **Stop** · `prod`: 1 mandatory policy fails (stateful-has-backup); ")
    assert empty == ""
    assert [line for line in rest if line.startswith("### ")] == ["### `staging`", "### `prod`"]
    of_staging, of_prod = text.split("### `staging`")[1].split("### `prod`")
    assert of_staging.strip() in markdown([staging])
    assert of_prod.strip() in markdown([prod])
    assert text.count(MARKER) == 1
    assert text.endswith(f"\n{MARKER}\n")


@pytest.mark.parametrize("count", [2, 5, 12, 40])
def test_however_many_environments_their_comment_stays_below_the_limit(count: int, tmp_path: Path) -> None:
    large = _large("update", 300)  # more than the limit even alone
    text = markdown([recorded("image-bump", tmp_path), *(replace(large, stack=f"env-{at}") for at in range(count))])
    assert LIMIT * 0.5 < len(text.encode()) <= LIMIT
    verdicts = [line for line in text.splitlines()[: count + 1] if line.startswith("- **")]
    assert len(verdicts) == count + 1
    assert text.count("### ") - text.count("#### ") == count + 1
    # Who needs little keeps all of it.
    assert "| `registry.example/shop/api:1.4.2` | `registry.example/shop/api:1.5.0` |" in text or count > 5
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("op", ["create", "update", "delete", "replace"])
def test_two_thousand_objects_stay_below_the_limit_and_the_rest_is_counted(op: Any) -> None:
    text = markdown([_large(op, 2000)])
    assert len(text.encode()) <= LIMIT
    assert len(text.encode()) > LIMIT * 0.8
    assert "… and " in text
    assert re.search(r"^\d+ of 2000 objects did not fit here", text, re.MULTILINE)
    assert text.startswith("**Stop**")
    assert text.endswith(f"{MARKER}\n")
    assert text.count("<details>") == text.count("</details>") == 1


def test_the_failure_of_a_preview_stays_below_the_limit() -> None:
    text = markdown([review.failed("shop", "\n".join("ü" * 5000 for _ in range(2000)))])
    assert len(text.encode()) <= LIMIT


def test_one_huge_object_hides_no_small_one() -> None:
    huge = tuple(Change(f"data.{number}", "update", False, "x" * 400, "y" * 400) for number in range(200))
    text = markdown([review.of(_result([_step("a-huge", "update", *huge), _step("small", "update")]), "a cluster")])
    assert "! update Deployment shop/small" in text
    assert "1 of 2 objects did not fit here" in text


def test_a_long_value_is_shown_line_by_line_where_it_differs() -> None:
    old, new = ({"rows": [{"title": f"row {number}", "height": height} for number in range(50)]} for height in (1, 2))
    new["rows"][1:] = old["rows"][1:]
    change = Change('data["dashboard.json"]', "update", False, json.dumps(old), json.dumps(new))
    text = markdown([review.of(_result([_step("board", "update", change)]), "a cluster")])
    assert '-        "height": 1' in text
    assert '+        "height": 2' in text
    assert "row 40" not in text


def test_a_value_of_another_type_that_looks_the_same_is_told_apart() -> None:
    text = markdown([review.of(_result([_step("api", "update", Change("spec.x", "update", False, "1", 1))]), "c")])
    assert '-   spec.x: "1"\n+   spec.x: 1\n' in text


@pytest.mark.parametrize("op", ["create", "update", "delete", "replace"])
def test_hostile_text_neither_breaks_the_comment_nor_calls_anybody(op: Any) -> None:
    change = Change(f"metadata.labels[{HOSTILE!r}]", "update", op == "replace", HOSTILE, HOSTILE + "\n````\n</details>")
    step = _step(HOSTILE, op, change, images=(Image(HOSTILE, HOSTILE, None),))
    step = replace(step, data=Data("database", HOSTILE), declared={"metadata": {"labels": {"a": HOSTILE}}})
    finding = Finding(step.urn, HOSTILE, Outcome.FAIL, (HOSTILE,))
    said = Diagnostic("warning", None, HOSTILE)
    result = replace(_result([step], [finding]), diagnostics=(said,), drift=(step,))
    outside = _outside_code(markdown([review.of(result, HOSTILE)]))
    assert outside.count("<details>") == outside.count("</details>") == 1
    assert "<script>" not in outside
    assert not re.search(r"@\w", outside)
    assert not re.search(r"#\d", outside.replace("&#8203;", "\u200b"))
    assert "http://" not in outside
    assert "](" not in outside.replace("\\]", "")
    assert "\u202e" not in outside
    assert all(line.count("|") == 5 for line in outside.splitlines() if line.startswith("| … | …"))


def test_nothing_of_a_secret_is_shown_but_its_name() -> None:
    change = Change("stringData.PASSWORD", "update", False, MASK, MASK)
    step = replace(_step("keys", "update", change), kind="Secret", type="kubernetes:core/v1:Secret")
    text = markdown([review.of(_result([step]), "a cluster")])
    assert "- `Secret shop/keys` changes: `PASSWORD`" in text


def test_rules_that_apply_to_nothing_say_so() -> None:
    assert "applies to nothing here, so it proves nothing" in markdown([review.of(_result([]), "a cluster")])


def test_what_others_changed_is_worth_a_look() -> None:
    drifted = _step("api", "update", Change("spec.replicas", "update", False, 1, 9))
    text = markdown([review.of(replace(_result([]), drift=(drifted,)), "a cluster")])
    assert text.startswith("**Look closely** · `shop`: 1 object changed outside Mainstay\n")
    assert "- `Deployment shop/api`: `spec.replicas`" in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("", "`  `"),
        ("a\nb", "`a b`"),
        ("\x1b", "`\\u001b`"),
    ],
)
def test_code_spans_hold_any_text(given: str, expected: str) -> None:
    assert code(given) == expected


def test_the_parts_of_markdown_keep_to_themselves() -> None:
    assert cell("a|b") == "`a\\u007cb`"
    assert cell(None) == "–"
    assert prose("a_b <b> & *c*") == "a\\_b &lt;b&gt; &amp; \\*c\\*"
    assert prose("@team www.evil.example") == "@&#8203;team www&#8203;.evil.example"
    assert fenced(["````"], "diff") == "`````diff\n````\n`````"
    assert visible("x" * 501) == "x" * 499 + "…"


def _large(op: Any, count: int) -> Review:
    """A preview of so many objects, all of them at fault."""
    changes = (Change("spec.template.spec.containers[0].image", "update", op == "replace", "a" * 300, "b" * 300),)
    steps = [
        _step(f"api-{number}", op, *changes, images=(Image("api", "a" * 300, "b" * 300),)) for number in range(count)
    ]
    findings = [
        Finding(f"api-{number}", f"Deployment shop/api-{number}", Outcome.FAIL, ("ü" * 400,)) for number in range(count)
    ]
    violations = tuple(Violation("probes-present", "mandatory", finding.urn, "m") for finding in findings)
    result = replace(_result(steps, findings), violations=violations, outcome="failed")
    return review.refused("stopped", result, "a cluster")


def _outside_code(text: str) -> str:
    """What GitHub reads as Markdown; code becomes an ellipsis."""
    text = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "…", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "…", text)


def _step(name: str, op: Any, *changes: Change, images: tuple[Image, ...] = ()) -> Step:
    return Step(
        urn=name,
        type="kubernetes:apps/v1:Deployment",
        name=name,
        op=op,
        kind="Deployment",
        namespace="shop",
        object_name=name,
        parent=None,
        protected=False,
        changes=changes,
        state="planned",
        seconds=None,
        images=images,
    )


def _result(steps: list[Step], findings: list[Finding] | None = None) -> Result:
    rule = RuleResult(
        "probes-present", Theme.HEALTH, "t", Enforcement.MANDATORY, Severity.HIGH, "r", tuple(findings or ())
    )
    return Result(
        operation="preview",
        stack="shop",
        started="",
        seconds=0.0,
        outcome="succeeded",
        steps=tuple(steps),
        drift=(),
        policy=Results("mainstay", "0.1.0", "p", "s", True, len(steps), (rule,)),
        violations=(),
        outputs={},
        outputs_changed=False,
        diagnostics=(),
    )


if __name__ == "__main__":
    import tempfile

    for each in RECORDED:
        with tempfile.TemporaryDirectory() as scratch:
            (GOLDEN / f"{each}.md").write_text(markdown([recorded(each, Path(scratch))]))
