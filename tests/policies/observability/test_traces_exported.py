"""Rule traces-exported: the way of a span from a service to a store."""

import pytest

from policies.collecting import address
from policies.model import Outcome
from policies.rules.observability.traces_exported import RULE
from policies.stack import Resource
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource
from tests.policies.observability.telemetry import ALLOY, TEMPO, telemetry

ENDPOINT = {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://alloy:4318"}
API = resource("HttpService", "api", {"namespace": "shop"})


def workload(*env: Props) -> Resource:
    containers = [{"name": "api", "env": list(env)}]
    return resource("Deployment", "api", {"spec": {"template": {"spec": {"containers": containers}}}})


def verdict(
    *env: Props, alloy: str = ALLOY, tempo: Props = TEMPO, service: Resource = API, **replaced: Resource | None
) -> tuple[Outcome, str]:
    parts = {
        **telemetry(alloy, tempo=tempo),
        "Deployment/api": workload(*(env or (ENDPOINT,))),
        **{key.replace("_", "/"): part for key, part in replaced.items()},
    }
    (finding,) = judged(RULE, service, *(part for part in parts.values() if part)).values()
    return finding.outcome, "; ".join(finding.reasons)


@pytest.mark.parametrize("kind", ["HttpService", "Worker"])
def test_spans_that_reach_a_store_pass(kind: str) -> None:
    assert verdict(service=resource(kind, "api", {"namespace": "shop"})) == (Outcome.PASS, "")


def env(name: str, value: object) -> Props:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("more", "clause"),
    [
        ([], "container api is told of no place for its spans (OTEL_EXPORTER_OTLP_ENDPOINT)"),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "")], "has no host"),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:4318")], "no Service of this stack"),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://alloy:4317")], "port 4317 of Service shop/alloy leads to no pod"),
        (
            [env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://alloy:12345")],
            "StatefulSet shop/alloy has no receiver at port 12345",
        ),
        (
            [env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://loki:3100")],
            "StatefulSet shop/loki is nothing that takes traces",
        ),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4317")], None),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:3200")], "is nothing that takes traces at port 3200"),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://alloy.shop:4318")], None),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example.com")], None),
        ([env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://alloy:4318/v1/traces")], None),
        ([ENDPOINT, env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:4318")], "no Service of this stack"),
        ([env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:4318"), ENDPOINT], None),
        ([ENDPOINT, env("OTEL_SDK_DISABLED", "true")], "OTEL_SDK_DISABLED is true"),
        ([ENDPOINT, env("OTEL_SDK_DISABLED", "TRUE")], "OTEL_SDK_DISABLED is true"),
        ([ENDPOINT, env("OTEL_SDK_DISABLED", "false")], None),
        ([ENDPOINT, env("OTEL_TRACES_EXPORTER", "none")], "OTEL_TRACES_EXPORTER is none"),
        ([ENDPOINT, env("OTEL_TRACES_EXPORTER", "otlp")], None),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER", "always_off")], "keeps none of its spans"),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER", "parentbased_always_off")], "keeps none of its spans"),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER", "always_on")], None),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER", "traceidratio"), env("OTEL_TRACES_SAMPLER_ARG", "0")], "keeps none"),
        (
            [ENDPOINT, env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), env("OTEL_TRACES_SAMPLER_ARG", "0.0")],
            "keeps none",
        ),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER", "traceidratio"), env("OTEL_TRACES_SAMPLER_ARG", "0.01")], None),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER", "traceidratio")], None),
        ([ENDPOINT, env("OTEL_TRACES_SAMPLER_ARG", "0")], None),
    ],
)
def test_what_the_process_is_told(more: list[Props], clause: str | None) -> None:
    outcome, reasons = verdict(*(more or [env("OTHER", "x")]))
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS), reasons
    assert (clause or "") in reasons


SAMPLER, TAIL = "otelcol.processor.probabilistic_sampler", "otelcol.processor.tail_sampling"
BATCH = "[otelcol.processor.batch.product.input]"
NONE = 'policy {\n type = "probabilistic"\n probabilistic {\n sampling_percentage = 0\n }\n }'


@pytest.mark.parametrize(
    ("sampler", "settings", "fails"),
    [
        (SAMPLER, "sampling_percentage = 0", True),
        (SAMPLER, "", True),
        (SAMPLER, "sampling_percentage = 0.5", False),
        (TAIL, NONE, True),
        (TAIL, "", True),
        (TAIL, NONE.replace("= 0", "= 1"), False),
        (TAIL, NONE + '\npolicy {\n type = "status_code"\n }', False),
    ],
)
def test_a_sampler_that_keeps_nothing_is_an_end(sampler: str, settings: str, fails: bool) -> None:
    component = f'{sampler} "share" {{\n{settings}\n output {{\n traces = {BATCH}\n }}\n}}\n'
    outcome, reasons = verdict(
        alloy=ALLOY.replace(f"traces = {BATCH}", f"traces = [{sampler}.share.input]") + component
    )
    assert outcome is (Outcome.FAIL if fails else Outcome.PASS), reasons
    assert not fails or "keeps none of the traces" in reasons


@pytest.mark.parametrize(
    ("old", "new", "clause"),
    [
        ("0.0.0.0:4318", "0.0.0.0:4320", "has no receiver at port 4318"),
        ('    endpoint = "0.0.0.0:4318"\n', "", None),
        ("otelcol.receiver.otlp", "otelcol.receiver.other", "has no receiver at port 4318"),
        ("  http {", "  grpc {", None),
        ('  http {\n    endpoint = "0.0.0.0:4318"', "  grpc {", "has no receiver at port 4318"),
        ("traces = [otelcol.processor", "logs = [otelcol.processor", "hands traces on to nothing"),
        ("[otelcol.exporter.otlp.tempo.input]", "[]", "hands traces on to nothing"),
        ("[otelcol.exporter.otlp.tempo.input]", "[otelcol.exporter.otlp.x.input]", "which is not there"),
        ("tempo.shop.svc:4317", "other.shop.svc:4317", "otelcol.exporter.otlp.tempo: the host"),
        ("tempo.shop.svc:4317", "tempo:4318", "port 4318 of Service shop/tempo leads to no pod"),
        ("tempo.shop.svc:4317", "tempo:3200", "is nothing that takes traces at port 3200"),
        ("tempo.shop.svc:4317", "otlp.example.com:4317", None),
        ("tempo.shop.svc:4317", "alloy:4318", "hands on in a circle"),
        ("otelcol.exporter.otlp", "otelcol.exporter.otlphttp", None),
        ("otelcol.exporter.otlp", "otelcol.exporter.debug", "hands traces on to nothing"),
    ],
)
def test_the_way_through_the_collector(old: str, new: str, clause: str | None) -> None:
    assert old in ALLOY
    outcome, reasons = verdict(alloy=ALLOY.replace(old, new))
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS), reasons
    assert (clause or "") in reasons


BALANCED = """
otelcol.exporter.loadbalancing "peers" {
  resolver {
    dns {
      hostname = "alloy"
      port     = "4319"
    }
  }
}
otelcol.receiver.otlp "peers" {
  grpc {
    endpoint = "0.0.0.0:4319"
  }
  output {
    traces = [otelcol.exporter.otlp.tempo.input]
  }
}
"""


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ("", "", True),
        ('"4319"', '"4320"', False),
        ('hostname = "alloy"', 'hostname = "other"', False),
        ("0.0.0.0:4319", "0.0.0.0:4320", False),
        (
            'dns {\n      hostname = "alloy"\n      port     = "4319"\n    }',
            'static {\n hostnames = ["other:1", "alloy:4319"]\n }',
            True,
        ),
        ("[otelcol.exporter.otlp.tempo.input]", "[otelcol.exporter.loadbalancing.peers.input]", False),
    ],
)
def test_a_trace_may_go_to_another_replica_first(old: str, new: str, passes: bool) -> None:
    alloy = ALLOY.replace("[otelcol.exporter.otlp.tempo.input]", "[otelcol.exporter.loadbalancing.peers.input]")
    ports: list[Props] = [{"port": port, "targetPort": port} for port in (4318, 4319)]
    service = changed(telemetry()["Service/alloy"], "spec.ports", ports)
    assert verdict(alloy=alloy + BALANCED.replace(old, new), Service_alloy=service)[0] is (
        Outcome.PASS if passes else Outcome.FAIL
    )


def test_the_ports_of_a_tempo() -> None:
    def tempo(protocols: Props) -> Props:
        return {**TEMPO, "distributor": {"receivers": {"otlp": {"protocols": protocols}}}}

    assert verdict(tempo=tempo({"grpc": None}))[0] is Outcome.PASS
    assert verdict(tempo=tempo({"grpc": {"endpoint": ":4317"}}))[0] is Outcome.PASS
    assert verdict(tempo=tempo({"grpc": {"endpoint": "0.0.0.0:4319"}}))[0] is Outcome.FAIL
    assert verdict(tempo=tempo({"http": {}}))[0] is Outcome.FAIL
    assert verdict(tempo=tempo({}))[0] is Outcome.FAIL
    assert verdict(tempo={key: value for key, value in TEMPO.items() if key != "storage"})[0] is Outcome.FAIL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://tempo/v1", ("tempo", 443)),
        ("http://tempo", ("tempo", 80)),
        ("http://tempo:4318/v1", ("tempo", 4318)),
        ("tempo:4317", ("tempo", 4317)),
        ("tempo", ("tempo", 0)),
        ("", ("", 0)),
    ],
)
def test_an_address_has_the_port_of_its_scheme(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("metadata.name", "other", Outcome.FAIL),
        ("metadata.namespace", "elsewhere", Outcome.FAIL),
        ("metadata.name", UNKNOWN, Outcome.INCONCLUSIVE),
        ("spec.template.spec.containers", UNKNOWN, Outcome.INCONCLUSIVE),
        ("spec.template.spec.containers.0.env", UNKNOWN, Outcome.INCONCLUSIVE),
        ("spec.template.spec.containers.0.env.0.name", SECRET, Outcome.INCONCLUSIVE),
        ("spec.template.spec.containers.0.env.0.value", SECRET, Outcome.INCONCLUSIVE),
        ("spec.template.spec.containers.0.env.0.valueFrom", {"secretKeyRef": {"name": "x"}}, Outcome.INCONCLUSIVE),
        ("spec.template.spec.containers.0.env", GONE, Outcome.FAIL),
        ("spec.template.spec.initContainers", UNKNOWN, Outcome.PASS),
    ],
)
def test_the_workload_is_the_one_of_its_name(path: str, value: object, outcome: Outcome) -> None:
    assert verdict(Deployment_api=changed(workload(ENDPOINT), path, value))[0] is outcome


def test_a_collector_that_cannot_be_read_may_be_the_way() -> None:
    hidden = changed(telemetry()["ConfigMap/alloy"], "data", UNKNOWN)
    assert verdict(ConfigMap_alloy=hidden)[0] is Outcome.INCONCLUSIVE
    assert verdict(ConfigMap_alloy=None)[0] is Outcome.FAIL


def test_other_kinds_are_not_its_business() -> None:
    assert judged(RULE, workload(), resource("Redis")) == {}
