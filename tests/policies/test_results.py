"""The results file: what is written is read back, and what is not whole is not believed."""

import json
from pathlib import Path

import pytest

from policies.model import Enforcement, Finding, Outcome, RuleResult, Severity, Theme
from policies.results import VARIABLE, Results, UnreadableResults, read, write

FINDINGS = tuple(
    Finding(f"urn:{outcome}", f"Service shop/{outcome}", outcome, ("because",) if outcome is not Outcome.PASS else ())
    for outcome in Outcome
)
RESULTS = Results(
    pack="mainstay",
    version="0.1.0",
    project="shop",
    stack="staging",
    preview=True,
    resources=57,
    rules=(
        RuleResult("a", Theme.BACKUPS, "A", Enforcement.MANDATORY, Severity.HIGH, "Mend it.", FINDINGS),
        RuleResult("b", Theme.META, "B", Enforcement.DISABLED, Severity.LOW, "Mend it.", ()),
    ),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write(RESULTS, path)
    assert read(path) == RESULTS
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def test_the_words_in_the_file_stay_what_they_are() -> None:
    assert list(Outcome) == ["pass", "fail", "exempt", "not_applicable", "inconclusive", "error"]
    assert list(Enforcement) == ["advisory", "mandatory", "disabled"]
    assert list(Severity) == ["low", "medium", "high", "critical"]
    assert VARIABLE == "MAINSTAY_POLICY_RESULTS"


def test_counts() -> None:
    result, disabled = RESULTS.rules
    assert all(result.count(outcome) == 1 for outcome in Outcome)
    assert result.evaluated == len(Outcome) - 1
    assert (result.vacuous, disabled.vacuous) == (False, True)
    assert result.of(Outcome.EXEMPT)[0].reasons == ("because",)


def test_the_same_results_are_the_same_bytes(tmp_path: Path) -> None:
    write(RESULTS, tmp_path / "a")
    write(RESULTS, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_file_means_that_nothing_was_evaluated(tmp_path: Path) -> None:
    assert read(tmp_path / "none") is None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"format": 1}', '{"format": 2, "rules": []}', "no json"])
def test_a_damaged_file_is_an_error_in_one_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(damage)
    with pytest.raises(UnreadableResults, match="does not hold policy results"):
        read(path)


@pytest.mark.parametrize("change", [{"outcome": "passed"}, {"reasons": None}])
def test_a_finding_that_cannot_be_understood_is_an_error(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "results.json"
    write(RESULTS, path)
    content = json.loads(path.read_text())
    content["rules"][0]["findings"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(UnreadableResults):
        read(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")

    def full(*_arguments: object, **_options: object) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space left"):
        write(RESULTS, path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("results.json", "old")]
