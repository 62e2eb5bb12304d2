"""A real PostgreSQL for one test: Debian's server on a free loopback port, with a certificate of an authority of
its own, as CloudNativePG makes them. It refuses connections without TLS."""

import datetime
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

APPLICATION: Mapping[str, str] = {"username": "app", "password": "database-password", "dbname": "app"}
"""What CloudNativePG would write into the Secret `postgres-<name>-app`."""
START_SECONDS = 60


@dataclass(frozen=True)
class Database:
    """A running server."""

    port: int
    authority: str
    """Certificate of the authority (PEM), the Secret's `ca.crt`."""
    folder: Path
    programs: Path

    def query(self, sql: str) -> str:
        """Output of psql, over TLS that verifies the server."""
        environment = {
            "PGPASSWORD": APPLICATION["password"],
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.folder / "ca.crt"),
            "PATH": os.environ["PATH"],
        }
        command = [self.programs / "psql", "-XAtq", "-h", "localhost", "-p", str(self.port)]
        command += ["-U", APPLICATION["username"], "-d", APPLICATION["dbname"], "-c", sql]
        return subprocess.run(
            command, env=environment, check=True, text=True, stdout=subprocess.PIPE, timeout=30
        ).stdout.strip()

    def stop(self) -> None:
        """Stops the server at once; clients lose their connections."""
        _as_server(self.folder, self.programs / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def start(self) -> None:
        """Starts the server (again) and waits until it takes connections."""
        log = self.folder / "log"
        command = [self.programs / "pg_ctl", "-D", self.folder / "data", "-l", log, "-w", "-t", str(START_SECONDS)]
        _as_server(self.folder, *command, "start")


def create(folder: Path, port: int) -> Database:
    """Makes a server with the database and owner of APPLICATION in `folder`, and starts it. Fails without programs."""
    programs = _programs()
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    (folder / "password").write_text(APPLICATION["password"])
    authority = certificates(folder)
    for path in folder.iterdir():
        shutil.chown(path, folder.owner())
        path.chmod(0o600)
    (folder / "ca.crt").chmod(0o644)
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", APPLICATION["username"], "--pwfile", folder / "password"]
    _as_server(folder, *initdb, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync")
    settings = {
        "listen_addresses": "localhost",
        "port": port,
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": folder / "tls.crt",
        "ssl_key_file": folder / "tls.key",
        "max_connections": 100,
        "fsync": "off",
    }
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    database = Database(port, authority, folder, programs)
    database.start()
    try:
        command = [programs / "psql", "-Xq", "-h", "localhost", "-p", str(port), "-U", APPLICATION["username"]]
        create_database = f"CREATE DATABASE {APPLICATION['dbname']}"
        subprocess.run(
            [*command, "-d", "postgres", "-c", create_database],
            env={"PGPASSWORD": APPLICATION["password"], "PATH": os.environ["PATH"]},
            check=True,
            timeout=30,
        )
    except BaseException:
        database.stop()
        raise
    return database


def _programs() -> Path:
    """The folder of PostgreSQL's server programs, which Debian keeps off the PATH."""
    found = _installed()
    if found is None:
        pytest.fail("PostgreSQL's server is not installed; tests/data/packages.sh installs it.")
    return found


def _installed() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if versions:
        return versions[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def _as_server(folder: Path, *command: str | Path) -> None:
    """Runs one of PostgreSQL's programs as the folder's owner; its output is in the error if it fails."""
    # pg_ctl's server keeps its standard output open: a pipe would never end.
    output = folder.parent / f"{folder.name}.out"
    with output.open("w") as file:
        user = folder.owner() if os.geteuid() == 0 else None
        done = subprocess.run(
            command, cwd=folder, user=user, stdout=file, stderr=subprocess.STDOUT, check=False, timeout=START_SECONDS
        )
    log = folder / "log"
    details = output.read_text() + (log.read_text()[-2000:] if log.exists() else "")
    assert done.returncode == 0, f"{Path(command[0]).name}: {details}"


def certificates(folder: Path) -> str:
    """Writes ca.crt, tls.crt and tls.key for `localhost`; returns the authority's certificate."""
    now = datetime.datetime.now(datetime.UTC)

    def build(name: str, issuer: str, key: ec.EllipticCurvePublicKey, authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )

    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = build("test-ca", "test-ca", signer.public_key(), authority=True).sign(signer, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    server = build("localhost", "test-ca", key.public_key(), authority=False).add_extension(names, critical=False)
    certificate = ca.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.crt").write_bytes(certificate)
    (folder / "tls.crt").write_bytes(server.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate.decode()
