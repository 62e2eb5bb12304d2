import datetime
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from devcluster import certificates


def common_name(path: Path) -> object:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def test_the_authority_is_the_name_by_which_the_cluster_is_told(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    assert common_name(tmp_path / "ca.crt") == "mainstay-devcluster"


def test_all_are_signed_by_the_authority_and_private(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    for name in ("server", *certificates.CLIENTS):
        x509.load_pem_x509_certificate((tmp_path / f"{name}.crt").read_bytes()).verify_directly_issued_by(authority)
    assert {stat.S_IMODE(key.stat().st_mode) for key in tmp_path.glob("*.key")} == {0o600}


def test_the_server_certificate_is_for_loopback(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    server = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))


def test_they_are_kept_while_good_and_renewed_before_they_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.ensure(tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    certificates.ensure(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first

    monkeypatch.setattr(certificates, "_RENEWED_BEFORE", datetime.timedelta(days=400))
    assert not certificates.good(tmp_path)
    certificates.ensure(tmp_path)
    assert (tmp_path / "ca.crt").read_bytes() != first["ca.crt"]
    # Tokens of service accounts stay valid.
    assert (tmp_path / "service-account.key").read_bytes() == first["service-account.key"]


def test_a_damaged_certificate_is_replaced(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    (tmp_path / "admin.crt").write_text("not a certificate")
    certificates.ensure(tmp_path)
    assert common_name(tmp_path / "admin.crt") == "mainstay-admin"
