"""The genuine Prometheus over the hour of dashboard_hour.py, as Grafana would ask it; and an idle Alertmanager."""

import json
import subprocess
import urllib.parse
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from components.observability.dashboards import Variable
from devcluster import checks
from tests.data import dashboard_hour as hour
from tests.data.telemetry_servers import free_port, get, until

GRAFANAS = {"$__rate_interval": "2m", "$__range": "1h", "$__interval": "1m"}
"""What Grafana puts in place of its own variables, for a page that shows an hour."""
POINTS = 24
"""Values over the hour, of a graph."""
Answer = list[tuple[dict[str, str], float]]
"""Labels -> value of each series."""


def filled(query: str, variables: tuple[Variable, ...], values: dict[str, str]) -> str:
    """The query as it is sent: what is not in `values` is everything, which of one value only is an error."""
    for name, value in GRAFANAS.items():
        query = query.replace(name, value)
    for variable in variables:
        everything = ".+" if variable.several else None
        value = values.get(variable.name, everything)
        assert value is not None, f"nothing is picked for ${variable.name}"
        query = query.replace(f"${variable.name}", value)
    return query


class Prometheus(NamedTuple):
    """The running server."""

    url: str

    def newest(self, query: str) -> Answer:
        """Each series' value at the end of the hour."""
        result = self._ask("query", query=query, time=hour.END)["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def course(self, query: str) -> list[tuple[dict[str, str], list[float]]]:
        """Each series' values over the hour."""
        step = hour.MINUTES * 60 // POINTS
        start = hour.END - step * (POINTS - 1)
        result = self._ask("query_range", query=query, start=start, end=hour.END, step=step)["result"]
        return [(each["metric"], [float(value) for _, value in each["values"]]) for each in result]

    def metrics(self, query: str) -> set[str]:
        """The metrics that a query reads, by Prometheus' own parser. AssertionError where it cannot be parsed."""
        return _selected(json.dumps(self._ask("parse_query", query=query)))

    def _ask(self, what: str, **arguments: Any) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        status, body = get(url)
        assert status == 200, f"{arguments['query']}\n{body}"
        return json.loads(body)["data"]


def _selected(tree: str) -> set[str]:
    """Names of the selectors in a query's tree, as JSON."""
    found: set[str] = set()

    def look(node: dict[str, Any]) -> dict[str, Any]:
        if node.get("type") in ("vectorSelector", "matrixSelector"):
            found.add(node["name"])
        return node

    json.loads(tree, object_hook=look)
    return found


@contextmanager
def prometheus(folder: Path) -> Generator[Prometheus]:
    """The server, ready, with the hour in its store."""
    text, store, config = folder / "hour.txt", folder / "store", folder / "prometheus.yaml"
    text.write_text(hour.openmetrics())
    # A rule and an Alertmanager, of which it shows metrics of its own then.
    (folder / "rules.yaml").write_text("groups: [{name: one, rules: [{record: one, expr: vector(1)}]}]\n")
    config.write_text(
        "rule_files: [rules.yaml]\n"
        "global: {evaluation_interval: 1s}\n"
        "alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:1']}]}]}\n"
    )
    make = [checks.ensure("promtool", print), "tsdb", "create-blocks-from", "openmetrics", text, store]
    made = subprocess.run(make, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    # The hour is long past.
    options = [f"--storage.tsdb.path={store}", "--storage.tsdb.retention.time=100y"]
    with _running("prometheus", config, options) as url:
        yield Prometheus(url)


@contextmanager
def alertmanager(folder: Path) -> Generator[str]:
    """The server's address; it is ready, and tells nobody."""
    config = folder / "alertmanager.yaml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    options = [f"--storage.path={folder}", "--cluster.listen-address="]
    with _running("alertmanager", config, options) as url:
        yield url


@contextmanager
def _running(program: str, config: Path, options: list[str]) -> Generator[str]:
    url = f"http://127.0.0.1:{free_port()}"
    log = config.with_suffix(".log")
    command = [checks.ensure(program, print), f"--config.file={config}", f"--web.listen-address={url[7:]}", *options]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        until(f"{program} ready (log: {log})", 60, lambda: get(f"{url}/-/ready")[0] == 200)
        yield url
    finally:
        process.terminate()
        process.wait(20)
