"""Where an environment is deployed: the real cluster it names, else the embedded one. Never a guess."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import devcluster.cluster
import devcluster.plugin_choice
import devcluster.toolchain
import policies
from devcluster import Report
from engine import kubeconfig
from engine.command import Command
from stacks.environment import Environment, environment_file

NO_GITHUB = "GitHub: not declared here; the section mainstay:github takes effect on a real cluster"
NO_DIGESTS = (
    "images: no registry is asked; those without a digest keep their tag, and the policy image-digest only advises"
)
ADVISORY_WHERE_EMBEDDED: Mapping[str, str] = {
    "image-digest": "On the embedded cluster no registry is asked for digests.",
}
"""Policies that no declaration can keep on the embedded cluster, and why."""
POLICY_PACK = Path(policies.__file__).parent
"""The pack that checks every preview and every update."""


@dataclass(frozen=True)
class Target:
    """A place to deploy to, ready to be used."""

    root: Path
    """The project: where Pulumi.yaml is."""
    environment: Environment
    embedded: bool
    """The embedded cluster, whose pods are simulated and whose data may be thrown away."""
    command: Command
    """The Pulumi CLI, set up for this place."""
    context: str
    """Context in the kubeconfig."""
    kubeconfig: str | None
    """Path of the kubeconfig; None is the usual place ($KUBECONFIG or ~/.kube/config)."""
    server: str
    """URL of the API server."""
    simulated: tuple[str, ...]
    """What is not real there, in a person's words, the plugin included; empty on a real cluster."""

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.environment.stack

    @property
    def description(self) -> str:
        """The cluster in a person's words."""
        if self.embedded:
            return "the embedded cluster: containers are simulated, secrets are generated"
        return f"the cluster of context {self.context!r}"

    @property
    def directory(self) -> Path:
        """Where Pulumi.yaml and the stack's settings are that the engine reads."""
        return self.command.directory


def command(root: Path, environment: Environment, report: Report, plugin: Path | None = None) -> Command:
    """The Pulumi CLI for the environment, without a look at its cluster; `plugin` is a folder to put on its PATH.

    Raises DevclusterError.
    """
    if environment.cluster:
        installed = shutil.which("pulumi")
        binary = Path(installed) if installed else devcluster.toolchain.ensure(report).path("pulumi")
        return Command(binary, root, {"PATH": _path([]), "MAINSTAY_PYTHON": sys.executable})
    toolchain = devcluster.toolchain.ensure(report)
    own = root / ".mainstay"
    settings = {
        "PATH": _path([*([plugin] if plugin else []), toolchain.bin]),
        # Pulumi notes each backend it opens as the current login; that of the user must stay as it is.
        "PULUMI_HOME": str(pulumi_home(own / "pulumi")),
        # Without sidecar files: they are not written in one step, and half of one would make the state unreadable.
        "PULUMI_BACKEND_URL": f"{(own / 'state').as_uri()}?metadata=skip",
        # The stand-in plugin and the policy pack's runner need this Python, with its packages.
        "MAINSTAY_PYTHON": sys.executable,
    }
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys():
        settings["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(own / "passphrase")
    return Command(toolchain.path("pulumi"), own / "workspace", settings)


def resolve(root: Path, environment: Environment, report: Report) -> Target:
    """Finds the environment's cluster, starts it if it is the embedded one. Raises EngineError, DevclusterError."""
    if environment.cluster:
        found = kubeconfig.find(environment.cluster, root, environment_file(environment.stack))
        return Target(
            root=root,
            environment=environment,
            embedded=False,
            command=command(root, environment, report),
            context=found.context,
            kubeconfig=found.path,
            server=found.server,
            simulated=(),
        )
    toolchain = devcluster.toolchain.ensure(report)
    plugin = devcluster.plugin_choice.choose(toolchain, report)
    cluster = devcluster.cluster.start(root, report)
    simulated = (*cluster.simulated, NO_DIGESTS)
    if not plugin.genuine:
        simulated += (f"plugin: {plugin.description}",)
    if environment.platform.github:
        simulated += (NO_GITHUB,)
    return Target(
        root=root,
        environment=environment,
        embedded=True,
        command=command(root, environment, report, plugin.path_entry),
        context=cluster.context,
        kubeconfig=str(cluster.kubeconfig),
        server=cluster.server,
        simulated=simulated,
    )


def _path(first: list[Path]) -> str:
    """PATH for the engine. The policy pack's runner is only looked for, and only needed, without a language host."""
    runner = [] if shutil.which("pulumi-language-python") else [POLICY_PACK / "bin"]
    return os.pathsep.join([*map(str, [*first, *runner]), os.environ.get("PATH", os.defpath)])


def pulumi_home(home: Path) -> Path:
    """A Pulumi home of its own that shares the user's plugins, so that none is downloaded twice, and keeps no logs.

    Pulumi logs all that it does, megabytes a run, which is half of a preview's work; nothing turns that off, but where
    its folder should be there is a file.
    """
    home.mkdir(parents=True, exist_ok=True)
    logs = home / "logs"
    if logs.is_dir():
        shutil.rmtree(logs, ignore_errors=True)
    logs.touch()
    users = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    link = home / "plugins"
    if users.is_dir() and not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(users, target_is_directory=True)
    return home
