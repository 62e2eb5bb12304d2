"""A newcomer's path: up, up again, look, change behind its back, mend."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from audit import bundle
from devcluster.cluster import Cluster
from devcluster.toolchain import Toolchain
from engine import operation, target
from engine.operation import Session
from engine.secret_values import secret_values
from policies.model import Outcome
from stacks.environment import load
from stacks.yaml_file import read_yaml
from tests.engine.product import OBJECTS, Ended, Product, changes, objects, project

AS_OF = "2026-11-25T10:00:00Z"
CUSTOM = ["cluster.postgresql.cnpg.io", "scheduledbackup.postgresql.cnpg.io", "objectstore.barmancloud.cnpg.io"]


@pytest.fixture(scope="module")
def product(cluster: Cluster, cluster_root: Path) -> Product:
    """A project whose embedded cluster is the one of this test run."""
    return project(cluster_root)


@pytest.fixture(scope="module")
def first_up(product: Product) -> Ended:
    """Staging, deployed for the first time."""
    return product.run_alone("up", "staging")


def test_a_first_up_deploys_all_that_is_declared_and_says_what_runs(
    product: Product, first_up: Ended, cluster: Cluster, toolchain: Toolchain
) -> None:
    assert first_up.code == 0, first_up.text
    assert "\n50 changes: 50 create" in first_up.out
    for line in ("Deployment   api ", "StatefulSet  redis-queue ", "Cluster      postgres-main "):
        assert line in first_up.out
    assert "http://api.shop-staging.svc:8000" in first_up.out
    assert "containers: pods are scheduled and reported ready, nothing runs in them" in first_up.out
    assert "the policy image-digest only advises" in first_up.out
    assert re.search(r"^image-digest +advisory +0 ", first_up.out, re.MULTILINE), first_up.out
    recorded = product.recorded("staging")
    standing = objects(toolchain.path("kubectl"), cluster.kubeconfig, "shop-staging", [*OBJECTS, *CUSTOM])
    assert recorded - standing == {
        ("Namespace", "shop-staging"),
        ("ResourceQuota", "quota"),
        ("LimitRange", "limits"),
    }
    assert standing <= recorded
    assert (product.root / ".mainstay" / "pulumi" / "logs").stat().st_size == 0, "the engine keeps logs"


def test_a_second_up_changes_nothing_and_is_quick(product: Product, first_up: Ended) -> None:
    began = time.monotonic()
    again = product.run("up", "staging")
    assert (again.code, changes(again.out)) == (0, 0), again.text
    assert time.monotonic() - began < 30


def test_what_is_deployed_is_audited_again_and_again_with_the_same_answer(
    product: Product, first_up: Ended, tmp_path: Path
) -> None:
    def audited(name: str, *words: str) -> Ended:
        return product.run("audit", *words, "--as-of", AS_OF, "--output", str(tmp_path / name))

    without = audited("without", "staging")
    assert without.code == 1, without.text
    missing = "restore-drill-fresh, secret-rotation-90d, slo-reviewed"
    assert re.match(rf"Failed: 3 of \d+ mandatory rules: {missing}\.\n", without.out), without.out
    found = bundle.read(tmp_path / "without")
    population = [each.urn for each in found.population]
    assert sorted(population) == sorted(each["urn"] for each in product.state("staging")["resources"])
    for result in found.results:
        judged = [each.urn for each in result.findings]
        assert len(judged) == len({*judged} & {*population}), result.id

    wrong = {result.id: [each.subject for each in result.of(Outcome.FAIL)] for result in found.results}
    asked = {
        "restore-drill": wrong["restore-drill-fresh"],
        "secret-rotation": wrong["secret-rotation-90d"],
        "slo-report": ["staging"],
    }
    entries = [
        {"kind": kind, "subject": subject, "at": "2026-11-24T08:00:00Z", "passed": True, "detail": "seen"}
        for kind, subjects in asked.items()
        for subject in subjects
    ]
    (folder := tmp_path / "evidence").mkdir()
    (folder / "all.json").write_text(json.dumps(entries))
    evidence = ("--evidence", str(folder))
    for name in ("one", "two"):
        assert audited(name, "staging", *evidence).out.startswith("Passed: none of ")
        assert product.run("audit", "verify", str(tmp_path / name)).code == 0
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()

    # The same state as Pulumi exports it, encrypted.
    place = target.command(product.root, load(product.root, "staging"), print)
    (exported := tmp_path / "state.json").write_text(place.run("stack", "export", "--stack", "staging"))
    assert audited("exported", "staging", "--state", str(exported), *evidence).code == 0
    one, other = (bundle.read(tmp_path / name) for name in ("one", "exported"))
    assert one.results == other.results

    compared = product.run("audit", "compare", str(tmp_path / "without"), str(tmp_path / "one"))
    assert re.search(rf"^Better: {len(entries)}$", compared.out, re.MULTILINE), compared.text
    assert "\nWorse: 0\n" in compared.out
    answered = product.run("ready", "staging", "--as-of", AS_OF, *evidence)
    assert re.search(r"A restore was tried lately, and worked +yes +restore-drill-fresh: 1 hold", answered.out)
    assert re.search(r"A database outlives its node +no +database-replicated: 1 fail", answered.out)
    assert (answered.code, "staging is not ready: " in answered.err) == (1, True)

    (tmp_path / "two" / "report.html").write_text("all is well")
    changed = product.run("audit", "verify", str(tmp_path / "two"))
    assert (changed.code, "report.html was changed" in changed.err) == (1, True)


def test_what_others_changed_is_shown_by_a_refresh_and_mended_by_up(
    product: Product, first_up: Ended, cluster: Cluster, toolchain: Toolchain
) -> None:
    kubectl = [str(toolchain.path("kubectl")), "--kubeconfig", str(cluster.kubeconfig), "-n", "shop-staging"]
    subprocess.run([*kubectl, "scale", "deployment/api", "--replicas=3"], check=True, capture_output=True)
    subprocess.run([*kubectl, "delete", "service/web"], check=True, capture_output=True)
    shown = product.run("preview", "staging", "--refresh")
    assert "spec.replicas: 1 → 3" in shown.out
    assert "Service shop-staging/web  the object is gone" in shown.out
    assert "spec.replicas: 3 → 1" in shown.out
    assert changes(shown.out) == 2
    mended = product.run("up", "staging")
    assert (mended.code, changes(mended.out)) == (0, 2), mended.text
    ask = [*kubectl, "get", "deployment/api", "service/web", "-o", "jsonpath={.items[*].spec.replicas}"]
    assert subprocess.run(ask, check=True, capture_output=True, text=True).stdout == "1"


def test_removing_the_backup_stops_up_before_anything_is_made(
    product: Product, cluster: Cluster, toolchain: Toolchain
) -> None:
    config = read_yaml(product.root / "Pulumi.staging.yaml")["config"]
    config["mainstay:namespace"]["name"] = "shop-unbacked"
    del config["mainstay:postgres"]["main"]["backup"], config["mainstay:services"], config["mainstay:workers"]
    product.declare("unbacked", config)
    refused = product.run("up", "unbacked")
    assert refused.code == 1
    assert re.search(r"^error: policy stateful-has-backup: Cluster \S*postgres-main: ", refused.err), refused.err
    assert "Nothing was changed" in refused.err
    shown = product.run("preview", "unbacked")
    assert shown.code == 1
    assert re.search(r"stateful-has-backup +mandatory +0 +1 +0 +0", shown.out)
    assert changes(shown.out) > 10
    ask = [toolchain.path("kubectl"), "--kubeconfig", cluster.kubeconfig, "get", "namespace", "shop-unbacked"]
    assert "NotFound" in subprocess.run(ask, capture_output=True, text=True, check=False).stderr


def test_production_can_be_previewed(product: Product, cluster: Cluster) -> None:
    shown = product.run("preview", "prod")
    assert shown.code == 0, shown.text
    assert re.search(r"^  \+ create   Deployment \S*api$", shown.out, re.MULTILINE), shown.out
    assert re.search(r"^\d+ of \d+ rules hold everywhere", shown.out, re.MULTILINE), shown.out


def test_the_committed_files_are_never_written(product: Product, first_up: Ended, tmp_path: Path) -> None:
    for committed in project(tmp_path).root.glob("Pulumi*.yaml"):
        assert (product.root / committed.name).read_bytes() == committed.read_bytes()
    assert (product.root / ".mainstay" / "passphrase").stat().st_mode & 0o777 == 0o600


def test_what_the_team_has_encrypted_is_neither_needed_nor_touched(product: Product) -> None:
    theirs = (
        "encryptionsalt: v1:gRCxKQbY6Pc=:v1:Gc0hUkGxwjiwGkNC:theirs==\n"
        "config:\n"
        "  secrets:session-key: {secure: 'v1:Gc0hUkGxwjiwGkNC:theirs=='}\n"
        "  mainstay:namespace: {name: shop-theirs, cpu: 1, memory: 1Gi, storage: 1Gi, pods: 5}\n"
    )
    (product.root / "Pulumi.theirs.yaml").write_text(theirs)
    shown = product.run("preview", "theirs")
    assert shown.code == 0, shown.text
    assert (product.root / "Pulumi.theirs.yaml").read_text() == theirs
    assert "theirs==" not in (product.root / ".mainstay" / "workspace" / "Pulumi.theirs.yaml").read_text()


def test_a_result_tells_what_is_there_and_no_secret_is_in_clear_text_in_it_in_files_or_output(
    product: Product, first_up: Ended, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = secret_values(product.root, load(product.root, "staging"), print)
    assert len(secrets) >= 5
    told: list[str] = []
    session = Session(product.root, "staging", told.append, lambda progress: told.append(str(progress)))
    _, result = operation.preview(session, refresh=True)
    assert (result.has_changes, result.counts, result.mandatory) == (False, {"same": 50}, ())
    assert result.policy is not None
    assert {rule.id: rule.evaluated for rule in result.policy.rules}["stateful-has-backup"] == 1
    seen = [first_up.text, json.dumps(result.to_dict()), *told, *capfd.readouterr()]
    own = product.root / ".mainstay"
    # etcd is the cluster itself: there a Secret is what it is.
    files = [file for file in own.rglob("*") if file.is_file() and own / "cluster" not in file.parents]
    assert any("checkpoint" in file.read_text(errors="replace") for file in files)
    seen += [file.read_text(errors="replace") for file in files]
    for key, value in secrets.items():
        assert not any(value in text for text in seen), f"{key} is in clear text"
