"""The real Keycloak, started as the rendered StatefulSet says: its arguments, variables, volumes and init container.

Only addresses are adapted, and paths, which stand below a folder of the test's own instead of `/`.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.images import KEYCLOAK
from components.quantity import parse
from tests.data.keycloak_database import Database

VERSION = KEYCLOAK.rpartition(":")[2]
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
"""The same build that the image of that version holds."""
DOWNLOAD_SECONDS = 600


CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mainstay" / "keycloak"
BUILD_FILES = "lib/quarkus"
"""What a server writes when it builds itself for its options, half of the time it takes to start."""


def distribution(folder: Path) -> Path:
    """Keycloak's distribution, unpacked into `folder`; downloaded (180 MB) to the user's cache the first time."""
    for program in ("mvn", "java"):
        if not shutil.which(program):
            pytest.fail(f"{program} is not installed; tests/data/packages.sh installs it.")
    archive = CACHE / f"keycloak-quarkus-dist-{VERSION}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as partial:
            subprocess.run(
                ["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={partial}"],
                check=True,
                timeout=DOWNLOAD_SECONDS,
            )
            (Path(partial) / archive.name).rename(archive)
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True, timeout=120)
    return folder / f"keycloak-{VERSION}"


def _build(pod: Mapping[str, Any]) -> Path:
    """Where the cache has the build files of a pod. One that is rendered in any other way must build anew."""
    digest = hashlib.sha256(json.dumps([VERSION, pod], sort_keys=True).encode()).hexdigest()[:16]
    return CACHE / f"build-{digest}"


def reuse_build(image: Path, pod: Mapping[str, Any]) -> bool:
    """Gives an unpacked distribution the build files that an earlier run has kept; whether there were any."""
    if not (kept := _build(pod)).is_dir():
        return False
    shutil.rmtree(image / BUILD_FILES)
    shutil.copytree(kept, image / BUILD_FILES)
    return True


def keep_build(image: Path, pod: Mapping[str, Any]) -> None:
    """Keeps the build files of a server that is ready, in place of any older ones."""
    for old in CACHE.glob("build-*"):
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory(dir=CACHE) as partial:
        shutil.copytree(image / BUILD_FILES, Path(partial) / "files")
        (Path(partial) / "files").rename(_build(pod))


class _Direct(urllib.request.OpenerDirector):
    """Asks this machine and nobody else: no proxy, no redirects followed."""

    def __init__(self) -> None:
        super().__init__()
        self.add_handler(urllib.request.HTTPHandler())
        self.add_handler(urllib.request.HTTPErrorProcessor())
        self.add_handler(urllib.request.HTTPDefaultErrorHandler())


@dataclass(frozen=True)
class Answer:
    """What an HTTP request brought."""

    status: int
    """Its status; redirects are not followed. 0 while nobody listens."""
    body: str
    location: str = ""
    """Where a redirect points to."""

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """One replica: a root folder like its container's, and its process."""

    root: Path
    pod: dict[str, Any]
    """The pod's spec, as rendered."""
    ports: Mapping[str, int]
    """`http`, `management` and `cluster`, free ones of this machine."""
    changes: dict[str, str] = field(default_factory=dict[str, str])
    """Files that are not as the volumes would have them: path in the container -> content."""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] | None = None

    @property
    def container(self) -> dict[str, Any]:
        """The server's container, as rendered."""
        (container,) = self.pod["containers"]
        return container

    def start(
        self,
        image: Path,
        config_maps: Mapping[str, Mapping[str, str]],
        secrets: Mapping[str, Mapping[str, str]],
        database: Database,
    ) -> None:
        """Lays out image and volumes, runs the init container, and starts the server; does not wait for it."""
        subprocess.run(["cp", "-al", image, self._at("/opt/keycloak", make_parent=True)], check=True)
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        (build,) = self.pod["initContainers"]
        for mount in build["volumeMounts"]:
            self._at(mount["mountPath"], make_parent=True).mkdir()
        subprocess.run([self._path(argument) for argument in build["command"]], check=True)
        for mount in sorted(self.container["volumeMounts"], key=lambda mount: mount["mountPath"]):
            target = self._at(mount["mountPath"], make_parent=True)
            shutil.rmtree(target, ignore_errors=True)
            self._mount(volumes[mount["name"]], target, config_maps, secrets)
        for path, content in self.changes.items():
            self._at(path).write_text(content)
        self.environment = {
            **self._environment(secrets),
            "KC_DB_URL_HOST": "localhost",
            "KC_DB_URL_PORT": str(database.port),
            "KC_DB_TLS_TRUST_STORE_FILE": self._path(self._environment(secrets)["KC_DB_TLS_TRUST_STORE_FILE"]),
            "KC_HTTP_HOST": "127.0.0.1",
            "KC_HTTP_PORT": str(self.ports["http"]),
            "KC_HTTP_MANAGEMENT_PORT": str(self.ports["management"]),
            "KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS": "127.0.0.1",
            "KC_CACHE_EMBEDDED_NETWORK_BIND_PORT": str(self.ports["cluster"]),
            # The machine's own memory is not the container's.
            "JAVA_OPTS_APPEND": f"-XX:MaxRAM={self.memory_limit} -Djava.io.tmpdir={self._at('/tmp')}",  # noqa: S108
            "PATH": os.environ["PATH"],
        }
        self._run()

    def _run(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                # The image's entry point.
                [self._at("/opt/keycloak/bin/kc.sh"), *self.container["args"]],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        """What the server prints, one JSON object a line once it is up."""
        return self.root / "log"

    @property
    def memory_limit(self) -> int:
        """The container's limit in bytes."""
        return int(parse(self.container["resources"]["limits"]["memory"]))

    def wait_ready(self, seconds: float, restarts: int = 0) -> float:
        """Waits until the readiness probe passes; returns how long that took. Fails with the log if it does not.

        `restarts`: how often it is started again where it ends, as a node would.
        """
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            if self.probe("readiness") == 200:
                return time.monotonic() - start
            if not self.running:
                assert restarts, f"Keycloak ended while it started:\n{self.tail()}"
                restarts -= 1
                self._run()
            time.sleep(0.5)
        pytest.fail(f"Keycloak was not ready after {seconds} s:\n{self.tail()}")

    def wait_ended(self, seconds: float) -> int:
        """Waits until the process ends by itself; returns its exit code."""
        assert self.process
        return self.process.wait(seconds)

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def tail(self) -> str:
        """The last messages of the log."""
        lines = self.log.read_text().splitlines()[-40:]
        return "\n".join(json.loads(line)["message"] if line.startswith("{") else line for line in lines)

    def probe(self, kind: str) -> int:
        """Status of a probe as the StatefulSet defines it, 0 while nobody listens."""
        get = self.container[f"{kind}Probe"]["httpGet"]
        return self.get(get["path"], port=get["port"]).status

    def get(self, path: str, port: str = "http", headers: Mapping[str, str] | None = None) -> Answer:
        """A GET request."""
        return self._send(path, port, headers or {}, None)

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """A POST request with a form."""
        return self._send(path, "http", {}, urllib.parse.urlencode(form).encode())

    def stop(self) -> None:
        """Ends the process and all it started, at once."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def resident_bytes(self) -> int:
        """Memory that the Java process holds."""
        assert self.process
        group = self.process.pid
        total = 0
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                if os.getpgid(int(status.parent.name)) == group:
                    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmRSS:")]
                    total += int(line.split()[1]) * 1024
            except (ProcessLookupError, FileNotFoundError):
                continue
        return total

    def written_outside_volumes(self, since: float) -> list[Path]:
        """Files of the image that were changed: on a read-only root file system that would have failed."""
        volumes = [self._at(mount["mountPath"]) for mount in self.container["volumeMounts"]]
        return [
            path
            for path in self.root.rglob("*")
            if path != self.log and path.lstat().st_mtime > since
            if not any(path == volume or volume in path.parents or path in volume.parents for volume in volumes)
        ]

    def _send(self, path: str, port: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        url = f"http://127.0.0.1:{self.ports[port]}{path}"
        request = urllib.request.Request(url, body, dict(headers))
        try:
            with _Direct().open(request, timeout=15) as response:
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), error.headers.get("Location", ""))
        except OSError:
            return Answer(0, "")

    def _path(self, text: str) -> str:
        """A path of the container as one of this machine; any other text as it is."""
        return f"{self.root}{text}" if text.startswith("/") else text

    def _at(self, path: str, make_parent: bool = False) -> Path:
        found = Path(self._path(path))
        if make_parent:
            found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def _mount(
        self,
        volume: dict[str, Any],
        target: Path,
        config_maps: Mapping[str, Mapping[str, str]],
        secrets: Mapping[str, Mapping[str, str]],
    ) -> None:
        if "emptyDir" in volume:
            # The init container has filled its one already.
            filled = [
                self._at(mount["mountPath"])
                for mount in self.pod["initContainers"][0]["volumeMounts"]
                if mount["name"] == volume["name"]
            ]
            if filled:
                filled[0].rename(target)
            else:
                target.mkdir()
            return
        if "configMap" in volume:
            content = config_maps[volume["configMap"]["name"]]
        else:
            keys = [item["key"] for item in volume["secret"]["items"]]
            content = {key: secrets[volume["secret"]["secretName"]][key] for key in keys}
        # As the kubelet does it: files are links into a folder that is a link itself.
        (target / "..version").mkdir(parents=True)
        (target / "..data").symlink_to("..version")
        for key, text in content.items():
            (target / "..version" / key).write_text(text)
            (target / key).symlink_to(f"..data/{key}")

    def _environment(self, secrets: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        values: dict[str, str] = {}
        for variable in self.container["env"]:
            if "value" in variable:
                values[variable["name"]] = variable["value"]
            elif "secretKeyRef" in variable["valueFrom"]:
                reference = variable["valueFrom"]["secretKeyRef"]
                values[variable["name"]] = secrets[reference["name"]][reference["key"]]
        return values
