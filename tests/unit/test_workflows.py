"""The workflows: checked by actionlint, pinned, with no more rights than they need, and their scripts run."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.comment import LIMIT, MARKER
from devcluster import checks
from stacks.environment import environment_file
from tests.workflows import FOLDER, REPOSITORY, step, steps, workflow, write_program

NAMES = sorted(file.stem for file in FOLDER.glob("*.yml"))
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq, this machine has not")
BOT = {"login": "github-actions[bot]"}


def test_actionlint_finds_nothing() -> None:
    linter = checks.ensure("actionlint", print)
    # Without the shell checkers that a machine may have or not.
    command = [linter, "-no-color", "-shellcheck=", "-pyflakes=", *sorted(FOLDER.glob("*.yml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit_with_their_version_beside(name: str) -> None:
    used = re.findall(r"uses: (.*)", (FOLDER / f"{name}.yml").read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_an_action_has_one_version() -> None:
    used = {each for file in FOLDER.glob("*.yml") for each in re.findall(r"uses: (.*)", file.read_text())}
    assert len(used) == len({each.partition("@")[0] for each in used})


@pytest.mark.parametrize("name", NAMES)
def test_every_job_is_bounded_and_has_no_more_rights_than_it_needs(name: str) -> None:
    content = workflow(name)
    assert content["permissions"] in ({}, {"contents": "read"})
    assert content["concurrency"]["group"]
    assert content["defaults"]["run"]["shell"] == "bash"
    for job, about in content["jobs"].items():
        assert about["timeout-minutes"] <= 60
        rights = about.get("permissions", content["permissions"])
        writes = {right for right, level in rights.items() if level != "read"}
        assert writes <= ({"pull-requests"} if job == "comment" else set())


@pytest.mark.parametrize("name", NAMES)
def test_no_checkout_leaves_its_token_behind(name: str) -> None:
    checkouts = [each for each in steps(name) if each.name.startswith("actions/checkout@")]
    assert checkouts
    assert all(each.content["with"]["persist-credentials"] is False for each in checkouts)


@pytest.mark.parametrize("name", NAMES)
def test_scripts_are_bash_and_hold_no_expressions(name: str) -> None:
    for each in steps(name):
        if each.script is not None:
            subprocess.run(["bash", "-n"], input=each.script, text=True, check=True)
            assert "${{" not in each.script


def test_what_may_write_comments_runs_nothing_of_the_pull_request() -> None:
    comment = [each for each in steps("preview") if each.job == "comment"]
    assert [each.name for each in comment] == ["Comment"]
    assert "head.repo.full_name == github.repository" in workflow("preview")["jobs"]["comment"]["if"]


def test_ci_runs_what_the_ci_script_runs() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text()
    assert re.findall(r"^make \S+", script, re.MULTILINE) == [each.script for each in steps("ci") if each.script]


def test_every_environment_is_previewed() -> None:
    stacks = workflow("preview")["env"]["STACKS"].split()
    assert sorted(stacks) == sorted(file.stem.removeprefix("Pulumi.") for file in REPOSITORY.glob("Pulumi.*.yaml"))
    assert all((REPOSITORY / environment_file(stack)).is_file() for stack in stacks)


def test_what_the_preview_ends_with_is_what_the_job_ends_with(tmp_path: Path) -> None:
    """The comment is made of what was written, whether or not CI is to fail."""
    (tmp_path / "Makefile").write_text(".venv/ready:\n\t@true\n")
    for code in (0, 1):
        write_program(tmp_path / ".venv" / "bin" / "mainstay", f'echo "$@"; exit {code}')
        files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
        variables = {"STACKS": "staging prod", **{name: str(tmp_path / file) for name, file in files.items()}}
        assert step("preview", "Preview").run(tmp_path, variables).returncode == code
        first, document, last = (tmp_path / "output").read_text().splitlines()[-3:]
        assert first == f"document<<{last}"
        assert document == "preview staging prod --format markdown"
    outputs = workflow("preview")["jobs"]["preview"]["outputs"]
    assert outputs == {"document": "${{ steps.preview.outputs.document }}"}


@needs_jq
@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], "POST repos/shop/shop/issues/7/comments"),
        ([{"id": 1, "user": BOT, "body": MARKER}], "PATCH repos/shop/shop/issues/comments/1"),
        ([{"id": 1, "user": BOT, "body": "**Safe**"}], "POST repos/shop/shop/issues/7/comments"),
        (
            [{"id": 1, "user": {"login": "mallory"}, "body": MARKER}],
            "POST repos/shop/shop/issues/7/comments",
        ),
    ],
)
def test_the_comment_is_written_once_and_then_updated(
    there: list[dict[str, Any]], expected: str, tmp_path: Path
) -> None:
    """Against a stand-in for gh, which answers from a file and writes down what it is asked to send."""
    document = f"**Safe** · `staging`: `$(touch broken)`\n\n{'ü' * 32_000}\n{MARKER}"
    assert LIMIT * 0.95 < len(document.encode()) <= LIMIT
    called, sent = _comment(tmp_path, there, document)
    assert called == expected
    assert sent == {"body": f"{document}\n"}
    assert not (tmp_path / "broken").exists()


@needs_jq
def test_a_preview_that_left_no_document_is_told_too(tmp_path: Path) -> None:
    _, sent = _comment(tmp_path, [], "")
    said = [f"- **Stop** · `{stack}`: there is no preview, its job ended early" for stack in ("staging", "prod")]
    assert sent["body"].splitlines() == [*said, "", MARKER]


def _comment(folder: Path, there: list[dict[str, Any]], document: str) -> tuple[str, dict[str, Any]]:
    # Two pages, as `--paginate` prints them one after the other.
    (folder / "comments.json").write_text(f"[]\n{json.dumps(there)}\n")
    write_program(
        folder / "bin" / "gh",
        'if [ "$2" = --paginate ]; then cat comments.json; else echo "$4 $5" > called; cp "$7" sent.json; fi',
    )
    variables = {
        "STACKS": "staging prod",
        "DOCUMENT": document,
        "REPOSITORY": "shop/shop",
        "NUMBER": "7",
        "GH_TOKEN": "none",
    }
    path = f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    done = step("preview", "Comment").run(folder, {**variables, "PATH": path})
    assert done.returncode == 0, done.stderr
    return (folder / "called").read_text().strip(), json.loads((folder / "sent.json").read_text())
