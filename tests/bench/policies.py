"""What the policies take: in the engine during a preview, and offline on a state, with the memory of who judges."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pulumi

from devcluster import toolchain
from engine.command import Command
from engine.target import pulumi_home
from policies import results
from policies.pack import RULES
from policies.stack import ROOT, Resource
from policies.values import Marker, Plain
from tests.engine import echo_provider
from tests.policies.declared import on_a_real_cluster
from tests.workflows import write_program

REPOSITORY = Path(__file__).parents[2]
ECHO = echo_provider.__file__
SIZES = (500, 1000, 2000)
SCALED = 60
"""Rules of the larger pack."""
_STACK = "prod"
_NAMESPACE = "shop-prod"
_UNDECRYPTED = "[secret]"
"""As the engine calls a secret that it cannot decrypt."""
_SECONDS_BETWEEN_LOOKS = 0.02
"""At the memory of the process that judges."""

_PACKS = {
    "no rules": "()",
    f"{len(RULES)} rules": "RULES",
    f"{SCALED} rules": (
        f"(*RULES, *(replace(rule, id=f'again-{{rule.id}}') for rule in RULES[: {SCALED - len(RULES)}]))"
    ),
}
"""Pack -> its rules, as its program writes them."""
_PROGRAM = """\
import sys
from dataclasses import replace

sys.path.insert(0, {repository!r})

from policies.analyzer import serve
from policies.pack import RULES

serve({rules})
"""


class Row(NamedTuple):
    """Of one run: wall-clock seconds, and the most memory that the judging process had."""

    resources: int
    way: str
    pack: str
    seconds: float
    megabytes: float


def measured() -> dict[str, list[str]]:
    """One section."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mainstay-bench-") as name:
        folder = Path(name)
        for size in SIZES:
            resources = copies(size)
            for measure in (*(partial(preview, rules=rules) for rules in _PACKS), audit):
                rows.append(measure(folder, resources))
                print(f"  {rows[-1]}", flush=True)
    return {
        "Policies": [
            f"The pack has {len(RULES)} rules; one of {SCALED} asks the first of them twice, which share what they "
            "work out once for a stack. The resources are production's, as it declares them, again and again in other "
            "namespaces. A preview is the Pulumi CLI's, with a provider that creates nothing; without rules, what is "
            "left is the engine, which grows faster than the resources also without any pack: Pulumi's SDK waits for "
            "all calls that are under way, again after each. `mainstay audit --state` reads what "
            "`pulumi stack export` wrote, judges it and writes the evidence. Wall-clock seconds of whole processes; "
            "memory is the greatest that the judging process had.",
            "",
            "| resources | way | pack | seconds | memory, MB |",
            "|---:|---|---|---:|---:|",
            *(
                f"| {row.resources} | {row.way} | {row.pack} | {row.seconds:.1f} | {row.megabytes:.0f} |"
                for row in rows
            ),
        ]
    }


def copies(size: int) -> list[Resource]:
    """That many resources: production's, and their copies, which refer to each other as the originals do."""
    originals = [each for each in on_a_real_cluster(_STACK) if each.kind != ROOT]
    found: list[Resource] = []
    while len(found) < size:
        suffix = f"-{len(found) // len(originals)}"
        for each in originals:
            props = json.loads(json.dumps(_sent(dict(each.props))).replace(_NAMESPACE, f"{_NAMESPACE}{suffix}"))
            found.append(Resource(f"{each.urn}{suffix}", each.type, f"{each.name}{suffix}", props))
    return found[:size]


def _sent(value: Plain) -> Any:
    if isinstance(value, Marker):
        return _UNDECRYPTED
    if isinstance(value, dict):
        return {key: _sent(each) for key, each in value.items()}
    return [_sent(each) for each in value] if isinstance(value, list) else value


def preview(folder: Path, resources: Sequence[Resource], rules: str) -> Row:
    """`pulumi preview` with a pack, of resources that are all new. Raises RuntimeError if the pack was not asked."""
    project = folder / f"{len(resources)}-{len(_PACKS[rules])}"
    command = _command(project)
    pack = project / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(_PROGRAM.format(repository=str(REPOSITORY), rules=_PACKS[rules]))
    command.run("stack", "init", "--no-select", "--stack", _STACK)
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        memory = pool.submit(_peak, pack, ended)
        start = time.monotonic()
        # A rule that fails is no failure here.
        done = command.deploy(
            ["preview", "--stack", _STACK, "--policy-pack", str(pack)],
            program=partial(_declare, resources),
            on_event=lambda _: None,
            on_interrupt=lambda _: None,
            environment={results.VARIABLE: str(project / "results.json")},
        )
        took = time.monotonic() - start
        ended.set()
    found = results.read(project / "results.json")
    if found is None or found.resources < len(resources):
        raise RuntimeError(f"the pack was not asked about all resources:\n{done.stdout}\n{done.stderr}")
    return Row(len(resources), "pulumi preview", rules, took, memory.result())


def _command(project: Path) -> Command:
    """The CLI in a new project, with a provider for all packages that only echoes."""
    tools = toolchain.ensure(print)
    for package in ("kubernetes", "github"):
        write_program(project / "bin" / f"pulumi-resource-{package}", f'exec "{sys.executable}" "{ECHO}" "$@"')
    (project / "Pulumi.yaml").write_text("name: mainstay\nruntime: python\n")
    (project / "state").mkdir()
    pack_host = REPOSITORY / "policies" / "bin"
    variables = {
        "PATH": os.pathsep.join([str(project / "bin"), str(tools.bin), str(pack_host), os.environ["PATH"]]),
        "PULUMI_HOME": str(pulumi_home(project / "home")),
        "PULUMI_BACKEND_URL": (project / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "MAINSTAY_PYTHON": sys.executable,
    }
    return Command(tools.path("pulumi"), project, variables)


def _declare(resources: Sequence[Resource]) -> None:
    """Each below a component of the type that its URN names."""
    owners: dict[str, pulumi.Resource] = {}
    for each in sorted(resources, key=lambda each: each.urn.count("$")):
        chain = each.urn.split("::")[2]
        options = pulumi.ResourceOptions(parent=owners.get(chain.rpartition("$")[0]))
        make = pulumi.ComponentResource if each.type.startswith("mainstay:") else pulumi.CustomResource
        owners.setdefault(chain, make(each.type, each.name, dict(each.props), options))


def _peak(pack: Path, ended: threading.Event) -> float:
    """Megabytes that the process which serves a pack had at the most, looked at until the end."""
    most = 0.0
    while not ended.wait(_SECONDS_BETWEEN_LOOKS):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                served = "pulumi.policy" in (process / "cmdline").read_text().split("\0")
                if served and (process / "cwd").readlink() == pack.resolve():
                    found = re.search(r"VmHWM:\s*(\d+) kB", (process / "status").read_text())
                    most = max(most, int(found[1]) / 1024) if found else most
    return most


def audit(folder: Path, resources: Sequence[Resource]) -> Row:
    """`mainstay audit --state`. Raises RuntimeError where it ends without a verdict."""
    root = {"urn": f"urn:pulumi:{_STACK}::mainstay::{ROOT}::mainstay-{_STACK}", "type": ROOT}
    listed = [{"urn": each.urn, "type": each.type, "inputs": each.props, "outputs": each.props} for each in resources]
    state = folder / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": [root, *listed]}}))
    output = folder / f"evidence-{len(resources)}"
    line = [sys.executable, "-m", "cli.main", "audit", "--state", state, "--output", output]
    start = time.monotonic()
    process = subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, _, used = os.wait4(process.pid, 0)
    took = time.monotonic() - start
    if not output.is_dir():
        assert process.stderr is not None
        raise RuntimeError(process.stderr.read().decode())
    return Row(len(resources), "audit --state", f"{len(RULES)} rules", took, used.ru_maxrss / 1024)
