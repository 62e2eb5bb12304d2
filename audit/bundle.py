"""The bundle: a folder with the results, what was made of them for others, and the statement that binds it together.

results.json            the assessment: everything else is made of it
report.html             for people
failures.sarif          for code scanning
junit.xml               for CI systems
oscal.json              for tools of governance, risk and compliance
statement.dsse.json     in-toto statement with the SHA-256 of each file, signed if there is a key
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit import AuditError, judge, statement
from audit.assessment import Assessment, from_json, to_json
from audit.formats import junit, oscal, page, sarif

RESULTS = "results.json"
STATEMENT = "statement.dsse.json"
FORMATS: Mapping[str, Callable[[Assessment], str]] = {
    "report.html": page.render,
    "failures.sarif": sarif.render,
    "junit.xml": junit.render,
    "oscal.json": oscal.render,
}


def files(assessment: Assessment) -> dict[str, bytes]:
    """All but the statement, by name. The same assessment gives the same bytes."""
    made = {RESULTS: to_json(assessment), **{name: render(assessment) for name, render in FORMATS.items()}}
    return {name: text.encode() for name, text in made.items()}


def write(assessment: Assessment, folder: Path, key: Ed25519PrivateKey | None) -> None:
    """Writes the bundle into a new or empty folder; the statement last, so that half a bundle is none.

    Raises AuditError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AuditError(f"{folder} is not an empty folder: name a new one, so that no evidence is overwritten.")
    made = files(assessment)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            (folder / name).write_bytes(content)
        said = statement.statement(assessment, made)
        (folder / STATEMENT).write_bytes(statement.envelope(said, key))
    except OSError as error:
        raise AuditError(f"The bundle cannot be written to {folder}: {error}.") from error


def read(folder: Path) -> Assessment:
    """The assessment in a bundle, which is not verified. Raises AuditError."""
    try:
        return from_json((folder / RESULTS).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{folder} is no bundle: {error}.") from error


def verify(folder: Path, key: Ed25519PublicKey | None) -> tuple[Assessment, str]:
    """The assessment of a bundle in which nothing was changed, and who signed it, for people.

    Each file must be there and be the one the statement names; nothing else may be in the folder. Where this is the
    version that wrote the bundle, each file must also be what it makes of the results. Raises AuditError, a sentence
    for each thing that is wrong.
    """
    try:
        found = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    except OSError as error:
        raise AuditError(f"{folder} is no bundle: {error}.") from error
    if STATEMENT not in found:
        raise AuditError(f"{folder} is no bundle, or half of one: it has no {STATEMENT}.")
    said, signer = statement.opened(found.pop(STATEMENT), key)
    named = _subjects(said)
    faults = [f"{name} is missing." for name in (RESULTS, *FORMATS) if name not in found]
    faults += [f"{name} is in the folder, but not in the statement." for name in sorted(found) if name not in named]
    faults += [
        f"{name} was changed: its SHA-256 is {statement.sha256(content)}, not {named[name]}."
        for name, content in sorted(found.items())
        if name in named and statement.sha256(content) != named[name]
    ]
    if RESULTS in found:
        assessment = from_json(found[RESULTS].decode(errors="replace"))
        if _of_this_version(assessment):
            # Whoever changes a file and the statement alike is found out here, unless the results are changed as well.
            made = files(assessment)
            wrong = [name for name, content in made.items() if found.get(name, content) != content]
            faults += [f"{name} is not what these results give." for name in wrong]
            if said != statement.statement(assessment, made):
                faults.append("The statement is not what these results give.")
        else:
            signer += "; written by another version of Mainstay, so that only the digests were checked"
        if not faults:
            return assessment, signer
    raise AuditError("\n".join(dict.fromkeys(faults)))


def _of_this_version(assessment: Assessment) -> bool:
    """Whether the code that would write this bundle today is the one that did."""
    made, here = assessment.judge, judge.this()
    return (made.writer_digest, made.digest) == (here.writer_digest, here.digest)


def _subjects(said: Mapping[str, Any]) -> dict[str, str]:
    try:
        return {each["name"]: each["digest"]["sha256"] for each in said["subject"]}
    except (KeyError, TypeError) as error:
        raise AuditError("The statement names no subjects with a SHA-256.") from error
