"""What binds a bundle together: an in-toto statement about its files, in a DSSE envelope that a key may sign.

Without a signature the statement finds a file that was changed; a signature also finds a statement that was.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from audit import AuditError
from audit.assessment import Assessment, Verdict
from policies.model import Enforcement, Outcome

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_RESULTS = {Verdict.PASSED: "PASSED", Verdict.INCOMPLETE: "WARNED", Verdict.FAILED: "FAILED"}


def statement(assessment: Assessment, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The in-toto statement: subjects are what was judged and each of the bundle's files, predicate a test result."""
    judged, judge = assessment.input, assessment.judge
    wrong = {
        result.id: result.enforcement
        for result in assessment.results
        if result.count(Outcome.FAIL) or result.count(Outcome.ERROR)
    }
    opened = {result.id for result in assessment.results if result.count(Outcome.INCONCLUSIVE)} - wrong.keys()
    failed = sorted(rule for rule, level in wrong.items() if level is Enforcement.MANDATORY)
    warned = sorted({*wrong, *opened} - {*failed})
    silent = {*assessment.vacuous, *failed, *warned}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": f"{judged.kind}:{judged.stack}", "digest": {"sha256": judged.digest}},
            *({"name": name, "digest": {"sha256": sha256(content)}} for name, content in sorted(files.items())),
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _RESULTS[assessment.verdict],
            "configuration": [
                {"name": f"{judge.pack} {judge.version}", "digest": {"sha256": judge.digest}},
                {"name": "exemptions", "digest": {"sha256": judge.register_digest}},
            ],
            "passedTests": [result.id for result in assessment.results if result.id not in silent],
            "warnedTests": warned,
            "failedTests": failed,
        },
    }


def sha256(content: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def envelope(said: Mapping[str, Any], key: Ed25519PrivateKey | None) -> bytes:
    """The statement in a DSSE envelope, without signatures if there is no key."""
    payload = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    signatures = [{"keyid": key_id(key.public_key()), "sig": _base64(key.sign(_encoded(payload)))}] if key else []
    content = {"payloadType": PAYLOAD_TYPE, "payload": _base64(payload), "signatures": signatures}
    return json.dumps(content, indent=1).encode() + b"\n"


def opened(raw: bytes, key: Ed25519PublicKey | None) -> tuple[dict[str, Any], str]:
    """The statement in an envelope, and who signed it as far as is known, for people.

    With a key, a valid signature of it is asked for. Raises AuditError.
    """
    try:
        content = json.loads(raw)
        payload = base64.b64decode(content["payload"], validate=True)
        signatures = [(str(each["keyid"]), base64.b64decode(each["sig"])) for each in content["signatures"]]
        said: dict[str, Any] = json.loads(payload)
        if content["payloadType"] != PAYLOAD_TYPE or said["_type"] != STATEMENT_TYPE:
            raise ValueError("another type")
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError(f"The statement is no in-toto statement in a DSSE envelope ({error}).") from error
    if key is None:
        names = ", ".join(name for name, _ in signatures)
        return said, f"signed by {names}, not checked: no key was given" if names else "not signed"
    for _, signature in signatures:
        try:
            key.verify(signature, _encoded(payload))
            return said, f"signed by {key_id(key)}"
        except InvalidSignature:
            continue
    raise AuditError("The statement is not signed by this key: it was changed, signed by another key, or never signed.")


def private_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 key in a PEM file (`openssl genpkey -algorithm ed25519`). Raises AuditError."""
    key = _load(path, _private)
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditError(f"{path} holds no Ed25519 private key; `openssl genpkey -algorithm ed25519` makes one.")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The key's public half in a PEM file (`openssl pkey -in KEY -pubout`). Raises AuditError."""
    key = _load(path, load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise AuditError(f"{path} holds no Ed25519 public key; `openssl pkey -in KEY -pubout` writes one.")
    return key


def _private(raw: bytes) -> object:
    return load_pem_private_key(raw, None)


def _load(path: Path, load: Callable[[bytes], object]) -> object:
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuditError(f"{path} cannot be read as a key in PEM without a passphrase: {error}.") from error


def key_id(key: Ed25519PublicKey) -> str:
    """A short name for a key: the first half of the SHA-256 of its bytes."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:32]


def _encoded(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
