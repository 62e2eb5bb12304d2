"""The genuine object store, Loki, Tempo and Alloy as processes on loopback, with the configuration that is deployed.

What is changed in it is what a machine has not: addresses, ports, folders. Alloy reads a file in place of the API
server's logs: no pod of the embedded cluster writes any.
"""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.observability import alloy, loki, tempo
from devcluster import checks

KEYS = {"OBJECT_STORE_KEY_ID": "key-id", "OBJECT_STORE_KEY": "key"}


@dataclass(frozen=True)
class Telemetry:
    """The running servers, by the address of their HTTP port."""

    store: str
    loki: str
    tempo: str
    alloy: str
    otlp: str
    log_file: Path
    """What is appended here is read as a pod's log."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url: str) -> tuple[int, str]:
    """Status and body; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (loopback)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def post(url: str, content: Any = None) -> int:
    """Status."""
    data = b"" if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (loopback)
        return answer.status


def until(what: str, seconds: float, probe: Any) -> Any:
    """The first true answer of `probe`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := probe():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds} s")


@contextmanager
def _process(log: Path, command: list[str | Path]) -> Generator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **KEYS})
    try:
        yield
    finally:
        # Without a goodbye: Loki and Tempo would take 20 s to write down what nobody will read.
        process.kill()
        process.wait()


@contextmanager
def telemetry(folder: Path, files: dict[str, str]) -> Generator[Telemetry]:
    """All four servers, ready. `files`: `loki.yaml`, `tempo.yaml` and `config.alloy` as they are deployed."""
    store, loki_at, tempo_at, alloy_at, otlp, spans = (free_port() for _ in range(6))
    moved = {name: text.replace("/var/lib/", f"{folder}/") for name, text in files.items()}
    ports = {loki.LOKI: loki_at, tempo.TEMPO: tempo_at}
    for name, port in ports.items():
        config = yaml.safe_load(moved[f"{name}.yaml"])
        config["server"] |= {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": free_port(),
        }
        place = (config["common"]["storage"] if name == loki.LOKI else config["storage"]["trace"])["s3"]
        place |= {"endpoint": f"127.0.0.1:{store}", "insecure": True}
        if name == tempo.TEMPO:
            config["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] = f"127.0.0.1:{spans}"
        else:
            # Else it is ready 15 s after it is ready.
            config["ingester"] = {"lifecycler": {"min_ready_duration": "0s"}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    log_file = folder / "pod.log"
    log_file.touch()
    (folder / "config.alloy").write_text(_on_loopback(moved["config.alloy"], log_file, loki_at, spans, otlp))
    programs = {name: checks.ensure(name, print) for name in ("gofakes3", "loki", "tempo", "alloy")}
    commands: dict[str, list[str | Path]] = {
        "gofakes3": [*("-backend", "memory", "-autobucket"), "-host", f"127.0.0.1:{store}"],
        "loki": [f"-config.file={folder}/loki.yaml", "-config.expand-env=true"],
        "tempo": [f"-config.file={folder}/tempo.yaml", "-config.expand-env=true"],
        "alloy": [
            *("run", f"--server.http.listen-addr=127.0.0.1:{alloy_at}", f"--storage.path={folder}/alloy"),
            *("--disable-reporting", folder / "config.alloy"),
        ],
    }
    with ExitStack() as running:
        for name, arguments in commands.items():
            running.enter_context(_process(folder / f"{name}.log", [programs[name], *arguments]))
        ports = {"store": store, "loki": loki_at, "tempo": tempo_at, "alloy": alloy_at, "otlp": otlp}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        for name in ("loki", "tempo", "alloy"):
            url = urls[name] + ("/-/ready" if name == alloy.ALLOY else "/ready")
            until(f"{name} ready (log: {folder}/{name}.log)", 60, lambda url=url: get(url)[0] == 200)
        yield Telemetry(**urls, log_file=log_file)


def _on_loopback(config: str, log_file: Path, loki_port: int, spans_port: int, otlp_port: int) -> str:
    start = config.index('discovery.kubernetes "pods"')
    end = config.index("loki.process ")
    target = (
        f'{{ __path__ = "{log_file}", namespace = "shop-staging", pod = "api-1", '
        'container = "api", service_name = "api" }'
    )
    source = f"""\
loki.source.file "pods" {{
  targets    = [{target}]
  forward_to = [loki.process.lines.receiver]
}}

"""
    moved = config[:start] + source + config[end:]
    moved = moved.replace(f"{loki.LOKI}:{loki.PORT}", f"127.0.0.1:{loki_port}")
    moved = moved.replace(f'"{tempo.TEMPO}:{tempo.OTLP_PORT}"', f'"127.0.0.1:{spans_port}"')
    moved = moved.replace(f"0.0.0.0:{alloy.OTLP_PORT}", f"127.0.0.1:{otlp_port}")
    assert not re.search(r'"(http://)?(loki|tempo):', moved)
    return moved
