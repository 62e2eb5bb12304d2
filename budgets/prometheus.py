"""Prometheus' HTTP API: instant and range queries, and a sentence for everything that can go wrong.

No redirect is followed: what a proxy's sign-in page says must never be taken for an answer.
"""

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from budgets import BudgetsError

TOKEN = "MAINSTAY_PROMETHEUS_TOKEN"  # noqa: S105
"""Environment variable with a bearer token, where a proxy before Prometheus asks for one."""

_SECONDS = 30.0
_HERE = ("localhost", "127.0.0.1", "::1")
_MOST_POINTS = 10_000
"""Points of a series that one answer may have; Prometheus itself refuses more than 11,000."""

Labels = Mapping[str, str]


class Unreachable(BudgetsError):
    """No Prometheus answers there."""


@dataclass(frozen=True)
class Sample:
    """One series at one time."""

    labels: Labels
    value: float


@dataclass(frozen=True)
class Series:
    """One series over a time."""

    labels: Labels
    points: tuple[tuple[int, float], ...]
    """Unix seconds and value, oldest first; without those where it had no sample."""


class Prometheus:
    """A server. `url`: its address without `/api`, e.g. `https://prometheus.shop.example`. Raises BudgetsError."""

    def __init__(self, url: str, seconds: float = _SECONDS) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise BudgetsError(
                "The address of Prometheus must be like https://prometheus.shop.example; a user and a password have no "
                f"place in it: a token is taken from the environment variable {TOKEN}."
            )
        self.url = url.rstrip("/")
        self._seconds = seconds
        # A proxy of the environment is none of this machine's own business.
        proxies: dict[str, str] | None = {} if parts.hostname in _HERE else None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect())

    def instant(self, query: str, at: int) -> list[Sample]:
        """The value of every series of `query` at a time. Raises BudgetsError, Unreachable."""
        found = self._ask("query", {"query": query, "time": str(at)}, "vector")
        return [Sample(each["metric"], float(each["value"][1])) for each in found]

    def range(self, query: str, start: int, end: int, step: int) -> list[Series]:
        """The values of every series of `query` at `start`, `start + step` … up to `end`, ordered by labels.

        Raises BudgetsError, Unreachable.
        """
        points: dict[tuple[tuple[str, str], ...], list[tuple[int, float]]] = {}
        while start <= end:
            last = min(end, start + (_MOST_POINTS - 1) * step)
            asked = {"query": query, "start": str(start), "end": str(last), "step": str(step)}
            for each in self._ask("query_range", asked, "matrix"):
                known = points.setdefault(tuple(sorted(each["metric"].items())), [])
                known += [(int(float(time)), float(value)) for time, value in each["values"]]
            start = last + step
        return [Series(dict(labels), tuple(found)) for labels, found in sorted(points.items())]

    def _ask(self, what: str, parameters: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
        # As a form: a query may be longer than an address may be.
        request = urllib.request.Request(  # noqa: S310 (http or https, see above)
            f"{self.url}/api/v1/{what}", urllib.parse.urlencode(parameters).encode(), _headers()
        )
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                content: Any = json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refused(refusal.code, refusal.read(), parameters["query"]) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"Prometheus does not answer at {self.url}: {_reason(error)}.") from None
        except ValueError:
            content = None
        try:
            if content["data"]["resultType"] == kind:
                return cast(list[dict[str, Any]], content["data"]["result"])
        except (KeyError, TypeError):
            pass
        raise Unreachable(f"What answers at {self.url} is no Prometheus; correct the address.")

    def _refused(self, code: int, body: bytes, query: str) -> BudgetsError:
        try:
            message = str(json.loads(body)["error"])
        except (ValueError, KeyError, TypeError):
            if code in (401, 403):
                return Unreachable(
                    f"Prometheus at {self.url} asks for a sign-in ({code}): put a token into the environment "
                    f"variable {TOKEN}."
                )
            return Unreachable(f"What answers at {self.url} is no Prometheus, or one in trouble (HTTP {code}).")
        if code >= 500:
            return Unreachable(f"Prometheus at {self.url} cannot answer now: {message}.")
        return BudgetsError(f"Prometheus at {self.url} refuses the query {query!r}: {message}.")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _headers() -> dict[str, str]:
    token = os.environ.get(TOKEN)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _reason(error: Exception) -> str:
    """What the system says, without its numbers."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "it takes too long"
    return str(getattr(cause, "strerror", None) or cause).lower()
