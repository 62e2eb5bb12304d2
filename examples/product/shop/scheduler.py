"""The scheduler: queues a digest every DIGEST_SECONDS (default 3600). `python -m shop.scheduler`, only one."""

import asyncio
import logging
import os

from shop import background
from shop.queue import Queue
from shop.server import Stop

log = logging.getLogger(__name__)


async def work(queue: Queue, stop: Stop) -> None:
    """Queues what is due until SIGTERM."""

    async def due() -> None:
        job = await queue.put("digest", 0)
        log.info("queued", extra={"fields": {"job": job.id, "order": job.order}})

    await background.every(float(os.environ.get("DIGEST_SECONDS", "3600")), stop, "digest", due)


if __name__ == "__main__":
    asyncio.run(background.run(work))
