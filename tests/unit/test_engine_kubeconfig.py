"""Which cluster a real target means, or the sentence why none."""

from pathlib import Path

import pytest
import yaml

from engine import EngineError, kubeconfig
from stacks.environment import ClusterTarget

FILE = "Pulumi.prod.yaml"


def test_a_context_gives_its_server(tmp_path: Path) -> None:
    path = _kubeconfig(tmp_path / "config", ["prod", "other"], current="other")
    found = kubeconfig.find(ClusterTarget("prod", str(path)), tmp_path, FILE)
    assert found == kubeconfig.Found("prod", "https://prod.example:6443", str(path))


def test_a_relative_path_is_meant_from_the_project(tmp_path: Path) -> None:
    path = _kubeconfig(tmp_path / "config", ["prod"])
    assert kubeconfig.find(ClusterTarget("prod", "config"), tmp_path, FILE).path == str(path)


def test_without_a_context_the_current_one_of_the_given_file_counts(tmp_path: Path) -> None:
    path = _kubeconfig(tmp_path / "config", ["prod", "other"], current="other")
    assert kubeconfig.find(ClusterTarget(None, str(path)), tmp_path, FILE).context == "other"


def test_the_usual_place_may_be_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _kubeconfig(tmp_path / "first", ["a"])
    second = _kubeconfig(tmp_path / "second", ["prod"])
    monkeypatch.setenv("KUBECONFIG", f"{first}:{tmp_path / 'missing'}:{second}")
    found = kubeconfig.find(ClusterTarget("prod", None), tmp_path, FILE)
    assert found == kubeconfig.Found("prod", "https://prod.example:6443", None)


def test_an_unknown_context_is_named_with_those_there_are(tmp_path: Path) -> None:
    path = _kubeconfig(tmp_path / "config", ["a", "b"])
    with pytest.raises(EngineError, match=r"^Pulumi\.prod\.yaml: kubernetes:context is 'prod', .*there are: a, b\.$"):
        kubeconfig.find(ClusterTarget("prod", str(path)), tmp_path, FILE)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"kubernetes:kubeconfig is .*/none, which cannot be read"):
        kubeconfig.find(ClusterTarget("prod", str(tmp_path / "none")), tmp_path, FILE)


def test_a_whole_kubeconfig_in_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="give the path of one instead"):
        kubeconfig.find(ClusterTarget("prod", "apiVersion: v1\nkind: Config\n"), tmp_path, FILE)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("{")
    with pytest.raises(EngineError, match="is not a kubeconfig"):
        kubeconfig.find(ClusterTarget("prod", str(path)), tmp_path, FILE)


def _kubeconfig(path: Path, contexts: list[str], current: str = "") -> Path:
    content = {
        "current-context": current,
        "contexts": [{"name": name, "context": {"cluster": f"{name}-cluster"}} for name in contexts],
        "clusters": [
            {"name": f"{name}-cluster", "cluster": {"server": f"https://{name}.example:6443"}} for name in contexts
        ],
    }
    path.write_text(yaml.safe_dump(content))
    return path
