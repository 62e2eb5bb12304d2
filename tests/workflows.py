"""The workflows of .github/workflows, and their `run:` steps run as GitHub's runner does."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / ".github" / "workflows"


@dataclass(frozen=True)
class Step:
    """One step of a job."""

    job: str
    content: Mapping[str, Any]

    @property
    def script(self) -> str | None:
        """Its commands; None for a step that uses an action."""
        return cast("str | None", self.content.get("run"))

    @property
    def name(self) -> str:
        """Its name, or the beginning of what it does."""
        return str(self.content.get("name") or self.content.get("uses") or self.content["run"])

    def run(self, folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Runs the commands in `folder` with `variables` added to the environment."""
        assert self.script is not None
        assert "${{" not in self.script, "an expression inside a script can be made to run anything"
        file = folder / ".step.sh"
        file.write_text(self.script)
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)],
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def workflow(name: str) -> dict[str, Any]:
    """The content of <name>.yml."""
    return cast(dict[str, Any], yaml.safe_load((FOLDER / f"{name}.yml").read_text()))


def steps(name: str) -> list[Step]:
    """All steps of a workflow, in order."""
    jobs = cast(dict[str, dict[str, Any]], workflow(name)["jobs"])
    return [Step(job, content) for job, about in jobs.items() for content in about["steps"]]


def step(name: str, step_name: str) -> Step:
    """A step by its name."""
    (found,) = [each for each in steps(name) if each.name == step_name]
    return found


def write_program(path: Path, script: str) -> None:
    """An executable of a few shell lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
