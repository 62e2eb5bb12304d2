"""Traces: a request and the job that it queued share one, and every log line names it.

Spans are sent (OTLP over HTTP) to OTEL_EXPORTER_OTLP_ENDPOINT, which the platform sets together with OTEL_SERVICE_NAME.
Without it trace ids are given all the same, so that the log lines of one request can be found; nothing is sent.
"""

import asyncio
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode

_EXPORT_SECONDS = 3
"""The most that sending may take; a collector that is away must not hold up the end of a process."""
_provider = TracerProvider()


def start() -> None:
    """From here on requests are traced; FastAPI makes their spans itself."""
    trace.set_tracer_provider(_provider)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        # Their import takes a while, too.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))


async def stop() -> None:
    """Sends what is still to be sent."""
    await asyncio.to_thread(_provider.shutdown)


def carrier() -> dict[str, str]:
    """What to hand to another process so that it can go on with the current trace: W3C's `traceparent`."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


@contextmanager
def job(name: str, headers: Mapping[str, str]) -> Generator[None]:
    """A span for a job, in the trace of whoever queued it."""
    tracer = trace.get_tracer("shop")
    with tracer.start_as_current_span(name, propagate.extract(headers), SpanKind.CONSUMER):
        yield


def failed(error: BaseException) -> None:
    """Marks the current span as an error, where the code goes on: traces with an error are always kept."""
    trace.get_current_span().set_status(StatusCode.ERROR, type(error).__name__)


def ids() -> tuple[str, str] | None:
    """The current trace and span, as logs, Tempo and Sentry write them; None outside of one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def exemplar() -> dict[str, str] | None:
    """What a histogram remembers of a single event: its trace, to which Grafana leads."""
    current = ids()
    return {"trace_id": current[0]} if current else None
