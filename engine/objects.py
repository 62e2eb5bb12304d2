"""The objects of a cluster, through the official client: the few requests the engine itself needs."""

import json
import time
from collections.abc import Mapping
from typing import Any, cast

import urllib3
from kubernetes import config
from kubernetes.client import ApiClient, Configuration

from engine import EngineError

_SECONDS_TO_ANSWER = 5
_SECONDS_TO_GO = 60.0


class ApiError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class Objects:
    """Reads and removes objects of one cluster. Raises EngineError if the kubeconfig is of no use.

    `local`: the cluster is on this machine, so that a proxy of the environment is none of its business.
    """

    def __init__(self, kubeconfig: str | None, context: str, local: bool) -> None:
        settings: Any = Configuration()
        try:
            cast(Any, config).load_kube_config(kubeconfig, context, client_configuration=settings)
        except config.ConfigException as error:
            raise EngineError(f"The kubeconfig of context {context!r} cannot be used: {error}.") from None
        settings.retries = False
        if local:
            settings.proxy = None
        self._api: Any = ApiClient(settings)
        self._url = str(settings.host)
        self._context = context

    def ping(self, where: str) -> None:
        """Raises EngineError unless an API server answers. `where`: what to correct if none does."""
        try:
            self._request("GET", "/version")
        except ApiError as refusal:
            if refusal.status in (401, 403):
                raise EngineError(
                    f"The cluster at {self._url} does not accept the credentials of context {self._context!r} "
                    f"({refusal.reason})."
                ) from None
            raise EngineError(
                f"What answers at {self._url} (context {self._context!r}) is no Kubernetes API ({refusal})."
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise EngineError(
                f"No cluster answers at {self._url} (context {self._context!r}): {_reason(error)}. "
                f"Start it, or correct {where}."
            ) from None

    def list(self, path: str, selector: str = "") -> list[dict[str, Any]]:
        """The items at an API path, e.g. `/apis/apps/v1/namespaces/shop/deployments`; none if it is not served."""
        try:
            return cast(list[dict[str, Any]], self._request("GET", path, {"labelSelector": selector})["items"])
        except ApiError as refusal:
            if refusal.status == 404:
                return []
            raise EngineError(f"The cluster at {self._url} does not list {path}: {refusal}.") from None

    def remove(self, manifest: Mapping[str, Any]) -> bool:
        """Deletes the object that a manifest describes and waits until it is gone. False if there was none."""
        path = self._path(manifest)
        if path is None:
            return False
        found = False
        try:
            self._request("DELETE", path, body={"propagationPolicy": "Foreground"})
            found = True
            deadline = time.monotonic() + _SECONDS_TO_GO
            while time.monotonic() < deadline:
                self._request("GET", path)
                time.sleep(0.2)
        except ApiError as refusal:
            if refusal.status == 404:
                return found
            raise EngineError(f"The cluster does not delete {path}: {refusal}.") from None
        raise EngineError(f"{path} is being deleted but does not go; see what its finalizers wait for, then try again.")

    def _path(self, manifest: Mapping[str, Any]) -> str | None:
        """Path of the object; None if its kind is not served."""
        version = str(manifest["apiVersion"])
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            served = cast(list[dict[str, Any]], self._request("GET", root)["resources"])
        except ApiError:
            return None
        for resource in served:
            if resource["kind"] == manifest["kind"] and "/" not in resource["name"]:
                metadata = cast(dict[str, Any], manifest["metadata"])
                place = f"/namespaces/{metadata.get('namespace', 'default')}" if resource["namespaced"] else ""
                return f"{root}{place}/{resource['name']}/{metadata['name']}"
        return None

    def _request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        prepared = self._api.param_serialize(
            method,
            path,
            query_params=[item for item in (query or {}).items() if item[1]],
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = self._api.call_api(*prepared, _request_timeout=_SECONDS_TO_ANSWER)
        text = answer.read()
        if answer.status >= 400:
            raise ApiError(answer.status, _message(text) or str(answer.reason))
        return cast(dict[str, Any], json.loads(text))


def _message(text: bytes) -> str:
    """The API server's own words, if the answer is of its kind."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def _reason(error: Exception) -> str:
    text = f"{error} {getattr(error, 'reason', '')}"
    for known in ("connection refused", "name or service not known", "no route to host", "timed out", "certificate"):
        if known in text.lower():
            return known
    return text.rpartition(": ")[2].strip()
