"""Which cluster the stand-in talks to, and the guard that lets it talk to no other than the embedded one.

The embedded cluster is known by two marks: its API server listens on 127.0.0.1, and its certificate authority, made by
devcluster for this cluster alone, bears the name "mainstay-devcluster". The authority is what TLS is verified against,
so another cluster cannot be reached even if it were put behind the same address.
"""

import base64
import binascii
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import yaml

from devcluster.plugin.errors import Refused
from devcluster.plugin.values import Object, Value, at, items, text

AUTHORITY = "mainstay-devcluster"
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Target:
    """A cluster that passed the guard: its address, the kubeconfig as a dict, and where that came from."""

    server: str
    context: str
    kubeconfig: Object
    source: str


def choose(kubeconfig: str, context: str) -> Target:
    """The cluster that provider settings name, as the genuine provider reads them.

    `kubeconfig` is a path or the content itself; "" means $KUBECONFIG or ~/.kube/config. `context` "" means the
    kubeconfig's current context. Raises Refused when there is none, or it is not the embedded cluster.
    """
    loaded, source = _load(kubeconfig)
    name = context or text(loaded, "current-context")
    cluster_name = text(_named(loaded, "contexts", name), "context", "cluster")
    cluster = at(_named(loaded, "clusters", cluster_name), "cluster")
    if cluster is None:
        known = ", ".join(text(item, "name") for item in items(loaded, "contexts")) or "none"
        raise Refused(f"{source} has no context {name!r} with a cluster; it knows: {known}.")
    server = text(cluster, "server")
    authority = _authority(cluster, source)
    address = urlsplit(server)
    if address.scheme != "https" or address.hostname != _HOST or authority != AUTHORITY:
        raise Refused(
            f"The stand-in for pulumi-resource-kubernetes works with Mainstay's embedded cluster only, and context "
            f"{name!r} of {source} is {server or 'without a server'} with the certificate authority "
            f"{authority!r}: install the genuine plugin with `pulumi plugin install resource kubernetes`."
        )
    return Target(server, name, loaded, source)


def _load(kubeconfig: str) -> tuple[Object, str]:
    if "\n" in kubeconfig or kubeconfig.lstrip().startswith("{"):
        raw, source = kubeconfig, "the kubeconfig given as text in kubernetes:kubeconfig"
    else:
        ambient = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config"
        path = Path(kubeconfig or ambient).expanduser()
        source = f"the kubeconfig {path}"
        try:
            raw = path.read_text()
        except OSError as error:
            raise Refused(
                f"Cannot read {source} ({error.strerror}): start the embedded cluster with `mainstay cluster start`, "
                f"or set kubernetes:kubeconfig to a file that exists."
            ) from error
    try:
        loaded = yaml.load(raw, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise Refused(f"{source[0].upper()}{source[1:]} is not valid YAML.") from error
    if not isinstance(loaded, dict):
        raise Refused(f"{source[0].upper()}{source[1:]} holds no kubeconfig.")
    return cast(Object, loaded), source


def _named(kubeconfig: Object, section: str, name: str) -> Object:
    found = next((item for item in items(kubeconfig, section) if text(item, "name") == name), None)
    return found if isinstance(found, dict) else {}


def _authority(entry: Value, source: str) -> str:
    """The common name of the certificate authority a kubeconfig's cluster entry trusts, "" if it trusts none or all."""
    if at(entry, "insecure-skip-tls-verify"):
        return ""
    try:
        if data := text(entry, "certificate-authority-data"):
            pem = base64.b64decode(data).decode()
        elif file := text(entry, "certificate-authority"):
            pem = Path(file).read_text()
        else:
            return ""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
    except (OSError, ValueError, binascii.Error) as error:
        raise Refused(f"The certificate authority in {source} cannot be read: {error}.") from error
    names = {
        value
        for certificate in context.get_ca_certs()
        for part in cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("subject", ()))
        for key, value in part
        if key == "commonName"
    }
    # Several authorities in one bundle would each be trusted: then it is not the embedded cluster's.
    return names.pop() if len(names) == 1 else ""
