"""Which traces are kept: every one with an error, every slow one, and a share of the rest.

That can be said of a whole trace only, and its spans come from many pods: Alloy's replicas first hand them on, so that
those of one trace meet at one replica. There they wait for the end of the trace.
"""

from collections.abc import Mapping, Sequence

from components.slo.indicators import Latency
from components.slo.objective import Slo

SLOW_SECONDS = 1.0
"""What is slow of a service that promises no time: the bound of ServiceSlow."""
WAIT = "30s"
"""From the first span of a trace to the decision: as long as a request may take. What comes later (a job that waited in
a queue) shares the decision, and is not looked at."""
REMEMBERED = 100_000
"""Decisions that later spans are told, of each kind; twice as many as there may be traces waiting."""


def slow_seconds(slos: Sequence[Slo]) -> dict[str, float]:
    """Service, as spans name it (`service.name`) -> the shortest time that it promises anything within."""
    found: dict[str, float] = {}
    for slo in slos:
        if isinstance(slo.indicator, Latency):
            found[slo.service] = min(slo.indicator.seconds, found.get(slo.service, slo.indicator.seconds))
    return found


def sampler(share: float, slow: Mapping[str, float], output: str) -> str:
    """Alloy's component `traces`. `share`: per cent of the ordinary traces; `slow`: service -> seconds."""
    conditions = ",\n        ".join(f"`{condition}`" for condition in _conditions(slow))
    return f"""\
otelcol.processor.tail_sampling "traces" {{
  decision_wait = "{WAIT}"

  // [{{…}}][0] is {{…}}, which `alloy validate` of 1.11 refuses here, though Alloy itself takes it.
  decision_cache = [{{ sampled_cache_size = {REMEMBERED}, non_sampled_cache_size = {REMEMBERED} }}][0]

  policy {{
    name = "error"
    type = "status_code"
    status_code {{
      status_codes = ["ERROR"]
    }}
  }}
  // By the span and not by the whole trace, which is long where a job waits in a queue, as it may.
  policy {{
    name = "slow"
    type = "ottl_condition"
    ottl_condition {{
      error_mode = "ignore"
      span = [
        {conditions},
      ]
    }}
  }}
  policy {{
    name = "share"
    type = "probabilistic"
    probabilistic {{
      sampling_percentage = {share:g}
    }}
  }}
  output {{
    traces = [{output}]
  }}
}}
"""


def _conditions(slow: Mapping[str, float]) -> list[str]:
    """A slow span, in OpenTelemetry's language of conditions: one for each service, and one for all others."""
    name, lasts = 'resource.attributes["service.name"]', "end_time - start_time > Duration"
    own = [f'{name} == "{service}" and {lasts}("{seconds:g}s")' for service, seconds in sorted(slow.items())]
    others = "".join(f'{name} != "{service}" and ' for service in sorted(slow))
    return [*own, f'{others}{lasts}("{SLOW_SECONDS:g}s")']
