"""Rule metrics-scraped: monitors that a Prometheus looks at, and that pick pods which are there."""

import pytest

from policies.model import Outcome
from policies.rules.observability.metrics_scraped import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource

LABELS = {"app.kubernetes.io/managed-by": "mainstay"}
PICKED: Props = {"matchLabels": LABELS}
SERVER = resource(
    "Prometheus",
    props={"spec": {"podMonitorSelector": PICKED, "serviceMonitorSelector": PICKED, "probeSelector": PICKED}},
)
POD: Props = {
    "metadata": {"labels": {"app": "api", "tier": "web"}},
    "spec": {"containers": [{"name": "api", "ports": [{"name": "http", "containerPort": 8000}]}]},
}
API = resource("Deployment", "api", {"spec": {"template": POD}})
SERVICE = resource(
    "Service",
    "api",
    {
        "metadata": {"name": "api", "namespace": "shop", "labels": {"team": "shop"}},
        "spec": {"selector": {"app": "api"}, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]},
    },
)
COMPONENT = resource("HttpService", "api", {"namespace": "shop"})


def monitor(kind: str, spec: Props) -> Resource:
    return resource(kind, props={"metadata": {"name": "main", "namespace": "shop", "labels": LABELS}, "spec": spec})


POD_MONITOR = monitor(
    "PodMonitor", {"selector": {"matchLabels": {"app": "api"}}, "podMetricsEndpoints": [{"port": "http"}]}
)
SERVICE_MONITOR = monitor(
    "ServiceMonitor", {"selector": {"matchLabels": {"team": "shop"}}, "endpoints": [{"port": "web"}]}
)
PROBE = monitor(
    "Probe", {"prober": {"url": "api:80"}, "targets": {"staticConfig": {"static": ["https://shop.example/"]}}}
)
GOOD = {
    "Prometheus": SERVER,
    "Deployment": API,
    "Service": SERVICE,
    "HttpService": COMPONENT,
    "PodMonitor": POD_MONITOR,
}


def verdict(kind: str, **replaced: Resource | None) -> tuple[Outcome, str]:
    """Outcome and reasons for one part of the good stack; the component is called `api`, monitors `main`."""
    name = "api" if kind in ("HttpService", "Worker") else "main"
    found = judged(RULE, *(part for part in {**GOOD, **replaced}.values() if part))
    finding = found[f"{kind}/{name}"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["PodMonitor", "HttpService"])
def test_what_is_looked_at_and_picks_pods_passes(kind: str) -> None:
    assert verdict(kind) == (Outcome.PASS, "")


def test_a_worker_is_asked_too() -> None:
    worker = resource("Worker", "api", {"namespace": "shop"})
    assert verdict("Worker", HttpService=worker)[0] is Outcome.PASS
    assert verdict("Worker", HttpService=worker, PodMonitor=None)[0] is Outcome.FAIL


UNSEEN = "no Prometheus of this stack looks at it (namespace, podMonitorSelector)"
NO_POD = "spec.podMetricsEndpoints[0]: no pod of this stack that it picks has"


@pytest.mark.parametrize(
    ("kind", "path", "value", "clause"),
    [
        ("PodMonitor", "metadata.labels", {}, UNSEEN),
        ("PodMonitor", "metadata.labels", {"app.kubernetes.io/managed-by": "x"}, UNSEEN),
        ("Prometheus", "spec.podMonitorSelector", GONE, UNSEEN),
        ("Prometheus", "metadata.namespace", "elsewhere", UNSEEN),
        ("PodMonitor", "spec.selector.matchLabels.app", "ap1", f"{NO_POD} the port http"),
        ("PodMonitor", "spec.selector.matchLabels.more", "x", NO_POD),
        ("PodMonitor", "spec.selector", GONE, NO_POD),
        ("PodMonitor", "spec.podMetricsEndpoints.0.port", "metrics", f"{NO_POD} the port metrics"),
        ("PodMonitor", "spec.podMetricsEndpoints.0", {"portNumber": 8001}, f"{NO_POD} its port"),
        ("PodMonitor", "spec.podMetricsEndpoints.0", {"targetPort": 8001}, f"{NO_POD} its port"),
        ("PodMonitor", "spec.podMetricsEndpoints", [], "it reads nothing of its pods"),
        ("Deployment", "spec.template.metadata.labels", {"app": "other"}, NO_POD),
        ("Deployment", "spec.template.spec.containers.0.ports", [], NO_POD),
    ],
)
def test_a_monitor_that_reads_nothing_fails_and_leaves_its_service_unread(
    kind: str, path: str, value: object, clause: str
) -> None:
    part = {kind: changed(GOOD[kind], path, value)}
    outcome, reasons = verdict("PodMonitor", **part)
    assert outcome is Outcome.FAIL
    assert clause in reasons
    assert verdict("HttpService", **part) == (
        Outcome.FAIL,
        "no monitor that a Prometheus looks at reads the metrics of its pods (api)",
    )


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("PodMonitor", "spec.podMetricsEndpoints.0", {"portNumber": 8000}),
        ("PodMonitor", "spec.podMetricsEndpoints.0", {"targetPort": 8000}),
        ("PodMonitor", "spec.podMetricsEndpoints.0", {"targetPort": "http"}),
        ("PodMonitor", "spec.podMetricsEndpoints.0", {}),
        ("PodMonitor", "spec.selector", {}),
        ("PodMonitor", "spec.selector", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        ("PodMonitor", "spec.namespaceSelector", {"matchNames": ["other", "shop"]}),
        ("PodMonitor", "spec.namespaceSelector", {"any": True}),
        ("PodMonitor", "spec.namespaceSelector", {}),
        ("Prometheus", "spec.podMonitorSelector", {}),
        ("Deployment", "spec.template.metadata.labels.tier", UNKNOWN),
    ],
)
def test_near_misses_pass(kind: str, path: str, value: object) -> None:
    part = {kind: changed(GOOD[kind], path, value)}
    assert verdict("PodMonitor", **part) == (Outcome.PASS, "")
    assert verdict("HttpService", **part) == (Outcome.PASS, "")


def test_every_endpoint_must_be_there() -> None:
    both = changed(POD_MONITOR, "spec.podMetricsEndpoints", [{"port": "http"}, {"port": "metrics"}])
    outcome, reasons = verdict("PodMonitor", PodMonitor=both)
    assert outcome is Outcome.FAIL
    assert reasons == "spec.podMetricsEndpoints[1]: no pod of this stack that it picks has the port metrics"
    assert verdict("HttpService", PodMonitor=both)[0] is Outcome.PASS


def test_pods_of_others_are_not_known_here() -> None:
    elsewhere = changed(POD_MONITOR, "spec.namespaceSelector", {"matchNames": ["gateway"]})
    assert verdict("PodMonitor", PodMonitor=elsewhere)[0] is Outcome.NOT_APPLICABLE
    assert verdict("PodMonitor", PodMonitor=changed(elsewhere, "metadata.labels", {}))[0] is Outcome.FAIL
    assert verdict("HttpService", PodMonitor=elsewhere)[0] is Outcome.FAIL


def test_without_a_prometheus_of_its_own_another_may_look() -> None:
    assert verdict("PodMonitor", Prometheus=None)[0] is Outcome.PASS
    assert verdict("HttpService", Prometheus=None)[0] is Outcome.PASS
    assert verdict("HttpService", Prometheus=None, PodMonitor=None)[0] is Outcome.FAIL


def test_what_has_no_pods_is_not_scraped_and_a_service_is_told_as_such() -> None:
    assert verdict("HttpService", Deployment=None)[0] is Outcome.FAIL
    reading = changed(SERVICE_MONITOR, "spec.endpoints.0.port", "http")
    assert verdict("ServiceMonitor", ServiceMonitor=reading)[1].endswith(
        "that it picks has a Service with the port http"
    )


def test_one_of_several_servers_is_enough() -> None:
    blind = changed(resource("Prometheus", "blind", dict(SERVER.props)), "spec.podMonitorSelector", GONE)
    assert verdict("PodMonitor", Blind=blind)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("part", "path", "value", "outcome"),
    [
        ("ServiceMonitor", "spec.endpoints.0.port", "web", Outcome.PASS),
        ("ServiceMonitor", "spec.endpoints.0.port", "http", Outcome.FAIL),
        ("ServiceMonitor", "spec.selector.matchLabels.team", "x", Outcome.FAIL),
        ("ServiceMonitor", "metadata.labels", {}, Outcome.FAIL),
        ("Service", "metadata.labels", {}, Outcome.FAIL),
        ("Service", "metadata.namespace", "elsewhere", Outcome.FAIL),
        ("Service", "spec.selector.app", "other", Outcome.FAIL),
        ("Service", "spec.ports.0.targetPort", "metrics", Outcome.FAIL),
        ("Service", "spec.ports.0.targetPort", 8000, Outcome.PASS),
        ("Service", "metadata.labels", UNKNOWN, Outcome.INCONCLUSIVE),
    ],
)
def test_a_service_is_looked_through(part: str, path: str, value: object, outcome: Outcome) -> None:
    parts: dict[str, Resource | None] = {"ServiceMonitor": SERVICE_MONITOR, "Service": SERVICE}
    parts = {**parts, part: changed({"ServiceMonitor": SERVICE_MONITOR, "Service": SERVICE}[part], path, value)}
    assert verdict("ServiceMonitor", PodMonitor=None, **parts)[0] is outcome
    assert verdict("HttpService", PodMonitor=None, **parts)[0] is outcome


@pytest.mark.parametrize(
    ("path", "value", "clause"),
    [
        ("spec.prober.url", "api.shop.svc:80", None),
        ("spec.prober.url", "http://api", None),
        ("spec.prober.url", "api", None),
        ("spec.prober.url", "prober.example.com:9115", None),
        ("spec.prober.url", "other:80", "its prober other is no Service of this stack"),
        ("spec.prober.url", "api:81", "port 81 of its prober, Service shop/api, leads to no pod"),
        ("spec.prober.url", "", "is no Service of this stack"),
        ("spec.targets", {}, "it probes nothing (targets)"),
        ("spec.targets.staticConfig.static", [], "it probes nothing (targets)"),
        ("spec.targets", {"ingress": {"selector": {}}}, None),
        ("metadata.labels", {}, "no Prometheus of this stack looks at it (namespace, probeSelector)"),
    ],
)
def test_a_probe_asks_something_through_a_prober_that_is_there(path: str, value: object, clause: str | None) -> None:
    outcome, reasons = verdict("Probe", Probe=changed(PROBE, path, value))
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS)
    assert (clause or "") in reasons


CLUSTER = resource("Cluster", "main", {"spec": {"instances": 1}})


@pytest.mark.parametrize(
    ("kind", "labels", "port", "good"),
    [
        ("Cluster", {"cnpg.io/cluster": "main"}, "metrics", True),
        ("Cluster", {"cnpg.io/cluster": "other"}, "metrics", False),
        ("Cluster", {"cnpg.io/cluster": "main"}, "http", False),
        ("Prometheus", {"app.kubernetes.io/name": "prometheus"}, "web", True),
        ("Prometheus", {"prometheus": "main"}, "metrics", False),
        ("Alertmanager", {"alertmanager": "main"}, "web", True),
        ("Alertmanager", {"tier": "own"}, "web", True),
    ],
)
def test_pods_that_operators_make_are_known(kind: str, labels: Props, port: str, good: bool) -> None:
    spec: Props = {"selector": {"matchLabels": labels}, "podMetricsEndpoints": [{"port": port}]}
    own = resource("Alertmanager", "main", {"spec": {"podMetadata": {"labels": {"tier": "own"}}}})
    parts: dict[str, Resource | None] = {"Cluster": CLUSTER, "Alertmanager": own}
    assert verdict("PodMonitor", PodMonitor=monitor("PodMonitor", spec), **parts)[0] is (
        Outcome.PASS if good else Outcome.FAIL
    )


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("PodMonitor", "metadata.labels"),
        ("PodMonitor", "spec.selector"),
        ("PodMonitor", "spec.podMetricsEndpoints"),
        ("PodMonitor", "spec.podMetricsEndpoints.0.port"),
        ("PodMonitor", "spec.namespaceSelector"),
        ("Prometheus", "spec.podMonitorSelector"),
        ("Deployment", "spec.template.metadata.labels"),
        ("Deployment", "spec.template.spec.containers"),
    ],
)
def test_what_cannot_be_read_is_inconclusive(kind: str, path: str, marker: object) -> None:
    part = {kind: changed(GOOD[kind], path, marker)}
    assert verdict("PodMonitor", **part)[0] is Outcome.INCONCLUSIVE
    assert verdict("HttpService", **part)[0] is Outcome.INCONCLUSIVE


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, SERVER, API, SERVICE, resource("Redis")) == {}
