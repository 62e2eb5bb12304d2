"""Rule dashboard-exists: queries on dashboards that a Grafana loads, and what they select."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from policies.model import Outcome
from policies.rules.observability.dashboard_exists import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource

QUERY = 'sum by (job) (rate(http_requests_count{job=~"$service"}[$__rate_interval]))'
PICKED: Props = {"name": "service", "type": "query", "query": "label_values(http_requests_count, job)"}
LABELS = {"app.kubernetes.io/managed-by": "mainstay"}


def page(*queries: str, variables: tuple[Props, ...] = (PICKED,)) -> Props:
    targets = [{"expr": query} for query in (queries or (QUERY,))]
    return {"templating": {"list": list(variables)}, "panels": [{"targets": targets}]}


def workload(component: str, kind: str = "Deployment", name: str = "api") -> Resource:
    """A workload as a component declares it: the types of its parents stand in its URN."""
    pod: Props = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": name, "ports": [{"name": "http", "containerPort": 8000}]}]},
    }
    own = resource(kind, name, {"spec": {"template": pod}})
    return Resource(
        own.urn.replace("::kubernetes", f"::mainstay:index:{component}$kubernetes"), own.type, name, own.props
    )


def monitor(name: str, labels: Props, port: str = "http") -> Resource:
    endpoint: Props = {"port": port, "relabelings": [{"targetLabel": "job", "replacement": name}]}
    spec: Props = {"selector": {"matchLabels": labels}, "podMetricsEndpoints": [endpoint]}
    return resource("PodMonitor", name, {"spec": spec})


def grafana(*pages: Any, provider: Any = None) -> list[Resource]:
    provider = provider or {"providers": [{"name": "x", "options": {"path": "/etc/dashboards"}}]}
    texts = {f"{index}.json": each if isinstance(each, str) else json.dumps(each) for index, each in enumerate(pages)}
    container: Props = {
        "name": "grafana",
        "env": [{"name": "GF_PATHS_PROVISIONING", "value": "/etc/grafana"}],
        "volumeMounts": [
            {"name": "pages", "mountPath": "/etc/dashboards"},
            {"name": "config", "mountPath": "/etc/grafana"},
        ],
    }
    volumes: list[Props] = [
        {"name": "pages", "configMap": {"name": "pages"}},
        {"name": "config", "configMap": {"name": "config", "items": [{"key": "all", "path": "dashboards/all.yaml"}]}},
    ]
    template: Props = {"spec": {"containers": [container], "volumes": volumes}}
    return [
        resource("Deployment", "grafana", {"spec": {"template": template}}),
        resource("ConfigMap", "pages", {"data": texts}),
        resource("ConfigMap", "config", {"data": {"all": yaml.safe_dump(provider)}}),
    ]


API = workload("HttpService")
READS: Props = {"record": "slo:total", "expr": 'rate(http_requests_count{job="api"}[5m])'}


def rules(*entries: Props) -> Resource:
    return resource("PrometheusRule", props={"spec": {"groups": [{"rules": list(entries)}]}})


def verdict(
    shown: list[Resource] | None = None,
    rule: Props = READS,
    own: Resource = API,
    parts: Mapping[str, Resource | None] | None = None,
) -> tuple[Outcome, str]:
    others = [part for part in {"monitor": monitor("api", {"app": "api"}), **(parts or {})}.values() if part]
    found = judged(RULE, own, rules(rule), *(grafana(page()) if shown is None else shown), *others)
    finding = found[f"{own.type.rpartition(':')[2]}/{own.name}"]
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("component", ["HttpService", "Worker", "Keycloak"])
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_a_query_selects_passes(component: str, kind: str) -> None:
    assert verdict(own=workload(component, kind)) == (Outcome.PASS, "")
    assert verdict([], own=workload(component, kind)) == (
        Outcome.FAIL,
        "no query on a dashboard that a Grafana of this stack loads selects its metrics (job api)",
    )


@pytest.mark.parametrize(
    ("query", "variables", "selected"),
    [
        (QUERY.replace("http_requests_count", "http_requests_bucket"), (PICKED,), True),  # of the same histogram
        (QUERY.replace("http_requests_count", "other_count"), (PICKED,), False),
        (QUERY.replace("$service", "${service:regex}"), (PICKED,), True),
        (QUERY.replace("$service", "[[service]]"), (PICKED,), True),
        (QUERY.replace("$service", "api|web"), (), True),
        (QUERY.replace("$service", "web"), (), False),
        (QUERY.replace('=~"$service"', '="api"'), (), True),
        (QUERY.replace('=~"$service"', '!="api"'), (), False),
        (QUERY.replace('=~"$service"', '!~"a.+"'), (), False),
        (QUERY.replace('=~"$service"', '!="web"'), (), True),
        (QUERY.replace('{job=~"$service"}', ""), (), True),
        (QUERY.replace('job=~"$service"', 'status="500"'), (), True),
        (QUERY.replace("$__rate_interval", "${__rate_interval}"), (PICKED,), True),
        (QUERY, ({**PICKED, "type": "custom", "query": "web, api"},), True),
        (QUERY, ({**PICKED, "type": "custom", "query": "web"},), False),
        (QUERY, ({**PICKED, "type": "constant", "query": "api"},), True),
        (QUERY, ({**PICKED, "type": "constant", "query": "web"},), False),
        (QUERY, ({**PICKED, "type": "textbox"},), True),
        (QUERY.replace('=~"$service"', '="a.i"'), (), False),
        (QUERY.replace("$service", r"\\pL+"), (), False),  # Prometheus' regular expressions are not all Python's
        ('sum(unknown_metric{job="api"})', (), True),  # it is asked for by name
        ('sum(unknown_metric{job=~".+"})', (), False),
        ('sum(unknown_metric{job="web"})', (), False),
        ('sum(unknown_metric{instance="api"})', (), False),
        ("up", (), False),
        ('up{job="api"}', (), False),
        ("rate(http_requests_count[$window])", (), False),  # cannot be read
        ("http_requests_count {", (), False),
        ("1 + sum(http_requests_count) / on () group_left () x", (), True),
    ],
)
def test_whether_a_query_selects_it(query: str, variables: tuple[Props, ...], selected: bool) -> None:
    outcome, _ = verdict(grafana(page("vector(1)", query, variables=variables)))
    assert outcome is (Outcome.PASS if selected else Outcome.FAIL)


def test_where_no_rule_reads_it_a_query_for_jobs_will_do() -> None:
    other: Props = {"record": "a:b", "expr": 'x{job="web"} + up{job="api"}'}
    assert verdict(rule=other)[0] is Outcome.PASS
    assert verdict(grafana(page(QUERY.replace('{job=~"$service"}', ""))), rule=other)[0] is Outcome.FAIL
    regex: Props = {"record": "a:b", "expr": 'x{job=~"api"}'}
    assert verdict(rule=regex)[0] is Outcome.PASS


def row(hidden: bool = False) -> Props:
    nested = page()
    nested["panels"][0]["targets"][0]["hide"] = hidden
    return {"panels": [{"type": "row", "panels": nested["panels"]}]}


PROVIDER: Props = {"providers": [{"options": {"path": "/etc/dashboards"}}]}


@pytest.mark.parametrize(
    ("shown", "selected"),
    [
        (grafana(page("vector(1)"), page()), True),
        (grafana("nonsense"), False),
        (grafana([1]), False),
        (grafana(row()), True),
        (grafana(row(hidden=True)), False),
        (grafana(page(), provider={"providers": []}), False),
        (grafana(page(), provider={"providers": [{"options": {"path": "/etc"}}]}), True),
        (grafana(page(), provider={"providers": [{"options": {"path": "/etc/dashboards/"}}]}), True),
        (grafana(page(), provider={"providers": [{"options": {"path": "/etc/dashboard"}}]}), False),
        (grafana(page(), provider={"providers": [{"options": {}}]}), False),
    ],
)
def test_a_page_counts_if_it_is_loaded(shown: list[Resource], selected: bool) -> None:
    assert verdict(shown)[0] is (Outcome.PASS if selected else Outcome.FAIL)


def test_a_page_that_cannot_be_loaded_is_told() -> None:
    assert "/etc/dashboards/0.json in Deployment shop/grafana is no JSON" in verdict(grafana("nonsense"))[1]


CONTAINER = "spec.template.spec.containers.0"
FILE = "spec.template.spec.volumes.1.configMap.items.0"
PATHS = {"name": "GF_PATHS_PROVISIONING", "value": "/etc/grafana"}


@pytest.mark.parametrize(
    ("index", "path", "value", "outcome"),
    [
        (0, f"{CONTAINER}.volumeMounts.0.mountPath", "/other", Outcome.FAIL),
        (0, f"{CONTAINER}.volumeMounts.0.name", "other", Outcome.FAIL),
        (0, f"{CONTAINER}.volumeMounts", [], Outcome.FAIL),
        (0, f"{CONTAINER}.env", [], Outcome.FAIL),  # then it is /etc/grafana/provisioning
        (0, f"{CONTAINER}.env.0.value", "/other", Outcome.FAIL),
        (0, "spec.template.spec.volumes.0.configMap.name", "other", Outcome.FAIL),
        (0, "metadata.namespace", "elsewhere", Outcome.FAIL),
        (0, "spec.template.spec.containers", UNKNOWN, Outcome.INCONCLUSIVE),
        (0, "spec.template.spec.volumes", UNKNOWN, Outcome.INCONCLUSIVE),
        (1, "data", SECRET, Outcome.INCONCLUSIVE),
        (0, f"{CONTAINER}.env", [{"name": "OTHER", "value": "/other"}, PATHS], Outcome.PASS),
        (0, f"{FILE}.path", "dashboards/all.yml", Outcome.PASS),
        (0, f"{FILE}.path", "dashboards/all.json", Outcome.FAIL),
        (0, f"{FILE}.path", "dashboards/more/all.yaml", Outcome.FAIL),
        (1, "data", {"0.txt": json.dumps(page())}, Outcome.FAIL),
        (2, "data", {"all": "providers: ["}, Outcome.FAIL),
        (2, "data.all", UNKNOWN, Outcome.INCONCLUSIVE),
    ],
)
def test_each_part_of_a_grafana_is_followed(index: int, path: str, value: object, outcome: Outcome) -> None:
    shown = copy.copy(grafana(page()))
    shown[index] = changed(shown[index], path, value)
    assert verdict(shown)[0] is outcome


def test_its_own_folder_is_grafanas_where_none_is_set() -> None:
    server, pages, config = grafana(page())
    server = changed(
        changed(server, f"{CONTAINER}.env", []), f"{CONTAINER}.volumeMounts.1.mountPath", "/etc/grafana/provisioning"
    )
    assert verdict([server, pages, config])[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("replaced", "outcome", "reason"),
    [
        ({"monitor": None}, Outcome.FAIL, "nothing reads its metrics"),
        ({"monitor": changed(monitor("api", {"app": "api"}), "spec.selector", UNKNOWN)}, Outcome.INCONCLUSIVE, ""),
        ({"monitor": monitor("api", {"app": "other"})}, Outcome.FAIL, "nothing reads its metrics"),
        ({"monitor": monitor("other", {"app": "api"})}, Outcome.PASS, ""),  # a job that no rule reads
        ({"prometheus": resource("Prometheus")}, Outcome.FAIL, "nothing reads its metrics"),
    ],
)
def test_what_is_not_read_cannot_be_shown(replaced: dict[str, Resource | None], outcome: Outcome, reason: str) -> None:
    found = verdict(parts=replaced)
    assert found[0] is outcome
    assert reason in found[1]


@pytest.mark.parametrize(
    ("own", "labels", "port", "query", "selected"),
    [
        (resource("Cluster", "db"), {"cnpg.io/cluster": "db"}, "metrics", 'cnpg_backends_total{job=~"$service"}', True),
        (resource("Cluster", "db"), {"cnpg.io/cluster": "db"}, "metrics", "cnpg_backends_total", True),
        (resource("Cluster", "db"), {"cnpg.io/cluster": "db"}, "metrics", 'cnpg_backends_total{job="other"}', False),
        (resource("Cluster", "db"), {"cnpg.io/cluster": "db"}, "metrics", 'redis_up{job="db"}', False),
        (workload("Redis", "StatefulSet", "db"), {"app": "db"}, "http", 'redis_up{job=~"$service"}', True),
        (workload("Redis", "StatefulSet", "db"), {"app": "db"}, "http", 'cnpg_up{job=~"$service"}', False),
    ],
)
def test_databases_are_known_by_their_exporters(
    own: Resource, labels: Props, port: str, query: str, selected: bool
) -> None:
    found = verdict(grafana(page(query)), own=own, parts={"monitor": monitor("db", labels, port)})
    assert found[0] is (Outcome.PASS if selected else Outcome.FAIL)


@pytest.mark.parametrize(
    ("relabelings", "selected"),
    [
        (GONE, True),  # the job is shop/api then, which the variable offers too
        ([{"targetLabel": "job", "replacement": "web"}], False),
        (
            [
                {"targetLabel": "job", "replacement": "web", "action": "Replace"},
                {"targetLabel": "job", "replacement": "api"},
            ],
            True,
        ),
        ([{"targetLabel": "pod", "replacement": "web"}], True),
    ],
)
def test_the_job_is_what_the_monitor_makes_it(relabelings: object, selected: bool) -> None:
    read = changed(monitor("api", {"app": "api"}), "spec.podMetricsEndpoints.0.relabelings", relabelings)
    offered = {**PICKED, "type": "custom", "query": "api, shop/api"}
    assert verdict(grafana(page(variables=(offered,))), parts={"monitor": read})[0] is (
        Outcome.PASS if selected else Outcome.FAIL
    )


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, resource("Deployment"), resource("Service"), workload("Observability")) == {}
