"""Pods as others find them: their labels and ports, what selects them, and the Services before them."""

from typing import Any

import pytest

from policies import targets as module
from policies.stack import Resource, Stack
from policies.targets import behind, namespaces, numbers, of, picked, service_of, targets
from policies.values import UNKNOWN, Node, Undecided
from tests.policies.builders import Props, changed, resource, workload

OPERATED: dict[str, tuple[Props, str, list[tuple[str, int]]]] = {
    "Prometheus": (
        {
            "app.kubernetes.io/name": "prometheus",
            "app.kubernetes.io/managed-by": "prometheus-operator",
            "app.kubernetes.io/instance": "x",
            "prometheus": "x",
        },
        "podMetadata",
        [("web", 9090), ("reloader-web", 8080)],
    ),
    "Alertmanager": (
        {
            "app.kubernetes.io/name": "alertmanager",
            "app.kubernetes.io/managed-by": "prometheus-operator",
            "app.kubernetes.io/instance": "x",
            "alertmanager": "x",
        },
        "podMetadata",
        [("web", 9093), ("mesh-tcp", 9094), ("mesh-udp", 9094), ("reloader-web", 8080)],
    ),
    "Cluster": (
        {"cnpg.io/cluster": "x", "cnpg.io/podRole": "instance"},
        "inheritedMetadata",
        [("postgresql", 5432), ("metrics", 9187), ("status", 8000)],
    ),
}


@pytest.mark.parametrize("kind", OPERATED)
def test_what_operators_give_their_pods(kind: str) -> None:
    labels, own, ports = OPERATED[kind]
    (plain,) = of(resource(kind, "x"))
    assert (plain.labels.value, plain.ports(), plain.pod) == (labels, ports, None)
    more = {own: {"labels": {"tier": "y", next(iter(labels)): "not mine"}}}
    (labelled,) = of(resource(kind, "x", {"spec": more}))
    assert labelled.labels == Node({"tier": "y", **labels}, f"spec.{own}.labels")
    (hidden,) = of(resource(kind, "x", {"spec": {own: UNKNOWN}}))
    assert hidden.labels.value == labels


def serving(name: str, labels: object, namespace: str = "shop", ports: Any = None) -> Resource:
    pod: Props = {"containers": [{"name": "main", "ports": ports or [{"name": "http", "containerPort": 8000}]}]}
    return changed(
        changed(workload(name=name, pod=pod), "spec.template.metadata.labels", labels), "metadata.namespace", namespace
    )


ALL = Stack(
    [
        serving("a", {"app": "a", "tier": "web"}),
        serving("b", {"app": "b", "tier": "web"}),
        serving("c", {"app": "a"}, "other"),
        serving("d", None),
        workload("Job", "job"),
        workload("CronJob", "cron"),
        resource("Service"),
    ]
)


def test_which_pods_run_and_where() -> None:
    assert [each.resource.name for each in targets(ALL)] == ["a", "b", "c", "d"]
    assert namespaces(ALL) == {"shop", "other"}
    assert namespaces(Stack([changed(workload(), "metadata.namespace", UNKNOWN)])) == set()


@pytest.mark.parametrize(
    ("selector", "namespace", "names"),
    [
        ({"matchLabels": {"app": "a"}}, "shop", ["a"]),
        ({"matchLabels": {"app": "a"}}, "other", ["c"]),
        ({"matchLabels": {"tier": "web"}}, "shop", ["a", "b"]),
        ({"matchLabels": {"tier": "web", "app": "b"}}, "shop", ["b"]),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, "shop", ["d"]),
        ({"matchLabels": {}}, "shop", ["a", "b", "d"]),
        ({}, "nowhere", []),
        (None, "shop", []),
    ],
)
def test_what_a_selector_picks(selector: Any, namespace: str, names: list[str]) -> None:
    assert [each.resource.name for each in picked(Node(selector), namespace, ALL)] == names


@pytest.mark.parametrize("labels", [UNKNOWN, {"app": UNKNOWN, "tier": "web"}, {"app": "a", "tier": UNKNOWN}])
def test_what_cannot_be_read_may_be_picked(labels: object) -> None:
    stack = Stack([serving("a", labels)])
    with pytest.raises(Undecided):
        picked(Node({"matchLabels": {"app": "a", "tier": "web"}}), "shop", stack)
    with pytest.raises(Undecided):
        picked(Node({"matchLabels": {"app": UNKNOWN, "tier": "web"}}), "shop", ALL)


def test_not_every_pod_is_compared_with_a_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Node] = []

    def counted(_selector: Node, labels: Node) -> bool:
        compared.append(labels)
        return True

    monkeypatch.setattr(module, "matches", counted)
    stack = Stack(serving(f"app-{number}", {"app": f"app-{number}"}) for number in range(100))
    assert [each.resource.name for each in picked(Node({"matchLabels": {"app": "app-7"}}), "shop", stack)] == ["app-7"]
    assert len(compared) == 1


SERVICE = resource(
    "Service",
    "a",
    {"spec": {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": "http"}, {"port": 8000}]}},
)


def test_the_pods_behind_a_service() -> None:
    assert [each.resource.name for each in behind(SERVICE, ALL)] == ["a"]
    assert [each.resource.name for each in behind(changed(SERVICE, "metadata.namespace", "other"), ALL)] == ["c"]
    assert behind(changed(SERVICE, "spec.selector", {}), ALL) == []


@pytest.mark.parametrize(
    ("host", "namespace", "found"),
    [
        ("a", "shop", True),
        ("a", "other", False),
        ("a.shop", "other", True),
        ("a.shop.svc.cluster.local", "other", True),
        ("a.other", "shop", False),
        ("b", "shop", False),
        ("a", UNKNOWN, False),
    ],
)
def test_the_service_that_a_host_means(host: str, namespace: Any, found: bool) -> None:
    assert (service_of(host, namespace, Stack([SERVICE])) == SERVICE) is found


@pytest.mark.parametrize(
    ("port", "target", "expected"),
    [
        (80, "http", [8000]),
        (8000, None, [8000, 8000]),
        (80, 9000, [9000]),
        (80, "other", []),
        (81, "http", []),
    ],
)
def test_the_ports_that_a_port_of_a_service_leads_to(port: int, target: object, expected: list[int]) -> None:
    service = changed(SERVICE, "spec.ports.0.targetPort", target) if port == 80 else SERVICE
    (pods,) = behind(service, ALL)
    assert numbers(service, port, pods) == expected
