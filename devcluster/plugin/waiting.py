"""Waiting until an object is ready, or gone, with progress for the engine and an end that says what was the matter."""

import asyncio
import time
from dataclasses import dataclass

from devcluster.plugin.api import Api, Ref
from devcluster.plugin.engine_log import EngineLog
from devcluster.plugin.errors import NotReady, Refused
from devcluster.plugin.pods import troubles
from devcluster.plugin.readiness import DEFAULT_SECONDS, Verdict, judge, seconds
from devcluster.plugin.values import Object, items, text

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_TROUBLES_EVERY = 3.0


@dataclass(frozen=True)
class Waiter:
    """Waits for objects in one cluster; `cancelled` is set when the engine wants to stop."""

    api: Api
    log: EngineLog
    cancelled: asyncio.Event

    async def until_ready(self, urn: str, ref: Ref, live: Object, asked_seconds: float) -> Object:
        """The object as it is when ready. `asked_seconds` is the resource's own time limit, 0 for none.

        Raises NotReady when the time is up, the object has failed for good, or the engine cancels.
        """
        limit, start = seconds(live, asked_seconds), time.monotonic()
        pause, said, detail, detail_at = _FIRST_PAUSE, "", "", start
        while True:
            verdict = await self._judge(live)
            if verdict.ready:
                return live
            waited = time.monotonic() - start
            if verdict.final:
                raise NotReady([_join(f"{ref} failed: {verdict.message}", await troubles(self.api, live))], live)
            if waited >= limit:
                message = f"{ref} is not ready after {limit:g} s: {verdict.message}"
                raise NotReady([_join(message, await troubles(self.api, live))], live)
            if time.monotonic() - detail_at >= _TROUBLES_EVERY:
                detail, detail_at = await troubles(self.api, live), time.monotonic()
            message = _join(f"waiting for {ref}: {verdict.message}", detail)
            if message != said:
                await self.log.status(urn, message)
                said = message
            if await self._pause(min(pause, max(limit - waited, 0.0))):
                raise NotReady([f"{ref} was not ready when the update was cancelled: {verdict.message}"], live)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            now = await self.api.get(ref)
            if now is None:
                raise NotReady([f"{ref} was deleted by someone else while it was being waited for"], live)
            live = now

    async def until_gone(self, urn: str, ref: Ref, uid: str, asked_seconds: float) -> None:
        """Returns when the object is gone, or another one bears its name. Raises Refused when the time is up."""
        limit, start, pause, said = asked_seconds or DEFAULT_SECONDS, time.monotonic(), _FIRST_PAUSE, ""
        while True:
            live = await self.api.get(ref)
            if live is None or (uid and text(live, "metadata", "uid") != uid):
                return
            holders = ", ".join(str(name) for name in items(live, "metadata", "finalizers"))
            conditions = [c for c in items(live, "status", "conditions") if "Remaining" in text(c, "type")]
            remaining = "; ".join(text(c, "message") for c in conditions if text(c, "status") == "True")
            held = _join(f"finalizers {holders}" if holders else "", remaining)
            if time.monotonic() - start >= limit:
                raise Refused(
                    f"{ref} is still there {limit:g} s after its deletion was asked for"
                    + (f", held by {held}" if held else "")
                    + "; remove what holds it, or give the resource a longer customTimeouts delete."
                )
            message = f"waiting for {ref} to be deleted" + (f": held by {held}" if held else "")
            if message != said:
                await self.log.status(urn, message)
                said = message
            if await self._pause(pause):
                raise Refused(f"The deletion of {ref} was cancelled before the object was gone.")
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def health(self, live: Object) -> str:
        """What an object lacks to be ready at this moment, "" when nothing: what a refresh reports."""
        verdict = await self._judge(live)
        return "" if verdict.ready else verdict.message

    async def _judge(self, live: Object) -> Verdict:
        verdict = judge(live)
        if not verdict.ready and text(live, "kind") == "PersistentVolumeClaim" and await self._waits_for_consumer(live):
            return Verdict(True)
        return verdict

    async def _waits_for_consumer(self, claim: Object) -> bool:
        """Whether a claim is bound only once a pod uses it: then waiting for it first would be waiting for ever."""
        name = text(claim, "spec", "storageClassName")
        if name:
            found = await self.api.get(Ref("storage.k8s.io/v1", "StorageClass", "", name))
            return found is not None and text(found, "volumeBindingMode") == "WaitForFirstConsumer"
        return False

    async def _pause(self, duration: float) -> bool:
        """True when the engine cancelled meanwhile."""
        try:
            await asyncio.wait_for(self.cancelled.wait(), duration)
        except TimeoutError:
            return False
        return True


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
