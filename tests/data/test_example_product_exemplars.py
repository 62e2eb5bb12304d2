"""From a request in a histogram to its trace: the example product's exemplars, in the genuine Prometheus."""

import json
import time
import urllib.parse
from pathlib import Path
from typing import Any

import yaml

from devcluster import checks
from stacks.environment import load
from stacks.render import render
from tests.conftest import ROOT
from tests.data.example_product import Start
from tests.data.telemetry_servers import free_port, get, process, until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
HISTOGRAMS = {"api": "http_request_duration_seconds", "worker": "queue_job_duration_seconds"}


def test_a_request_and_its_job_lead_to_their_trace(start: Start, tmp_path: Path) -> None:
    """Prometheus has the features of the one in the rendering, and asks by itself for the format with exemplars."""
    (watcher,) = [each.manifest for each in render(load(ROOT, "staging")) if each.kind == "Prometheus"]
    features = ",".join(watcher["spec"]["enableFeatures"])
    with start("api") as api, start("worker") as worker:
        jobs = {"api": api.port, "worker": worker.port}
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in jobs.items()
            ],
        }
        file, address = tmp_path / "prometheus.yaml", f"127.0.0.1:{free_port()}"
        file.write_text(yaml.safe_dump(config))
        command: list[str | Path] = [
            *(checks.ensure("prometheus", print), f"--config.file={file}", f"--web.listen-address={address}"),
            *(f"--storage.tsdb.path={tmp_path}/store", f"--enable-feature={features}"),
        ]
        with process(tmp_path / "prometheus.log", command):
            assert api.order(0, traceparent=TRACEPARENT) == 202
            for job, histogram in HISTOGRAMS.items():
                query = f'{histogram}_bucket{{job="{job}"}}'
                found = until(query, 30, lambda query=query: exemplars(address, query))
                assert {each["labels"]["trace_id"] for each in found} == {TRACE}
            # That format would have a second series for each, of when it began.
            status, names = get(f"http://{address}/api/v1/label/__name__/values")
            assert status == 200
            assert "_created" not in names


def exemplars(prometheus: str, query: str) -> list[dict[str, Any]]:
    asked = {"query": query, "start": str(time.time() - 600), "end": str(time.time() + 60)}
    status, body = get(f"http://{prometheus}/api/v1/query_exemplars?{urllib.parse.urlencode(asked)}")
    return [each for series in json.loads(body)["data"] for each in series["exemplars"]] if status == 200 else []
