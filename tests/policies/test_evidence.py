"""Dated evidence: a folder of files is read as a whole, or not at all; and what of it counts on a day."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.evidence import KINDS, Evidence, InvalidEvidence, folder_of, load
from policies.facts import Facts
from policies.values import Undecided

MAIN = "Cluster shop-prod/postgres-main"
DRILL = {
    "kind": "restore-drill",
    "subject": MAIN,
    "at": "2026-11-20T03:12:00Z",
    "passed": True,
    "detail": "1500 of 1500 rows",
}


def read(folder: Path, *entries: object) -> tuple[Evidence, ...]:
    (folder / "drills.yaml").write_text(yaml.safe_dump(list(entries)))
    return load(folder)


def told(folder: Path, *entries: object) -> list[str]:
    with pytest.raises(InvalidEvidence) as error:
        read(folder, *entries)
    return str(error.value).splitlines()


def test_all_files_are_read_by_time_and_say_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("- " + "\n  ".join(f"{key}: {value}" for key, value in DRILL.items()))
    (tmp_path / "b.json").write_text(f'[{{"kind": "slo-report", "subject": "x", "at": "{DRILL["at"]}",'
                                     ' "passed": false, "detail": "y"}]')  # fmt: skip
    (tmp_path / "notes.txt").write_text("none of it")
    before = {**DRILL, "at": "2026-11-19T01:00:00+02:00", "kind": "backup-copy"}
    same = {**DRILL, "subject": "Cluster a"}
    found = read(tmp_path, DRILL, same, before)
    assert [(each.kind, each.subject[:9], each.at, each.source) for each in found] == [
        ("backup-copy", "Cluster s", "2026-11-18T23:00:00Z", "drills.yaml"),
        ("restore-drill", "Cluster a", "2026-11-20T03:12:00Z", "drills.yaml"),
        ("restore-drill", "Cluster s", "2026-11-20T03:12:00Z", "a.yml"),
        ("restore-drill", "Cluster s", "2026-11-20T03:12:00Z", "drills.yaml"),
        ("slo-report", "x", "2026-11-20T03:12:00Z", "b.json"),
    ]
    assert (found[0].day, found[0].passed, found[0].detail) == (date(2026, 11, 18), True, "1500 of 1500 rows")
    assert found[0].seconds == 1795042800
    assert {len(each.digest) for each in found} == {64}
    assert len({each.digest for each in found}) == 3


def test_each_environment_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert folder_of(tmp_path, "prod") == tmp_path / "evidence" / "prod"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_evidence_is_known(tmp_path: Path, kind: str) -> None:
    assert [each.kind for each in read(tmp_path, {**DRILL, "kind": kind})] == [kind]
    assert kind in ("backup-copy", "restore-drill", "secret-rotation", "slo-report")


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (
            {"kind": None, "passed": None},
            [f"kind is None; it must be one of {', '.join(KINDS)}", "passed must be true or false"],
        ),
        ({"more": 1, "and": 2}, ["the keys and, more are not known"]),
        ({"kind": "drill"}, [f"kind is 'drill'; it must be one of {', '.join(KINDS)}"]),
        *(
            ({key: value}, [f"{key} must be a text that is not empty"])
            for key in ("subject", "detail")
            for value in (" ", 1)
        ),
        ({"passed": "yes"}, ["passed must be true or false"]),
        (
            {"at": "2026-11-20T03:12:00"},
            ["at is '2026-11-20T03:12:00'; it must be a time in UTC, e.g. 2026-11-20T03:12:00Z"],
        ),
        ({"kind": ["restore-drill"]}, [f"kind is ['restore-drill']; it must be one of {', '.join(KINDS)}"]),
        ({"passed": 1}, ["passed must be true or false"]),
        (
            {"at": date(2026, 11, 20)},
            ["at is datetime.date(2026, 11, 20); it must be a time in UTC, e.g. 2026-11-20T03:12:00Z"],
        ),
        ({"at": 5}, ["at is 5; it must be a time in UTC, e.g. 2026-11-20T03:12:00Z"]),
        ({"at": "soon"}, ["at is 'soon'; it must be a time in UTC, e.g. 2026-11-20T03:12:00Z"]),
    ],
)
def test_an_entry_that_is_wrong_is_told(tmp_path: Path, change: dict[str, Any], problems: list[str]) -> None:
    assert told(tmp_path, DRILL, {**DRILL, **change}) == [f"drills.yaml, entry 1: {each}." for each in problems]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a-day.yaml").write_text("- at: 2026-13-20T03:12:00Z")
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "mapping.yaml").write_text("a: b")
    found = told(tmp_path, {}, 1)
    unreadable = [found.pop(0), found.pop(0), found.pop(2)]
    assert [each.split(":")[0] for each in unreadable] == [
        f"{name} cannot be read" for name in ("a-day.yaml", "broken.yaml", "folder.yaml")
    ]
    assert found == [
        "drills.yaml, entry 0: the keys at, detail, kind, passed, subject are missing.",
        "drills.yaml, entry 1: it must have the keys kind, subject, at, passed and detail.",
        "mapping.yaml must be a list of entries.",
    ]
    with pytest.raises(InvalidEvidence, match="nowhere is no folder"):
        load(tmp_path / "nowhere")


def test_the_latest_of_a_kind_counts_that_is_not_of_a_later_day(tmp_path: Path) -> None:
    def at(day: int, **changes: object) -> dict[str, object]:
        return {**DRILL, "at": f"2026-11-{day}T03:12:00Z", **changes}

    entries = read(
        tmp_path, at(10), at(12, kind="backup-copy"), at(12, subject="Cluster other"), at(11, passed=False), at(13)
    )
    known = Facts("prod", date(2026, 11, 12), evidence=entries)
    found = known.latest("restore-drill", MAIN)
    assert found is not None
    assert (found.day, found.passed) == (date(2026, 11, 11), False)
    assert known.latest("slo-report", MAIN) is None
    assert Facts("prod", date(2026, 11, 12)).latest("restore-drill", "x") is None
    on_its_day = Facts("prod", date(2026, 11, 13), evidence=entries).latest("restore-drill", MAIN)
    assert on_its_day is not None
    assert on_its_day.day == date(2026, 11, 13)
    with pytest.raises(Undecided, match="the day as of which to judge is not given"):
        Facts("prod", evidence=entries).latest("restore-drill", MAIN)
    assert (Facts().stack, Facts().deployed, Facts().evidence) == ("", False, None)
