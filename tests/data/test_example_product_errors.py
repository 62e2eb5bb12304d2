"""What the example product tells Sentry: where a request or job failed, and never what somebody sent, nor a secret.

The genuine SDK in the running programs; in Sentry's place an HTTP server that keeps what arrives.
"""

import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.canaries import canary, told
from tests.data.example_product import PRODUCT, Process, Start, eventually
from tests.data.receiver import Receiver

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
SENT, SECRET = "sent-by-somebody", "session-key"
ALL = (SENT, SECRET)


def reporting_to(receiver: Receiver) -> dict[str, str]:
    """As the platform sets it, and a secret beside it."""
    return {
        "SENTRY_DSN": f"http://a-key@{receiver.address}/7",
        "SENTRY_ENVIRONMENT": "staging",
        "SENTRY_RELEASE": "1.4.2",
        "SESSION_KEY": canary(SECRET),
    }


def reported(receiver: Receiver) -> list[dict[str, Any]]:
    """The errors that arrived; fails if there was something else."""
    found: list[dict[str, Any]] = []
    for path, body in receiver.received:
        assert path == "/api/7/envelope/"
        _, *items = body.splitlines()
        for header, item in zip(items[::2], items[1::2], strict=True):
            assert json.loads(header)["type"] == "event"
            found.append(json.loads(item))
    return found


def types(event: dict[str, Any]) -> list[str]:
    return [each["type"] for each in event["exception"]["values"]]


def ask_redis(port: int, *words: str) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        client.sendall(f"*{len(words)}\r\n{parts}".encode())
        client.recv(64)


def order(process: Process) -> int:
    """Orders what holds the canary, wherever a request can hold something; the status."""
    sent = canary(SENT).encode("ascii", "ignore").decode()
    return process.order(0, sent, Authorization=f"Bearer {sent}", Cookie=f"session={sent}", traceparent=TRACEPARENT)


def test_an_unhandled_exception_is_reported_and_nothing_of_the_request(
    start: Start, redis: int, receiver: Receiver
) -> None:
    with start("api", **reporting_to(receiver)) as api:
        assert api.get("/nowhere")[0] == 404
        assert api.order(99) == 422
        assert order(api) == 202
        ask_redis(redis, "SHUTDOWN", "NOSAVE")
        assert order(api) == 500
        eventually("the report", lambda: receiver.received)
        api.stop()
        assert api.process.wait(10) == 0
        (failed,) = [line for line in api.lines() if line["message"] == "failed"]
    (event,) = reported(receiver)
    assert (event["environment"], event["release"]) == ("staging", "1.4.2")
    assert event["transaction"] == failed["what"] == "POST /orders"
    assert event["contexts"]["trace"]["trace_id"] == failed["trace_id"] == TRACE
    assert types(event)[-1] == "ConnectionError"
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert {"order", "put"} <= {frame["function"] for frame in frames}
    assert told(receiver.received[0][1], ALL) == set()
    assert "Connect" in failed["exception"]


def test_a_failed_job_is_reported_and_nothing_of_the_job(start: Start, redis: int, receiver: Receiver) -> None:
    with start("worker", **reporting_to(receiver)) as worker:
        for seconds in (0, "soon"):
            trace = {"traceparent": TRACEPARENT}
            job = {"id": "1", "order": canary(SENT), "seconds": seconds, "queued": time.time(), "trace": trace}
            ask_redis(redis, "LPUSH", "receipts", json.dumps(job))
        eventually("the report", lambda: receiver.received)
        assert worker.messages().count("mailed") == 1
        worker.stop()
        assert worker.process.wait(10) == 0
    (event,) = reported(receiver)
    assert (event["transaction"], types(event)) == ("mail", ["TypeError"])
    assert event["contexts"]["trace"]["trace_id"] == TRACE
    assert told(receiver.received[0][1], ALL) == set()


def test_a_tick_that_fails_is_reported(start: Start, receiver: Receiver) -> None:
    with start("engine", TICK_SECONDS="60", LLM_TOKENS_DAILY_LIMIT="0", **reporting_to(receiver)):
        eventually("the report", lambda: receiver.received)
    (event,) = reported(receiver)
    assert (event["transaction"], types(event)) == ("tick", ["BudgetSpent"])


LEAKING = """
import os
import sentry_sdk
from shop import errors

errors.start()
canary = os.environ["SESSION_KEY"]
sentry_sdk.set_user({"id": canary})
sentry_sdk.set_tag("tag", canary)
sentry_sdk.set_extra("extra", canary)
sentry_sdk.set_context("context", {"value": canary})
sentry_sdk.add_breadcrumb(message=canary)
sentry_sdk.get_global_scope().add_event_processor(lambda event, hint: {**event, "request": {"data": canary}})
try:
    try:
        raise KeyError(canary)
    except KeyError as error:
        error.add_note(canary)
        raise ValueError(canary) from error
except ValueError as error:
    errors.report(error, "leak", body=canary)
raise RuntimeError(canary)
"""


def test_what_a_caller_adds_and_what_messages_quote_is_taken_out(python: Path, receiver: Receiver) -> None:
    command, env = [python, "-c", LEAKING], reporting_to(receiver)
    ended = subprocess.run(command, cwd=PRODUCT, env=env, capture_output=True, check=False)
    assert b"RuntimeError" in ended.stderr
    assert [types(event) for event in reported(receiver)] == [["KeyError", "ValueError"], ["RuntimeError"]]
    assert told(b"".join(body for _, body in receiver.received), ALL) == set()


@pytest.mark.parametrize("dsn", [{}, {"SENTRY_DSN": ""}])
def test_without_a_dsn_nothing_is_sent(dsn: dict[str, str], start: Start, redis: int, receiver: Receiver) -> None:
    variables = {key: value for key, value in reporting_to(receiver).items() if key != "SENTRY_DSN"}
    # A proxy would be asked whatever the address.
    with start("api", HTTP_PROXY=f"http://{receiver.address}", **variables, **dsn) as api:
        ask_redis(redis, "SHUTDOWN", "NOSAVE")
        assert api.order(0) == 500
        api.stop()
        assert api.process.wait(10) == 0
        assert "failed" in api.messages()
    assert receiver.received == []


def test_a_sentry_that_is_away_holds_nothing_up(start: Start, redis: int) -> None:
    with start("api", SENTRY_DSN="http://a-key@127.0.0.1:1/7") as api:
        ask_redis(redis, "SHUTDOWN", "NOSAVE")
        assert api.order(0) == 500
        api.stop()
        assert api.process.wait(10) == 0
        assert "stopped" in api.messages()
