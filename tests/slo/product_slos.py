"""The eleven SLOs of the reference product, which between them use every indicator but one and both windows."""

from components.observability.alert import Severity
from components.slo.indicators import Freshness, Latency, Probe, Queue, Ratio, RawRatio
from components.slo.objective import Slo, Workload

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
_LLM_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 120)
_JOB_BUCKETS = (1, 5, 10, 30, 60, 120, 300, 900)
_KEYCLOAK_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5)
_REQUESTS = 'http_request_duration_seconds_count{job="%s"}'
_FAILED = 'http_request_duration_seconds_count{job="%s",status=~"5.."}'
_SIGN_IN = '{job="keycloak",uri!~"/health.*|/metrics"%s}'


def _deployment(name: str) -> Workload:
    return Workload("Deployment", name)


PRODUCT = [
    Slo(
        "api-availability", "api", "99.5 % of the requests to the API succeed.", 0.995, 30,
        Ratio(_REQUESTS % "api", bad=_FAILED % "api"), "product", Severity.P0, 10, _deployment("api"),
    ),
    Slo(
        "api-latency", "api", "95 % of the requests to the API are answered within 500 ms.", 0.95, 30,
        Latency('http_request_duration_seconds{job="api"}', 0.5, _BUCKETS),
        "product", Severity.P1, 10, _deployment("api"),
    ),
    Slo(
        "api-errors", "api", "99.9 % of the requests raise no unhandled exception.", 0.999, 30,
        Ratio(_REQUESTS % "api", bad='http_request_duration_seconds_count{job="api",status="500"}'),
        "product", Severity.P1, 10, _deployment("api"),
    ),
    Slo(
        "web-availability", "web", "99.5 % of the pages are delivered.", 0.995, 28,
        Ratio(_REQUESTS % "web", bad=_FAILED % "web"), "product", Severity.P0, 10, _deployment("web"),
    ),
    Slo(
        "website", "public-hosts", "99.5 % of the probes from outside are answered.", 0.995, 28,
        Probe('probe_success{job="public-hosts",instance="https://shop.example.com"}'), "product", Severity.P0,
    ),
    Slo(
        "sign-in-availability", "keycloak", "99.5 % of the requests to sign in succeed.", 0.995, 30,
        Ratio(
            "http_server_requests_seconds_count" + _SIGN_IN % "",
            bad="http_server_requests_seconds_count" + _SIGN_IN % ',outcome="SERVER_ERROR"',
        ),
        "platform", Severity.P0, 1, Workload("StatefulSet", "keycloak"),
    ),
    Slo(
        "sign-in-latency", "keycloak", "95 % of the requests to sign in are answered within 1 s.", 0.95, 30,
        Latency("http_server_requests_seconds" + _SIGN_IN % "", 1, _KEYCLOAK_BUCKETS),
        "platform", Severity.P1, 1, Workload("StatefulSet", "keycloak"),
    ),
    Slo(
        "engine-ticks", "engine", "99 % of the time the engine has ticked within 10 s.", 0.99, 30,
        Freshness('engine_last_tick_timestamp_seconds{job="engine"}', 10),
        "product", Severity.P1, None, _deployment("engine"),
    ),
    Slo(
        "email-delivery", "email", "95 % of the e-mails are handed over within 60 s.", 0.95, 30,
        Latency('queue_job_duration_seconds{job="email"}', 60, _JOB_BUCKETS),
        "product", Severity.P1, 1, _deployment("email"),
    ),
    Slo(
        "llm-latency", "engine", "95 % of the calls to the language model are answered within 30 s.", 0.95, 30,
        Latency('llm_request_duration_seconds{job="engine"}', 30, _LLM_BUCKETS), "product", Severity.P1, 1,
        _deployment("engine"),
    ),
    Slo(
        "data-durability", "postgres-main", "99.99 % of the time the last archived WAL is younger than 10 minutes.",
        0.9999, 30,
        Freshness('cnpg_pg_stat_archiver_last_archived_time{job="postgres-main"}', 600), "platform", Severity.P0,
    ),
]  # fmt: skip

OTHERS = [
    Slo(
        "queue-depth", "email", "99 % of the time at most 100 e-mails wait.", 0.99, 28,
        Queue('queue_depth{job="email",queue="mail"}', 100), "product", Severity.P1, None, _deployment("email"),
    ),
    Slo(
        "job-success", "email", "99 % of the jobs are done.", 0.99, 28,
        Ratio('queue_jobs_total{job="email"}', good='queue_jobs_total{job="email",result="done"}'),
        "product", Severity.P1, 2, _deployment("email"),
    ),
    Slo(
        "cdn-errors", "cdn", "99.5 % of what the CDN is asked for is delivered.", 0.995, 30,
        RawRatio(bad='cdn_errors:ratio{job="cdn",zone!="test"}'), "platform", Severity.P0,
    ),
    Slo(
        "search-quality", "search", "95 % of the searches find something.", 0.95, 28,
        RawRatio(good='search_hits:ratio{job="search"}'), "product", Severity.P1, None, _deployment("search"),
    ),
]  # fmt: skip
"""What the product does not use: a queue's depth, a ratio of good events, and shares that others have computed."""
SLOS = [*PRODUCT, *OTHERS]
