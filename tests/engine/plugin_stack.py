"""A stack that a test runs through the real engine with the stand-in plugin, and what came of each run.

Each stack has a namespace of its own, where its objects go that name none.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

import devcluster.plugin
from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from engine.command import Command, Program
from engine.target import pulumi_home

PLUGIN = Path(devcluster.plugin.__file__).parent / "bin"
PROJECT = "plugin"

Json = Mapping[str, Any]


@dataclass
class Run:
    """One preview, update, refresh or destroy."""

    succeeded: bool = False
    output: str = ""
    """All the CLI said."""
    events: list[Json] = field(default_factory=list[Json])
    """As the engine writes them."""

    @property
    def changes(self) -> dict[str, int]:
        """How many resources were (or would be) created, updated and so on; without those that stay the same."""
        (summary,) = self._bodies("summaryEvent")
        return {operation: count for operation, count in summary["resourceChanges"].items() if operation != "same"}

    def said(self, ephemeral: bool = False) -> str:
        """The messages about resources: those that stay, or the passing ones."""
        messages = self._bodies("diagnosticEvent")
        wanted = [m for m in messages if m.get("ephemeral", False) == ephemeral and m["severity"] != "debug"]
        return "\n".join(message["message"] for message in wanted)

    def operations(self, name: str) -> list[str]:
        """What was done with the resource of this logical name, in order."""
        return [step["op"] for step in self._steps(name)]

    def fields(self, name: str) -> set[str]:
        """The fields of the resource that differ."""
        return {path for step in self._steps(name) for path in step.get("detailedDiff") or ()}

    def _steps(self, name: str) -> Iterator[Json]:
        steps = (body["metadata"] for body in self._bodies("resourcePreEvent"))
        return (step for step in steps if step["urn"].endswith(f"::{name}"))

    def _bodies(self, kind: str) -> list[Json]:
        return [event[kind] for event in self.events if event.get(kind)]


class Stack:
    """A stack with its state in `folder`; `program` may be replaced between runs."""

    def __init__(self, folder: Path, toolchain: Toolchain, cluster: Cluster, name: str, program: Program) -> None:
        self._toolchain, self._cluster, self._name = toolchain, cluster, name
        self.program = program
        self.namespace = f"plugin-{name}"
        state = folder / "state"
        state.mkdir(exist_ok=True)
        self._state = state / ".pulumi" / "stacks" / PROJECT / f"{name}.json"
        self._settings = folder / f"Pulumi.{name}.yaml"
        variables = {
            "PATH": os.pathsep.join([str(PLUGIN), str(toolchain.bin), os.environ["PATH"]]),
            "PULUMI_HOME": str(pulumi_home(folder / "home")),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "MAINSTAY_PYTHON": sys.executable,
        }
        (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        self._command = Command(toolchain.path("pulumi"), folder, variables)
        self._command.run("stack", "init", "--no-select", "--stack", name)
        self.configure(kubeconfig=str(cluster.kubeconfig), context=cluster.context, namespace=self.namespace)
        self.kubectl("create", "namespace", self.namespace)

    def configure(self, **settings: str) -> None:
        """Settings of the Kubernetes provider."""
        content = yaml.safe_load(self._settings.read_text())
        config = {**content.get("config", {}), **{f"kubernetes:{key}": value for key, value in settings.items()}}
        self._settings.write_text(yaml.safe_dump({**content, "config": config}))

    def preview(self, *options: str) -> Run:
        return self._run("preview", *options)

    def up(self, *options: str) -> Run:
        return self._run("up", "--yes", "--skip-preview", *options)

    def refresh(self) -> Run:
        return self._run("refresh", "--yes", "--skip-preview")

    def destroy(self) -> Run:
        return self._run("destroy", "--yes", "--skip-preview")

    def _run(self, verb: str, *options: str) -> Run:
        run = Run()
        completed = self._command.deploy(
            [verb, "--stack", self._name, *options],
            program=self.program,
            on_event=run.events.append,
            on_interrupt=lambda _: None,
            environment={},
        )
        run.succeeded, run.output = completed.code == 0, completed.stdout + completed.stderr
        return run

    @property
    def raw_state(self) -> str:
        """The state file as it is on the disk."""
        return self._state.read_text()

    def resource(self, name: str) -> dict[str, Any]:
        """What the state holds of a resource, secrets encrypted."""
        resources = json.loads(self.raw_state)["checkpoint"]["latest"]["resources"]
        return next(resource for resource in resources if resource["urn"].endswith(f"::{name}"))

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Runs kubectl as a person would, in the stack's namespace unless told otherwise; its output."""
        done = subprocess.run(
            [
                self._toolchain.path("kubectl"),
                "--kubeconfig",
                self._cluster.kubeconfig,
                "-n",
                self.namespace,
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def live(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        """An object as the cluster has it, from the stack's namespace unless told otherwise."""
        found = self.kubectl("get", kind, name, "-n", namespace or self.namespace, "-o", "json")
        return cast("dict[str, Any]", json.loads(found))
