"""The genuine object store, Loki, Tempo and Alloy as processes on loopback, with the configuration that is deployed.

What is changed in it is what a machine has not: addresses, ports, folders, the time to wait. Alloy reads files in place
of the API server's logs: no pod of the embedded cluster writes any.
"""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.observability import alloy, loki, pipeline, tempo
from components.observability.sampling import WAIT
from devcluster import checks

KEYS = {"OBJECT_STORE_KEY_ID": "key-id", "OBJECT_STORE_KEY": "key"}
NOBODY = "http://127.0.0.1:1"


class Pod(NamedTuple):
    """Whose log a file stands for."""

    namespace: str
    service: str


API = {"api-1": Pod("shop-staging", "api")}


@dataclass(frozen=True)
class Telemetry:
    """The running servers, by the address of their HTTP port."""

    store: str
    loki: str
    tempo: str
    alloy: str
    """The first of the replicas, which reads all logs."""
    otlp: tuple[str, ...]
    """Where each replica takes spans and records."""
    logs: Path
    """Folder of the pods' logs."""

    def log(self, *lines: str, pod: str = "api-1") -> None:
        """Appends to a pod's log."""
        with (self.logs / f"{pod}.log").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)


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
def process(log: Path, command: list[str | Path]) -> Generator[None]:
    """A running program, killed at the end."""
    with log.open("w") as output:
        started = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **KEYS})
    try:
        yield
    finally:
        # Without a goodbye: Loki and Tempo would take 20 s to write down what nobody will read.
        started.kill()
        started.wait()


@contextmanager
def store(folder: Path) -> Generator[int]:
    """Port of an object store in memory, in which every bucket is there."""
    port = free_port()
    options = [*("-backend", "memory", "-autobucket"), "-host", f"127.0.0.1:{port}"]
    with process(folder / "gofakes3.log", [checks.ensure("gofakes3", print), *options]):
        yield port


@contextmanager
def telemetry(
    folder: Path,
    files: dict[str, str],
    pods: Mapping[str, Pod] = API,
    replicas: int = 1,
    alertmanager: str = NOBODY,
) -> Generator[Telemetry]:
    """All servers, ready.

    `files`: `loki.yaml`, `rules.yaml`, `tempo.yaml` and `config.alloy` as they are deployed; `pods`: whose logs are
    read; `replicas`: of Alloy; `alertmanager`: address of who is told of Loki's alerts.
    """
    tempo_at, spans = free_port(), free_port()
    logs = folder / "pods"
    logs.mkdir()
    with ExitStack() as running:
        kept = running.enter_context(store(folder))
        config = written_loki(folder, files, kept, alertmanager)
        loki_at = running.enter_context(started_loki(folder, config))
        _write_tempo(folder, files["tempo.yaml"], kept, tempo_at, spans)
        running.enter_context(
            process(
                folder / "tempo.log",
                [checks.ensure("tempo", print), f"-config.file={folder}/tempo.yaml", "-config.expand-env=true"],
            )
        )
        meeting = [f"127.0.0.1:{free_port()}" for _ in range(replicas)]
        otlp = [f"127.0.0.1:{free_port()}" for _ in range(replicas)]
        moved = _addressed(files["config.alloy"], loki_at, spans, meeting)
        shown = [f"127.0.0.1:{free_port()}" for _ in range(replicas)]
        for number in range(replicas):
            own = _with_files(moved, logs, pods if number == 0 else {})
            own = own.replace(f"0.0.0.0:{pipeline.OTLP_PORT}", otlp[number])
            own = own.replace(f"0.0.0.0:{pipeline.SPANS_PORT}", meeting[number])
            file = folder / f"config-{number}.alloy"
            file.write_text(own)
            command: list[str | Path] = [
                *(checks.ensure("alloy", print), "run", f"--server.http.listen-addr={shown[number]}"),
                *(f"--storage.path={folder}/alloy-{number}", "--disable-reporting", file),
            ]
            running.enter_context(process(folder / f"alloy-{number}.log", command))
        ready = {"tempo": f"127.0.0.1:{tempo_at}/ready", "loki": f"127.0.0.1:{loki_at}/ready"}
        ready |= {f"{alloy.ALLOY}-{number}": f"{address}/-/ready" for number, address in enumerate(shown)}
        for name, address in ready.items():
            log = folder / f"{name}.log"
            until(f"{name} ready (log: {log})", 60, lambda address=address: get(f"http://{address}")[0] == 200)
        yield Telemetry(
            store=f"http://127.0.0.1:{kept}",
            loki=f"http://127.0.0.1:{loki_at}",
            tempo=f"http://127.0.0.1:{tempo_at}",
            alloy=f"http://{shown[0]}",
            otlp=tuple(f"http://{each}" for each in otlp),
            logs=logs,
        )


def written_loki(folder: Path, files: Mapping[str, str], kept: int, alertmanager: str = NOBODY) -> dict[str, Any]:
    """Loki's configuration, its rules beside it as Kubernetes mounts them. `kept`: port of the object store."""
    config = yaml.safe_load(files["loki.yaml"].replace("/var/lib/", f"{folder}/"))
    config["server"] |= {"http_listen_address": "127.0.0.1", "grpc_listen_address": "127.0.0.1"}
    config["common"]["storage"]["s3"] |= {"endpoint": f"127.0.0.1:{kept}", "insecure": True}
    # Else it is ready 15 s after it is ready.
    config["ingester"] = {"lifecycler": {"min_ready_duration": "0s"}}
    mounted = Path(config["ruler"]["storage"]["local"]["directory"])
    rules = folder / "mounted" / mounted.name
    version = rules.with_name("..version")
    (version / mounted.name / loki.TENANT).mkdir(parents=True)
    (version / mounted.name / loki.TENANT / loki.RULES).write_text(files[loki.RULES])
    rules.symlink_to(version / mounted.name)
    config["ruler"] |= {
        "storage": {"type": "local", "local": {"directory": str(rules)}},
        "alertmanager_url": alertmanager,
        # There are no SRV records.
        "enable_alertmanager_discovery": False,
        "evaluation_interval": "1s",
    }
    return config


@contextmanager
def started_loki(folder: Path, config: dict[str, Any]) -> Generator[int]:
    """Its port; it may not be ready yet."""
    port = free_port()
    config["server"] |= {"http_listen_port": port, "grpc_listen_port": free_port()}
    file = folder / "loki.yaml"
    file.write_text(yaml.safe_dump(config))
    command: list[str | Path] = [checks.ensure("loki", print), f"-config.file={file}", "-config.expand-env=true"]
    with process(folder / "loki.log", command):
        yield port


def _write_tempo(folder: Path, text: str, kept: int, port: int, spans: int) -> None:
    config = yaml.safe_load(text.replace("/var/lib/", f"{folder}/"))
    config["server"] |= {
        "http_listen_address": "127.0.0.1",
        "http_listen_port": port,
        "grpc_listen_address": "127.0.0.1",
        "grpc_listen_port": free_port(),
    }
    config["storage"]["trace"]["s3"] |= {"endpoint": f"127.0.0.1:{kept}", "insecure": True}
    config["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] = f"127.0.0.1:{spans}"
    (folder / "tempo.yaml").write_text(yaml.safe_dump(config))


def _addressed(config: str, loki_port: int, spans_port: int, meeting: list[str]) -> str:
    """`meeting`: where the replicas take spans from each other. DNS cannot be asked for them here."""
    moved = config.replace(f"{loki.LOKI}:{loki.PORT}", f"127.0.0.1:{loki_port}")
    moved = moved.replace(f'"{tempo.TEMPO}:{tempo.OTLP_PORT}"', f'"127.0.0.1:{spans_port}"')
    assert not re.search(r'"(http://)?(loki|tempo):', moved)
    addresses = ", ".join(f'"{each}"' for each in meeting)
    moved, count = re.subn(
        rf'dns \{{\s+hostname = "{pipeline.SPANS}"\s+port     = "{pipeline.SPANS_PORT}"\s+\}}',
        f"static {{ hostnames = [{addresses}] }}",
        moved,
    )
    assert count == 1
    assert f'"{WAIT}"' in moved
    return moved.replace(f'"{WAIT}"', '"2s"')


def _with_files(config: str, logs: Path, pods: Mapping[str, Pod]) -> str:
    start = config.index('discovery.kubernetes "pods"')
    end = config.index("loki.process ")
    for pod in pods:
        (logs / f"{pod}.log").touch()
    targets = ", ".join(
        f'{{ __path__ = "{logs}/{name}.log", namespace = "{pod.namespace}", pod = "{name}", '
        f'container = "{pod.service}", service_name = "{pod.service}" }}'
        for name, pod in pods.items()
    )
    source = f"""\
loki.source.file "pods" {{
  targets    = [{targets}]
  forward_to = [loki.process.lines.receiver]
}}

"""
    return config[:start] + source + config[end:]
