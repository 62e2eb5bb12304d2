"""Messages to the engine, which shows them beside the resource they are about."""

import contextlib
from typing import Any, cast

import grpc
import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

# The engine accepts long messages; a status line does not need more.
_STATUS_LENGTH = 300


class EngineLog:
    """`address` is the engine's, as given to the plugin on its command line."""

    def __init__(self, address: str) -> None:
        # The generated stub is typed for blocking calls only.
        self._engine = cast(Any, engine_pb2_grpc.EngineStub(cast(Any, grpc.aio.insecure_channel(address))))

    async def info(self, urn: str, message: str) -> None:
        """A line that stays in the log of the update; `urn` "" when it is about no single resource."""
        await self._log(urn, message, ephemeral=False)

    async def error(self, urn: str, message: str) -> None:
        """Why the resource fails, where the engine's own report of it may be lost."""
        await self._log(urn, message, ephemeral=False, severity=engine_pb2.ERROR)

    async def status(self, urn: str, message: str) -> None:
        """What the resource is waiting for now; the next status replaces it."""
        await self._log(urn, message[:_STATUS_LENGTH], ephemeral=True)

    async def _log(
        self, urn: str, message: str, ephemeral: bool, severity: engine_pb2.LogSeverity.ValueType = engine_pb2.INFO
    ) -> None:
        # An engine that has gone away, or is about to, does not need the message.
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self._engine.Log(
                engine_pb2.LogRequest(severity=severity, urn=urn, message=message, ephemeral=ephemeral)
            )
