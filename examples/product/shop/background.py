"""A process without users: its work, and its probes and metrics on HEALTH_PORT (default 8081), until SIGTERM."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from prometheus_client import Gauge

from shop import errors, logs, tracing
from shop.queue import Queue, url
from shop.server import Stop, add_health, serve

LAST_TICK = Gauge("worker_last_tick_timestamp_seconds", "When it last did its regular work, in seconds since 1970.")


async def run(work: Callable[[Queue, Stop], Awaitable[None]]) -> None:
    """Works, and answers its probes, until SIGTERM."""
    logs.start()
    errors.start()
    tracing.start()
    stop, queue = Stop(), Queue(url(), os.environ.get("HOSTNAME", socket.gethostname()))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry={"tracing": False})
    add_health(app, stop, queue.reachable)
    working = asyncio.ensure_future(work(queue, stop))
    # A worker that no longer works must not go on answering that it is well.
    working.add_done_callback(lambda _: stop.begun.is_set() or stop.begin())
    await serve(app, int(os.environ.get("HEALTH_PORT", "8081")), stop)
    await working
    await queue.close()
    await tracing.stop()


async def every(seconds: float, stop: Stop, name: str, do: Callable[[], Awaitable[None]]) -> None:
    """Does something every so many seconds, from start to start, until SIGTERM. A failure is reported and no end."""
    while not stop.begun.is_set():
        start = time.monotonic()
        with stop, tracing.job(name, {}):
            try:
                await do()
                LAST_TICK.set_to_current_time()
            except Exception as error:
                errors.report(error, name)
        try:
            await asyncio.wait_for(stop.begun.wait(), max(0, seconds - (time.monotonic() - start)))
        except TimeoutError:
            continue
