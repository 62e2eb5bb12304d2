"""Evidence of restores reaches the series that an alert asks for, in whichever way the environment is declared."""

from pathlib import Path
from typing import Any

import pytest

from components.postgres.drills import LONGEST_DAYS, RESTORED
from policies import evidence
from policies.rules.backups import restore_drill_fresh
from stacks import InvalidEnvironment
from stacks.environment import load
from stacks.render import Manifest, render
from tests.conftest import ROOT, Config
from tests.unit.test_pulumi_program import run_as_pulumi_does, with_secrets

ENTRY = "- {{kind: {kind}, subject: {subject}, at: {at}, passed: {passed}, detail: compared}}\n"
MAIN = "Cluster shop-staging/postgres-main"
SECONDS = 1790000000
AT = "2026-09-21T14:13:20Z"


def entry(at: str = AT, subject: str = MAIN, passed: bool = True, kind: str = "restore-drill") -> str:
    return ENTRY.format(kind=kind, subject=subject, at=at, passed=str(passed).lower())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The evidence of staging."""

    def here(root: Path, stack: str) -> Path:
        assert (root, stack) == (ROOT, "staging")
        return tmp_path

    monkeypatch.setattr(evidence, "folder_of", here)
    return tmp_path


def recorded(manifests: list[Manifest]) -> dict[str, str]:
    """Database -> expression of its series."""
    groups: list[dict[str, Any]] = [
        group for each in manifests if each.kind == "PrometheusRule" for group in each.manifest["spec"]["groups"]
    ]
    rules = [rule for group in groups for rule in group["rules"] if rule.get("record") == RESTORED]
    assert all(rule["labels"]["namespace"] == "shop-staging" for rule in rules)
    return {rule["labels"]["job"]: rule["expr"] for rule in rules}


def test_the_last_restore_that_went_well_counts(folder: Path) -> None:
    later = "2026-10-01T00:00:00Z"
    (folder / "drills.yaml").write_text(
        entry()
        + entry(at="2026-06-01T00:00:00Z")
        + entry(at=later, passed=False)
        + entry(at=later, subject="Cluster shop-prod/postgres-main")
        + entry(at=later, kind="backup-copy")
    )
    assert recorded(render(load(ROOT, "staging"))) == {
        "postgres-main": f"vector({SECONDS})",
        "postgres-auth": "vector(0)",
    }


def test_without_evidence_none_ever_did(folder: Path) -> None:
    folder.rmdir()
    assert set(recorded(render(load(ROOT, "staging"))).values()) == {"vector(0)"}


def test_a_database_without_a_backup_is_not_asked_for(environment: Any, staging: Config) -> None:
    staging["mainstay:postgres"]["main"].pop("backup")
    assert set(recorded(render(environment(staging)))) == {"postgres-auth"}


def test_the_program_of_the_ordinary_cli_knows_it_too(
    folder: Path, staging: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "drills.yaml").write_text(entry())
    staging["kubernetes:context"] = "shop-staging"
    staging["mainstay:images"] = {"pin": "none"}
    del staging["mainstay:github"]
    manifests = run_as_pulumi_does(with_secrets(staging), monkeypatch).manifests(show_secrets=True)
    assert recorded(manifests)["postgres-main"] == f"vector({SECONDS})"


def test_the_alert_and_the_audit_wait_as_long() -> None:
    """Neither room may import the other."""
    assert LONGEST_DAYS == restore_drill_fresh.LONGEST_DAYS


def test_a_restore_that_is_yet_to_come_is_refused(folder: Path) -> None:
    (folder / "drills.yaml").write_text(entry() + entry(at="2126-09-21T14:13:20Z"))
    with pytest.raises(InvalidEnvironment, match=rf"drills.yaml: the restore of {MAIN} is at 2126-.*, which is yet"):
        load(ROOT, "staging")


def test_evidence_that_cannot_be_read_stops_the_declaration(folder: Path) -> None:
    (folder / "drills.yaml").write_text(entry(at="yesterday"))
    with pytest.raises(
        InvalidEnvironment, match=r"^evidence/staging: drills.yaml, entry 0: at is 'yesterday'; it must be"
    ):
        load(ROOT, "staging")
