"""The preview workflow's own commands, in a repository with a pull request; and what the documents never hold."""

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.comment import markdown
from devcluster.cluster import Cluster
from tests.engine.product import REPOSITORY, Product, project
from tests.engine.record_previews import ENVIRONMENT, backup_removed, image_bump, rotate
from tests.unit.recorded import judged
from tests.workflows import step, write_program

STACK, OTHER = "reviewed", "untouched"
STACKS = f"{STACK} {OTHER}"
CANARY = "canary-4b1e"
BRANCHES = {"image": image_bump, "backup": backup_removed}


def environment() -> dict[str, Any]:
    """The one of the recordings, in a namespace of its own."""
    config = copy.deepcopy(ENVIRONMENT)
    config["mainstay:namespace"]["name"] = "shop-reviewed"
    return config


@pytest.fixture(scope="module")
def repository(cluster: Cluster, cluster_root: Path) -> Iterator[Product]:
    """A clone as the runner has it: main, and the merge of each pull request on a branch of its own.

    The base of all of them has been deployed, from the last one's merge, by the job's commands.
    """
    product = project(cluster_root)
    # In place of a virtual environment: the Python that runs the tests.
    command = f'PYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m cli.main "$@"'
    write_program(cluster_root / ".venv" / "bin" / "mainstay", command)
    for file in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / file, cluster_root)
    (cluster_root / ".venv" / "ready").touch()
    product.declare(STACK, environment())
    product.declare(OTHER, {"mainstay:namespace": {**environment()["mainstay:namespace"], "name": "shop-untouched"}})
    _git(cluster_root, "init", "--quiet", "--initial-branch=main")
    _git(cluster_root, "add", "Pulumi.yaml", *(f"Pulumi.{stack}.yaml" for stack in (STACK, OTHER)))
    _git(cluster_root, "commit", "--quiet", "--message=base")
    for name, change in BRANCHES.items():
        config = environment()
        change(config)
        _git(cluster_root, "checkout", "--quiet", "-b", name, "main")
        product.declare(STACK, config)
        _git(cluster_root, "commit", "--quiet", "--all", f"--message={name}")
        _git(cluster_root, "checkout", "--quiet", "-b", f"merge-{name}", "main")
        _git(cluster_root, "merge", "--quiet", "--no-ff", "--no-edit", name)
    base = step("preview", "Deploy the base to the embedded cluster").run(cluster_root, {"STACKS": STACKS})
    assert base.returncode == 0, base.stderr
    assert "::warning::" not in base.stdout, base.stdout
    yield product
    # The folder is shared: other tests write their environments there.
    shutil.rmtree(cluster_root / ".git")


@pytest.fixture
def previewed(repository: Product, tmp_path: Path) -> Callable[[str], tuple[int, str, str]]:
    """Runs the job's other commands on the merge of a pull request: exit code, output for the comment, summary."""

    def run(pull_request: str) -> tuple[int, str, str]:
        _git(repository.root, "checkout", "--quiet", "--detach", f"merge-{pull_request}")
        output, summary = tmp_path / "output", tmp_path / "summary"
        variables = {"STACKS": STACKS, "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        done = step("preview", "Preview").run(repository.root, variables)
        return done.returncode, output.read_text(), summary.read_text()

    return run


def test_a_pull_request_is_compared_with_its_base(previewed: Callable[[str], tuple[int, str, str]]) -> None:
    code, output, summary = previewed("image")
    assert code == 0, summary
    verdict, of_the_other, *_ = summary.splitlines()
    assert verdict == f"- **Safe** · `{STACK}`: 2 updates in place"
    assert of_the_other.startswith(f"- **No changes** · `{OTHER}`: ")
    assert "| `registry.example/shop/api:1.4.2` | `registry.example/shop/api:1.5.0` |" in summary
    first, *document, last = output.splitlines()
    assert first == f"document<<{last}"
    assert "\n".join(document) + "\n" == summary


def test_a_pull_request_that_removes_the_backup_fails_and_says_so_first(
    previewed: Callable[[str], tuple[int, str, str]],
) -> None:
    code, output, summary = previewed("backup")
    assert code == 1
    verdict, of_the_other, *_ = summary.splitlines()
    assert verdict.startswith(f"- **Stop** · `{STACK}`: 1 mandatory policy fails (stateful-has-backup); ")
    assert of_the_other.startswith(f"- **No changes** · `{OTHER}`: ")
    assert "⚠️ **backup schedule** `ScheduledBackup shop-reviewed/postgres-main` is deleted" in summary
    assert summary in output


def test_documents_hold_no_secret_and_are_the_same_each_time(repository: Product, tmp_path: Path) -> None:
    _git(repository.root, "checkout", "--quiet", "--detach", "merge-image")
    rotate(repository, STACK, "session-key", CANARY)
    document, written = (repository.run("preview", STACK, "--format", form) for form in ("json", "markdown"))
    content = json.loads(document.out)
    assert content["verdict"] == "Safe: 3 updates in place"
    assert "- `Secret shop-reviewed/api-env` changes: `SESSION_KEY`" in written.out
    # Progress goes elsewhere.
    assert written.out.startswith("**Safe**")
    assert "previewing" in written.err
    for ended in (document, written):
        assert ended.code == 0, ended.err
        assert CANARY not in ended.text
    # Another run, another form: the same content.
    assert markdown([judged(content, tmp_path)]) == written.out


def _git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@test.invalid", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)
