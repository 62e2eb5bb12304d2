"""The stand-in's operations, one method for each that the engine asks for."""

import asyncio
import json
from dataclasses import dataclass
from importlib.metadata import version as installed_version

from pulumi.provider.experimental import provider as protocol

from devcluster.plugin.api import Api, ApiError, Ref
from devcluster.plugin.applying import Applier, manager_of
from devcluster.plugin.deletion import delete
from devcluster.plugin.diff import Difference, Kind, compare
from devcluster.plugin.drift import drifted
from devcluster.plugin.engine_log import EngineLog
from devcluster.plugin.errors import InitFailed, NotReady, Refused
from devcluster.plugin.imported import imported
from devcluster.plugin.inputs import DEFAULT_NAMESPACE, Token, normalise, parse_token, ref_of
from devcluster.plugin.outputs import MANAGER, expected, record
from devcluster.plugin.settings import Settings, read_settings
from devcluster.plugin.target import choose
from devcluster.plugin.values import (
    Object,
    censor,
    decode,
    encode,
    has_unknown,
    known_part,
    reveal_object,
    text,
)
from devcluster.plugin.waiting import Waiter

# The version the engine is told: that of the SDK whose resources this stands in for.
VERSION = installed_version("pulumi-kubernetes")
INTRODUCTION = "stand-in for pulumi-resource-kubernetes: embedded cluster only"

_KINDS = {
    (Kind.ADD, False): protocol.PropertyDiffKind.ADD,
    (Kind.ADD, True): protocol.PropertyDiffKind.ADD_REPLACE,
    (Kind.DELETE, False): protocol.PropertyDiffKind.DELETE,
    (Kind.DELETE, True): protocol.PropertyDiffKind.DELETE_REPLACE,
    (Kind.UPDATE, False): protocol.PropertyDiffKind.UPDATE,
    (Kind.UPDATE, True): protocol.PropertyDiffKind.UPDATE_REPLACE,
}


@dataclass(frozen=True)
class _Connected:
    """What exists once the provider is configured."""

    settings: Settings
    api: Api
    applier: Applier
    waiter: Waiter


class StandIn(protocol.Provider):
    """The provider. Raises Refused with a sentence, and InitFailed for objects that exist and are not ready."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._cancelled = asyncio.Event()
        self._connected: _Connected | None = None

    async def get_schema(self, request: protocol.GetSchemaRequest) -> protocol.GetSchemaResponse:
        return protocol.GetSchemaResponse(json.dumps({"name": "kubernetes", "version": VERSION}))

    async def configure(self, request: protocol.ConfigureRequest) -> protocol.ConfigureResponse:
        settings = read_settings(reveal_object(decode(request.args)))
        api = Api(choose(settings.kubeconfig, settings.context))
        try:
            await api.request("GET", "/version")
        except ApiError as error:
            raise Refused(f"The embedded cluster refuses its own administrator: {error.message}.") from error
        applier = Applier(api, self._log, settings.always_force)
        self._connected = _Connected(settings, api, applier, Waiter(api, self._log, self._cancelled))
        await self._log.info("", INTRODUCTION)
        # Not accept_outputs: the experimental PropertyValue cannot read an output whose value is unknown.
        return protocol.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def cancel(self) -> None:
        self._cancelled.set()

    async def invoke(self, request: protocol.InvokeRequest) -> protocol.InvokeResponse:
        raise Refused(
            f"The stand-in for pulumi-resource-kubernetes has no functions, and the program calls {request.tok}: "
            f"install the genuine plugin with `pulumi plugin install resource kubernetes`."
        )

    async def check(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        token, here = parse_token(request.type), self._here
        served = await here.api.served(token.api_version, token.kind)
        if served is None and token.kind.endswith(("Patch", "List")):
            raise Refused(f"The stand-in for pulumi-resource-kubernetes has no {token.kind}: declare whole objects.")
        in_namespace = served.namespaced if served else here.applier.declared_kinds.get((token.group, token.kind), True)
        namespace = here.settings.namespace if in_namespace else ""
        inputs, faults = normalise(
            decode(request.new_inputs), decode(request.old_inputs), token, request.name, request.random_seed, namespace
        )
        if token.kind == "CustomResourceDefinition":
            kind = (text(inputs, "spec", "group"), text(inputs, "spec", "names", "kind"))
            here.applier.declared_kinds[kind] = text(inputs, "spec", "scope") == "Namespaced"
        if token == Token("v1", "Namespace"):
            here.applier.declared_namespaces.add(text(inputs, "metadata", "name"))
        return protocol.CheckResponse(encode(inputs), [protocol.CheckFailure("", fault) for fault in faults])

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        # The servicer passes the old inputs: the old state would show the API server's defaults as changes.
        difference = compare(decode(request.old_state), decode(request.new_inputs), self._here.settings.mutable_kinds)
        return _response(difference)

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        inputs, manager = decode(request.properties), manager_of(request.urn)
        ref = ref_of(inputs)
        if request.preview:
            return protocol.CreateResponse(None, encode(await self._preview(request.urn, ref, inputs, manager)))
        here, ref = self._here, _known(ref, request.urn)
        await here.api.wait_served(ref)
        live = await here.applier.may_create(request.urn, ref, reveal_object(inputs), manager)
        if live is not None and text(live, "metadata", "deletionTimestamp"):
            await here.waiter.until_gone(request.urn, ref, text(live, "metadata", "uid"), request.timeout)
        elif live is not None:
            await self._log.info(request.urn, f"{ref}: resumes its own interrupted creation")
        return protocol.CreateResponse(
            ref.id, encode(await self._write(request.urn, ref, inputs, manager, request.timeout))
        )

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        inputs = decode(request.news)
        manager = text(decode(request.olds), MANAGER) or manager_of(request.urn)
        ref = ref_of(inputs)
        if request.preview:
            properties = await self._preview(request.urn, ref, inputs, manager, update=True)
        else:
            properties = await self._write(request.urn, _known(ref, request.urn), inputs, manager, request.timeout)
        return protocol.UpdateResponse(encode(properties))

    async def _preview(self, urn: str, ref: Ref | None, inputs: Object, manager: str, update: bool = False) -> Object:
        """The outputs to expect; the inputs where values are unknown or only the update itself can tell."""
        applier, dry = self._here.applier, None
        try:
            if ref and any(has_unknown(value) for value in inputs.values()):
                await applier.preview_partly_known(ref, reveal_object(known_part(inputs)), manager)
            elif ref and update:
                if await applier.known(ref):
                    dry = await applier.apply(urn, ref, reveal_object(inputs), manager, dry_run=True)
            elif ref:
                dry = await applier.preview_create(urn, ref, reveal_object(inputs), manager)
        except Refused as error:
            raise Refused(censor(str(error), inputs)) from None
        return expected(dry, inputs, manager, created=not update)

    async def _write(self, urn: str, ref: Ref, inputs: Object, manager: str, seconds: float) -> Object:
        """Apply, wait until ready, and the outputs to record."""
        here = self._here
        try:
            live = await here.applier.apply(urn, ref, reveal_object(inputs), manager, dry_run=False)
            live = await here.waiter.until_ready(urn, ref, live, seconds)
        except Refused as error:
            raise Refused(censor(str(error), inputs)) from None
        except NotReady as error:
            reasons = [censor(reason, inputs) for reason in error.reasons]
            raise InitFailed(ref.id, reasons, record(error.live, inputs, manager), inputs) from None
        return record(live, inputs, manager)

    async def read(self, request: protocol.ReadRequest) -> protocol.ReadResponse:
        inputs, recorded = decode(request.inputs), decode(request.properties)
        ref = await self._ref_of_id(request.resource_id, recorded, parse_token(request.type))
        live = await self._here.api.get(ref) if await self._here.api.served(ref.api_version, ref.kind) else None
        if live is None:
            if not recorded:
                # The engine says so, too, but on an import not always before it ends (v3.259.0: ImportStep.Apply).
                await self._log.error(request.urn, f"{ref} does not exist, so it can be neither imported nor read")
            return protocol.ReadResponse()
        found = drifted(inputs, recorded, live) if inputs else imported(live)
        manager = text(recorded, MANAGER) or manager_of(request.urn)
        properties = record(live, found, manager)
        if lacking := await self._here.waiter.health(live):
            raise InitFailed(ref.id, [f"{ref} is not ready: {lacking}"], properties, found)
        return protocol.ReadResponse(ref.id, encode(properties), encode(found))

    async def delete(self, request: protocol.DeleteRequest) -> None:
        recorded = decode(request.properties)
        ref = await self._ref_of_id(request.resource_id, recorded, parse_token(request.type))
        await delete(self._here.api, self._here.waiter, request.urn, ref, recorded, request.timeout)

    async def _ref_of_id(self, resource_id: str, recorded: Object, token: Token) -> Ref:
        """The object an id names: "name" or "namespace/name". The state's apiVersion goes before the type token's."""
        namespace, _, name = resource_id.rpartition("/")
        api_version, kind = text(recorded, "apiVersion") or token.api_version, text(recorded, "kind") or token.kind
        if not namespace:
            served = await self._here.api.served(api_version, kind)
            namespace = DEFAULT_NAMESPACE if served and served.namespaced else ""
        return Ref(api_version, kind, namespace, name)

    @property
    def _here(self) -> _Connected:
        if self._connected is None:
            raise Refused("The Kubernetes provider was used before its configuration was known.")
        return self._connected


def _known(ref: Ref | None, urn: str) -> Ref:
    if ref is None:
        raise Refused(f"The name or namespace of {urn} is still unknown when the object is to be written.")
    return ref


def _response(difference: Difference) -> protocol.DiffResponse:
    return protocol.DiffResponse(
        changes=bool(difference.changes),
        replaces=[change.field for change in difference.replaced_by],
        delete_before_replace=difference.delete_before_replace,
        diffs=list(dict.fromkeys(str(change.path[0]) for change in difference.changes)),
        detailed_diff={
            change.field: protocol.PropertyDiff(_KINDS[change.kind, change.replaces], input_diff=True)
            for change in difference.changes
        },
    )
