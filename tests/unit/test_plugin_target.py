"""The stand-in plugin's guard: the embedded cluster is the only one it talks to."""

import base64
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devcluster.plugin.errors import Refused
from devcluster.plugin.settings import read_settings
from devcluster.plugin.target import choose

SERVER = "https://127.0.0.1:6443"


def authority(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


EMBEDDED = authority("mainstay-devcluster")


def kubeconfig(ca: bytes = EMBEDDED, server: str = SERVER, cluster: dict[str, Any] | None = None) -> dict[str, Any]:
    entry = {"server": server, "certificate-authority-data": base64.b64encode(ca).decode(), **(cluster or {})}
    return {
        "clusters": [{"name": "c", "cluster": entry}],
        "contexts": [{"name": "mainstay-devcluster", "context": {"cluster": "c"}}],
        "current-context": "mainstay-devcluster",
    }


def test_the_embedded_cluster_is_found_by_path_text_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(kubeconfig()))
    assert choose(str(file), "").server == SERVER
    assert choose(yaml.safe_dump(kubeconfig()), "mainstay-devcluster").server == SERVER
    assert choose(json.dumps(kubeconfig()), "").server == SERVER
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert choose("", "").source == f"the kubeconfig {file}"


@pytest.mark.parametrize(
    "foreign",
    [
        kubeconfig(ca=authority("kubernetes")),
        kubeconfig(ca=EMBEDDED + authority("kubernetes")),
        kubeconfig(server="https://10.0.0.1:6443"),
        kubeconfig(server="http://127.0.0.1:6443"),
        kubeconfig(server="https://127.0.0.1.example.com:6443"),
        kubeconfig(cluster={"insecure-skip-tls-verify": True}),
    ],
)
def test_every_other_cluster_is_refused(foreign: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="works with Mainstay's embedded cluster only"):
        choose(json.dumps(foreign), "")


@pytest.mark.parametrize(
    ("given", "context", "sentence"),
    [
        ("/nowhere/config", "", r"^Cannot read the kubeconfig /nowhere/config \(No such file or directory\): start "),
        ("a:\n  - b\n c", "", "is not valid YAML"),
        ("- a\n- b\n", "", "holds no kubeconfig"),
        (json.dumps(kubeconfig()), "other", "has no context 'other' with a cluster; it knows: mainstay-devcluster"),
        (json.dumps(kubeconfig(ca=b"nonsense")), "", "cannot be read"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(given: str, context: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        choose(given, context)


def test_settings() -> None:
    assert read_settings({}).namespace == "default"
    mutable = read_settings({"enableConfigMapMutable": "true", "enableSecretMutable": True}).mutable_kinds
    assert mutable == {"ConfigMap", "Secret"}
    for unsupported in ({"renderYamlToDirectory": "out"}, {"enableServerSideApply": False}):
        with pytest.raises(Refused, match=f"cannot do kubernetes:{next(iter(unsupported))}"):
            read_settings({**unsupported})
