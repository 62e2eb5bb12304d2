"""The pack as a whole: rules that can be published, and a room that stands by itself."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

import policies
from policies.controls import parts
from policies.pack import RULES

ROOM = Path(policies.__file__).parent
MODULES = sorted(ROOM.rglob("*.py"))


def test_rules_are_complete_and_told_apart() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.id == rule.id.lower().replace("_", "-")
        for control in rule.controls:
            parts(control)
        assert rule.controls
        assert rule.why.endswith(".")
        assert rule.remediation.endswith(".")
        assert not rule.applies_to.endswith(".")
        assert not rule.title.endswith(".")


def test_every_rule_file_is_in_the_pack() -> None:
    files = {
        (path.parent.name, path.stem.replace("_", "-"))
        for path in (ROOM / "rules").glob("*/*.py")
        if path.stem != "__init__"
    }
    assert {(rule.theme.value, rule.id) for rule in RULES} == files


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_policies_read_nothing_of_what_they_judge(module: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(module.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported.isdisjoint({"cli", "components", "devcluster", "engine", "stacks"})


def test_the_engine_may_put_the_room_itself_on_the_import_path() -> None:
    # It starts the pack with this directory as the current one: a module named like one of Python's would replace it.
    assert {path.stem for path in ROOM.iterdir()}.isdisjoint(sys.stdlib_module_names)


def test_the_engine_finds_the_pack() -> None:
    project = yaml.safe_load((ROOM / "PulumiPolicy.yaml").read_text())
    assert project["runtime"]["name"] == "python"
    # A version here would override the one in pack.py.
    assert "version" not in project
    assert (ROOM / "bin" / "pulumi-analyzer-policy-python").stat().st_mode & 0o111 == 0o111
