"""The product as its users have it: a folder with the environments, and the `mainstay` command run in it."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import yaml

from cli.main import main
from stacks.yaml_file import read_yaml

REPOSITORY = Path(__file__).parents[2]
_OF_THE_CLUSTER = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_SECONDS = 120

LEFT_OUT = (
    *("backup-3-2-1", "dashboard-exists", "database-replicated", "image-digest", "logs-shipped"),
    *("metrics-scraped", "replicas-spread", "traces-exported"),
)
"""Rules about what a reduced environment leaves out."""
REDUCED: dict[str, Any] = {"production": False, "advisory": dict.fromkeys(LEFT_OUT, "A reduced environment has none.")}
"""Its section `mainstay:policies`."""


@dataclass(frozen=True)
class Ended:
    """A run of the command that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All it wrote."""
        return self.out + self.err


@dataclass(frozen=True)
class Product:
    """A project folder; its embedded cluster, if any, is the one of `.mainstay/` in it."""

    root: Path

    def declare(self, stack: str, config: Mapping[str, Any]) -> None:
        """Writes an environment, with the policies of a reduced one."""
        text = yaml.safe_dump({"config": {**config, "mainstay:policies": REDUCED}}, sort_keys=False)
        (self.root / f"Pulumi.{stack}.yaml").write_text(text)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """The command, running in a process of its own."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A test run that was started in the background; the command would inherit it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=self.root,
            env=_variables(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> Ended:
        """The command, to its end, in this process: a new one takes longer to import all than most commands do."""
        out, err = io.StringIO(), io.StringIO()
        with (
            chdir(self.root),
            patch.dict(os.environ, _variables(variables), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = main(arguments)
        return Ended(code, out.getvalue(), err.getvalue())

    def run_alone(self, *arguments: str, **variables: str) -> Ended:
        """The command, to its end, in a process of its own."""
        with self.start(*arguments, **variables) as process:
            try:
                out, err = process.communicate(timeout=_SECONDS)
            finally:
                process.kill()
        return Ended(process.returncode, out, err)

    def state(self, stack: str) -> dict[str, Any]:
        """What the engine has recorded of a stack."""
        (path,) = (self.root / ".mainstay" / "state" / ".pulumi" / "stacks").glob(f"*/{stack}.json")
        return cast(dict[str, Any], json.loads(path.read_text())["checkpoint"]["latest"])

    def recorded(self, stack: str) -> set[tuple[str, str]]:
        """Kind and name of all Kubernetes objects in the state, each once."""
        resources = cast(list[dict[str, Any]], self.state(stack).get("resources") or [])
        found = [
            (str(resource["outputs"]["kind"]), str(resource["outputs"]["metadata"]["name"]))
            for resource in resources
            if resource["type"].startswith("kubernetes:")
        ]
        assert len(found) == len(set(found)), "an object is recorded twice"
        return set(found)


OBJECTS = (
    *("configmap", "deployment", "networkpolicy", "poddisruptionbudget"),
    *("secret", "service", "serviceaccount", "statefulset"),
)
"""Kinds of which an environment has objects, apart from custom resources and what a namespace itself is given."""


def objects(kubectl: Path, kubeconfig: Path, namespace: str, kinds: Iterable[str]) -> set[tuple[str, str]]:
    """Kind and name of what stands in a namespace, without what the cluster itself puts there and what pods need."""
    listing = subprocess.run(
        [kubectl, "--kubeconfig", kubeconfig, "-n", namespace, "get", ",".join(sorted(kinds)), "-o", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    items = cast(list[dict[str, Any]], json.loads(listing.stdout)["items"])
    found = {(item["kind"], item["metadata"]["name"]) for item in items if not item["metadata"].get("ownerReferences")}
    return found - _OF_THE_CLUSTER


def project(root: Path) -> Product:
    """A project folder with the repository's environments, reduced to services, workers and their data.

    Most tests deploy again and again; what the rest adds is time. `test_platform.py` deploys all of it.
    """
    shutil.copy(REPOSITORY / "Pulumi.yaml", root)
    product = Product(root)
    for stack in ("staging", "prod"):
        config = cast(dict[str, Any], read_yaml(REPOSITORY / f"Pulumi.{stack}.yaml")["config"])
        for section in ("keycloak", "observability", "sentry", "gateway", "gate", "status", "github"):
            del config[f"mainstay:{section}"]
        del config["mainstay:postgres"]["auth"]
        for service in config["mainstay:services"].values():
            service.pop("hosts", None)
            service["slos"].pop("reachable", None)
        api = config["mainstay:services"]["api"]
        for variable in ("OIDC_ISSUER", "OIDC_URL"):
            del api["connections"][variable]
        del api["secretEnv"]["OIDC_CLIENT_SECRET"]
        product.declare(stack, config)
    return product


def changes(text: str) -> int:
    """The number of changes that a report tells."""
    match = re.search(r"^(\d+) changes?\b", text, re.MULTILINE)
    assert match, text
    return int(match[1])


def _variables(more: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "KUBECONFIG"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", **more}
