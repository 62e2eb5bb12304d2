"""Server-side apply with our answer to conflicts, and what a preview can know without changing anything.

A conflict is a field that another manager has changed since. When that manager is a person at a keyboard (kubectl in
any of its forms) the program wins and the log says so, because mending such drift is what `up` is for; the genuine
provider reports it as a conflict unless told to force. When it is anything else, a controller most often, the update is
refused: two programs that both insist would overwrite each other for ever. The annotation `pulumi.com/patchForce:
"true"` and the provider setting `enablePatchForce` make the program win always.
"""

import hashlib
from dataclasses import dataclass, field, replace

from devcluster.plugin.api import Api, ApiError, Ref, unserved
from devcluster.plugin.engine_log import EngineLog
from devcluster.plugin.errors import Refused
from devcluster.plugin.inputs import DEFAULT_NAMESPACE, annotation
from devcluster.plugin.ownership import applied_by, without_owner
from devcluster.plugin.values import Object, mapping

_FORCE = "pulumi.com/patchForce"


def manager_of(urn: str) -> str:
    """The field manager of the resource `urn`: the same one each time, so that an interrupted create is recognised."""
    return f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


@dataclass
class Applier:
    """Applies objects to one cluster; `always_force` is the setting enablePatchForce."""

    api: Api
    log: EngineLog
    always_force: bool
    declared_kinds: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])
    """The custom resources whose definition this very program declares: (group, kind), and whether in a namespace."""
    declared_namespaces: set[str] = field(default_factory=set[str])
    """The namespaces that this very program declares, so far."""

    async def apply(self, urn: str, ref: Ref, body: Object, manager: str, *, dry_run: bool) -> Object:
        """The object as applied (or as it would be). Raises Refused in the API server's words."""
        force = self.always_force or annotation(body, _FORCE) == "true"
        try:
            return await self.api.apply(ref, body, manager, force=force, dry_run=dry_run)
        except ApiError as error:
            if not error.conflicts:
                raise Refused(error.sentence(ref)) from error
            others = sorted({other for other, _ in error.conflicts})
            fields = ", ".join(name for _, name in error.conflicts)
            if not all(other.startswith("kubectl") for other in others):
                raise Refused(
                    f"{ref}: {fields} is managed by {' and '.join(others)}; leave the field out of the program if that "
                    f'is right, or set the annotation {_FORCE}: "true" on the resource to take it over.'
                ) from error
        await self.log.info(urn, f"{ref}: takes {fields} back from {' and '.join(others)}")
        try:
            return await self.api.apply(ref, body, manager, force=True, dry_run=dry_run)
        except ApiError as error:
            raise Refused(error.sentence(ref)) from error

    async def may_create(self, urn: str, ref: Ref, body: Object, manager: str) -> Object | None:
        """The live object if there is one and it is this resource's own. Raises Refused when it is someone else's."""
        live = await self.api.get(ref)
        if live is None or applied_by(live, manager) or (without_owner(live) and _sets_nothing(body)):
            return live
        kind = urn.split("::")[-2].rpartition("$")[2]
        raise Refused(
            f"{ref} already exists and is not managed by this stack: bring it in with "
            f"`pulumi import {kind} {urn.rpartition('::')[2]} {ref.id}` or the resource option import_, delete it, or "
            f"choose another name."
        )

    async def preview_create(self, urn: str, ref: Ref, body: Object, manager: str) -> Object | None:
        """What creating `body` would give; None when only the update can tell. Raises Refused."""
        if not await self.known(ref):
            return None
        live = await self.may_create(urn, ref, body, manager)
        if live is None:
            return await self._dry_run(urn, ref, body, manager)
        # Our own object is there: either a create was interrupted, and applying resumes it, or this is a replacement,
        # and the object that will be gone by then must not be compared with.
        try:
            return await self.apply(urn, ref, body, manager, dry_run=True)
        except Refused:
            return await self._dry_run_beside(ref, body)

    async def preview_partly_known(self, ref: Ref, body: Object, manager: str) -> None:
        """Validate the schema of an object of which some values are unknown and left out. Raises Refused."""
        if await self.known(ref):
            try:
                await self.api.apply(ref, body, manager, force=True, dry_run=True)
            except ApiError as error:
                if error.about_schema:
                    raise Refused(error.sentence(ref)) from error

    async def known(self, ref: Ref) -> bool:
        """Whether the kind is served. False when this program itself declares it; Refused when nobody does."""
        if await self.api.served(ref.api_version, ref.kind):
            return True
        if (ref.api_version.rpartition("/")[0], ref.kind) in self.declared_kinds:
            return False
        raise unserved(ref)

    async def _dry_run(self, urn: str, ref: Ref, body: Object, manager: str) -> Object | None:
        try:
            return await self.api.apply(ref, body, manager, dry_run=True)
        except ApiError as error:
            if not error.namespace_missing:
                raise Refused(error.sentence(ref)) from error
        if ref.namespace not in self.declared_namespaces:
            await self.log.info(urn, f"{ref}: namespace {ref.namespace} does not exist and is not declared before it")
        # In another namespace the schema is the same; quota and pod security are not, so that only what is wrong with
        # the object itself counts.
        try:
            await self._create_dry_run(ref, replace(ref, namespace=DEFAULT_NAMESPACE, name=_other_name(ref.name)), body)
        except ApiError as error:
            if error.about_schema or error.status == 422:
                raise Refused(error.sentence(ref)) from error
        return None

    async def _dry_run_beside(self, ref: Ref, body: Object) -> Object:
        """A dry run under a name that nothing bears, so that the existing object is not in the way."""
        try:
            dry = await self._create_dry_run(ref, replace(ref, name=_other_name(ref.name)), body)
        except ApiError as error:
            raise Refused(error.sentence(ref)) from error
        return {**dry, "metadata": {**mapping(dry, "metadata"), "name": ref.name}}

    async def _create_dry_run(self, ref: Ref, instead: Ref, body: Object) -> Object:
        place: Object = {"name": instead.name, **({"namespace": instead.namespace} if instead.namespace else {})}
        try:
            return await self.api.create_dry_run(instead, {**body, "metadata": {**mapping(body, "metadata"), **place}})
        except ApiError as error:
            error.message = error.message.replace(instead.name, ref.name)
            raise


def _sets_nothing(body: Object) -> bool:
    named = mapping(body, "metadata").keys() <= {"name", "namespace"}
    return named and body.keys() <= {"apiVersion", "kind", "metadata"}


def _other_name(name: str) -> str:
    return f"{name[:40].rstrip('-.')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
