"""Programs that only tests need, each built on demand from a pinned Go module of its own: `actionlint`, `promtool`, …

A folder here is a tool: its go.mod names the program to build in one `tool` line and pins it, with go.sum beside it.
They stand apart from the toolchain because a change of one must not rebuild the control plane, and apart from each
other because in one module the highest version of every shared library would win.
"""

import hashlib
import re
from pathlib import Path

from devcluster import DevclusterError, Report, golang
from devcluster.locks import exclusive

_FOLDER = Path(__file__).parent
_WITH_C = frozenset({"alloy"})
"""Tools with C in them, which take a C compiler: one of Alloy's many sources is a driver in C."""


def ensure(name: str, report: Report) -> Path:
    """The program `name`, built first where need be: a minute or so the first time, then no time at all.

    Raises DevclusterError: no such tool, no Go to be had, a build that fails (with the end of what Go said).
    """
    folder = _FOLDER / name
    if not (folder / "go.mod").is_file():
        known = ", ".join(sorted(file.parent.name for file in _FOLDER.glob("*/go.mod")))
        raise DevclusterError(f"there is no {folder / 'go.mod'}; the tools for checks are: {known}")
    cache = golang.cache()
    home = cache / "checks" / f"{name}-{_digest(name)}"
    program = home / name
    if program.exists():
        return program
    try:
        home.mkdir(parents=True, exist_ok=True)
        with exclusive(
            cache / "checks" / f"{home.name}.lock",
            lambda waited: report(f"another process builds {name}: waiting, {waited}"),
        ):
            if not program.exists():
                _build(name, program, report)
    except OSError as error:
        raise DevclusterError(
            f"{name} cannot be written to {home} ({error.strerror or error}): "
            "make that folder writable, or point XDG_CACHE_HOME to one that is"
        ) from error
    return program


def _build(name: str, program: Path, report: Report) -> None:
    module = (_FOLDER / name / "go.mod").read_text()
    go = golang.find(_line(name, module, r"go (\d\S+)"), golang.cache(), report)
    log, unfinished = program.with_name("build.log"), program.with_name(f".{name}.partial")
    command = [go, "build", "-o", unfinished, "-ldflags", "-s -w"]
    report(f"building {name}")
    with log.open("w") as output:
        package = _line(name, module, r"tool (\S+)")
        what = f"building {name}"
        code = golang.run([*command, package], _FOLDER / name, output, what, report, c=name in _WITH_C)
    if code:
        unfinished.unlink(missing_ok=True)
        last = "\n".join(f"  {line}" for line in log.read_text(errors="replace").strip().splitlines()[-8:])
        raise DevclusterError(f"building {name} failed; the log is {log} and ends:\n{last}")
    # Its own name appears only when it is whole, so that an interrupted build is never taken for a finished one.
    unfinished.replace(program)


def _line(name: str, module: str, pattern: str) -> str:
    found = re.search(rf"^{pattern}", module, re.MULTILINE)
    if found is None:
        raise DevclusterError(f"{_FOLDER / name / 'go.mod'} has no line like “{pattern}”: restore the file")
    return found[1]


def _digest(name: str) -> str:
    content = hashlib.sha256(b"cgo" if name in _WITH_C else b"")
    for file in sorted((_FOLDER / name).glob("go.*")):
        content.update(file.name.encode() + b"\0" + file.read_bytes())
    return content.hexdigest()[:16]
