"""What in a text looks like a secret: by its name, by its form, by being random. No answer holds the secret."""

import base64
import binascii
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from enum import Enum


class Place(Enum):
    """What the name of a value is, which decides how much it says."""

    NAME = "a variable, a flag, or a key of a ConfigMap: the value is its own"
    TEXT = "a setting within a file"
    FIELD = "a field of an object, where `secret: api` names an object and `key: password` an entry of it"


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PASSWORD = re.compile(r".*(password|passwd|passphrase)s?|requirepass|masterauth|pass|pwd")
_TOKEN = re.compile(r".*(token|apikey|credential)s?|.*dsn|creds")
_SECRET = re.compile(r".*secrets?")
_KEY = re.compile(r"keys?")
_OF_SECRET_VALUES = frozenset({"api", "app", "client", "cookie", "hmac", "jwt", "session", "shared", "webhook"})
"""Before `secret`: then a field is the secret and not the name of one."""
_OF_SECRET_NAMES = frozenset({"existing", "image", "pull", "tls"})
"""Before `secret`: then a variable is the name of one."""
_OF_SECRET_KEYS = frozenset(
    {
        *("access", "account", "api", "auth", "encryption", "license", "master"),
        *("private", "routing", "secret", "service", "session", "signing"),
    }
)
"""Before `key`: then it is one that opens something, wherever it stands."""
_OF_OTHER_KEYS = frozenset(
    {
        *("cache", "foreign", "group", "index", "label", "lookup", "map", "object"),
        *("partition", "primary", "public", "row", "sort", "topology"),
    }
)
_DIGESTS = frozenset(
    {"checksum", "commit", "digest", "etag", "fingerprint", "hash", "integrity", "revision", "sha"},
)
_IDS = frozenset({"build", "id", "release", "uid", "uuid", "version"})
_SEALED = frozenset({"cipher", "ciphertext", "encrypted", "sealed"})

_PLACEHOLDER = re.compile(
    r"\$(?:__\w+)?\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|\{\w*\}|%[dsv](?![0-9A-Fa-f])|^\$\$?[A-Za-z_]\w*$|^<[^<>]*>$"
)
_NO_VALUE = re.compile(
    r"true|false|yes|no|on|off|none|null|undefined|required|optional|enabled|disabled|string|str|bytes"
    r"|traceid|streamid|service|metric",  # by what OpenTelemetry's collector keeps spans together: routing_key
    re.IGNORECASE,
)
_PATH = re.compile(r"(file:(//)?|~|\.{1,2})?/[\w.@-]+(/[\w.@-]+)*/?")
_REFERENCE = re.compile(r"https?://\S*|arn:\S*|[0-9.]+")
_BLOCK = re.compile(r"[|>][+-]?")
"""How YAML begins a text of several lines."""

_PUBLIC = re.compile(
    r"-----BEGIN (?:[A-Z0-9 ]*PUBLIC KEY|[A-Z ]*CERTIFICATE(?: REQUEST)?)-----.*?-----END [A-Z0-9 ]+-----"
    r"|\b(?:ssh-|ecdsa-)[a-z0-9-]+ [A-Za-z0-9+/=]+|\bsha(?:1|256|384|512)[:-][A-Za-z0-9+/]+={0,2}",
    re.DOTALL,
)
_FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\bAGE-SECRET-KEY-1[A-Z0-9]{20}",
    "a URL with a password": (
        r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/?#@:'\"]*:(?P<password>[^\s/?#@'\"]+)@"
        r"|\b\w+:(?P<mysql>[^\s@:'\"]+)@(?:tcp|unix)\("
    ),
    "an Authorization header": r"\b(?:Basic|Bearer) (?=\S*[0-9])[A-Za-z0-9+/._-]{12,}={0,2}",
    "a JSON web token": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a token of GitHub": r"\bgh[oprsu]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22}",
    "a token of GitLab": r"\bglpat-[\w-]{20}",
    "a token of Slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10}|hooks\.slack\.com/services/T\w+/B\w+/\w+",
    "a key of Stripe": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}|\bwhsec_[A-Za-z0-9]{16}",
    "a key of Google": r"\bAIza[\w-]{35}|\bGOCSPX-[\w-]{20}",
    "a key of a model's API": r"\bsk-(?:ant-|proj-)?[\w-]{20}",
    "a token of a package registry": r"\bnpm_[A-Za-z0-9]{36}|\bpypi-[\w-]{50}",
    "a key of SendGrid": r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
    "a token of Vault": r"\bhv[bs]\.[\w-]{20}",
    "a token of Grafana": r"\bgl(?:c|sa)_[A-Za-z0-9+/=_]{20}",
    "a token of Pulumi": r"\bpul-[0-9a-f]{40}",
    "a token of Docker Hub": r"\bdckr_pat_[\w-]{20}",
}
_COMPILED = {kind: re.compile(form) for kind, form in _FORMS.items()}
_ENCODED = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}")
"""`-----BEGIN `, as it begins in base64."""

_SETTING = re.compile(
    r"(?<![\w.-])-{0,2}(?P<name>[A-Za-z][\w.-]*)[\"']?[ \t]*(?::=|=(?![=~])|:(?![:/]))[ \t]*"
    r"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<bare>(?:\$\{[^}]*\}|\$\([^)]*\)|[^\s\"'`,;&(){}\[\]])+))"
    r"|^[ \t]*(?P<directive>requirepass|masterauth)[ \t]+(?P<argument>\S+)",
    re.MULTILINE,
)
_RANDOM = re.compile(r"[A-Za-z0-9+_-]{24,}")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_NAME_BEFORE = re.compile(r"([A-Za-z][\w.-]*)[\"']?\s*[:=]\s*[\"']?$")
_LEAST_DIGITS = 8
"""Different hexadecimal digits, at which a number is not one that somebody made up."""
_LEAST_BITS = 3.5
"""Entropy of a character, below which a text repeats itself."""
_LEAST_CHANGES = 0.4
"""Share of neighbours of different classes (lower case, upper case, digit): words have less, what is random has 0.6."""


def names_secret(name: str, value: str, place: Place) -> bool:
    """Whether a value of this name is a secret, and is one in full: no reference, no placeholder, no path."""
    words = _words(name)
    if not words or names_sealed(name) or not _is_literal(value):
        return False
    last, before = words[-1], set(words[:-1])
    if _PASSWORD.fullmatch(last):
        return last != "pwd" or bool(before)
    if _REFERENCE.fullmatch(value) and not last.endswith("dsn"):
        return False
    if _TOKEN.fullmatch(last):
        return True
    if _SECRET.fullmatch(last):
        return bool(before & _OF_SECRET_VALUES) if place is Place.FIELD else not before & _OF_SECRET_NAMES
    if not _KEY.fullmatch(last):
        return False
    if place is Place.NAME:
        return bool(before) and not before & _OF_OTHER_KEYS
    # A field `secretKey` names an entry of a Secret.
    return bool(before & (_OF_SECRET_KEYS - {"secret"} if place is Place.FIELD else _OF_SECRET_KEYS))


def forms(text: str) -> list[str]:
    """What stands in a text that is recognised by its form, e.g. `a private key`."""
    found = [kind for kind, form in _COMPILED.items() if any(_is_real(match) for match in form.finditer(text))]
    if any(b"PRIVATE KEY" in _decoded(match[0]) for match in _ENCODED.finditer(text)):
        found.append("a private key in base64")
    return found


def settings(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of each setting in a file whose value is a secret."""
    for match in _SETTING.finditer(text):
        name = match["name"] or match["directive"]
        values = (match[group] for group in ("double", "single", "bare", "argument"))
        value = next((value for value in values if value is not None), "")
        block = _BLOCK.fullmatch(value) and text[match.end() :].lstrip(" \t").startswith("\n")
        if names_secret(name, "a text of several lines" if block else value, Place.TEXT):
            yield text.count("\n", 0, match.start()) + 1, name


def names_sealed(name: str) -> bool:
    """Whether what has this name is encrypted."""
    return bool(_SEALED & set(_words(name)))


def names_digest(name: str) -> bool:
    """Whether a value of this name may be random and yet tells nothing: a digest, an id, what is encrypted."""
    words = _words(name)
    if not words or any(pattern.fullmatch(words[-1]) for pattern in (_PASSWORD, _TOKEN, _SECRET, _KEY)):
        return False
    return words[-1] in _IDS or names_sealed(name) or bool(_DIGESTS & set(words))


def looks_random(text: str) -> bool:
    """Whether part of a text is random as keys are."""
    text = _ENCODED.sub("", _PUBLIC.sub("", text))
    if any(_is_random(match[0]) for match in _RANDOM.finditer(text)):
        return True
    for match in _HEX.finditer(text):
        before = _NAME_BEFORE.search(text[max(0, match.start() - 80) : match.start()])
        if len(set(match[0].lower())) > _LEAST_DIGITS and not (before and names_digest(before[1])):
            return True
    return False


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_literal(value: str) -> bool:
    value = value.strip().strip("\"'")
    if not re.search(r"\w", value) or _NO_VALUE.fullmatch(value) or _PLACEHOLDER.search(value):
        return False
    return not _PATH.fullmatch(value) or looks_random(value)


def _is_real(match: re.Match[str]) -> bool:
    """Not a placeholder in a URL, as in `redis://:$(PASSWORD)@redis`."""
    passwords = [value for value in match.groupdict().values() if value is not None]
    return not any(_PLACEHOLDER.search(value) for value in passwords)


def _is_random(token: str) -> bool:
    classes = [
        "digit" if each.isdigit() else "upper" if each.isupper() else "lower" for each in token if each.isalnum()
    ]
    if len(set(classes)) < 3:
        return False
    changes = sum(one != other for one, other in itertools.pairwise(classes)) / len(classes)
    bits = -sum(share * math.log2(share) for share in (count / len(token) for count in Counter(token).values()))
    return changes >= _LEAST_CHANGES and bits >= _LEAST_BITS


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token[: len(token) // 4 * 4])
    except binascii.Error:
        return b""
