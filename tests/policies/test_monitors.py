"""Which pods are scraped, from where, and as which job."""

import pytest

from policies.monitors import endpoints, is_looked_at, job, looks_in, scraped
from policies.stack import Resource, Stack
from policies.values import UNKNOWN, Undecided
from tests.policies.builders import Props, changed, resource, workload

PORTS: Props = {"containers": [{"name": "main", "ports": [{"name": "http", "containerPort": 80}]}]}
API = workload(pod=PORTS)
OTHER = changed(workload(name="other", pod=PORTS), "metadata.namespace", "other")
SERVICE = resource(
    "Service",
    "api",
    {
        "metadata": {"name": "api", "namespace": "shop", "labels": {"team": "shop"}},
        "spec": {"selector": {"app": "api"}, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]},
    },
)
PICKED: Props = {"matchLabels": {"app": "api"}}
MONITOR = resource("PodMonitor", "api", {"spec": {"selector": PICKED, "podMetricsEndpoints": [{"port": "http"}]}})
OF_SERVICES = resource(
    "ServiceMonitor", "api", {"spec": {"selector": {"matchLabels": {"team": "shop"}}, "endpoints": [{"port": "web"}]}}
)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, ["shop"]),
        ({"any": False}, ["shop"]),
        ({"any": True}, ["other", "shop"]),
        ({"any": True, "matchNames": ["nowhere"]}, ["other", "shop"]),
        ({"matchNames": ["other", "nowhere"]}, ["other"]),
        ({"matchNames": []}, ["shop"]),
    ],
)
def test_where_it_looks(selector: object, expected: list[str]) -> None:
    assert looks_in(changed(MONITOR, "spec.namespaceSelector", selector), Stack([API, OTHER])) == expected


@pytest.mark.parametrize(
    ("spec", "endpoint", "expected"),
    [
        ({}, {}, "shop/api"),
        ({"jobLabel": "app"}, {}, ""),
        ({}, {"relabelings": [{"targetLabel": "job", "replacement": "web"}]}, "web"),
        ({"jobLabel": "app"}, {"relabelings": [{"targetLabel": "job", "replacement": "web"}]}, "web"),
        ({}, {"relabelings": [{"targetLabel": "job", "replacement": "web", "action": "Replace"}]}, "web"),
        ({}, {"relabelings": [{"targetLabel": "job", "replacement": "web", "action": "keep"}]}, "shop/api"),
        ({}, {"relabelings": [{"targetLabel": "pod", "replacement": "web"}]}, "shop/api"),
        ({}, {"relabelings": [{"targetLabel": "job", "sourceLabels": ["x"], "replacement": "web"}]}, ""),
    ],
)
def test_the_job_of_its_series(spec: Props, endpoint: Props, expected: str) -> None:
    monitor = resource("PodMonitor", "api", {"spec": {**spec, "podMetricsEndpoints": [endpoint]}})
    assert job(monitor, endpoints(monitor)[0]) == expected


@pytest.mark.parametrize(
    ("parts", "jobs"),
    [
        ([MONITOR], {API.urn: {"shop/api"}}),
        ([OF_SERVICES, SERVICE], {API.urn: {"shop/api"}}),
        ([OF_SERVICES, changed(SERVICE, "spec.ports.0.name", "other")], {}),
        ([OF_SERVICES, changed(SERVICE, "spec.ports.0.targetPort", "other")], {}),
        ([OF_SERVICES, changed(changed(SERVICE, "metadata.namespace", "other"), "spec.selector.app", "other")], {}),
        ([OF_SERVICES], {}),
    ],
)
def test_what_is_scraped(parts: list[Resource], jobs: dict[str, set[str]]) -> None:
    found = scraped(Stack([API, OTHER, *parts]))
    assert (found.jobs, found.unread) == (jobs, ())


def test_the_first_server_that_cannot_be_read_is_named() -> None:
    servers = [resource("Prometheus", name, {"spec": {"podMonitorSelector": UNKNOWN}}) for name in ("one", "two")]
    with pytest.raises(Undecided, match="whether Prometheus shop/one looks at it: spec"):
        is_looked_at(MONITOR, Stack(servers))
