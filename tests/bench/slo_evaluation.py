"""What 1,000 SLOs cost Prometheus: these rules, and Sloth's, on the same services with the same past.

The past is written by promtool: of what the services expose, as many days as the longest range that any rule reads of
it; of what the rules record, the whole window. Then a local exporter goes on, and Prometheus is asked what they took.
"""

import json
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.observability.alert import Severity
from components.slo.objective import Slo
from components.slo.promise import Promise
from components.slo.rules import rules
from components.workload.slos import availability
from devcluster import checks
from tests.bench import sloth
from tests.data.alerting_chain import metrics
from tests.data.telemetry_servers import free_port, get, until

SERVICES = 1000
RATE, FAILING = 10, 0.002
"""Requests a second of each service, and the share of them that fails."""
SCRAPE, EVALUATION = 30, 60
"""Seconds between samples, and between rounds of rules whose group names no interval."""
DAY = 86400
WINDOW_DAYS, EXPOSED_DAYS = 30, 3
BLOCK_HOURS = 54
"""Of the past's blocks: what promtool offers next to the three days up to which such a Prometheus merges them."""
WARM_UP, MINUTES = 5, 8
"""Minutes until each group has run, and of the measurement: two rounds of those that run least often."""
_REQUESTS = 'http_request_duration_seconds_count{job="%s",status="%s"}'


class Cost(NamedTuple):
    """Of all SLOs by one set of rules."""

    way: str
    rules: int
    made: float
    """Seconds to make the rules, and write them."""
    round: float
    """Seconds that one evaluation of every group took together, one after the other."""
    slowest: float
    """Seconds of the slowest group."""
    minute: float
    """Seconds of evaluation in a minute: each group as often as its interval says."""
    cpu: float
    """Seconds of processor a minute, of the whole Prometheus."""
    memory: int
    """The most that it had resident, in MB."""
    missed: int
    """Rounds left out, as the one before still ran."""


class _Way(NamedTuple):
    name: str
    make: Callable[[Sequence[Slo]], list[dict[str, Any]]]
    read: dict[str, tuple[float, float]]
    """Recorded series of which rules read the whole window: mean and spread of their values."""


def _ours(slos: Sequence[Slo]) -> list[dict[str, Any]]:
    return rules(slos, "https://runbooks.example")


def _none(slos: Sequence[Slo]) -> list[dict[str, Any]]:
    return []


_EVENTS = RATE * 300
WAYS = (
    _Way("none", _none, {}),
    _Way(
        "Mainstay",
        _ours,
        {"slo:bad:increase5m": (_EVENTS * FAILING, 2), "slo:total:increase5m": (_EVENTS, 100)},
    ),
    _Way(f"Sloth {sloth.VERSION}", sloth.rules, {"slo:sli_error:ratio_rate5m": (FAILING, FAILING / 2)}),
)


def measured() -> dict[str, list[str]]:
    """What each set of rules takes."""
    return {
        f"{SERVICES:,} SLOs in Prometheus": [
            f"The availability of {SERVICES:,} services, {RATE} requests a second each, on the genuine Prometheus: "
            f"{WINDOW_DAYS} days of past of what rules record, {EXPOSED_DAYS} of what services expose, a sample each "
            f"{SCRAPE} s. One round: the last evaluation of every group, one after the other. A minute: each group as "
            "often as its interval says, which is 1 minute, and 4 minutes for Mainstay's group of days; over "
            f"{MINUTES} minutes. Prometheus evaluates groups side by side, so that their durations include waiting for "
            "each other; processor and memory are those of the whole Prometheus, scrapes included. Sloth's time to "
            "make the rules includes handing it the SLOs and reading its rules back.",
            "",
            *table(costs()),
        ]
    }


def costs() -> list[Cost]:
    """Without rules, and by both sets of them; a quarter of an hour each, and some minutes to write the past."""
    promise = Promise(0.995, 30, Severity.P0, "product", RATE * 60)
    slos = [availability(f"service-{number:04}", promise) for number in range(SERVICES)]
    return [_cost(way, slos) for way in WAYS]


def _cost(way: _Way, slos: Sequence[Slo]) -> Cost:
    with tempfile.TemporaryDirectory(prefix="mainstay-slo-") as name:
        folder = Path(name)
        began = time.monotonic()
        groups = way.make(slos)
        (folder / "rules.yaml").write_text(yaml.dump({"groups": groups}, Dumper=yaml.CSafeDumper))
        made = time.monotonic() - began
        every = [rule for group in groups for rule in group["rules"]]
        _write_past(
            folder, slos, [(rule, way.read[rule["record"]]) for rule in every if rule.get("record") in way.read]
        )
        with metrics(partial(_exposed, slos)) as exporter, _prometheus(folder, exporter) as (url, process):
            time.sleep(WARM_UP * 60)
            before = _asked(url)
            rounds: list[tuple[float, float]] = []
            for _ in range(MINUTES):
                time.sleep(60)
                each = _values(get(f"{url}/metrics")[1], "prometheus_rule_group_last_duration_seconds")
                rounds.append((sum(each), max(each, default=0)))
            after = _asked(url)
            took, cpu, missed = ((new - old) for old, new in zip(before, after, strict=True))
            return Cost(
                way.name,
                len(every),
                made,
                sum(whole for whole, _ in rounds) / len(rounds),
                max(slowest for _, slowest in rounds),
                took / MINUTES,
                cpu / MINUTES,
                _peak_megabytes(process.pid),
                int(missed),
            )


def _asked(url: str) -> tuple[float, float, float]:
    """So far: seconds of evaluation, seconds of processor, rounds left out. Raises RuntimeError where a rule failed."""
    text = get(f"{url}/metrics")[1]
    if failed := sum(_values(text, "prometheus_rule_evaluation_failures_total")):
        raise RuntimeError(f"{failed:.0f} evaluations failed: ask {url}/api/v1/rules why")
    names = ("prometheus_rule_group_duration_seconds_sum", "process_cpu_seconds_total")
    took, cpu = (sum(_values(text, each)) for each in names)
    return took, cpu, sum(_values(text, "prometheus_rule_group_iterations_missed_total"))


def _values(text: str, metric: str) -> list[float]:
    return [float(found) for found in re.findall(rf"^{metric}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)]


def _peak_megabytes(pid: int) -> int:
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) // 1000 if found else 0


def _write_past(
    folder: Path, slos: Sequence[Slo], recorded: Sequence[tuple[dict[str, Any], tuple[float, float]]]
) -> None:
    """Blocks of Prometheus' storage, up to now; each is written from a text of its own, which promtool reads once."""
    promtool = checks.ensure("promtool", print)
    end, block = int(time.time()), BLOCK_HOURS * 3600
    text = folder / "past.txt"
    for start in range((end - WINDOW_DAYS * DAY) // block * block, end, block):
        with text.open("w") as file:
            file.writelines(_of_recordings(recorded, max(start, end - WINDOW_DAYS * DAY), min(start + block, end)))
            file.writelines(_of_services(slos, max(start, end - EXPOSED_DAYS * DAY), min(start + block, end)))
            file.write("# EOF\n")
        seed = ["tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={BLOCK_HOURS}h"]
        subprocess.run([promtool, *seed, text, folder / "data"], check=True, capture_output=True, text=True)
    text.unlink()


def _of_recordings(
    recorded: Sequence[tuple[dict[str, Any], tuple[float, float]]], start: int, end: int
) -> Iterator[str]:
    stamps = [f" {at}\n" for at in range(start, end, EVALUATION)]
    chance = random.Random(0)  # noqa: S311 (not for secrets)
    for rule, (mean, spread) in recorded:
        labels = ",".join(f'{label}="{value}"' for label, value in rule["labels"].items())
        name = f"{rule['record']}{{{labels}}} "
        values = [f"{max(0.0, chance.gauss(mean, spread)):.7g}" for _ in range(97)]
        yield "".join([name + values[place % 97] + stamp for place, stamp in enumerate(stamps)])


def _of_services(slos: Sequence[Slo], start: int, end: int) -> Iterator[str]:
    for slo in slos if start < end else ():
        for status, rate in _RATES.items():
            name = _REQUESTS % (slo.service, status) + " "
            yield "".join([f"{name}{int(at * rate)} {at}\n" for at in range(start, end, SCRAPE)])


_RATES = {200: RATE * (1 - FAILING), 503: RATE * FAILING}
"""Status, and how many answers of it there are a second, ever since 1970."""


def _exposed(slos: Sequence[Slo]) -> str:
    """Of all services now, with what Kubernetes and Prometheus say of each."""
    now = time.time()
    lines = [
        f"{_REQUESTS % (slo.service, status)} {int(now * rate)}\n" for slo in slos for status, rate in _RATES.items()
    ]
    lines += [f'up{{job="{slo.service}"}} 1\n' for slo in slos]
    lines += [f'kube_deployment_spec_replicas{{deployment="{slo.service}"}} 1\n' for slo in slos]
    return "".join(lines)


@contextmanager
def _prometheus(folder: Path, exporter: str) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address and its process, with the rules and the past that stand in `folder`."""
    config = {
        "global": {"scrape_interval": f"{SCRAPE}s", "evaluation_interval": f"{EVALUATION}s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": "services", "honor_labels": True, "static_configs": [{"targets": [exporter]}]},
        ],
    }
    (folder / "prometheus.yaml").write_text(json.dumps(config))
    address = f"127.0.0.1:{free_port()}"
    command = [
        checks.ensure("prometheus", print),
        f"--config.file={folder}/prometheus.yaml",
        f"--storage.tsdb.path={folder}/data",
        "--storage.tsdb.retention.time=35d",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            until(f"Prometheus (log: {log})", 120, lambda: get(f"http://{address}/-/ready")[0] == 200)
            yield f"http://{address}", process
        finally:
            process.kill()


def table(costs: Sequence[Cost]) -> list[str]:
    """As Markdown."""
    return [
        "| rules of | rules | made and written | one round of all | slowest group | evaluation a minute | "
        "processor a minute | peak memory | rounds missed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {cost.way} | {cost.rules:,} | {cost.made:.2f} s | {cost.round:.2f} s | {cost.slowest:.2f} s | "
            f"{cost.minute:.2f} s | {cost.cpu:.1f} s | {cost.memory} MB | {cost.missed} |"
            for cost in costs
        ),
    ]


if __name__ == "__main__":
    print(*table(costs()), sep="\n")
