"""The gRPC side: what `pulumi.provider.experimental` leaves out.

It adds the old inputs to Diff, the failure to initialise to Create, Update and Read, the absent object to Read, and
turns a refusal into one sentence without Python's words around it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from devcluster.plugin.api import CONNECTIONS, ApiError
from devcluster.plugin.engine_log import EngineLog
from devcluster.plugin.errors import InitFailed, Refused
from devcluster.plugin.provider import VERSION, StandIn
from devcluster.plugin.values import marshal

# The engine's own limit for one message.
_LARGEST_MESSAGE = 400 * 1024 * 1024
_PARENT_CHECK_SECONDS = 0.5

Answer = TypeVar("Answer")
_Changes = provider_pb2.DiffResponse
Context = Any  # grpc.aio.ServicerContext, which has no types


class Servicer(ProviderServicer):
    """One method for each call of the engine; `StandIn` does the work."""

    @property
    def _base(self) -> Any:
        # The experimental servicer's methods have no complete types.
        return super()

    async def CheckConfig(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.CheckConfig(request, context), context)

    async def DiffConfig(self, request: Any, context: Context) -> Any:
        # Never a replacement, which would replace all of the provider's objects: an embedded cluster that was started
        # anew may have another address, and is the same cluster.
        same = request.old_inputs == request.news
        return provider_pb2.DiffResponse(changes=_Changes.DIFF_NONE if same else _Changes.DIFF_SOME)

    async def Configure(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.Configure(request, context), context)

    async def Check(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.Check(request, context), context)

    async def Diff(self, request: Any, context: Context) -> Any:
        # The experimental DiffRequest has no place for the old inputs, and inputs are what is to be compared.
        changed = provider_pb2.DiffRequest()
        changed.CopyFrom(request)
        changed.olds.CopyFrom(request.old_inputs)
        return await _answered(self._base.Diff(changed, context), context)

    async def Create(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.Create(request, context), context)

    async def Update(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.Update(request, context), context)

    async def Delete(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.Delete(request, context), context)

    async def Read(self, request: Any, context: Context) -> Any:
        answer = await _answered(self._base.Read(request, context), context)
        # Empty maps would say that the object exists and has no properties.
        return answer if answer.id else provider_pb2.ReadResponse()

    async def Invoke(self, request: Any, context: Context) -> Any:
        return await _answered(self._base.Invoke(request, context), context)

    async def Construct(self, request: Any, context: Context) -> Any:
        await _refuse(context, _no_components(request.type))

    async def Call(self, request: Any, context: Context) -> Any:
        await _refuse(context, _no_components(request.tok))


async def _answered(work: Awaitable[Answer], context: Context) -> Answer:
    try:
        return await work
    except InitFailed as failure:
        report = _report_init_failure(context, failure)
    except Refused as refusal:
        report = _refuse(context, str(refusal))
    except ApiError as error:
        report = _refuse(context, f"The API server refuses: {error.message.rstrip('.')}.")
    except ValueError as error:
        report = _refuse(context, f"The inputs cannot be a Kubernetes object: {error}.")
    return await report


async def _refuse(context: Context, sentence: str) -> NoReturn:
    # A code that says to the engine that nothing was changed.
    await context.abort(grpc.StatusCode.FAILED_PRECONDITION, sentence)
    raise AssertionError("abort returned")


async def _report_init_failure(context: Context, failure: InitFailed) -> NoReturn:
    """The engine records the resource with its reasons, and updates it again next time."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure))
    detail = provider_pb2.ErrorResourceInitFailed(
        id=failure.resource_id,
        properties=marshal(failure.properties),
        inputs=marshal(failure.inputs),
        reasons=failure.reasons,
    )
    status.details.add().Pack(detail)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(grpc.StatusCode.UNKNOWN, str(failure), metadata)
    raise AssertionError("abort returned")


def _no_components(token: str) -> str:
    return (
        f"The stand-in for pulumi-resource-kubernetes does not do {token}: declare the objects themselves, or install "
        f"the genuine plugin with `pulumi plugin install resource kubernetes`."
    )


def serve(engine_address: str) -> None:
    """Answer the engine's calls until it asks for the end, or has itself gone. Does not return."""
    asyncio.run(_serve(engine_address))


async def _serve(engine_address: str) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(CONNECTIONS))
    limits = [("grpc.max_receive_message_length", _LARGEST_MESSAGE), ("grpc.max_send_message_length", _LARGEST_MESSAGE)]
    server = grpc.aio.server(options=limits)
    servicer = Servicer([], VERSION, StandIn(EngineLog(engine_address)), engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    # The engine ends its plugins with SIGINT when it has no more calls (Ctrl-C does not come here: a plugin has a
    # process group of its own). When the engine was killed, nothing may go on behind the back of the next update.
    done, parent = asyncio.Event(), os.getppid()
    for ending in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(ending, done.set)
    await server.start()
    # The engine reads the port from the first line.
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _PARENT_CHECK_SECONDS)
            break
    # At once: neither calls nor threads that still wait for the API server are waited for.
    os._exit(0)
