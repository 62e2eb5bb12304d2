"""A few requests to the embedded API server, with nothing but the standard library so that a start stays quick."""

import http.client
import json
import ssl
import threading
from pathlib import Path
from typing import Any, cast

Json = dict[str, Any]

# One owner for all that devcluster itself puts into the cluster.
FIELD_MANAGER = "mainstay-devcluster"


class ApiError(Exception):
    """The API server refused a request or could not be reached. `status` is the HTTP status, 0 if there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests to https://127.0.0.1:`port` as the holder of `certificate` and `key`; safe to use from many threads.

    `timeout` is in seconds, for each request.
    """

    def __init__(self, port: int, authority: Path, certificate: Path, key: Path, timeout: float = 20) -> None:
        self._port = port
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=str(authority))
        self._tls.load_cert_chain(certificate, key)
        self._local = threading.local()

    def get(self, path: str, accept: str = "application/json") -> Json:
        """The object at `path`. Raises ApiError."""
        return self._json("GET", path, headers={"Accept": accept})

    def apply(self, path: str, manifest: Json) -> Json:
        """Server-side apply with strict field validation; takes over fields that others own."""
        query = f"fieldManager={FIELD_MANAGER}&force=true&fieldValidation=Strict"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self._json("PATCH", f"{path}?{query}", manifest, headers)

    def merge(self, path: str, change: Json) -> Json:
        """JSON merge patch."""
        return self._json("PATCH", path, change, {"Content-Type": "application/merge-patch+json"})

    def create(self, path: str, manifest: Json) -> Json:
        """POST to a collection, with strict field validation."""
        return self._json(
            "POST", f"{path}?fieldValidation=Strict", manifest, headers={"Content-Type": "application/json"}
        )

    def delete(self, path: str) -> Json:
        """DELETE with the server's default propagation."""
        return self._json("DELETE", path)

    def healthy(self, path: str = "/readyz") -> bool:
        """Whether `path` answers 200."""
        try:
            return self._send("GET", path, None, {})[0] == 200
        except ApiError:
            return False

    def _json(self, method: str, path: str, body: Json | None = None, headers: dict[str, str] | None = None) -> Json:
        status, answer = self._send(method, path, None if body is None else json.dumps(body).encode(), headers or {})
        try:
            read = cast("Json", json.loads(answer))
        except ValueError:
            read = {"message": answer.decode(errors="replace").strip()}
        if status >= 300:
            raise ApiError(str(read.get("message", read)), status)
        return read

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        # The second try is for a kept connection that the server closed in between.
        for kept in (True, False):
            connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None) if kept else None
            if kept and connection is None:
                continue
            if connection is None:
                connection = http.client.HTTPSConnection(
                    "127.0.0.1", self._port, timeout=self._timeout, context=self._tls
                )
                self._local.connection = connection
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._local.connection = None
                if not kept:
                    raise ApiError(f"no answer from https://127.0.0.1:{self._port}: {error}") from error
        raise AssertionError("unreachable")
