"""Whatever is wrong: one sentence that names it, exit code 1, and nothing changed."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from stacks.yaml_file import read_yaml
from tests.engine.product import Product, project

Edit = Callable[[dict[str, Any]], None]


def _set(path: str, value: Any) -> Edit:
    """Sets the value at a path such as `services/api/replicas`, below `mainstay:`; None takes the key away."""

    def edit(config: dict[str, Any]) -> None:
        first, *between, last = path.split("/")
        section = config[f"mainstay:{first}"]
        for key in between:
            section = section[key]
        if value is None:
            del section[last]
        else:
            section[last] = value

    return edit


def _same_name(config: dict[str, Any]) -> None:
    config["mainstay:workers"]["api"] = config["mainstay:workers"]["scheduler"]


WRONG: dict[str, tuple[Edit, str]] = {
    "an unknown key": (
        _set("services/api/replica", 2),
        "mainstay:services.api.replica is not a key that Mainstay knows",
    ),
    "a wrong type": (_set("services/api/replicas", "two"), "mainstay:services.api.replicas must be a whole number"),
    "a missing value": (_set("services/api/image", None), "mainstay:services.api.image is required and missing"),
    "an unknown database": (
        _set("services/api/connections/DATABASE_URL", "postgres.man"),
        "connections.DATABASE_URL names 'postgres.man', which is not declared; declared are: postgres.main",
    ),
    "a name twice": (_same_name, "mainstay:workers.api and mainstay:services.api would both be called 'api'"),
    "a name that Kubernetes refuses": (
        _set("namespace/name", "Shop_1"),
        "'Shop_1' is not a name that Kubernetes takes",
    ),
    "no replicas": (_set("services/api/replicas", 0), "mainstay:services.api.replicas must be at least 1, not 0"),
    "a limit below the request": (
        _set("services/api/resources/memoryLimit", "64Mi"),
        "mainstay:services.api.resources: memoryLimit 64Mi is below memory 256Mi",
    ),
}


@pytest.mark.parametrize("verb", ["up", "preview", "render"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_environment_stops_every_verb_before_it_begins(
    wrong: str, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, sentence = WRONG[wrong]
    product = project(tmp_path)
    config = read_yaml(tmp_path / "Pulumi.staging.yaml")["config"]
    edit(config)
    product.declare("staging", config)
    monkeypatch.chdir(tmp_path)
    assert main([verb, "staging"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: Pulumi.staging.yaml: ")
    assert sentence in err
    assert not (tmp_path / ".mainstay").exists(), "it went on to make something"


def test_a_key_twice_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path)
    (tmp_path / "Pulumi.twice.yaml").write_text("config:\n  mainstay:redis: {}\n  mainstay:redis: {}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["up", "twice"]) == 1
    assert capsys.readouterr().err == (
        "error: Pulumi.twice.yaml, line 3: the key 'mainstay:redis' stands twice; keep one, or rename it.\n"
    )


def test_a_stack_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["down", "stagin"]) == 1
    assert "There is no stack 'stagin'" in capsys.readouterr().err


def test_no_cluster_reachable_names_context_and_server(tmp_path: Path, toolchain: Toolchain) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "kubeconfig").write_text(
        yaml.safe_dump(
            {
                "contexts": [{"name": "prod", "context": {"cluster": "c"}}],
                "clusters": [{"name": "c", "cluster": {"server": server}}],
            }
        )
    )
    product = project(tmp_path)
    config = read_yaml(tmp_path / "Pulumi.prod.yaml")["config"]
    config |= {"kubernetes:context": "prod", "kubernetes:kubeconfig": str(tmp_path / "kubeconfig")}
    product.declare("prod", config)
    ended = product.run("up", "prod", "--yes")
    assert ended.code == 1
    assert ended.err == (
        f"error: No cluster answers at {server} (context 'prod'): connection refused. "
        "Start it, or correct kubernetes:context in Pulumi.prod.yaml.\n"
    )


def test_a_wrong_passphrase_is_told_and_changes_nothing(cluster: Cluster, cluster_root: Path) -> None:
    product = project(cluster_root)
    config = read_yaml(cluster_root / "Pulumi.staging.yaml")["config"]
    product.declare("locked", {"mainstay:namespace": {**config["mainstay:namespace"], "name": "shop-locked"}})
    assert product.run("preview", "locked", PULUMI_CONFIG_PASSPHRASE="right").code == 0
    ended = product.run("up", "locked", PULUMI_CONFIG_PASSPHRASE="wrong")
    assert ended.code == 1
    assert ended.err.startswith("error: The passphrase does not open this clone's embedded deployment of locked: ")
    assert len(ended.err.splitlines()) == 1
    assert not product.recorded("locked")


def test_a_port_already_taken_names_the_port(tmp_path: Path, toolchain: Toolchain) -> None:
    product: Product = project(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = product.run("cluster", "start", "--port", str(port))
    assert ended.code == 1
    assert str(port) in ended.err
    assert len(ended.err.splitlines()) == 1
    assert "does not run" in product.run("cluster", "status").out
