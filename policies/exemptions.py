"""The register of exemptions: who allowed what, why, until when.

`exemptions.yaml` is a list; every key is needed:

    - id: EX-1
      stack: prod
      rule: backup-3-2-1
      resource: Cluster shop-prod/postgres-auth      # as findings call it, or its URN: one resource, never a pattern
      reason: The second account is being set up
      owner: platform
      approver: ana
      created: 2026-11-01
      expires: 2026-12-01                            # 90 days after `created` at most
      ticket: OPS-17
      compensatingControl: A dump is copied by hand every Friday

An entry that is wrong, or has expired, exempts nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import yaml

FILE = Path(__file__).parent / "exemptions.yaml"
LONGEST_DAYS = 90
UNEXEMPTABLE = frozenset({"exemption-valid"})
"""The rule that checks the register cannot be switched off by the register."""

_KEYS = (
    *("id", "stack", "rule", "resource", "reason", "owner", "approver"),
    *("created", "expires", "ticket", "compensatingControl"),
)
_DATES = ("created", "expires")
_WIDE = re.compile(r"[*?\[\]]")


@dataclass(frozen=True)
class Exemption:
    """One entry that is well formed."""

    id: str
    stack: str
    rule: str
    resource: str
    reason: str
    owner: str
    approver: str
    created: date
    expires: date
    ticket: str
    compensating_control: str

    def covers(self, stack: str, rule: str, subject: str, urn: str) -> bool:
        """Whether it is about this finding."""
        return (self.stack, self.rule) == (stack, rule) and self.resource in (subject, urn)

    def __str__(self) -> str:
        return f"{self.id}: {self.reason} (owner {self.owner}, until {self.expires})"


@dataclass(frozen=True)
class Register:
    """All exemptions."""

    entries: tuple[Exemption, ...] = ()
    """Those that are well formed, expired ones among them."""
    problems: tuple[str, ...] = ()
    """What is wrong with the others, a clause each."""

    def expired(self, as_of: date | None) -> tuple[Exemption, ...]:
        """Entries that no longer count on that day; all of them if no day is given."""
        return tuple(each for each in self.entries if as_of is None or not each.created <= as_of <= each.expires)

    def exemption(self, as_of: date | None, stack: str, rule: str, subject: str, urn: str) -> Exemption | None:
        """The entry that exempts a finding on that day."""
        gone = self.expired(as_of)
        return next(
            (each for each in self.entries if each not in gone and each.covers(stack, rule, subject, urn)), None
        )


def load(path: Path = FILE) -> Register:
    """The register in a file; none where there is no file. Never raises: what cannot be read is a problem."""
    # A day that no calendar has is a ValueError.
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Register()
    except (OSError, ValueError, yaml.YAMLError) as error:
        return Register((), (f"{path.name} cannot be read: {' '.join(str(error).split())}",))
    return parse(content, path.name)


def parse(content: Any, name: str = FILE.name) -> Register:
    """The register in a YAML document."""
    if content is None:
        return Register()
    if not isinstance(content, list):
        return Register((), (f"{name} is not a list of entries",))
    entries: list[Exemption] = []
    problems: list[str] = []
    items = cast(list[Any], content)
    ids = Counter(str(cast(dict[str, Any], each).get("id")) for each in items if isinstance(each, dict))
    for index, item in enumerate(items):
        title = f"entry {index}"
        found: list[str] = []
        if isinstance(item, dict):
            known = cast(dict[str, Any], item)
            title = str(known.get("id") or title)
            found = [*_problems(known)]
            if ids[str(known.get("id"))] > 1:
                found.append("there is another entry with this id")
            if not found:
                entries.append(_entry(known))
        else:
            found = ["it is not a mapping of keys"]
        problems += [f"{name}: {title}: {problem}" for problem in found]
    return Register(tuple(sorted(entries, key=lambda each: each.id)), tuple(problems))


def _problems(entry: Mapping[str, Any]) -> Iterator[str]:
    if missing := [key for key in _KEYS if entry.get(key) in (None, "")]:
        yield f"{', '.join(missing)} must be given"
    if unknown := sorted(str(key) for key in entry if key not in _KEYS):
        yield f"the keys {', '.join(unknown)} are not known"
    for key in _KEYS:
        value = entry.get(key)
        if value in (None, ""):
            continue
        # YAML reads a day as a date; a time of a day would be a datetime, which is a date too.
        if key in _DATES and type(value) is not date:
            yield f"{key} is {value!r}; it must be a day, e.g. 2026-12-01"
        if key not in _DATES and (not isinstance(value, str) or not value.strip()):
            yield f"{key} must be a text that is not empty"
    created, expires = entry.get("created"), entry.get("expires")
    if type(created) is date and type(expires) is date:
        if expires < created:
            yield "it expires before it was created"
        elif (expires - created).days > LONGEST_DAYS:
            yield f"it lasts {(expires - created).days} days; {LONGEST_DAYS} are the most: expires must be earlier"
    resource = entry.get("resource")
    if isinstance(resource, str) and (_WIDE.search(resource) or (" " not in resource and "::" not in resource)):
        yield f"resource is {resource!r}; it must name one resource, e.g. Deployment shop-prod/api"
    for key in ("stack", "rule"):
        if isinstance(entry.get(key), str) and _WIDE.search(entry[key]):
            yield f"{key} is {entry[key]!r}; it must name one, without a pattern"
    if str(entry.get("rule")).strip() in UNEXEMPTABLE:
        yield f"nothing can be exempt from {entry['rule'].strip()}"
    owner, approver = (str(entry.get(key) or "").strip().casefold() for key in ("owner", "approver"))
    if owner and owner == approver:
        yield "owner and approver are the same; somebody else must approve"


def _entry(entry: Mapping[str, Any]) -> Exemption:
    values: dict[str, Any] = {key: value.strip() if isinstance(value, str) else value for key, value in entry.items()}
    control = values.pop("compensatingControl")
    return Exemption(**values, compensating_control=control)
