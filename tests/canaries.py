"""Secrets that are recognised wherever they turn up: each value is another, and all begin alike."""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from cli import preview
from cli.comment import markdown
from engine.review import Review

_BEGINNING = "cAnArY4b1e9d"
_AWKWARD = "\"\\'/+&=% é"
"""Follows the part that is searched for: characters that mean something to JSON, URLs, shells and INI files."""


def canary(secret: str, generation: int = 1) -> str:
    """The value of a secret, `redis-queue-password`; another in each generation."""
    return f"{_core(secret, generation)}{_AWKWARD}"


def canary_dsn(secret: str) -> str:
    """A DSN of Sentry's with the secret's canary for a key, where a value must be a DSN."""
    return f"https://{_core(secret, 1)}@sentry.example/1"


def told(content: bytes | str, secrets: Iterable[str]) -> set[str]:
    """Names of the secrets whose canary stands in a text, of whatever generation: as it is, or in Base64.

    The part that is searched for is of letters and digits, which neither URLs nor JSON write otherwise.
    """
    data = content.encode() if isinstance(content, str) else content
    if not any(form in data for form in _forms(_BEGINNING)):
        return set()
    found = {
        secret
        for secret in secrets
        for generation in (1, 2)
        if any(form in data for form in _forms(_core(secret, generation)))
    }
    return found or {"the beginning of a canary"}


def files_that_tell(folder: Path, secrets: Iterable[str], but: Path) -> dict[str, set[str]]:
    """Files below a folder in which canaries stand, and which; `but` is a folder that is left out."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_relative_to(but) and (there := told(path.read_bytes(), secrets)):
            found[str(path.relative_to(folder))] = there
    return found


def _terminal(reviewed: Review) -> str:
    text = io.StringIO()
    assert reviewed.result
    preview.plan(Console(file=text, width=200), reviewed.result)
    return text.getvalue()


WRITERS: dict[str, Callable[[Review], str]] = {
    "terminal": _terminal,
    "markdown": lambda reviewed: markdown([reviewed]),
    "json": lambda reviewed: json.dumps(reviewed.to_dict()),
}
"""Each form in which a preview is told."""


def _core(secret: str, generation: int) -> str:
    return _BEGINNING + hashlib.sha256(f"{secret} {generation}".encode()).hexdigest()[:12]


def _forms(text: str) -> list[bytes]:
    """The text, and what of its Base64 does not depend on what stands before and after it, for each alignment."""
    forms = [text.encode()]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode())
        forms.append(encoded[-(-before * 8 // 6) : (before + len(text)) * 8 // 6])
    return forms
