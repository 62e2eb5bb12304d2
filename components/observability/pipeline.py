"""What Alloy does with lines and spans on their way: its `config.alloy`."""

from collections.abc import Mapping, Sequence

from components.observability import loki, tempo
from components.observability.loki import LOKI
from components.observability.sampling import sampler
from components.observability.tempo import TEMPO

OTLP_PORT = 4318
"""OTLP over HTTP, which every OpenTelemetry SDK speaks and every proxy passes."""
SPANS = "alloy-spans"
"""Service by which a replica finds those that are ready, to hand each trace to one of them."""
SPANS_PORT = 4317
"""Where a replica takes them: OTLP over gRPC."""

POD_LINES, NAMESPACE_LINES = 500, 2000
"""Lines a second that a replica takes of a pod, and of all pods of a namespace; what is beyond is dropped. A service
writes some tens. Thousands are a loop, and Loki would have to refuse the lines of all others with them."""
BURST_SECONDS = 20
"""So many seconds' worth may come at once: a start, or what was written while Alloy was away."""


def configuration(namespaces: Sequence[str], environment: str, share: float, slow: Mapping[str, float]) -> str:
    """`config.alloy`: logs of all pods in `namespaces`, spans and log records over OTLP.

    `share`: per cent of the ordinary traces that are kept; `slow`: service -> seconds beyond which a span is slow.
    """
    return "\n".join((_pod_logs(namespaces), _lines(environment), _received(), _traces(share, slow)))


def _pod_logs(namespaces: Sequence[str]) -> str:
    """Logs through the API server: no access to any node's files, which restricted pods could not have."""
    names = ", ".join(f'"{name}"' for name in namespaces)
    return f"""\
logging {{
  level  = "info"
  format = "json"
}}

discovery.kubernetes "pods" {{
  role = "pod"
  namespaces {{
    names = [{names}]
  }}
}}

discovery.relabel "pods" {{
  targets = discovery.kubernetes.pods.targets

  rule {{
    source_labels = ["__meta_kubernetes_namespace"]
    target_label  = "namespace"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_name"]
    target_label  = "pod"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "container"
  }}
  // The name under which Prometheus (job) and OpenTelemetry (service.name) know it too; the last one there is wins.
  rule {{
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "service_name"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_label_cnpg_io_cluster"]
    regex         = "(.+)"
    target_label  = "service_name"
  }}
  rule {{
    source_labels = ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    regex         = "(.+)"
    target_label  = "service_name"
  }}
}}

loki.source.kubernetes "pods" {{
  targets    = discovery.relabel.pods.output
  forward_to = [loki.process.lines.receiver]
  // The replicas share the pods; each is read once.
  clustering {{
    enabled = true
  }}
}}
"""


def _lines(environment: str) -> str:
    """What happens to the lines of pods."""
    return f"""\
loki.process "lines" {{
  forward_to = [loki.write.loki.receiver]

{_limit("pod", POD_LINES)}
{_limit("namespace", NAMESPACE_LINES)}

  // A line that is no JSON object passes as it is.
  stage.json {{
    expressions = {{ level = "level", trace_id = "trace_id" }}
  }}
  // INFO is kept as long as info.
  stage.template {{
    source   = "level"
    template = "{{{{ ToLower .Value }}}}"
  }}
  stage.labels {{
    values = {{ level = "" }}
  }}
  // There are too many of these to be labels: an index entry each would be dear.
  stage.structured_metadata {{
    values = {{ pod = "", trace_id = "" }}
  }}
  stage.label_drop {{
    values = ["pod"]
  }}
}}

loki.write "loki" {{
  endpoint {{
    url = "http://{LOKI}:{loki.PORT}/loki/api/v1/push"
  }}
  external_labels = {{ environment = "{environment}" }}
}}
"""


def _limit(label: str, lines: int) -> str:
    """Drops, and counts, what the things that share a value of the label write beyond `lines` a second."""
    return f"""\
  stage.limit {{
    by_label_name = "{label}"
    rate          = {lines}
    burst         = {lines * BURST_SECONDS}
    drop          = true
  }}"""


def _received() -> str:
    """What the product sends over OTLP: records go to Loki, spans to the replica that has the others of their trace."""
    return f"""\
otelcol.receiver.otlp "product" {{
  http {{
    endpoint = "0.0.0.0:{OTLP_PORT}"
  }}
  // No metrics: Prometheus reads them from the pods, and an exporter that sends them here is told so.
  output {{
    logs   = [otelcol.processor.memory_limiter.product.input]
    traces = [otelcol.processor.memory_limiter.product.input]
  }}
}}

{
        _memory_limiter(
            "product",
            '''
    logs   = [otelcol.processor.batch.product.input]
    traces = [otelcol.processor.batch.product.input]''',
        )
    }
otelcol.processor.batch "product" {{
  output {{
    logs   = [otelcol.exporter.otlphttp.loki.input]
    traces = [otelcol.exporter.loadbalancing.traces.input]
  }}
}}

otelcol.exporter.otlphttp "loki" {{
  client {{
    endpoint = "http://{LOKI}:{loki.PORT}/otlp"
  }}
}}

otelcol.exporter.loadbalancing "traces" {{
  routing_key = "traceID"
  resolver {{
    dns {{
      hostname = "{SPANS}"
      port     = "{SPANS_PORT}"
    }}
  }}
  // They wait here, and not each before its own replica: when one goes, its spans are handed to another. For a minute,
  // since at each try all of a batch is sent again.
  sending_queue {{ }}
  retry_on_failure {{
    max_elapsed_time = "1m"
  }}
  protocol {{
    otlp {{
      queue {{
        enabled = false
      }}
      retry {{
        enabled = false
      }}
      client {{
        tls {{
          insecure = true
        }}
      }}
    }}
  }}
}}
"""


def _traces(share: float, slow: Mapping[str, float]) -> str:
    """What happens to whole traces."""
    return f"""\
otelcol.receiver.otlp "traces" {{
  grpc {{
    endpoint = "0.0.0.0:{SPANS_PORT}"
  }}
  output {{
    traces = [otelcol.processor.memory_limiter.traces.input]
  }}
}}

{
        _memory_limiter(
            "traces",
            '''
    traces = [otelcol.processor.tail_sampling.traces.input]''',
        )
    }
{sampler(share, slow, "otelcol.processor.batch.traces.input")}
otelcol.processor.batch "traces" {{
  output {{
    traces = [otelcol.exporter.otlp.tempo.input]
  }}
}}

otelcol.exporter.otlp "tempo" {{
  client {{
    endpoint = "{TEMPO}:{tempo.OTLP_PORT}"
    tls {{
      insecure = true
    }}
  }}
}}
"""


def _memory_limiter(name: str, output: str) -> str:
    return f"""\
// Refuses what it has no memory for, so that the sender tries again, instead of dying with all it holds.
otelcol.processor.memory_limiter "{name}" {{
  check_interval         = "1s"
  limit_percentage       = 75
  spike_limit_percentage = 15
  output {{{output}
  }}
}}
"""
