"""The section `mainstay:sentry`: where errors are reported."""

from urllib.parse import urlsplit

from pydantic import Field

from components.image_pin import parse_reference
from stacks.settings import Port, Section


class SentrySettings(Section):
    """Sentry, or what speaks its protocol; the secret `sentry-dsn` is the DSN of the project there."""

    port: Port = Field(
        443, description="Port of the DSN's host; services and workers may reach it on public addresses."
    )


def sentry_variables(stack: str, image: str) -> dict[str, str]:
    """What a Sentry SDK says of every error: the environment, and the image's tag (its digest where it has no tag)."""
    reference = parse_reference(image)
    return {"SENTRY_ENVIRONMENT": stack, "SENTRY_RELEASE": str(reference.tag or reference.digest)}


def dsn_fault(dsn: str, port: int) -> str | None:
    """Why nothing would arrive, in a clause without the DSN; None if nothing speaks against it."""
    try:
        parts = urlsplit(dsn)
        found = parts.port or 443
    except ValueError:
        return "is no address"
    project = parts.path.rpartition("/")[2]
    if parts.scheme != "https" or not parts.username or not parts.hostname or not project.isdecimal():
        return "is not like https://<key>@<host>/<number of the project>; copy it from the project's settings"
    if found != port:
        return f"names a port other than mainstay:sentry.port, which is {port}, so that no pod could reach it"
    return None
