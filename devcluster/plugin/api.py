"""The API server: requests, discovery and refusals.

Requests go through the official client's REST layer, in threads (`asyncio.to_thread`), because that client blocks.
Objects are `values.Object` without secrets' seals or unknowns: exactly the JSON that is sent and received.
"""

import asyncio
import json
import ssl
import tempfile
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import kube_config

from devcluster.plugin.errors import Refused
from devcluster.plugin.target import Target
from devcluster.plugin.values import Object, Value, at, items, mapping, text

CONNECTIONS = 32
_REQUEST_SECONDS = 60
# Refusals that pass by themselves: a quota that has not been counted yet or was written at the same moment, and a
# namespace whose default service account is still being made.
_PASSING = ("status unknown for quota", "the object has been modified", "error looking up service account")
_ATTEMPTS = 12
_ATTEMPT_SECONDS = 0.5


@dataclass(frozen=True)
class Ref:
    """One object's place in the cluster; `namespace` is "" for objects that live in none."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def id(self) -> str:
        """The resource id in Pulumi's state, as the genuine provider writes it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class ServedKind:
    """How the API server serves a kind: its path segment, and whether its objects live in a namespace."""

    plural: str
    namespaced: bool


class ApiError(Exception):
    """The API server said no. `message` are its own words, `causes` its per-field reasons."""

    def __init__(self, status: int, body: Value) -> None:
        self.status = status
        self.message = text(body, "message") or (body if isinstance(body, str) else f"HTTP {status}")
        self.reason = text(body, "reason")
        self.details = mapping(body, "details")
        super().__init__(self.message)

    @property
    def conflicts(self) -> list[tuple[str, str]]:
        """(field manager, field) of every field that another manager owns."""
        found: list[tuple[str, str]] = []
        for cause in items(self.details, "causes"):
            if text(cause, "reason") == "FieldManagerConflict":
                quoted = text(cause, "message").split('"')
                found.append((quoted[1] if len(quoted) > 1 else "another manager", text(cause, "field")))
        return found

    @property
    def namespace_missing(self) -> bool:
        """Whether the object was refused only because its namespace does not exist (yet)."""
        return self.status == 404 and text(self.details, "kind") == "namespaces"

    @property
    def about_schema(self) -> bool:
        """Whether a field is unknown or has the wrong type: a fault of the object, wherever it is sent."""
        return "typed patch object" in self.message or "strict decoding error" in self.message

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a moment later."""
        return self.status in (429, 503) or any(words in self.message for words in _PASSING)

    def sentence(self, ref: Ref) -> str:
        """The refusal as one sentence about `ref`, in the API server's own words."""
        words = self.message
        if "typed patch object" in words:
            words = words.split("): ", 1)[-1]
        return f"The API server refuses {ref}: {words.rstrip('.')}."


class Api:
    """A connection pool to the cluster of `target`; safe to share between concurrent operations."""

    def __init__(self, target: Target) -> None:
        self._target = target
        configuration = Configuration()
        # The client writes certificate and key to files; they are needed only until the TLS context has read them,
        # and the engine may kill this process at any time.
        with tempfile.TemporaryDirectory(prefix="mainstay-plugin-") as folder:
            load = cast(Any, kube_config.load_kube_config_from_dict)
            load(target.kubeconfig, target.context, configuration, persist_config=False, temp_file_path=folder)
            context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
            if configuration.cert_file:
                context.load_cert_chain(configuration.cert_file, configuration.key_file)
        client = ApiClient(configuration)
        self._rest = cast(Any, client.rest_client)
        # No proxy from the environment: the cluster is on this machine.
        self._rest.pool_manager = urllib3.PoolManager(ssl_context=context, maxsize=CONNECTIONS)
        self._authorization = cast(Any, client.configuration).get_api_key_with_prefix("authorization")
        self._kinds: dict[str, dict[str, ServedKind]] = {}
        self._discovery = asyncio.Lock()

    async def request(self, method: str, path: str, query: dict[str, str] | None = None, body: Value = None) -> Value:
        """The decoded answer. Raises ApiError for a refusal, Refused when the server cannot be reached."""
        return await asyncio.to_thread(self._request, method, path, query or {}, body)

    def _request(self, method: str, path: str, query: dict[str, str], body: Value) -> Value:
        headers = {"Accept": "application/json", "User-Agent": "mainstay-devcluster-plugin"}
        headers["Content-Type"] = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        if self._authorization:
            headers["Authorization"] = self._authorization
        url = self._target.server.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self._rest.request(method, url, headers=headers, body=body, _request_timeout=_REQUEST_SECONDS)
            raw = cast(bytes, answer.read())
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Refused(
                f"The cluster at {self._target.server} ({self._target.source}, context {self._target.context}) does "
                f"not answer: start it with `mainstay cluster start`, or set kubernetes:kubeconfig to one that runs "
                f"({type(error).__name__})."
            ) from error
        decoded = cast(Value, json.loads(raw)) if raw[:1] in (b"{", b"[") else raw.decode(errors="replace")
        if answer.status >= 400:
            raise ApiError(answer.status, decoded)
        return decoded

    async def served(self, api_version: str, kind: str) -> ServedKind | None:
        """How `kind` is served, None where the API server does not know it (a missing CRD, most often)."""
        async with self._discovery:
            if kind not in self._kinds.get(api_version, {}):
                self._kinds[api_version] = await self._discover(api_version)
            return self._kinds[api_version].get(kind)

    async def wait_served(self, ref: Ref) -> None:
        """Returns when the object's kind is served; a CustomResourceDefinition takes a moment. Raises Refused."""
        for _ in range(_ATTEMPTS):
            if await self.served(ref.api_version, ref.kind):
                return
            await asyncio.sleep(_ATTEMPT_SECONDS)
        raise unserved(ref)

    async def _discover(self, api_version: str) -> dict[str, ServedKind]:
        try:
            listed = await self.request("GET", _group_path(api_version))
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        return {
            text(entry, "kind"): ServedKind(text(entry, "name"), at(entry, "namespaced") is True)
            for entry in items(listed, "resources")
            if "/" not in text(entry, "name")
        }

    async def _path(self, ref: Ref, collection: bool = False) -> str:
        served = await self.served(ref.api_version, ref.kind)
        if served is None:
            raise unserved(ref)
        where = f"/namespaces/{ref.namespace}" if served.namespaced and ref.namespace else ""
        return f"{_group_path(ref.api_version)}{where}/{served.plural}" + ("" if collection else f"/{ref.name}")

    async def get(self, ref: Ref) -> Object | None:
        """The live object, None where there is none."""
        try:
            return mapping(await self.request("GET", await self._path(ref)))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def find(self, api_version: str, kind: str, namespace: str, **selectors: str) -> list[Value]:
        """The objects of a kind in a namespace; `selectors` are labelSelector and fieldSelector."""
        path = await self._path(Ref(api_version, kind, namespace, ""), collection=True)
        return items(await self.request("GET", path, selectors), "items")

    async def apply(
        self, ref: Ref, body: Object, manager: str, *, force: bool = False, dry_run: bool = False
    ) -> Object:
        """Server-side apply with strict field validation; the object as the server now has (or would have) it."""
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        path = await self._path(ref)
        attempt = 0
        while True:
            try:
                return mapping(await self.request("PATCH", path, query, body))
            except ApiError as error:
                attempt += 1
                if not error.passing or error.conflicts or attempt == _ATTEMPTS:
                    raise
            await asyncio.sleep(_ATTEMPT_SECONDS)

    async def create_dry_run(self, ref: Ref, body: Object) -> Object:
        """What creating `body` would give. Only the kind and namespace of `ref` count."""
        query = {"fieldValidation": "Strict", "dryRun": "All"}
        return mapping(await self.request("POST", await self._path(ref, collection=True), query, body))

    async def delete(self, ref: Ref, propagation: str) -> None:
        """Ask for deletion; `propagation` is Foreground, Background or Orphan. An object that is gone is no error."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            await self.request("DELETE", await self._path(ref), None, body)
        except ApiError as error:
            if error.status != 404:
                raise


def _group_path(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def unserved(ref: Ref) -> Refused:
    """The refusal of a kind that the cluster does not know."""
    return Refused(
        f"{ref}: the cluster serves no {ref.kind} in {ref.api_version}; install the CustomResourceDefinition that "
        f"defines it, or correct apiVersion and kind."
    )
