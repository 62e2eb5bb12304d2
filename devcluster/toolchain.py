"""The programs Mainstay runs, built once from pinned Go modules into a cache that all clones of a user share.

What is pinned stands in tools/go.mod, tools/kwok/go.mod and tools/crds/go.mod, verified by the go.sum beside each. kwok
has a module of its own because it is written against newer Kubernetes libraries than those of the pinned Kubernetes.
The cache folder is named after all their content, so that another pin is another folder and nothing is ever changed in
place.
"""

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from devcluster import DevclusterError, Report, crds, golang
from devcluster.locks import exclusive

TOOLS = Path(__file__).parent / "tools"

_KUBERNETES_FLAGS = (
    "-X k8s.io/component-base/version.gitVersion={version} "
    "-X k8s.io/component-base/version.gitMajor=1 "
    "-X k8s.io/component-base/version.gitMinor={minor}"
)
_PULUMI_FLAGS = "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"


@dataclass(frozen=True)
class Tool:
    """One program: the package that holds its main, the module that names its version, how to ask a built one."""

    name: str
    package: str
    module: str
    ask: tuple[str, ...]
    megabytes: int
    """What a cold build of it adds to the disk: modules, compiled packages and the program; measured, rounded up."""
    flags: str = ""
    folder: str = "."


# In this order later builds reuse the most of earlier ones.
TOOLCHAIN = (
    Tool("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", ("--version",), 500),
    Tool(
        "pulumi",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        "github.com/pulumi/pulumi/pkg/v3",
        ("version",),
        2800,
        _PULUMI_FLAGS,
    ),
    *(
        Tool(name, f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", ask, megabytes, _KUBERNETES_FLAGS)
        for name, ask, megabytes in (
            ("kube-apiserver", ("--version",), 2300),
            ("kube-controller-manager", ("--version",), 600),
            ("kube-scheduler", ("--version",), 150),
            ("kubectl", ("version", "--client"), 300),
        )
    ),
    Tool("kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok", ("--version",), 900, folder="kwok"),
)


@dataclass(frozen=True)
class Toolchain:
    """A complete toolchain on disk."""

    directory: Path

    @property
    def bin(self) -> Path:
        """The folder with all programs; some may be links to tools that were on PATH in the right version."""
        return self.directory / "bin"

    @property
    def crds(self) -> Path:
        """The folder with the operators' CRDs, one <name>.json each."""
        return self.directory / "crds"

    def path(self, name: str) -> Path:
        """The program `name` ("kubectl")."""
        return self.bin / name


def ensure(report: Report) -> Toolchain:
    """The toolchain, built first where need be (minutes; then a fraction of a second, without running anything).

    Raises DevclusterError: no Go to be had, no space left, a build that fails (with the path of its log).
    """
    cache = golang.cache()
    toolchain = Toolchain(cache / f"toolchain-{_digest()}")
    if _complete(toolchain):
        return toolchain
    try:
        toolchain.bin.mkdir(parents=True, exist_ok=True)
        with exclusive(
            cache / f"{toolchain.directory.name}.lock",
            lambda waited: report(f"another process builds the toolchain in {toolchain.directory}: waiting, {waited}"),
        ):
            if not _complete(toolchain):
                _build(toolchain, cache, report)
    except OSError as error:
        raise DevclusterError(
            f"the toolchain cannot be written to {toolchain.directory} ({error.strerror or error}): "
            "make that folder writable, or point XDG_CACHE_HOME to one that is"
        ) from error
    return toolchain


def _build(toolchain: Toolchain, cache: Path, report: Report) -> None:
    for abandoned in toolchain.directory.glob("**/.*.partial"):  # of a build that was killed
        shutil.rmtree(abandoned) if abandoned.is_dir() else abandoned.unlink()
    for tool, recorded in _recorded(toolchain).items():  # a tool on PATH that has been replaced since
        if recorded != _fingerprint(toolchain.path(tool)):
            toolchain.path(tool).unlink(missing_ok=True)
    to_build: list[Tool] = []
    for tool in TOOLCHAIN:
        ours = toolchain.path(tool.name)
        if ours.exists():
            continue
        ours.unlink(missing_ok=True)  # a link whose tool is gone
        on_path = shutil.which(tool.name)
        if on_path is not None and _is(tool, on_path):
            report(f"{tool.name} {_version(tool)}: using {on_path}")
            ours.symlink_to(Path(on_path).resolve())
        else:
            to_build.append(tool)
    with_crds = not toolchain.crds.exists()
    if to_build or with_crds:
        go = golang.find(_go_version(), cache, report)
        _check_space(toolchain, go, to_build)
        for number, tool in enumerate(to_build, 1):
            _build_tool(toolchain, go, tool, f"{number} of {len(to_build)}", report)
        if with_crds:
            report("collecting the operators' CRDs")
            staging = toolchain.directory / ".crds.partial"
            crds.collect(go, staging)
            staging.rename(toolchain.crds)
    stamp = toolchain.directory / "complete.json"
    unfinished = toolchain.directory / ".complete.partial"
    unfinished.write_text(json.dumps({tool.name: _fingerprint(toolchain.path(tool.name)) for tool in TOOLCHAIN}))
    unfinished.replace(stamp)


def _build_tool(toolchain: Toolchain, go: Path, tool: Tool, position: str, report: Report) -> None:
    """Compile one tool under a temporary name; its own name appears only when it is whole."""
    version = _version(tool)
    log = toolchain.directory / f"build-{tool.name}.log"
    unfinished = toolchain.bin / f".{tool.name}.partial"
    flags = tool.flags.format(version=version, minor=version.split(".")[1])
    command = [go, "build", "-o", unfinished, "-ldflags", f"-s -w {flags}", tool.package]
    report(f"building {tool.name} {version} ({position})")
    with log.open("w") as output:
        code = golang.run(command, TOOLS / tool.folder, output, f"building {tool.name} ({position})", report)
    words = log.read_text(errors="replace").strip().splitlines() or ["(go said nothing)"]
    if code == 0:
        unfinished.replace(toolchain.path(tool.name))
        return
    unfinished.unlink(missing_ok=True)
    if any("no space left on device" in line for line in words):
        raise DevclusterError(
            f"no space was left while building {tool.name} into {toolchain.directory} and Go's caches: "
            f"free {tool.megabytes} MB and start again; what is already built is kept"
        )
    last = "\n".join(f"  {line}" for line in words[-8:])
    raise DevclusterError(f"building {tool.name} {version} failed; the log is {log} and ends:\n{last}")


def _check_space(toolchain: Toolchain, go: Path, to_build: list[Tool]) -> None:
    """Fail before the first minute is spent, not after the last. Go's own caches take the most."""
    needed = sum(tool.megabytes for tool in to_build)
    asked = subprocess.run(
        [go, "env", "GOCACHE", "GOMODCACHE"], env=golang.environment(), capture_output=True, text=True, check=False
    )
    for folder in (toolchain.directory, *(Path(line) for line in asked.stdout.splitlines())):
        present = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(present).free // 10**6
        if free < needed:
            raise DevclusterError(
                f"building the toolchain needs {needed} MB and {folder} has {free} MB free: "
                "free some space, or point XDG_CACHE_HOME (and GOMODCACHE) to a larger disk"
            )


def _complete(toolchain: Toolchain) -> bool:
    """Whether every tool is the very file that was recorded; a tool on PATH may have been upgraded since."""
    recorded = _recorded(toolchain)
    return bool(recorded) and recorded == {tool.name: _fingerprint(toolchain.path(tool.name)) for tool in TOOLCHAIN}


def _recorded(toolchain: Toolchain) -> dict[str, list[object]]:
    try:
        return cast("dict[str, list[object]]", json.loads((toolchain.directory / "complete.json").read_bytes()))
    except (OSError, ValueError):
        return {}


def _fingerprint(program: Path) -> list[object]:
    try:
        state = program.stat()
    except OSError:
        return []
    return [str(program.resolve()), state.st_size, state.st_mtime_ns]


def _is(tool: Tool, program: str) -> bool:
    """Whether `program` says that it is exactly the pinned version."""
    try:
        done = subprocess.run([program, *tool.ask], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.escape(_version(tool).removeprefix("v"))
    return re.search(rf"(?<![\w.])v?{version}(?![\w.+-])", done.stdout) is not None


def _version(tool: Tool) -> str:
    """The pinned version ("v1.34.2")."""
    return _pinned((TOOLS / tool.folder / "go.mod").read_text(), re.escape(tool.module) + r" (v\S+)")


def _go_version() -> str:
    return max((_pinned(file.read_text(), r"go (\d\S+)") for file in TOOLS.glob("**/go.mod")), key=_order)


def _order(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _pinned(text: str, pattern: str) -> str:
    found = re.search(rf"^\s*(?:require )?{pattern}", text, re.MULTILINE)
    if found is None:
        raise DevclusterError(f"a go.mod below {TOOLS} pins nothing like “{pattern}”: restore the files there")
    return found[1]


def _digest() -> str:
    content = hashlib.sha256(repr([(tool.package, tool.flags) for tool in TOOLCHAIN] + [crds.SOURCES]).encode())
    for file in sorted(TOOLS.glob("**/go.*")):
        content.update(f"{file.relative_to(TOOLS)}\0".encode())
        content.update(file.read_bytes())
    return content.hexdigest()[:16]
