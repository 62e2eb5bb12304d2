"""Dated evidence: what is not well formed is refused as a whole, what is of another day does not count."""

from datetime import date
from pathlib import Path

import pytest

from policies import evidence
from policies.evidence import Evidence, InvalidEvidence
from policies.facts import Facts

GOOD = """\
- kind: restore-drill
  subject: Cluster shop/main
  at: 2026-11-20T03:12:00Z
  passed: true
  detail: 1500 of 1500 rows
"""


def loaded(tmp_path: Path, text: str, name: str = "drills.yaml") -> tuple[Evidence, ...]:
    (tmp_path / name).write_text(text)
    return evidence.load(tmp_path)


@pytest.mark.parametrize(
    "at", ["2026-11-20T03:12:00Z", '"2026-11-20T03:12:00Z"', "2026-11-20T04:12:00+01:00", "2026-11-20T03:12:00.5Z"]
)
def test_an_entry_is_read_with_its_file_and_its_time_in_utc(at: str, tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, GOOD.replace("2026-11-20T03:12:00Z", at))
    assert (found.kind, found.subject, found.at, found.day) == (
        "restore-drill",
        "Cluster shop/main",
        "2026-11-20T03:12:00Z",
        date(2026, 11, 20),
    )
    assert (found.passed, found.source, len(found.digest)) == (True, "drills.yaml", 64)


def test_files_are_read_in_whatever_form_and_sorted_by_time(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no evidence")
    (tmp_path / "a.json").write_text(
        '[{"kind": "slo-report", "subject": "prod", "at": "2026-11-21T00:00:00Z", "passed": false, "detail": "x"}]'
    )
    assert [each.kind for each in loaded(tmp_path, GOOD, "b.yml")] == ["restore-drill", "slo-report"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("2026-11-20T03:12:00Z", "2026-11-20", "entry 0: at is datetime.date(2026, 11, 20); it must be a time in UTC"),
        ("2026-11-20T03:12:00Z", "2026-11-20T03:12:00", "it must be a time in UTC"),
        ("2026-11-20T03:12:00Z", "last Friday", "at is 'last Friday'; it must be a time in UTC"),
        ("2026-11-20T03:12:00Z", "20261120", "it must be a time in UTC"),
        ("2026-11-20T03:12:00Z", "2026-13-20T03:12:00Z", "drills.yaml cannot be read: month"),
        ("2026-11-20T03:12:00Z", "", "at is None; it must be a time in UTC"),
        ("restore-drill", "restore", "kind is 'restore'; it must be one of backup-copy, restore-drill"),
        ("restore-drill", "", "kind is None; it must be one of"),
        ("restore-drill", "[restore-drill]", "kind is ['restore-drill']; it must be one of"),
        ("passed: true", "passed: 1", "passed must be true or false"),
        ("passed: true", 'passed: "true"', "passed must be true or false"),
        ("passed: true", "ok: true", "entry 0: the keys passed are missing"),
        ("passed: true", "passed: true\n  by: ana", "the keys by are not known"),
        ("Cluster shop/main", '" "', "subject must be a text that is not empty"),
        ("1500 of 1500 rows", "1500", "detail must be a text that is not empty"),
        ("- kind", "drills:\n- kind", "drills.yaml must be a list of entries"),
        ("- kind", "- {", "drills.yaml cannot be read"),
    ],
)
def test_an_entry_that_is_wrong_is_told_and_none_is_taken(before: str, after: str, said: str, tmp_path: Path) -> None:
    assert before in GOOD
    (tmp_path / "good.yaml").write_text(GOOD)
    with pytest.raises(InvalidEvidence) as refused:
        loaded(tmp_path, GOOD.replace(before, after))
    assert said in str(refused.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- restored")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InvalidEvidence) as refused:
        loaded(tmp_path, GOOD.replace("restore-drill", "drill").replace("true", "maybe"), "b.yaml")
    told = str(refused.value).splitlines()
    assert [line.split(" ")[0].strip(",") for line in told] == ["a.yaml", "b.yaml", "b.yaml", "folder.yaml"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidEvidence, match="is no folder"):
        evidence.load(tmp_path / "none")


def test_what_happens_later_is_not_known_yet(tmp_path: Path) -> None:
    failed = GOOD.replace("true", "false").replace("2026-11-20", "2026-11-24")
    both = loaded(tmp_path, GOOD + failed)

    def latest(day: date, kind: str = "restore-drill", subject: str = "Cluster shop/main") -> Evidence | None:
        return Facts("prod", day, True, evidence=both).latest(kind, subject)

    assert latest(date(2026, 11, 19)) is None
    assert [found.passed for day in (20, 23, 24, 25) if (found := latest(date(2026, 11, day)))] == [
        *(True, True),
        *(False, False),
    ]
    assert latest(date(2026, 11, 25), "backup-copy") is None
    assert latest(date(2026, 11, 25), subject="Cluster shop/other") is None
