"""A genuine Prometheus on loopback, with a past: series as Mainstay's rules record them, written by promtool."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from devcluster import checks

STEP = 300
_SECONDS = 60.0


class Past(NamedTuple):
    """A series: its name, its labels, its samples as (Unix seconds, value)."""

    name: str
    labels: Mapping[str, str]
    samples: Iterable[tuple[int, float]]


def promised(slo: str, objective: float, times: Iterable[int], window: str = "30d") -> Past:
    """The SLO's line in the inventory."""
    return Past("slo:error_budget:ratio", inventory(slo, window), ((at, 1 - objective) for at in times))


def inventory(slo: str, window: str = "30d") -> dict[str, str]:
    """Labels of the inventory, and of what is joined with it."""
    return {"slo": slo, "service": slo.partition("-")[0], "owner": "platform", "page": "P1", "window": window}


@contextmanager
def running(folder: Path, pasts: Iterable[Past]) -> Generator[str]:
    """Its address."""
    data, text, config = folder / "data", folder / "past.txt", folder / "prometheus.yml"
    with text.open("w") as file:
        for past in pasts:
            labels = ",".join(f'{key}="{value}"' for key, value in past.labels.items())
            file.writelines(f"{past.name}{{{labels}}} {value} {at}\n" for at, value in past.samples)
        file.write("# EOF\n")
    promtool = checks.ensure("promtool", print)
    seed = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h", text, data]
    subprocess.run(seed, check=True, capture_output=True, text=True)
    config.write_text("{}\n")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [
        checks.ensure("prometheus", print),
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait(f"http://{address}/-/ready", process, log)
            yield f"http://{address}"
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 (loopback)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"Prometheus is not ready: {log.read_text()}")
