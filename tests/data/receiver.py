"""An HTTP server on loopback in place of a collector of traces, or of Sentry: it keeps all that is posted.

The fixture is offered by conftest.py.
"""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest


class Receiver(ThreadingHTTPServer):
    """Answers 200 to every POST."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        """Path and body of each, the body uncompressed but not decoded."""
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"

    def bodies(self, path: str) -> bytes:
        """All that was posted to a path."""
        return b"".join(body for each, body in self.received if each == path)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        cast(Receiver, self.server).received.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
