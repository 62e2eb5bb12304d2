"""Runs of the policy pack in the real engine, on stacks of a provider that echoes: values may be unknown, or secret."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

import policies
from devcluster.toolchain import Toolchain
from engine.command import Command, Program
from engine.target import pulumi_home
from policies import results
from policies.model import RuleResult
from policies.pack import RULES
from tests.engine import echo_provider
from tests.workflows import write_program

PACK = Path(policies.__file__).parent
REASON = "mainstay.dev/unbacked-reason"
ASKED = {"exemption-valid", "no-inconclusive-on-deployed", "probes-present", "service-has-slos", "stateful-has-backup"}
"""Rules that these stacks are about; the others are switched off."""
PROBE = {"exec": {"command": ["redis-cli", "ping"]}}


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    succeeded: bool
    output: str
    """All the CLI said."""
    events: list[Mapping[str, Any]]
    found: results.Results | None

    def rule(self, rule_id: str) -> RuleResult:
        assert self.found is not None
        return next(rule for rule in self.found.rules if rule.id == rule_id)


Runner = Callable[..., Run]


@pytest.fixture(scope="module")
def project(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a stack `dev` that nobody has deployed yet."""
    project = tmp_path_factory.mktemp("policies")
    (project / "Pulumi.yaml").write_text("name: policytest\nruntime: python\n")
    (project / "state").mkdir()
    cli(toolchain, project).run("stack", "init", "--no-select", "--stack", "dev")
    return project


def cli(toolchain: Toolchain, project: Path) -> Command:
    """The CLI, with the provider that echoes."""
    plugin = project / "bin" / "pulumi-resource-kubernetes"
    write_program(plugin, f'exec "{sys.executable}" "{echo_provider.__file__}" "$@"')
    variables = {
        "PATH": os.pathsep.join([str(plugin.parent), str(toolchain.bin), str(PACK / "bin"), os.environ["PATH"]]),
        "PULUMI_HOME": str(pulumi_home(project / "home")),
        "PULUMI_BACKEND_URL": (project / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "MAINSTAY_PYTHON": sys.executable,
    }
    return Command(toolchain.path("pulumi"), project, variables)


@pytest.fixture
def run(toolchain: Toolchain, project: Path, tmp_path: Path) -> Runner:
    """Runs a program with the pack, on a stack of its own: a verb, without one `preview`, and its options."""
    own = tmp_path / "project"
    shutil.copytree(project, own)
    command = cli(toolchain, own)

    def run_it(
        program: Program, *words: str, written: str = "results.json", set_levels: dict[str, str] | None = None
    ) -> Run:
        events: list[Mapping[str, Any]] = []
        verb, *options = words or ("preview",)
        (levels := own / "off.json").write_text(
            json.dumps({rule.id: "disabled" for rule in RULES if rule.id not in ASKED} | (set_levels or {}))
        )
        pack = ["--policy-pack", str(PACK), "--policy-pack-config", str(levels)]
        done = command.deploy(
            [verb, "--stack", "dev", *pack, *options],
            program=program,
            on_event=events.append,
            on_interrupt=lambda _: None,
            environment={results.VARIABLE: str(own / written)},
        )
        return Run(done.code == 0, done.stdout + done.stderr, events, results.read(own / written))

    return run_it


def redis(
    name: str, annotations: Mapping[str, pulumi.Input[str]] | None = None, claims: Any = None, **container: Any
) -> pulumi.Resource:
    """A StatefulSet that keeps data, with all its probes."""
    good = {
        "startup_probe": {**PROBE, "period_seconds": 5, "failure_threshold": 60},
        "readiness_probe": PROBE,
        "liveness_probe": {"tcp_socket": {"port": 6379}},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
    }
    spec: Any = {
        "service_name": name,
        "selector": {"match_labels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "redis", "image": "redis", **good, **container}]},
        },
        "volume_claim_templates": [{"metadata": {"name": "data"}}] if claims is None else claims,
    }
    metadata: Any = {"name": name, "namespace": "shop", "annotations": annotations or {}}
    return kubernetes.apps.v1.StatefulSet(name, metadata=metadata, spec=spec)


def unknown() -> pulumi.Output[Any]:
    """A list of claims that is known only once something else exists."""
    made = kubernetes.core.v1.ConfigMap("made-first", metadata={"name": "made-first", "namespace": "shop"})
    return made.id.apply(lambda made_id: [{"metadata": {"name": str(made_id)}}])


def one_violation() -> None:
    """A program with a violation among eighteen resources of which that is not known yet."""
    claims = unknown()
    for number in range(18):
        redis(f"unknown-{number}", claims=claims)
    redis("redis")
