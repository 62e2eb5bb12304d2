"""Histories of metrics that make each alert of the gateway and the nodes fire, and ones a step short of that."""

from tests.data.alert_cases import Case, durations

ROUTE = 'namespace="n",job="gateway",pod="envoy-0",route="api"'
ANSWERS = f'envoy_cluster_upstream_rq_xx{{{ROUTE},envoy_response_code_class="%s"}}'
DAYS_LEFT = 'envoy_server_days_until_first_cert_expiring{namespace="n",job="gateway",pod="%s"}'
NODE, OURS = 'node="w-1"', {'kube_pod_info{namespace="n",pod="api-0",node="w-1"}': "1x40"}
CONDITION = f'kube_node_status_condition{{namespace="n",{NODE},condition="%s",status="true"}}'


def capacity(resource: str, value: int) -> dict[str, str]:
    """What the node has."""
    return {f'kube_node_status_capacity{{namespace="n",{NODE},resource="{resource}"}}': f"{value}x40"}


def of_node(series: dict[str, str], trips: str, near_miss: str, metric: str) -> Case:
    """A value of a node that runs a pod of ours."""
    rest = {**series, **OURS}
    return Case({metric: trips, **rest}, {metric: near_miss, **rest})


SURROUNDINGS: dict[str, Case] = {
    "GatewayErrors": Case(
        {ANSWERS % 2: "0+94x40", ANSWERS % 5: "0+6x40"},
        {ANSWERS % 2: "0+95x40", ANSWERS % 5: "0+5x40"},
    ),
    "GatewaySlow": Case(
        durations("envoy_cluster_upstream_rq_time_bucket", {"500": 90, "1000": 94, "2500": 100, "+Inf": 100}, ROUTE),
        durations("envoy_cluster_upstream_rq_time_bucket", {"500": 90, "1000": 96, "2500": 100, "+Inf": 100}, ROUTE),
    ),
    # The route's cluster is gone with its last pod; and so it is where nothing is read of the proxies, which
    # TargetsMissing tells.
    "GatewayNoHealthyUpstream": Case(
        {'up{namespace="n",job="gateway",pod="envoy-0"}': "1x40"},
        {'up{namespace="n",job="gateway",pod="envoy-0"}': "0x40"},
    ),
    # One proxy has taken the new certificate over, the other has not.
    "GatewayCertificateExpires": Case(
        {DAYS_LEFT % 1: "13x100", DAYS_LEFT % 2: "80x100"}, {DAYS_LEFT % 1: "14x100", DAYS_LEFT % 2: "80x100"}, 90
    ),
    "NodeNotReady": of_node({}, "0x40", "0x20 1x20", CONDITION % "Ready"),
    "NodeUnderPressure": of_node({}, "1x40", "1x25 0x15", CONDITION % "DiskPressure"),
    "NodeCpuHigh": of_node(capacity("cpu", 2), "0+97x40", "0+95x40", f"node_cpu_usage_seconds_total{{{NODE}}}"),
    "NodeMemoryHigh": of_node(capacity("memory", 100), "91x40", "90x40", f"node_memory_working_set_bytes{{{NODE}}}"),
    "NodeDiskHigh": of_node(
        {f'container_fs_limit_bytes{{{NODE},id="/",device="/dev/sda1"}}': "100x40"},
        "86x40",
        "85x40",
        f'container_fs_usage_bytes{{{NODE},id="/",device="/dev/sda1"}}',
    ),
}
