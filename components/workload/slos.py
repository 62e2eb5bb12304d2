"""What a service or worker may promise, counted from the metrics of the product's contract (docs/add-a-service.md)."""

from collections.abc import Sequence

from components.slo.indicators import Freshness, Latency, Probe, Ratio
from components.slo.objective import Slo, Workload
from components.slo.promise import Promise

REQUESTS = "http_request_duration_seconds"
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the histogram of requests."""
JOBS = "queue_job_duration_seconds"
JOB_BUCKETS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
"""Upper bounds, in seconds, of the histogram of jobs: from being queued to being done."""
MODEL_CALLS = "llm_request_duration_seconds"
MODEL_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 120.0)
"""Upper bounds, in seconds, of the histogram of a language model's answers."""
LAST_TICK = "worker_last_tick_timestamp_seconds"


def availability(name: str, promise: Promise) -> Slo:
    """Requests that are not answered with a fault of the server's (5xx)."""
    events = f'{REQUESTS}_count{{job="{name}"}}'
    indicator = Ratio(events, bad=f'{REQUESTS}_count{{job="{name}",status=~"5.."}}')
    return promise.of(
        name, "availability", f"Requests to {name} are answered without a fault of ours.", indicator, _pods(name)
    )


def errors(name: str, promise: Promise) -> Slo:
    """Requests in which nothing went wrong that the code did not foresee: those are answered with 500."""
    events = f'{REQUESTS}_count{{job="{name}"}}'
    indicator = Ratio(events, bad=f'{REQUESTS}_count{{job="{name}",status="500"}}')
    return promise.of(
        name, "errors", f"Requests to {name} meet no fault that its code did not foresee.", indicator, _pods(name)
    )


def latency(name: str, promise: Promise, seconds: float) -> Slo:
    """Requests that are answered within `seconds`."""
    indicator = Latency(f'{REQUESTS}{{job="{name}"}}', seconds, REQUEST_BUCKETS)
    return promise.of(name, "latency", f"Requests to {name} are answered within {seconds:g} s.", indicator, _pods(name))


def delivery(name: str, promise: Promise, seconds: float) -> Slo:
    """Jobs that are done within `seconds` of being queued."""
    indicator = Latency(f'{JOBS}{{job="{name}"}}', seconds, JOB_BUCKETS)
    return promise.of(
        name, "delivery", f"Jobs of {name} are done within {seconds:g} s of being queued.", indicator, _pods(name)
    )


def model(name: str, promise: Promise, seconds: float) -> Slo:
    """Answers of the language model within `seconds`."""
    indicator = Latency(f'{MODEL_CALLS}{{job="{name}"}}', seconds, MODEL_BUCKETS)
    return promise.of(name, "model", f"The language model answers {name} within {seconds:g} s.", indicator, _pods(name))


def reachable(name: str, promise: Promise, urls: Sequence[str]) -> Slo:
    """Probes of the service's public URLs that succeed; they are asked by themselves, whether it runs or not."""
    indicator = Probe(f'probe_success{{instance=~"{"|".join(sorted(urls))}"}}')
    return promise.of(name, "reachable", f"{name} can be reached from outside.", indicator, None)


def ticks(name: str, promise: Promise, seconds: float) -> Slo:
    """Looks that find the last tick no longer than `seconds` ago."""
    indicator = Freshness(f'{LAST_TICK}{{job="{name}"}}', seconds)
    return promise.of(
        name, "ticks", f"The last tick of {name} is never more than {seconds:g} s ago.", indicator, _pods(name)
    )


def _pods(name: str) -> Workload:
    return Workload("Deployment", name)
