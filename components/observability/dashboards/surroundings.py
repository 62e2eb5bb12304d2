"""What is before and below the product: the gateway that requests come through, and the nodes that pods run on."""

from components.observability.dashboards.model import Chart, Dashboard, Stat, above

_RATE = "rate(envoy_cluster_upstream_rq_xx{picked}[$__rate_interval])"
_ALL, _FAILED = _RATE.format(picked=""), _RATE.format(picked='{envoy_response_code_class="5"}')
_BUCKETS = "rate(envoy_cluster_upstream_rq_time_bucket[$__rate_interval])"

GATEWAY = Dashboard(
    "gateway",
    "Gateway",
    [
        Chart("Requests, by route", "reqps", {"{{route}}": f"sum by (route) ({_ALL})"}),
        Chart(
            "Requests, by class of the answer",
            "reqps",
            {"{{envoy_response_code_class}}xx": f"sum by (envoy_response_code_class) ({_ALL})"},
        ),
        Chart(
            "Share of requests that fail (5xx), by route",
            "percentunit",
            {"{{route}}": f"(sum by (route) ({_FAILED}) or 0 * sum by (route) ({_ALL})) / sum by (route) ({_ALL})"},
            above(0.05),
        ),
        Chart(
            "Answer time as the gateway sees it (p95), by route",
            "s",
            {"{{route}}": f"histogram_quantile(0.95, sum by (route, le) ({_BUCKETS})) / 1000"},
            above(1),
        ),
        Chart(
            "Pods behind a route that a proxy knows",
            "short",
            {"{{route}}": "min by (route) (envoy_cluster_membership_healthy)"},
        ),
        Stat(
            "Days until the first certificate expires",
            "short",
            {"": "min(envoy_server_days_until_first_cert_expiring)"},
            width=12,
        ),
    ],
)

_OURS = "and on (node) kube_pod_info"


def _has(resource: str) -> str:
    return f'max by (node) (kube_node_status_capacity{{resource="{resource}"}})'


NODES = Dashboard(
    "nodes",
    "Nodes",
    [
        Chart(
            "CPU of nodes that run our pods",
            "percentunit",
            {
                "{{node}}": (
                    "sum by (node) (rate(node_cpu_usage_seconds_total[$__rate_interval]))"
                    f" / on (node) {_has('cpu')} {_OURS}"
                )
            },
            above(0.8),
        ),
        Chart(
            "Memory of nodes that run our pods",
            "percentunit",
            {"{{node}}": f"max by (node) (node_memory_working_set_bytes) / on (node) {_has('memory')} {_OURS}"},
            above(0.9),
        ),
        Chart(
            "Disks of nodes that run our pods",
            "percentunit",
            {
                "{{node}} {{device}}": (
                    'max by (node, device) (container_fs_usage_bytes{id="/",device=~"/dev/.+"}'
                    f' / container_fs_limit_bytes{{id="/",device=~"/dev/.+"}}) {_OURS}'
                )
            },
            above(0.85),
        ),
        Chart("Our pods, by node", "short", {"{{node}}": 'count by (node) (kube_pod_info{node!=""})'}),
        Chart(
            "Nodes with a fault: not ready, or under pressure",
            "short",
            {
                "{{condition}}": (
                    '(sum by (condition) (kube_node_status_condition{condition!="Ready",status="true"})'
                    ' or sum by (condition) (kube_node_status_condition{condition="Ready",status=~"false|unknown"}))'
                )
            },
            above(1),
            width=24,
        ),
    ],
)
