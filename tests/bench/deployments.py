"""What a deployment takes: Mainstay against what it stands on."""

import copy
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pulumi
import yaml

from devcluster import cluster, toolchain
from engine import workspace
from engine.target import Target, resolve
from stacks.environment import from_config
from stacks.render import Manifest, render
from stacks.yaml_file import read_yaml
from tests.engine.product import project as reduced

ROOT = Path(__file__).parents[2]
SIZES = (1, 10, 50)
RENDER_RUNS = 5


@dataclass(frozen=True)
class Row:
    """Seconds of one way to do it, for one number of services."""

    services: int
    objects: int
    way: str
    preview: float | None
    cold: float
    again: float | None


def measured() -> dict[str, list[str]]:
    """Previews and updates, renderings, and the embedded cluster's memory: a section each, about ten minutes."""
    rows: list[Row] = []
    renders: list[tuple[int, int, float]] = []
    with tempfile.TemporaryDirectory(prefix="mainstay-bench-") as folder:
        base = Path(folder)
        for services in SIZES:
            root = project(base / str(services), services)
            manifests = render(from_config(read_yaml(root / "Pulumi.staging.yaml")["config"], "staging"))
            renders.append((services, len(manifests), median_render(root)))
            for measure in (mainstay, raw_pulumi, kubectl):
                with running(root):
                    rows.append(measure(root, services, manifests))
                print(f"  {rows[-1]}", flush=True)
        memory = memory_table(base / str(SIZES[0]))
    return {
        "preview and up": deployed(rows),
        "render": rendered(renders),
        "Memory of the embedded cluster": kept(memory),
    }


def project(root: Path, services: int) -> Path:
    """A project whose staging has that many services, all like the API, beside database and queue."""
    root.mkdir(parents=True)
    product = reduced(root)
    config = read_yaml(root / "Pulumi.staging.yaml")["config"]
    api = config["mainstay:services"]["api"]
    config["mainstay:services"] = {f"api-{index}": copy.deepcopy(api) for index in range(services)}
    config["mainstay:workers"] = {}
    config["mainstay:namespace"] |= {"cpu": 40, "memory": "200Gi", "pods": 200}
    product.declare("staging", config)
    return root


@contextmanager
def running(root: Path) -> Generator[None]:
    """A fresh embedded cluster for each measurement, started before the clock."""
    cluster.start(root, report=print)
    try:
        yield
    finally:
        cluster.stop(root, report=print, delete=True)
        subprocess.run(["rm", "-rf", str(root / ".mainstay")], check=True)


def mainstay(root: Path, services: int, manifests: list[Manifest]) -> Row:
    """`mainstay preview|up|up`, each a process as a person starts it: validation, preview, policies, update, report."""
    verb = [sys.executable, "-m", "cli.main"]
    return Row(
        services,
        len(manifests),
        "mainstay",
        clocked(lambda: run([*verb, "preview", "staging"], root)),
        clocked(lambda: run([*verb, "up", "staging"], root)),
        clocked(lambda: run([*verb, "up", "staging"], root)),
    )


def raw_pulumi(root: Path, services: int, manifests: list[Manifest]) -> Row:
    """A program that registers the same objects as bare resources: no components, no policies, no refresh."""
    environment = from_config(read_yaml(root / "Pulumi.staging.yaml")["config"], "staging")
    target = resolve(root, environment, report=print)
    workspace.prepare(target)

    def program() -> None:
        known: dict[tuple[str, str], pulumi.Resource] = {}
        for each in manifests:
            namespace = known.get(("Namespace", each.namespace or ""))
            known[each.kind, each.name] = Bare(
                each, pulumi.ResourceOptions(depends_on=[namespace] if namespace else [])
            )

    return Row(
        services,
        len(manifests),
        "raw Pulumi program",
        clocked(lambda: deploy(target, program, "preview")),
        clocked(lambda: deploy(target, program, "up")),
        clocked(lambda: deploy(target, program, "up")),
    )


class Bare(pulumi.CustomResource):
    """A manifest as a Pulumi resource, without the SDK's classes."""

    def __init__(self, manifest: Manifest, opts: pulumi.ResourceOptions) -> None:
        version = manifest.manifest["apiVersion"]
        group = version if "/" in version else f"core/{version}"
        name = f"{manifest.kind}-{manifest.namespace}-{manifest.name}".lower()
        super().__init__(f"kubernetes:{group}:{manifest.kind}", name, dict(manifest.manifest), opts)


def deploy(target: Target, program: Callable[[], None], verb: str) -> None:
    """One run of the engine; raises if it fails."""
    options = ["--yes", "--skip-preview"] if verb == "up" else []
    done = target.command.deploy(
        [verb, "--stack", target.stack, *options],
        program=program,
        on_event=lambda event: None,
        on_interrupt=lambda count: None,
        environment={},
    )
    if done.code:
        raise RuntimeError(f"{done.stdout}\n{done.stderr}")


def kubectl(root: Path, services: int, manifests: list[Manifest]) -> Row:
    """`kubectl apply --server-side` of the rendering: sends the objects, waits for none."""
    file = root / "rendered.yaml"
    file.write_text(yaml.safe_dump_all([each.manifest for each in manifests], allow_unicode=True))
    binary = toolchain.ensure(print).path("kubectl")
    kubeconfig = root / ".mainstay" / "cluster" / "kubeconfig"
    line = [str(binary), "--kubeconfig", str(kubeconfig), "apply", "--server-side", "-f", str(file)]
    return Row(
        services,
        len(manifests),
        "kubectl apply --server-side",
        None,
        clocked(lambda: run(line, root)),
        clocked(lambda: run(line, root)),
    )


def median_render(root: Path) -> float:
    """Median seconds of `mainstay render staging` as a process."""
    line = [sys.executable, "-m", "cli.main", "render", "staging"]
    return sorted(clocked(lambda: run(line, root)) for _ in range(RENDER_RUNS))[RENDER_RUNS // 2]


def memory_table(root: Path) -> list[tuple[str, int]]:
    """Resident memory of each process of a cluster with a deployed environment, in MB."""
    with running(root):
        run([sys.executable, "-m", "cli.main", "up", "staging"], root)
        status = cluster.status(root)
        return [(each.name, round(each.memory / 1e6)) for each in status.components]


def run(line: list[str], root: Path) -> None:
    """A process in the project's folder; raises with its output if it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}:\n{done.stdout}\n{done.stderr}")


def clocked(action: Callable[[], None]) -> float:
    """Seconds by the wall clock."""
    start = time.monotonic()
    action()
    return time.monotonic() - start


def deployed(rows: list[Row]) -> list[str]:
    """Seconds of each way."""

    def seconds(value: float | None) -> str:
        return "" if value is None else f"{value:.1f}"

    return [
        "A service brings Deployment, Service, Secret, account, budget and network policies; one database and one "
        "queue stand beside them. The plugin is the embedded cluster's. `mainstay up` is a preview with refresh and "
        "policies, then the update, then a report; the raw program has neither refresh nor policies, and kubectl waits "
        "for nothing. Wall-clock seconds.",
        "",
        "| services | objects | way | preview | first up | second up, no change |",
        "|---:|---:|---|---:|---:|---:|",
        *(
            f"| {row.services} | {row.objects} | {row.way} | {seconds(row.preview)} | {row.cold:.1f} | "
            f"{seconds(row.again)} |"
            for row in rows
        ),
    ]


def rendered(renders: list[tuple[int, int, float]]) -> list[str]:
    """Seconds of a rendering."""
    return [
        f"Median of {RENDER_RUNS} runs of `mainstay render staging`, the whole process.",
        "",
        "| services | objects | seconds |",
        "|---:|---:|---:|",
        *(f"| {services} | {objects} | {took:.2f} |" for services, objects, took in renders),
    ]


def kept(memory: list[tuple[str, int]]) -> list[str]:
    """Resident memory."""
    return [
        "| process | resident MB |",
        "|---|---:|",
        *(f"| {name} | {size} |" for name, size in memory),
        f"| all | {sum(size for _, size in memory)} |",
    ]
