"""An HTTP server that drains: on SIGTERM its readiness fails at once, it ends what it does, and only then leaves.

The platform asks for this: it takes a pod out of its endpoints, sends SIGTERM, and kills after a grace period.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Generator

import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_client import REGISTRY, disable_created_metrics
from prometheus_client.exposition import choose_encoder

log = logging.getLogger(__name__)

# Else OpenMetrics has a second series for each counter and histogram: when it began.
disable_created_metrics()

DRAIN_SECONDS = 30
"""The most that work begun before SIGTERM may take; `drainSeconds` of the platform."""
LINGER_SECONDS = 1
"""How long the server still answers after that, so that a probe can see why it is not ready."""


class Stop:
    """Whether SIGTERM came, and what is still to be ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.busy = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def __enter__(self) -> None:
        self.busy += 1
        self.idle.clear()

    def __exit__(self, *_: object) -> None:
        self.busy -= 1
        if self.busy == 0:
            self.idle.set()

    def begin(self) -> None:
        """What SIGTERM does."""
        log.info("draining", extra={"fields": {"busy": self.busy}})
        self.begun.set()


def add_health(app: FastAPI, stop: Stop, ready: Callable[[], Awaitable[bool]]) -> None:
    """The paths the platform asks: started, ready, alive, and the metrics. None of them is ever routed from outside."""

    @app.get("/health", include_in_schema=False)
    @app.get("/liveness", include_in_schema=False)
    async def alive() -> dict[str, str]:
        """Answers while the event loop turns; looks at nothing else, since a restart would mend nothing else."""
        return {"status": "ok"}

    @app.get("/readiness", include_in_schema=False)
    async def readiness(response: Response) -> dict[str, str]:
        if stop.begun.is_set():
            response.status_code = 503
            return {"status": "draining"}
        if not await ready():
            response.status_code = 503
            return {"status": "waiting for redis"}
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        """In the format that is asked for: of those there are, OpenMetrics alone has exemplars."""
        encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encoder(REGISTRY), media_type=content_type)


class _Server(uvicorn.Server):
    """Leaves signals alone: uvicorn's own handlers stop listening at once, and no probe would learn why."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(app: FastAPI, port: int, stop: Stop) -> None:
    """Answers requests until SIGTERM came and everything begun has ended."""
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.begin)
    # Logs go the way of all others; every request is counted, so none is logged.
    config = uvicorn.Config(app, host="0.0.0.0", port=port, log_config=None, access_log=False, lifespan="off")  # noqa: S104
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    begun = asyncio.create_task(stop.begun.wait())
    await asyncio.wait({running, begun}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await asyncio.sleep(LINGER_SECONDS)
        try:
            await asyncio.wait_for(stop.idle.wait(), DRAIN_SECONDS - LINGER_SECONDS)
        except TimeoutError:
            log.error("gave up waiting", extra={"fields": {"busy": stop.busy}})
        server.should_exit = True
    await running
    log.info("stopped")
