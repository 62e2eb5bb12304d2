"""A stack that a test runs through the real engine with the stand-in plugin, and what came of each run.

Each stack has a namespace of its own, where its objects go that name none.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pulumi import automation

import devcluster.plugin
from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain

PLUGIN = Path(devcluster.plugin.__file__).parent / "bin"
PROJECT = "plugin"

Program = Callable[[], None]


@dataclass
class Run:
    """One preview, update, refresh or destroy."""

    succeeded: bool = False
    output: str = ""
    """All the CLI said."""
    events: list[automation.EngineEvent] = field(default_factory=list[automation.EngineEvent])

    @property
    def changes(self) -> dict[str, int]:
        """How many resources were (or would be) created, updated and so on; without those that stay the same."""
        summary = next(event.summary_event for event in reversed(self.events) if event.summary_event)
        return {str(operation): count for operation, count in summary.resource_changes.items() if operation != "same"}

    def said(self, ephemeral: bool = False) -> str:
        """The messages about resources: those that stay, or the passing ones."""
        messages = [event.diagnostic_event for event in self.events if event.diagnostic_event]
        wanted = [m for m in messages if bool(m.ephemeral) == ephemeral and m.severity != "debug"]
        return "\n".join(message.message for message in wanted)

    def operations(self, name: str) -> list[str]:
        """What was done with the resource of this logical name, in order."""
        return [step.op.value for step in self._steps() if step.urn.endswith(f"::{name}")]

    def fields(self, name: str) -> set[str]:
        """The fields of the resource that differ."""
        return {path for step in self._steps() if step.urn.endswith(f"::{name}") for path in (step.detailed_diff or {})}

    def _steps(self) -> Iterator[automation.StepEventMetadata]:
        for event in self.events:
            if event.resource_pre_event:
                yield event.resource_pre_event.metadata


class Stack:
    """A stack with its state in `folder`; `program` may be replaced between runs."""

    def __init__(self, folder: Path, toolchain: Toolchain, cluster: Cluster, name: str, program: Program) -> None:
        self._folder, self._toolchain, self._cluster = folder, toolchain, cluster
        self.program = program
        self.namespace = f"plugin-{name}"
        state = folder / "state"
        state.mkdir(exist_ok=True)
        self._state = state / ".pulumi" / "stacks" / PROJECT / f"{name}.json"
        variables = {
            "PATH": os.pathsep.join([str(PLUGIN), str(toolchain.bin), os.environ["PATH"]]),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "MAINSTAY_PYTHON": sys.executable,
        }
        backend = automation.ProjectBackend(url=state.as_uri())
        self.engine = automation.create_or_select_stack(
            name,
            project_name=PROJECT,
            program=self._declare,
            opts=automation.LocalWorkspaceOptions(
                env_vars=variables,
                project_settings=automation.ProjectSettings(name=PROJECT, runtime="python", backend=backend),
                pulumi_command=automation.PulumiCommand(root=str(toolchain.directory), skip_version_check=True),
            ),
        )
        self.configure(kubeconfig=str(cluster.kubeconfig), context=cluster.context, namespace=self.namespace)
        self.kubectl("create", "namespace", self.namespace)

    def configure(self, **settings: str) -> None:
        """Settings of the Kubernetes provider."""
        self.engine.set_all_config({f"kubernetes:{key}": automation.ConfigValue(v) for key, v in settings.items()})

    def _declare(self) -> None:
        self.program()

    def preview(self, **options: Any) -> Run:
        return self._run(self.engine.preview, **options)

    def up(self, **options: Any) -> Run:
        return self._run(self.engine.up, **options)

    def refresh(self, **options: Any) -> Run:
        return self._run(self.engine.refresh, **options)

    def destroy(self, **options: Any) -> Run:
        return self._run(self.engine.destroy, **options)

    def _run(self, operation: Callable[..., Any], **options: Any) -> Run:
        run = Run()

        def said(line: str) -> None:
            run.output += f"{line}\n"

        try:
            operation(on_output=said, on_error=said, on_event=run.events.append, **options)
            run.succeeded = True
        except automation.CommandError:
            run.succeeded = False
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
