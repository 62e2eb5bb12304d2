"""Logs as one JSON object a line on standard output, which is where the platform collects them."""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from shop import tracing


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if ids := tracing.ids():
            line["trace_id"] = ids[0]
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start() -> None:
    """From here on everything logged goes out as JSON, from LOG_LEVEL up (default: info)."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json())
    logging.basicConfig(handlers=[handler], level=os.environ.get("LOG_LEVEL", "info").upper(), force=True)
