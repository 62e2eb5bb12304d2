"""A flood of lines, on the genuine Alloy and Loki: what is beyond the limit is dropped and counted."""

import json
import re
import time
import urllib.parse
from collections.abc import Iterator

import pytest

from components.observability.pipeline import BURST_SECONDS, NAMESPACE_LINES, POD_LINES
from tests.data.telemetry_servers import Pod, Telemetry, get, telemetry, until
from tests.data.test_logs_and_traces import deployed

CROWD = 8
"""Pods of a namespace of which each stays below its own limit, and all together are beyond that of the namespace."""
EACH = NAMESPACE_LINES * BURST_SECONDS * 3 // 2 // CROWD
PODS = {
    "flood-1": Pod("shop-staging", "flood"),
    "worker-1": Pod("shop-staging", "email-worker"),
    "issuer-1": Pod("cert-manager", "cert-manager"),
    **{f"crowd-{number}": Pod("cnpg-system", "crowd") for number in range(CROWD)},
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    with telemetry(tmp_path_factory.mktemp("telemetry"), deployed("staging"), PODS) as running:
        yield running


def arrived(servers: Telemetry, service: str) -> int:
    """Lines that Loki has of a service."""
    query = urllib.parse.urlencode({"query": f'sum(count_over_time({{service_name="{service}"}}[1h]))'})
    status, body = get(f"{servers.loki}/loki/api/v1/query?{query}")
    assert status == 200, body
    return sum(int(each["value"][1]) for each in json.loads(body)["data"]["result"])


def dropped(servers: Telemetry, label: str, value: str) -> int:
    """Lines that Alloy counts as dropped by a limit."""
    metrics = get(f"{servers.alloy}/metrics")[1]
    found = re.findall(
        rf'^loki_process_dropped_lines_by_label_total{{.*label_name="{label}",label_value="{value}"}} (\S+)$',
        metrics,
        re.MULTILINE,
    )
    return int(sum(map(float, found)))


def test_a_pod_that_floods_loses_lines_and_no_other_pod_does(servers: Telemetry) -> None:
    flood, burst = 4 * POD_LINES * BURST_SECONDS, POD_LINES * BURST_SECONDS
    servers.log(*(f"again {number}" for number in range(flood)), pod="flood-1")
    begun = time.monotonic()
    for number in range(300):
        servers.log(f"mailed {number}", pod="worker-1")
        servers.log(f"issued {number}", pod="issuer-1")
        time.sleep(0.01)
    until(
        "the others' lines",
        30,
        lambda: (arrived(servers, "email-worker"), arrived(servers, "cert-manager")) == (300, 300),
    )
    until(
        "all of the flood, arrived or counted",
        30,
        lambda: arrived(servers, "flood") + dropped(servers, "pod", "flood-1") == flood,
    )
    assert burst <= arrived(servers, "flood") <= burst + POD_LINES * (time.monotonic() - begun)
    assert dropped(servers, "namespace", "shop-staging") == 0
    assert dropped(servers, "pod", "worker-1") == dropped(servers, "pod", "issuer-1") == 0


def test_a_namespace_that_floods_from_many_pods_has_a_limit_too(servers: Telemetry) -> None:
    assert EACH < POD_LINES * BURST_SECONDS
    for number in range(CROWD):
        servers.log(*(f"again {line}" for line in range(EACH)), pod=f"crowd-{number}")
    servers.log("one more", pod="issuer-1")
    issued = arrived(servers, "cert-manager")
    until(
        "all of the crowd, arrived or counted",
        60,
        lambda: arrived(servers, "crowd") + dropped(servers, "namespace", "cnpg-system") == CROWD * EACH,
    )
    assert dropped(servers, "namespace", "cnpg-system") > 0
    assert all(dropped(servers, "pod", f"crowd-{number}") == 0 for number in range(CROWD))
    until("the other namespace's line", 30, lambda: arrived(servers, "cert-manager") >= max(issued, 301))
