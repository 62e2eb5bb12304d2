"""What watches the gateway: the metrics of its proxies, and its alerts.

Envoy Gateway 1.5 runs proxies for each Gateway in a namespace of its own and labels them with the Gateway's name; a
GatewayClass with merged gateways or with proxies in the Gateway's namespace does otherwise, and TargetsMissing tells.
Names of metrics are Envoy's: `envoy_cluster_*` is about the pods behind a route, and the cluster's name,
`httproute/<namespace>/<route>/rule/<number>`, holds that of the route, which is the service's. What the proxy answers
itself for lack of an answer from there (503, 504) is counted as well.
"""

from collections.abc import Sequence

from components.observability.alert import Alert, Severity
from components.observability.monitors import Target
from components.workload.http_service import GATEWAY_NAMESPACE

JOB = "gateway"
METRICS_PORT = 19001


def metrics_target(gateway: str, namespace: str) -> Target:
    """The proxies of the Gateway `gateway`. Of Envoy's thousands of series, those that are asked for below."""
    return {
        "name": JOB,
        "pod_labels": {
            "gateway.envoyproxy.io/owning-gateway-name": gateway,
            "gateway.envoyproxy.io/owning-gateway-namespace": namespace,
        },
        "port_name": "metrics",
        "port": METRICS_PORT,
        "path": "/stats/prometheus",
        "namespace": GATEWAY_NAMESPACE,
        "metric_relabelings": [
            {
                "sourceLabels": ["__name__", "envoy_cluster_name"],
                "regex": (
                    "envoy_cluster_(upstream_rq_xx|upstream_rq_time_bucket|membership_healthy);httproute/.+"
                    "|envoy_server_days_until_first_cert_expiring;"
                ),
                "action": "keep",
            },
            {
                "sourceLabels": ["envoy_cluster_name"],
                "regex": "httproute/[^/]+/([^/]+)/rule/.+",
                "targetLabel": "route",
                "action": "replace",
            },
        ],
    }


_ANSWERS = "sum by (namespace, route) ({function}(envoy_cluster_upstream_rq_xx{picked}[5m]))"
_FAILED = '{envoy_response_code_class="5"}'


def alerts(routes: Sequence[str]) -> list[Alert]:
    """All alerts of the gateway. `routes`: names of the routes that should lead somewhere."""
    return [_no_healthy_upstream(sorted(routes)), *ALERTS]


def _no_healthy_upstream(routes: Sequence[str]) -> Alert:
    # A route without a ready pod loses its cluster, and with it all its series: Envoy Gateway lets it answer 500.
    gone = 'absent(envoy_cluster_membership_healthy{{route="{route}"}}) and on () (max(up{{job="{job}"}}) == 1)'
    return {
        "name": "GatewayNoHealthyUpstream",
        "expr": "\n  or ".join(
            [
                "max by (namespace, route) (envoy_cluster_membership_healthy) == 0",
                *(gone.format(route=route, job=JOB) for route in routes),
            ]
        ),
        "for_": "2m",
        "severity": Severity.P0,
        "service": "{{ $labels.route }}",
        "summary": "The gateway has no pod to send requests for {{ $labels.route }} to.",
        "description": "For 2 minutes no proxy has known a ready pod behind the route, though the workload has some.",
        "dashboard": "gateway",
        "runbook": """\
## Meaning
The gateway answers every request for this service itself, with 500 or 503. WorkloadGone would hold this alert back: the
pods are there, and the gateway does not see them.

## Impact
Nobody reaches the service from outside.

## First checks
1. `kubectl describe httproute <route>`: `ResolvedRefs` false names what the route does not find.
2. `kubectl get endpointslices -l kubernetes.io/service-name=<route>`: addresses, and ready?
3. `kubectl -n envoy-gateway-system logs deployment/envoy-gateway --tail=100`: a fault of the controller?

## Mitigation
1. The route names a service or port that is not there: take back the last release of `mainstay:services`.
2. Addresses are ready, and the controller logs faults: `kubectl -n envoy-gateway-system rollout restart
   deployment/envoy-gateway`; the proxies go on meanwhile.
3. No address: the pods fail their readiness; see WorkloadIncomplete.
""",
    }


ALERTS: list[Alert] = [
    {
        "name": "GatewayErrors",
        # Three failures at least, as of a service's own.
        "expr": (
            "(\n"
            f"  {_ANSWERS.format(function='rate', picked=_FAILED)}\n"
            f"    / {_ANSWERS.format(function='rate', picked='')} > 0.05\n"
            ") and on (namespace, route) (\n"
            f"  {_ANSWERS.format(function='increase', picked=_FAILED)} >= 3\n"
            ")"
        ),
        "for_": "5m",
        "severity": Severity.P0,
        "service": "{{ $labels.route }}",
        "summary": "{{ $value | humanizePercentage }} of the requests for {{ $labels.route }} fail at the gateway.",
        "description": "More than 5 %, and at least 3, ended in 5xx, for 5 minutes; the service itself counts none.",
        "dashboard": "gateway",
        "runbook": """\
## Meaning
Users get 5xx, and the service does not count them: ServiceErrorRateHigh would hold this alert back. So the requests do
not arrive, the answers do not come back in time, or connections break.

## Impact
Users see errors instead of what they asked for.

## First checks
1. `kubectl -n envoy-gateway-system logs -l gateway.envoyproxy.io/owning-gateway-name=gateway -c envoy --tail=200`:
   `response_flags` says why. UF, UC: no connection, or a broken one. UT: too slow (504). UO: too many at once.
2. `kubectl get pods -l app.kubernetes.io/name=<route> -o wide`: did some restart within the last minutes?
3. `kubectl get networkpolicy <route> -o yaml`: may the namespace `envoy-gateway-system` come in?

## Mitigation
1. UF, UC since a release: its pods end before the gateway knows, or crash; `kubectl rollout undo deployment/<route>`,
   then the same in git.
2. UT: what takes longer than `gateway.requestSeconds`? Make it a job of a worker; until then raise that limit.
3. UO: raise `replicas` of the service.
""",
    },
    {
        "name": "GatewaySlow",
        "expr": (
            "histogram_quantile(\n"
            "  0.95, sum by (namespace, route, le) (rate(envoy_cluster_upstream_rq_time_bucket[5m]))\n"
            ") / 1000 > 1"
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "service": "{{ $labels.route }}",
        "summary": "One in twenty requests for {{ $labels.route }} takes the gateway {{ $value | humanizeDuration }}.",
        "description": "The 95th percentile has been above 1 s for 10 minutes, and the service itself measures less.",
        "dashboard": "gateway",
        "runbook": """\
## Meaning
From the gateway the service looks slow, from within it does not: ServiceSlow would hold this alert back. The time is
lost before the service begins to count: requests wait for a connection, or for a busy process.

## Impact
One request in twenty feels slow to its user.

## First checks
1. `kubectl top pod -l app.kubernetes.io/name=<route> --containers`: at its CPU (PodCpuHigh)?
2. `kubectl -n envoy-gateway-system top pod -l gateway.envoyproxy.io/owning-gateway-name=gateway`: the proxies?
3. Dashboard Gateway: one route, or all?

## Mitigation
1. One route: raise `replicas` of the service; a process that does one thing at a time lets the others wait.
2. All routes: more proxies, which whoever runs Envoy Gateway sets in its EnvoyProxy.
""",
    },
    {
        "name": "GatewayCertificateExpires",
        "expr": "min by (namespace, job) (envoy_server_days_until_first_cert_expiring) < 14",
        "for_": "1h",
        "severity": Severity.P2,
        "summary": "A certificate of the gateway expires in {{ $value }} days.",
        "description": "Less than 14 days are left for one that a proxy uses; it is renewed 30 days before its end.",
        "dashboard": "gateway",
        "runbook": """\
## Meaning
cert-manager has not renewed the certificate of a host, or the proxies have not taken the new one over. Every host is
watched here; CertificateExpires sees those of `publicHosts` alone, but as a browser does.

## Impact
None yet. When it has expired, no browser opens that host.

## First checks
1. `kubectl get certificate -o
   custom-columns=NAME:.metadata.name,READY:.status.conditions[0].status,END:.status.notAfter`: which one ends soon?
2. `kubectl describe certificate <host>`: the events say why it was not renewed.
3. All end later: it is the proxies' own, with which they ask for their configuration: the secret `envoy` of
   `kubectl -n envoy-gateway-system get secrets`.

## Mitigation
1. Not renewed: as for CertificateExpires.
2. Renewed, and not taken over: `kubectl -n envoy-gateway-system rollout restart deployment -l
   gateway.envoyproxy.io/owning-gateway-name=gateway`.
""",
    },
]
