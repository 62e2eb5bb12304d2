"""The e-mail worker: mails receipts. `python -m shop.worker`."""

import asyncio
import logging
import time

from prometheus_client import Counter, Gauge, Histogram

from shop import background, errors, tracing
from shop.queue import NAME, Job, Queue
from shop.server import Stop

log = logging.getLogger(__name__)

DEPTH = Gauge("queue_depth", "Jobs that wait.", ["queue"])
OLDEST = Gauge("queue_oldest_job_timestamp_seconds", "When the job that waits longest was queued, 0: none.", ["queue"])
JOBS = Counter("queue_jobs_total", "Jobs that ended, by result.", ["queue", "result"])
DURATION = Histogram(
    "queue_job_duration_seconds",
    "Time from being queued to being done.",
    ["queue"],
    buckets=(1, 5, 10, 30, 60, 120, 300, 900),
)
TAKE_SECONDS = 1
"""How long to wait for a job before looking whether to stop."""


async def work(queue: Queue, stop: Stop) -> None:
    """One job after the other until SIGTERM; the one in hand is finished, no other is taken."""
    if count := await queue.give_back():
        log.warning("put back unfinished jobs", extra={"fields": {"count": count}})
    while not stop.begun.is_set():
        try:
            DEPTH.labels(NAME).set(await queue.depth())
            OLDEST.labels(NAME).set(await queue.oldest())
            taken = await queue.take(TAKE_SECONDS)
        except Exception:
            log.exception("the queue cannot be reached")
            await asyncio.sleep(TAKE_SECONDS)
            continue
        if taken is None:
            continue
        job, receipt = taken
        with stop, tracing.job("mail", job.trace):
            result = "done" if await mailed(job) else "failed"
            await queue.done(receipt)
            JOBS.labels(NAME, result).inc()
            DURATION.labels(NAME).observe(time.time() - job.queued, tracing.exemplar())


async def mailed(job: Job) -> bool:
    """Mails one receipt; a job that fails says so and is not tried again."""
    fields = {"job": job.id, "order": job.order}
    log.info("mailing", extra={"fields": fields})
    try:
        await asyncio.sleep(job.seconds)
    except Exception as error:
        errors.report(error, "mail", **fields)
        return False
    log.info("mailed", extra={"fields": fields})
    return True


if __name__ == "__main__":
    asyncio.run(background.run(work))
