"""The API: takes orders, and queues the receipt of each. `python -m shop.api` serves it on PORT (default 8000)."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.telemetry import TelemetryConfig
from prometheus_client import Histogram
from pydantic import BaseModel, Field

from shop import errors, logs, tracing
from shop.queue import Queue, url
from shop.server import Stop, add_health, serve

log = logging.getLogger(__name__)

REQUESTS = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
)
_NOT_COUNTED = {"/health", "/liveness", "/readiness", "/metrics"}


class Order(BaseModel):
    """What is ordered."""

    item: Annotated[str, Field(min_length=1, max_length=100)]
    receipt_seconds: Annotated[float, Field(ge=0, le=30)] = 0


def build(queue: Queue, stop: Stop) -> FastAPI:
    """The application."""
    traced: TelemetryConfig = {"operation_spans": False, "exclude": lambda scope: scope["path"] in _NOT_COUNTED}
    app = FastAPI(title="shop", docs_url=None, redoc_url=None, openapi_url=None, telemetry=traced)
    add_health(app, stop, queue.reachable)

    @app.middleware("http")
    async def measured(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path in _NOT_COUNTED:
            return await call_next(request)
        start, status = time.perf_counter(), 500
        with stop:
            try:
                response = await call_next(request)
                status = response.status_code
                return response
            finally:
                took = time.perf_counter() - start
                REQUESTS.labels(request.method, _route(request), str(status)).observe(took, tracing.exemplar())

    @app.exception_handler(Exception)
    async def unhandled(request: Request, error: Exception) -> Response:
        errors.report(error, f"{request.method} {_route(request)}")
        return PlainTextResponse("Internal Server Error", 500)

    @app.get("/")
    async def name() -> dict[str, str]:
        """What is here; also what is asked from outside to see whether the API can be reached."""
        return {"name": "shop"}

    @app.post("/orders", status_code=202)
    async def order(order: Order) -> dict[str, str]:
        """Takes an order; its receipt is mailed by the worker."""
        job = await queue.put(order.item, order.receipt_seconds)
        log.info("ordered", extra={"fields": {"job": job.id, "order": job.order}})
        return {"job": job.id}

    @app.get("/report")
    async def report(seconds: Annotated[float, Query(ge=0, le=25)] = 5) -> dict[str, float]:
        """Something slow."""
        await asyncio.sleep(seconds)
        return {"took": seconds}

    return app


def _route(request: Request) -> str:
    """The route's template, not the path: a label must not have a value for every order."""
    return getattr(request.scope.get("route"), "path", "none")


async def main() -> None:
    """Serves until SIGTERM."""
    logs.start()
    errors.start()
    tracing.start()
    stop, queue = Stop(), Queue(url())
    await serve(build(queue, stop), int(os.environ.get("PORT", "8000")), stop)
    await queue.close()
    await tracing.stop()


if __name__ == "__main__":
    asyncio.run(main())
