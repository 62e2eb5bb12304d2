"""Where a clone's embedded cluster keeps its things, all below <root>/.mainstay."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

CONTEXT = "mainstay-devcluster"


@dataclass(frozen=True)
class Directory:
    """The data folder of one embedded cluster."""

    path: Path

    @staticmethod
    def of(root: Path) -> "Directory":
        """The folder of the project at `root`."""
        return Directory(root.resolve() / ".mainstay" / "cluster")

    @property
    def lock(self) -> Path:
        """Held by a start or stop; beside the folder, because a stop may delete that."""
        return self.path.with_name("cluster.lock")

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.path / "kubeconfig"

    @property
    def certificates(self) -> Path:
        """See certificates.py."""
        return self.path / "certificates"

    @property
    def etcd(self) -> Path:
        """etcd's data: the cluster's whole state."""
        return self.path / "etcd"

    @property
    def ports(self) -> Path:
        """JSON: component -> port, kept so that a restarted cluster has the same address."""
        return self.path / "ports.json"

    @property
    def plan(self) -> Path:
        """JSON: what the supervisor runs (supervisor.Plan)."""
        return self.path / "plan.json"

    @property
    def state(self) -> Path:
        """JSON: what runs, written by the supervisor (supervisor.State)."""
        return self.path / "state.json"

    @property
    def installed_crds(self) -> Path:
        """Names the toolchain whose CRDs the API server has; the simulation starts once this exists."""
        return self.path / "installed-crds"

    def log(self, component: str) -> Path:
        """The log of one component, or of the "supervisor"."""
        return self.path / "logs" / f"{component}.log"

    def certificate(self, name: str) -> Path:
        """The certificate `name` of certificates.py."""
        return self.certificates / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Its private key."""
        return self.certificates / f"{name}.key"

    def client_config(self, client: str) -> Path:
        """The kubeconfig of one of certificates.CLIENTS."""
        return self.kubeconfig if client == "admin" else self.path / "clients" / client

    def write_client_config(self, client: str, server: str) -> None:
        """Write that kubeconfig (mode 0600) with the certificates inside it."""

        def inline(path: Path) -> str:
            return base64.b64encode(path.read_bytes()).decode()

        cluster = {"server": server, "certificate-authority-data": inline(self.certificate("ca"))}
        user = {
            "client-certificate-data": inline(self.certificate(client)),
            "client-key-data": inline(self.key(client)),
        }
        # JSON is YAML, and needs no library to write.
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": user}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
            "current-context": CONTEXT,
        }
        write(self.client_config(client), json.dumps(content, indent=2) + "\n")


def write(path: Path, content: str) -> None:
    """Replace `path` (mode 0600) in one step: a reader sees the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    unfinished.replace(path)
