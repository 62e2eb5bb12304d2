"""Who judges: the rules, the register and the code that writes the bundle, each by the SHA-256 of its files."""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import audit
import policies
from audit.assessment import Judge
from policies.exemptions import FILE
from policies.pack import NAME, VERSION

_TOOLS = ("mainstay", "pulumi", "promql-parser")
_SOURCES = (".py", ".css", ".js")


def this() -> Judge:
    """The one that is running."""
    register = FILE.read_bytes() if FILE.is_file() else b""
    return Judge(
        pack=NAME,
        version=VERSION,
        digest=_digest(Path(policies.__file__).parent),
        writer_digest=_digest(Path(audit.__file__).parent),
        register_digest=hashlib.sha256(register).hexdigest(),
        tools={"python": platform.python_version(), **{name: _version(name) for name in _TOOLS}},
    )


def _digest(room: Path) -> str:
    """Of all sources in and below a folder, by their names."""
    total = hashlib.sha256()
    for path in sorted(each for each in room.rglob("*") if each.suffix in _SOURCES):
        total.update(f"{path.relative_to(room).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
