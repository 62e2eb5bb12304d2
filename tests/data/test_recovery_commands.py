"""The commands of the pages about lost data, run as they stand there, on two real PostgreSQL servers.

`kubectl` is a script that runs what comes behind `exec … --` against the server that the pod stands for; Kubernetes and
the archive are not part of this.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.runbooks import runbooks
from tests.conftest import ROOT
from tests.data.keycloak_database import APPLICATION, Database, create
from tests.data.telemetry_servers import free_port

KUBECTL = """\
#!/usr/bin/env python3
import os, sys
words = sys.argv[1:]
assert words[:2] == ["-n", "shop-prod"], words
if words[2] == "get":
    print(words[4] + "-1")
elif words[2] == "exec":
    pod = next(word for word in words[3:] if not word.startswith("-"))
    command = words[words.index("--") + 1 :]
    os.environ["PGPORT"] = os.environ["PORT_" + pod.replace("-", "_")]
    os.execvp(command[0], command)
"""
SCHEMA = """
CREATE TABLE customers (id serial PRIMARY KEY, name text UNIQUE);
CREATE TABLE orders (id serial PRIMARY KEY, customer integer REFERENCES customers (id));
"""


@pytest.fixture
def servers() -> Iterator[dict[str, Database]]:
    """By the name of the database: the one that is damaged, and the one that came back."""
    started: dict[str, Database] = {}
    # Not below pytest's own folder, which the server's user may not enter.
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        try:
            for name in ("postgres-main", "postgres-main-recovered"):
                folder = Path(above) / name
                folder.mkdir()
                started[name] = create(folder, free_port())
                started[name].query(SCHEMA)
            yield started
        finally:
            for server in started.values():
                server.stop()


def block(page: str, containing: str) -> str:
    """The commands of a page that contain a text."""
    (found,) = [each for each in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if containing in each]
    return found


def run(commands: str, servers: dict[str, Database], folder: Path) -> None:
    """Runs them in a shell, as somebody would who pastes them."""
    (folder / "kubectl").write_text(KUBECTL)
    (folder / "mainstay").write_text("#!/bin/sh\n")
    for name in ("kubectl", "mainstay"):
        (folder / name).chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PGHOST": "localhost",
        "PGUSER": APPLICATION["username"],
        "PGPASSWORD": APPLICATION["password"],
        "PGSSLMODE": "require",
        **{f"PORT_{name.replace('-', '_')}_1": str(each.port) for name, each in servers.items()},
    }
    shell = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{commands}\n{done.stderr}"


def test_what_was_lost_comes_back_table_by_table_and_as_a_whole(servers: dict[str, Database], tmp_path: Path) -> None:
    page = runbooks(ROOT)["DataDamaged.md"]
    damaged, back = servers["postgres-main"], servers["postgres-main-recovered"]
    back.query("INSERT INTO customers (name) VALUES ('Ada'), ('Bob'), ('it''s public.customers')")
    back.query("INSERT INTO orders (customer) VALUES (1), (2)")
    damaged.query("INSERT INTO customers (name) VALUES ('since')")

    run(block(page, "pg_dump -t <table>").replace("<table>", "customers"), servers, tmp_path)
    assert damaged.query("SELECT name FROM customers_before ORDER BY id LIMIT 2").split() == ["Ada", "Bob"]
    assert damaged.query("SELECT name FROM customers") == "since"

    run(block(page, "pg_restore"), servers, tmp_path)
    assert damaged.query("SELECT count(*) FROM customers") == "3"
    assert damaged.query("SELECT name FROM customers WHERE name = 'since'") == ""
    assert damaged.query("SELECT count(*) FROM orders JOIN customers ON customer = customers.id") == "2"
    assert damaged.query("INSERT INTO customers (name) VALUES ('next') RETURNING id") == "4"


def test_a_copy_into_an_empty_database_is_whole(servers: dict[str, Database], tmp_path: Path) -> None:
    empty, back = servers["postgres-main"], servers["postgres-main-recovered"]
    empty.query("DROP TABLE orders, customers")
    back.query("INSERT INTO customers (name) VALUES ('Ada')")
    run(block(runbooks(ROOT)["DatabaseLost.md"], "pg_restore"), servers, tmp_path)
    assert empty.query("SELECT name FROM customers") == "Ada"
