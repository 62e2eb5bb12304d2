"""A team that deploys to a real cluster: its kubeconfig, backend and passphrase, an environment that names a context.

The cluster is the embedded one, which is the only one that the stand-in for the Kubernetes plugin talks to; to Mainstay
it is a cluster like any other.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devcluster.cluster import Cluster
from devcluster.plugin_choice import choose
from devcluster.toolchain import Toolchain
from stacks.environment import load
from tests.engine.product import REDUCED, Ended, Product, project

STACK = "real"
CONTEXT = "shop-cluster"
SERVICE: Mapping[str, Any] = {
    "image": "registry.example/shop/api:1.4.2",
    "port": 8000,
    "replicas": 1,
    "resources": {"cpu": "50m", "memory": "64Mi", "memoryLimit": "64Mi"},
    "secretEnv": {"KEY": "session-key", "TOKEN": "token"},
    "slos": {"availability": {"objective": 99.5, "quietRate": 1}},
}


@dataclass(frozen=True)
class Team:
    """A project with the environment `real`, and the team's own settings."""

    product: Product
    variables: Mapping[str, str]

    def declare(self, gate: Mapping[str, str] | None = None, **api: Any) -> None:
        """Writes the environment, with other values of its service than those of SERVICE; secrets set before stay."""
        file = self.product.root / f"Pulumi.{STACK}.yaml"
        before: dict[str, Any] = yaml.safe_load(file.read_text()) if file.is_file() else {"config": {}}
        kept = {key: value for key, value in before["config"].items() if key.startswith("secrets:")}
        config = {
            "kubernetes:context": CONTEXT,
            "mainstay:namespace": {"name": "shop-real", "cpu": 4, "memory": "4Gi", "storage": "1Gi", "pods": 20},
            "mainstay:services": {"api": {**SERVICE, **api}},
            # A registry is asked through the docker plugin, which a closed network does not give.
            "mainstay:images": {"pin": "none"},
            "mainstay:policies": REDUCED,
            **({"mainstay:gate": dict(gate)} if gate else {}),
            **kept,
        }
        file.write_text(yaml.safe_dump({**before, "config": config}, sort_keys=False))

    def run(self, *arguments: str) -> Ended:
        """`mainstay`, to its end."""
        return self.product.run_alone(*arguments, **self.variables)

    def pulumi(self, *arguments: str) -> str:
        """Pulumi's own CLI; what it wrote."""
        return subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.product.root,
            env={**os.environ, **self.variables},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def set_secrets(self) -> None:
        """Gives every secret a value."""
        keys = load(self.product.root, STACK).required_secrets
        values = [word for key in keys for word in ("--secret", f"{key}=value")]
        self.pulumi("config", "set-all", "--stack", STACK, *values)


def make_team(root: Path, cluster: Cluster, toolchain: Toolchain) -> Team:
    """A team whose project is in `root`, an empty folder; its backend has no stack yet."""
    product = project(root)
    (root / "stacks").mkdir()
    (root / "backend").mkdir()
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text())
    (context,) = kubeconfig["contexts"]
    context["name"] = CONTEXT
    kubeconfig["current-context"] = ""
    (root / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    plugin = choose(toolchain, print).path_entry
    tools = [str(toolchain.bin), *([str(plugin)] if plugin else [])]
    made = Team(
        product,
        {
            "KUBECONFIG": str(root / "kubeconfig"),
            "PATH": os.pathsep.join([*tools, os.environ["PATH"]]),
            "PULUMI_HOME": str(root / "home"),
            "PULUMI_BACKEND_URL": f"{(root / 'backend').as_uri()}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "theirs",
        },
    )
    made.declare()
    return made
