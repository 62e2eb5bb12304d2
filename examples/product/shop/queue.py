"""The queue of receipts in Redis. A job is in the queue or in the hands of a worker, never nowhere."""

import json
import os
import time
import uuid
from dataclasses import dataclass, field

from redis.asyncio import Redis

from shop import tracing

NAME = "receipts"


@dataclass(frozen=True)
class Job:
    """A receipt to be mailed."""

    id: str
    order: str
    seconds: float
    """How long mailing it takes; the stand-in for a slow mail server."""
    queued: float = field(default_factory=time.time)
    """When it was queued, in seconds since 1970."""
    trace: dict[str, str] = field(default_factory=dict[str, str])
    """The trace of whoever queued it."""


class Queue:
    """Jobs in the order they came. `worker` names the hands a taken job is in."""

    def __init__(self, url: str, worker: str = "api") -> None:
        # A read may take longer than `take` waits for a job.
        self._redis: Redis = Redis.from_url(url, decode_responses=True, socket_connect_timeout=2, socket_timeout=10)
        self._taken = f"{NAME}:taken:{worker}"

    async def put(self, order: str, seconds: float) -> Job:
        """Adds a job."""
        job = Job(uuid.uuid4().hex, order, seconds, trace=tracing.carrier())
        await self._redis.lpush(NAME, json.dumps(job.__dict__))
        return job

    async def take(self, wait_seconds: int) -> tuple[Job, str] | None:
        """The oldest job, and the receipt to hand to `done`; None if none came within the time."""
        text = await self._redis.blmove(NAME, self._taken, wait_seconds, src="RIGHT", dest="LEFT")
        return (Job(**json.loads(text)), str(text)) if text else None

    async def done(self, receipt: str) -> None:
        """The job is finished and forgotten."""
        await self._redis.lrem(self._taken, 1, receipt)

    async def give_back(self) -> int:
        """Puts back what an earlier life of this worker took and never finished; says how many."""
        count = 0
        while await self._redis.lmove(self._taken, NAME, "LEFT", "RIGHT"):
            count += 1
        return count

    async def depth(self) -> int:
        """How many jobs wait."""
        return int(await self._redis.llen(NAME))

    async def oldest(self) -> float:
        """When the job that has waited longest was queued, in seconds since 1970; 0 while none waits."""
        text = await self._redis.lindex(NAME, -1)
        return float(json.loads(text)["queued"]) if text else 0.0

    async def count(self, name: str, more: int) -> int:
        """Adds to a counter that is kept for two days; its value then."""
        value = int(await self._redis.incrby(name, more))
        await self._redis.expire(name, 2 * 24 * 3600)
        return value

    async def reachable(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(await self._redis.ping())
        except Exception:
            return False

    async def close(self) -> None:
        """Ends the connections."""
        await self._redis.aclose()


def url() -> str:
    """REDIS_URL, which the platform sets from the connection `redis.queue`."""
    return os.environ["REDIS_URL"]
