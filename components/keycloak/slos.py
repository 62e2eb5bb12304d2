"""What Keycloak may promise, counted from its own metrics; probes and metrics requests are no sign-ins."""

from components.keycloak.server import HTTP_BUCKETS_MS
from components.slo.indicators import Latency, Ratio
from components.slo.objective import Slo, Workload
from components.slo.promise import Promise

_REQUESTS = "http_server_requests_seconds"
_PEOPLES = 'uri!~"/health.*|/metrics"'


def availability(name: str, promise: Promise) -> Slo:
    """Requests that are not answered with a fault of Keycloak's."""
    events = f'{_REQUESTS}_count{{job="{name}",{_PEOPLES}}}'
    indicator = Ratio(events, bad=f'{_REQUESTS}_count{{job="{name}",{_PEOPLES},outcome="SERVER_ERROR"}}')
    title = "Sign-in and tokens are answered without a fault of ours."
    return promise.of(name, "availability", title, indicator, Workload("StatefulSet", name))


def latency(name: str, promise: Promise, seconds: float) -> Slo:
    """Requests that are answered within `seconds`."""
    buckets = tuple(bucket / 1000 for bucket in HTTP_BUCKETS_MS)
    indicator = Latency(f'{_REQUESTS}{{job="{name}",{_PEOPLES}}}', seconds, buckets)
    title = f"Sign-in and tokens are answered within {seconds:g} s."
    return promise.of(name, "latency", title, indicator, Workload("StatefulSet", name))
