"""Runs rules and their proofs on the genuine promtool."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.slo.objective import Slo
from components.slo.rules import rules

RUNBOOKS, DASHBOARDS = "https://runbooks.example", "https://grafana.example"
RULES = "rules.yaml"

Groups = list[dict[str, Any]]


def groups(slos: Sequence[Slo]) -> Groups:
    """The rules of `slos`, at addresses that do not matter."""
    return rules(slos, RUNBOOKS, DASHBOARDS)


def write(folder: Path, content: Groups) -> None:
    """The rule file that proofs name."""
    (folder / RULES).write_text(yaml.safe_dump({"groups": content}, sort_keys=False))


def run(promtool: Path, folder: Path, proof: Mapping[str, Any], name: str = "proof.test.yaml") -> str:
    """What promtool has against `proof`, the content of a test file; empty: nothing. The rules stand in `folder`."""
    file = folder / name
    file.write_text(yaml.safe_dump(dict(proof), sort_keys=False))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr) if done.returncode else ""


def passing(promtool: Path, files: Sequence[Path]) -> list[Path]:
    """Those of the test files that hold."""
    if not files:
        return []
    command = [promtool, "test", "rules", *files]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    # It says one of these of each file, in their order, and names none.
    verdicts = re.findall(r"^  (SUCCESS|FAILED:)$", done.stdout, re.MULTILINE)
    return [file for file, verdict in zip(files, verdicts, strict=True) if verdict == "SUCCESS"]


def check(promtool: Path, files: Sequence[Path]) -> str:
    """What promtool has against rule files; empty: nothing."""
    command = [promtool, "check", "rules", "--lint=none", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""
