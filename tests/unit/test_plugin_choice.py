"""Which Kubernetes plugin is used: the genuine one wherever it can be had, and no second wait for a closed network."""

from importlib.metadata import version
from pathlib import Path

import pytest

from devcluster import plugin_choice
from devcluster.plugin_choice import choose
from devcluster.toolchain import Toolchain

NAME = "pulumi-resource-kubernetes"


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    """A toolchain whose pulumi notes each call and does what `pulumi.sh` in tmp_path says; no plugin anywhere."""
    (tmp_path / "tools" / "bin").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    pulumi(tmp_path, "exit 1")
    return Toolchain(tmp_path / "tools")


def pulumi(folder: Path, does: str) -> None:
    executable(folder / "tools" / "bin" / "pulumi", f'echo "$@" >> {folder}/calls\n{does}')


def executable(path: Path, script: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def calls(folder: Path) -> list[str]:
    noted = folder / "calls"
    return noted.read_text().splitlines() if noted.exists() else []


def test_one_on_path_is_used(toolchain: Toolchain, tmp_path: Path) -> None:
    executable(tmp_path / "empty" / NAME)
    choice = choose(toolchain, print)
    assert (choice.genuine, choice.path_entry) == (True, None)
    assert str(tmp_path / "empty") in choice.description


def test_the_stand_in_on_path_is_not_the_genuine_one(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = choose(toolchain, print).path_entry
    assert stand_in is not None
    assert (stand_in / NAME).is_file()
    monkeypatch.setenv("PATH", str(stand_in))
    assert not choose(toolchain, print).genuine


def test_an_installed_one_of_the_right_version_is_used(toolchain: Toolchain, tmp_path: Path) -> None:
    executable(tmp_path / "home" / "plugins" / "resource-kubernetes-v0.0.1" / NAME)
    assert not choose(toolchain, print).genuine
    executable(tmp_path / "home" / "plugins" / f"resource-kubernetes-v{version('pulumi-kubernetes')}" / NAME)
    assert choose(toolchain, print).genuine


def test_one_that_can_be_downloaded_is_used(toolchain: Toolchain, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "plugins" / f"resource-kubernetes-v{version('pulumi-kubernetes')}"
    pulumi(tmp_path, f"/bin/mkdir -p {folder} && echo > {folder}/{NAME}")
    assert choose(toolchain, print).genuine
    assert calls(tmp_path) == [f"plugin install resource kubernetes {version('pulumi-kubernetes')}"]


def test_a_refused_download_is_tried_again_only_after_a_day(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    first, second = choose(toolchain, said.append), choose(toolchain, said.append)
    assert not first.genuine
    assert not second.genuine
    assert "neither found nor downloaded" in first.description
    assert len(calls(tmp_path)) == len(said) == 1
    monkeypatch.setattr(plugin_choice, "_REMEMBERED_SECONDS", 0)
    choose(toolchain, said.append)
    assert len(calls(tmp_path)) == 2


def test_a_server_that_never_answers_is_given_up(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, "exec /bin/sleep 60")
    monkeypatch.setattr(plugin_choice, "_CONNECT_SECONDS", 0)
    assert not choose(toolchain, print).genuine
