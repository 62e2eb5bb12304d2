"""The stand-in plugin's words for a pod that is not ready."""

import asyncio
from typing import Any, cast

import pytest

from devcluster.plugin.api import Api
from devcluster.plugin.pods import troubles


class Events:
    """Stands in for the API server: it knows nothing but events."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = list(events)
        self.asked: list[dict[str, str]] = []

    async def find(self, api_version: str, kind: str, namespace: str, **selectors: str) -> list[Any]:
        assert (api_version, kind, namespace) == ("v1", "Event", "shop")
        self.asked.append(selectors)
        return self.events


def told(status: dict[str, Any], node: str = "", events: Events | None = None) -> str:
    pod: Any = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api-1", "namespace": "shop"},
        "spec": {"nodeName": node} if node else {},
        "status": status,
    }
    return asyncio.run(troubles(cast(Api, events or Events()), pod))


def container(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "app", "ready": False, **state}]}


CRASHED = {"terminated": {"exitCode": 1, "reason": "Error"}}


@pytest.mark.parametrize(
    ("status", "node", "words"),
    [
        (
            container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=CRASHED),
            "node-b2",
            "pod api-1 on node-b2: container app is waiting: CrashLoopBackOff (exit 1)",
        ),
        (
            container(state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}),
            "",
            "pod api-1: container app is waiting: ImagePullBackOff: no such image",
        ),
        (container(state=CRASHED), "", "pod api-1: container app ended: Error (exit 1)"),
        (container(state={"running": {}}), "", "pod api-1: container app runs and is not ready"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/6 nodes are available"}]},
            "",
            "pod api-1: PodScheduled is False: 0/6 nodes are available",
        ),
        ({"phase": "Pending"}, "", "pod api-1: phase Pending"),
        ({"conditions": [{"type": "Ready", "status": "True"}]}, "", ""),
    ],
)
def test_the_container_or_condition_to_blame_is_named(status: dict[str, Any], node: str, words: str) -> None:
    assert told(status, node) == words


def test_the_last_warning_is_told_when_the_pod_says_nothing() -> None:
    events = Events(
        {"reason": "FailedMount", "message": "later", "lastTimestamp": "2026-01-01T00:00:02Z"},
        {"reason": "FailedScheduling", "message": "earlier", "lastTimestamp": "2026-01-01T00:00:01Z"},
    )
    assert told({"phase": "Pending"}, events=events) == "pod api-1: FailedMount: later"
    assert events.asked == [{"fieldSelector": "involvedObject.kind=Pod,involvedObject.name=api-1,type=Warning"}]
