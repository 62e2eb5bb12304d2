"""Which texts are a public host and a path to route: checked when an environment is read, relied on by the routes."""

import re

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,200}}$){_LABEL}(\.{_LABEL})+")
_PATH = re.compile(r"/|(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+)+")


def checked_host(value: str) -> str:
    """The host itself. Raises ValueError for what is no complete lower-case DNS name; wildcards are refused too."""
    if not _HOST.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a public host such as api.staging.shop.example: use a complete DNS name in lower case, "
            "without wildcard, port or path"
        )
    return value


def checked_path(value: str) -> str:
    """The path itself. Raises ValueError for what could be read in two ways: encodings, dots, a slash at the end."""
    if not _PATH.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a path to route such as /, /v1 or /.well-known: start with '/', use letters, digits, "
            "'.', '_' and '-' between slashes, and no slash at the end"
        )
    return value


def within(path: str, prefix: str) -> bool:
    """Whether the Gateway API's PathPrefix `prefix` matches `path`: whole segments, `/v1` holds `/v1/a`, not `/v12`."""
    return prefix == "/" or path == prefix or path.startswith(f"{prefix}/")
