"""Fingerprints that make pods restart when what they read at start has changed."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import pulumi

ANNOTATION = "mainstay.dev/fingerprint"
"""Annotation of a pod template; a new value is a new template, hence new pods."""


def fingerprint(name: str, values: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """Fingerprint of files and secrets. Secret inputs make it secret in state and previews."""
    return pulumi.Output.all(**values).apply(lambda known: _digest(name, known))


def _digest(name: str, values: Mapping[str, str]) -> str:
    return _slow_hash(name, "\0".join(f"{key}={value}" for key, value in sorted(values.items())))


@lru_cache(maxsize=256)
def _slow_hash(name: str, text: str) -> str:
    """Slow, so that whoever may read pods, but not Secrets, cannot try out guesses.

    `up` runs the program twice: answers are kept in this process, which holds the secrets anyway.
    """
    return hashlib.scrypt(text.encode(), salt=name.encode(), n=2**14, r=8, p=1, dklen=12).hex()
