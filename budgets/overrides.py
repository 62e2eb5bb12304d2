"""Who let a change past an exhausted budget, when and why: `.mainstay/gate/overrides.jsonl`, one JSON object a line.

Lines are appended, never rewritten. The file is this clone's own; on a real cluster `mainstay up` also writes the
sentence into the deployment's message, which the Pulumi backend keeps for everybody.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from budgets import BudgetsError

FILE = Path(".mainstay") / "gate" / "overrides.jsonl"


@dataclass(frozen=True)
class Override:
    """One change that was let through."""

    time: str
    """UTC, ISO 8601, in seconds."""
    stack: str
    by: str
    reason: str
    budgets: Sequence[str]
    """What was known of exhausted budgets at that moment, a sentence each."""
    risks: Sequence[str]
    """What was risky in the change."""

    def __str__(self) -> str:
        return f"{self.time} {self.by}: {self.reason}"


def stamp(now: int) -> str:
    """Unix seconds as they are recorded."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")


def record(root: Path, override: Override) -> None:
    """Appends it. Raises BudgetsError: what cannot be recorded does not pass."""
    path = root / FILE
    line = json.dumps(asdict(override), ensure_ascii=False, sort_keys=True) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write to a file opened for appending: two at once make two lines.
        with path.open("ab", buffering=0) as file:
            file.write(line.encode())
            os.fsync(file.fileno())
    except OSError as error:
        raise BudgetsError(
            f"The override cannot be recorded in {path} ({error.strerror}), so it does not count."
        ) from None


def read(root: Path, stack: str, since: int, until: int) -> list[Override]:
    """Those of a stack between two times (Unix seconds, the last excluded), oldest first. Raises BudgetsError."""
    path = root / FILE
    if not path.is_file():
        return []
    found: list[Override] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            content: dict[str, Any] = json.loads(line)
            override = Override(**content)
            time = datetime.fromisoformat(override.time).timestamp()
        except (ValueError, TypeError):
            raise BudgetsError(f"{path}, line {number}: this is no record of an override; restore the line.") from None
        if override.stack == stack and since <= time < until:
            found.append(override)
    return sorted(found, key=lambda each: each.time)
