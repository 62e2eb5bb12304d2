"""The engine: decides every TICK_SECONDS (default 5) what the shop does next. `python -m shop.engine`, only one."""

import asyncio
import logging
import os

from prometheus_client import Gauge

from shop import background
from shop.llm import Metered, StandIn
from shop.queue import Queue
from shop.server import Stop

log = logging.getLogger(__name__)

LAST_TICK = Gauge("engine_last_tick_timestamp_seconds", "When the last tick ended well, in seconds since 1970.")


async def work(queue: Queue, stop: Stop) -> None:
    """Ticks until SIGTERM. A tick that fails leaves the time of the last as it is, which the alert sees."""
    model = Metered(StandIn(), queue, int(os.environ.get("LLM_TOKENS_DAILY_LIMIT", "1000000")))

    async def tick() -> None:
        answer = await model.ask(f"{await queue.depth()} receipts wait. What is to be done?")
        log.info("tick", extra={"fields": {"advice": answer.text}})
        LAST_TICK.set_to_current_time()

    await background.every(float(os.environ.get("TICK_SECONDS", "5")), stop, "tick", tick)


if __name__ == "__main__":
    asyncio.run(background.run(work))
