"""The example product keeps the platform's contract: real processes, real HTTP, a real Redis, real SIGTERM.

The processes run on loopback, not in containers: the Dockerfile is not built here. What they show to Prometheus and to
a collector of traces is in test_example_product_signals.py.
"""

import socket
import threading
import time

import pytest

from tests.data.example_product import PRODUCT, Process, Start, eventually

PROBES = ("/health", "/liveness", "/readiness")


@pytest.mark.parametrize("module", ["api", "worker", "engine", "scheduler"])
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
