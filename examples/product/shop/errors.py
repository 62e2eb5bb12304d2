"""Errors: unhandled exceptions and failed jobs, reported to Sentry at SENTRY_DSN; without it nothing is sent.

A report says where it happened, in which environment, release and trace; SENTRY_ENVIRONMENT and SENTRY_RELEASE, which
the platform sets, are read by the SDK itself. It never holds what somebody sent, nor a secret: the SDK collects nothing
by itself, and messages of exceptions, which may quote either, stay in the log, under the same trace id.
"""

import logging
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.scope import register_external_propagation_context

from shop import tracing

log = logging.getLogger(__name__)

_SENT = (
    *("event_id", "timestamp", "platform", "level", "sdk"),
    *("environment", "release", "server_name", "transaction", "contexts", "exception"),
)


def start() -> None:
    """From here on `report` reports, and so does a process that an exception ends."""
    register_external_propagation_context(tracing.ids)
    sentry_sdk.init(
        default_integrations=False,
        # Sends what waits when the process ends, for 2 s at most and without a word: logs are JSON.
        integrations=[ExcepthookIntegration(), AtexitIntegration(callback=lambda pending, timeout: None)],
        send_default_pii=False,
        include_local_variables=False,
        before_send=_bare,
    )


def report(error: Exception, what: str, **fields: object) -> None:
    """Logs an error that ended `what`, e.g. `POST /orders`, with more fields for the log alone, and reports it.

    Its span is one with an error from then on.
    """
    log.error("failed", exc_info=error, extra={"fields": {"what": what, **fields}})
    tracing.failed(error)
    with sentry_sdk.new_scope() as scope:
        scope.set_transaction_name(what)
        scope.capture_exception(error)


def _bare(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """The event with nothing in it but what is known to be harmless, whatever the SDK or a caller has added."""
    bare = {key: event[key] for key in _SENT if key in event}
    bare["contexts"] = {"trace": event.get("contexts", {}).get("trace", {})}
    for each in bare.get("exception", {}).get("values", []):
        each.pop("value", None)
        for frame in (each.get("stacktrace") or {}).get("frames", []):
            frame.pop("vars", None)
    return bare
