"""Dated evidence: what no manifest can show, because it happened (a drill, a rotation, a review).

A folder of YAML or JSON files, each a list of entries:

    - kind: restore-drill                # restore-drill, backup-copy, secret-rotation or slo-report
      subject: Cluster shop-prod/postgres-main
      at: 2026-11-20T03:12:00Z           # when, in UTC
      passed: true
      detail: 1500 of 1500 rows up to 03:00, restored in 14 min
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import yaml

KINDS = ("backup-copy", "restore-drill", "secret-rotation", "slo-report")
_KEYS = ("at", "detail", "kind", "passed", "subject")


class InvalidEvidence(Exception):
    """Evidence that cannot be read; the message says, a sentence a line, which entry of which file is wrong."""


@dataclass(frozen=True)
class Evidence:
    """One thing that happened."""

    kind: str
    """One of KINDS."""
    subject: str
    """What it happened to, as findings call it: `Cluster shop-prod/postgres-main`."""
    at: str
    """When, in UTC, e.g. `2026-11-20T03:12:00Z`."""
    passed: bool
    """Whether it went well."""
    detail: str
    """What was seen, one line, without secrets."""
    source: str
    """Name of the file it stands in."""
    digest: str
    """SHA-256 of that file."""

    @property
    def day(self) -> date:
        """The day it happened."""
        return datetime.fromisoformat(self.at).date()

    @property
    def seconds(self) -> int:
        """When it happened, in seconds since 1970."""
        return int(datetime.fromisoformat(self.at).timestamp())


def folder_of(root: Path, stack: str) -> Path:
    """Where an environment's evidence is kept in a project; it may not be there."""
    return root / "evidence" / stack


def load(folder: Path) -> tuple[Evidence, ...]:
    """All entries of all files in a folder, by time. Raises InvalidEvidence."""
    if not folder.is_dir():
        raise InvalidEvidence(f"{folder} is no folder; evidence is a folder of YAML or JSON files.")
    faults: list[str] = []
    found: list[Evidence] = []
    for path in sorted(each for each in folder.iterdir() if each.suffix in (".yaml", ".yml", ".json")):
        try:
            raw = path.read_bytes()
            entries: Any = yaml.safe_load(raw)
        except (OSError, ValueError, yaml.YAMLError) as error:
            # A day that no calendar has is a ValueError.
            faults.append(f"{path.name} cannot be read: {' '.join(str(error).split())}.")
            continue
        if not isinstance(entries, list):
            faults.append(f"{path.name} must be a list of entries.")
            continue
        digest = hashlib.sha256(raw).hexdigest()
        for index, entry in enumerate(cast(list[Any], entries)):
            problems = [*_problems(entry)]
            faults += [f"{path.name}, entry {index}: {problem}." for problem in problems]
            if not problems:
                values: dict[str, Any] = {**entry, "at": _utc(entry["at"])}
                found.append(Evidence(**values, source=path.name, digest=digest))
    if faults:
        raise InvalidEvidence("\n".join(faults))
    return tuple(sorted(found, key=lambda each: (each.at, each.kind, each.subject, each.source)))


def _problems(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "it must have the keys kind, subject, at, passed and detail"
        return
    known = cast(dict[str, Any], entry)
    if missing := [key for key in _KEYS if key not in known]:
        yield f"the keys {', '.join(missing)} are missing"
    if unknown := sorted(str(key) for key in known if key not in _KEYS):
        yield f"the keys {', '.join(unknown)} are not known"
    if "kind" in known and known["kind"] not in KINDS:
        yield f"kind is {known['kind']!r}; it must be one of {', '.join(KINDS)}"
    for key in ("subject", "detail"):
        if key in known and (not isinstance(known[key], str) or not known[key].strip()):
            yield f"{key} must be a text that is not empty"
    if "passed" in known and not isinstance(known["passed"], bool):
        yield "passed must be true or false"
    if "at" in known:
        try:
            _utc(known["at"])
        except (TypeError, ValueError):
            yield f"at is {known['at']!r}; it must be a time in UTC, e.g. 2026-11-20T03:12:00Z"


def _utc(value: Any) -> str:
    """A time with its zone, as `2026-11-20T03:12:00Z`. YAML makes times of texts that look like one."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
