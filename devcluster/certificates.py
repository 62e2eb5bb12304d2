"""The embedded cluster's own certificate authority and the certificates it signs, as PEM files in one folder."""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Clients tell the embedded cluster by this name; the stand-in provider plugin talks to no other.
AUTHORITY = "mainstay-devcluster"

# Client certificates: file name -> (user name, groups).
CLIENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("mainstay-admin", ("system:masters",)),
    "apiserver-etcd": ("kube-apiserver", ()),
    "controller-manager": ("system:kube-controller-manager", ()),
    "scheduler": ("system:kube-scheduler", ()),
    # kwok plays the kubelets of all nodes and every operator, hence more rights than any of them.
    "kwok": ("mainstay-simulation", ("system:masters",)),
}

_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_ADDRESSES = ("127.0.0.1", "10.96.0.1")
_LIFE = datetime.timedelta(days=365)
_RENEWED_BEFORE = datetime.timedelta(days=30)


def ensure(folder: Path) -> None:
    """Make all files in `folder`, or make them anew when one is missing or soon expires.

    `ca`, `server` and each of CLIENTS as <name>.crt and <name>.key; `service-account.key` and `.pub` sign service
    account tokens and are never renewed. Keys are readable by the owner only.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "service-account.pub").exists():
        signer = ec.generate_private_key(ec.SECP256R1())
        _write_key(folder / "service-account.key", signer)
        (folder / "service-account.pub").write_bytes(
            signer.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    if good(folder):
        return
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name(AUTHORITY)
    authority = (
        _builder(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    _write(folder, "ca", authority, authority_key)

    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _leaf(_builder(_name("kube-apiserver"), authority_name, server_key), server=True).add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )
    _write(folder, "server", server.sign(authority_key, hashes.SHA256()), server_key)

    for file, (user, groups) in CLIENTS.items():
        key = ec.generate_private_key(ec.SECP256R1())
        client = _leaf(_builder(_name(user, groups), authority_name, key), server=False)
        _write(folder, file, client.sign(authority_key, hashes.SHA256()), key)


def good(folder: Path) -> bool:
    """Whether all certificates are there and last for another month."""
    soon = datetime.datetime.now(datetime.UTC) + _RENEWED_BEFORE
    for name in ("ca", "server", *CLIENTS):
        try:
            certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        except (OSError, ValueError):
            return False
        if certificate.not_valid_after_utc < soon or not (folder / f"{name}.key").exists():
            return False
    return True


def _name(user: str, groups: tuple[str, ...] = ()) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # a clock that is set back a little does no harm
        .not_valid_after(now + _LIFE)
    )


def _leaf(builder: x509.CertificateBuilder, *, server: bool) -> x509.CertificateBuilder:
    # etcd's peer port uses the server certificate in both directions.
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH] + ([ExtendedKeyUsageOID.SERVER_AUTH] if server else [])
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    _write_key(folder / f"{name}.key", key)
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
