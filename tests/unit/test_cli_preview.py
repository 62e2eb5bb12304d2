"""`mainstay preview --format …` where it ends before the engine: the document is written all the same."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.comment import MARKER
from cli.main import main
from engine import Interrupted

Preview = Callable[..., tuple[int, str, str]]


@pytest.fixture
def preview(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Preview:
    """Previews the stack `shop`, whose file has this content: exit code, stdout, stderr."""

    def call(form: str, config: str | None) -> tuple[int, str, str]:
        (tmp_path / "Pulumi.yaml").write_text("name: mainstay\nruntime: python\n")
        if config is not None:
            (tmp_path / "Pulumi.shop.yaml").write_text(config)
        monkeypatch.chdir(tmp_path)
        code = main(["preview", "shop", "--format", form])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_an_environment_that_is_not_valid_is_a_document_and_an_error(preview: Preview) -> None:
    code, out, err = preview("markdown", "config: {mainstay:nonsense: 1}\n")
    assert code == 1
    assert out.startswith("**Stop** · `shop`: the preview failed\n")
    assert "Pulumi.shop.yaml: mainstay:nonsense is not a key that Mainstay knows" in out
    assert out.endswith(f"\n{MARKER}\n")
    assert err.startswith("error: Pulumi.shop.yaml")


def test_as_json_the_verdict_comes_first(preview: Preview) -> None:
    code, out, _ = preview("json", None)
    assert code == 1
    content = json.loads(out)
    assert out.startswith('{\n "verdict": "Stop: the preview failed",\n')
    assert content["failure"].startswith("There is no stack 'shop'")
    assert content["result"] is None


def test_a_cluster_that_does_not_answer_is_a_document_too(preview: Preview, tmp_path: Path) -> None:
    user = {"name": "x", "user": {"token": "x"}}
    cluster = {"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    kubeconfig = {"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "x"}
    (tmp_path / "kubeconfig").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **kubeconfig}))
    namespace = "{name: shop, cpu: 1, memory: 1Gi, storage: 1Gi, pods: 5}"
    settings = f"kubernetes:kubeconfig: {tmp_path / 'kubeconfig'}\n  kubernetes:context: x\n"
    code, out, _ = preview("markdown", f"config:\n  {settings}  mainstay:namespace: {namespace}\n")
    assert code == 1
    assert out.startswith("**Stop** · `shop`: the preview failed\n")
    assert "No cluster answers at http://127.0.0.1:1" in out


def test_a_fault_of_our_own_keeps_its_words_out_of_the_document(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr("engine.operation.preview", broken)
    code, out, err = preview("markdown", "config: {}\n")
    assert code == 1
    assert "Mainstay itself failed (KeyError)" in out
    assert "canary" not in out
    assert "canary" in err


def test_an_interrupted_preview_says_nothing_about_the_change(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise Interrupted("Stopped during the preview: nothing was changed.")

    monkeypatch.setattr("engine.operation.preview", interrupted)
    assert preview("markdown", "config: {}\n")[:2] == (130, "")


def test_several_environments_make_one_document_whichever_ended_early(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: mainstay\nruntime: python\n")
    (tmp_path / "Pulumi.staging.yaml").write_text("config: {mainstay:nonsense: 1}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["preview", "staging", "prod", "--format", "markdown"]) == 1
    out, err = capsys.readouterr()
    verdicts = ["- **Stop** · `staging`: the preview failed", "- **Stop** · `prod`: the preview failed", ""]
    assert out.splitlines()[:3] == verdicts
    assert out.count(MARKER) == 1
    assert "mainstay:nonsense is not a key" in out
    assert "There is no stack 'prod'" in out
    assert err.startswith("error: staging: Pulumi.staging.yaml: ")
    assert "\nprod: There is no stack 'prod'" in err


@pytest.mark.parametrize("form", ["json", "terminal"])
def test_only_a_comment_takes_several_environments(capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert main(["preview", "staging", "prod", "--format", form]) == 1
    assert "Several environments make one document: add --format markdown" in capsys.readouterr().err


def test_a_format_that_does_not_exist_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as left:
        main(["preview", "shop", "--format", "pdf"])
    assert left.value.code == 2
