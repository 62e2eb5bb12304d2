"""The command itself: usage, exit codes, rendering. What needs an engine is in tests/engine."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main

REPOSITORY = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in the repository, or in `at`: exit code, stdout, stderr."""

    def call(*arguments: str, at: Path = REPOSITORY) -> tuple[int, str, str]:
        monkeypatch.chdir(at)
        try:
            code = main(arguments)
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize(
    "arguments",
    [
        ["gate"],
        ["gate", "staging", "--override", " ", "--by", "ana"],
        ["slo", "page", "staging"],
        [],
        ["up"],
        ["deploy", "staging"],
        ["up", "staging", "--force"],
        ["cluster", "start", "--port", "0"],
        ["slo"],
    ],
)
def test_wrong_usage_is_code_2_with_the_usage(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: mainstay")


def test_a_stack_that_does_not_exist_is_named_with_those_that_do(run: Run) -> None:
    code, out, err = run("up", "nope")
    assert (code, out) == (1, "")
    assert err.startswith("error: There is no stack 'nope': Pulumi.nope.yaml does not exist in ")
    assert "Stacks here: prod, staging." in err


def test_outside_a_project_the_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    code, _, err = run("preview", "staging", at=tmp_path)
    assert code == 1
    assert err == f"error: There is no Pulumi.yaml in {tmp_path} or above it; go to the project's folder first.\n"


def test_the_project_is_found_from_a_folder_below(run: Run) -> None:
    code, _, err = run("up", "nope", at=REPOSITORY / "tests" / "unit")
    assert code == 1
    assert "There is no stack 'nope'" in err


def test_render_is_one_stream_without_secrets(run: Run) -> None:
    code, out, err = run("render", "staging")
    assert (code, err) == (0, "")
    manifests: list[dict[str, Any]] = list(yaml.load_all(out, yaml.CSafeLoader))
    assert manifests[0]["kind"] == "Namespace"
    assert len(manifests) > 100
    secrets = [each for each in manifests if each["kind"] == "Secret"]
    # Alertmanager's routes hold no secret, and say so.
    shown = {key for each in secrets for key, value in each["stringData"].items() if value != "«secret»"}
    assert shown == {"alertmanager.yaml"}


def test_render_into_a_folder_is_one_file_an_object_the_same_in_every_process(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "manifests"
    assert run("render", "prod", "--output", str(folder))[0] == 0
    command = [sys.executable, "-m", "cli.main", "render", "prod"]
    # Another seed is another order of all that has none.
    variables = {**os.environ, "PYTHONHASHSEED": "1"}
    stream = subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=True).stdout
    assert sorted(file.read_text() for file in folder.iterdir()) == sorted(stream.split("---\n")[1:])
    assert (folder / "deployment-api.yaml").is_file()


def test_render_does_not_mix_with_what_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").touch()
    code, _, err = run("render", "staging", "--output", str(tmp_path))
    assert code == 1
    assert "is not an empty folder" in err
    assert [file.name for file in tmp_path.iterdir()] == ["old.yaml"]


def test_a_reader_that_leaves_is_no_error_worth_a_traceback() -> None:
    command = f"{sys.executable} -m cli.main render staging | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "---\n"
    assert done.stderr == ""


def test_a_fault_of_our_own_is_one_line_and_a_traceback_only_on_demand(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("cli.deploy.write_manifests", broken)
    code, _, err = run("render", "staging")
    assert code == 1
    assert err.startswith("error: Mainstay itself failed (KeyError: 'x')")
    with pytest.raises(KeyError):
        run("--debug", "render", "staging")


def test_an_interrupt_is_code_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.deploy.write_manifests", interrupted)
    code, _, err = run("render", "staging")
    assert code == 130
    assert err.startswith("Stopped")


def test_an_audit_of_a_file_does_not_wait_for_the_import_of_all_that_can_be_declared() -> None:
    program = (
        "import sys; from cli.main import main; main(['audit', '--manifests', 'docs/runbooks']); "
        "sys.exit(','.join(name for name in ('pulumi', 'pulumi_kubernetes', 'grpc') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "error: docs/runbooks holds no manifests: no file there ends in .yaml, .yml, .json."


@pytest.mark.parametrize("verb", ["gate", "up"])
def test_an_override_without_a_name_goes_nowhere(run: Run, verb: str) -> None:
    code, out, err = run(verb, "staging", "--override", "it is urgent")
    assert (code, out) == (1, "")
    assert err.startswith("error: --override REASON and --by WHO belong together")


def test_on_the_embedded_cluster_there_is_no_prometheus_to_ask(run: Run) -> None:
    code, out, err = run("gate", "staging")
    assert (code, err) == (0, "")
    assert out.startswith("Budget gate: The embedded cluster runs no Prometheus (its pods are simulated)")
    assert run("slo", "report", "staging")[0] == 1


def test_a_month_and_an_address_are_checked_before_anything_is_asked(run: Run) -> None:
    nowhere = "http://127.0.0.1:1"
    assert (
        "'2026-13' is not a month" in run("slo", "report", "staging", "--prometheus", nowhere, "--month", "2026-13")[2]
    )
    assert "must be like https://" in run("slo", "status", "staging", "--prometheus", "nowhere")[2]
    assert run("slo", "status", "staging", "--prometheus", nowhere)[2] == (
        f"error: Prometheus does not answer at {nowhere}: connection refused.\n"
    )
