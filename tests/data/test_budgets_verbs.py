"""`mainstay gate`, `mainstay slo …` as one types them: a genuine Prometheus, the engine, the embedded cluster's API."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import devcluster.cluster
from budgets import overrides
from stacks.yaml_file import read_yaml
from tests.data.budgets_prometheus import STEP, Past, inventory, promised, running
from tests.engine.product import Product, project

OVER = "api-availability: 99.31 % attained of 99.5 % promised over 30 days, 38 % over its budget, since "


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Staging on a cluster of its own, where the API once was 1.4.1 and now is 1.4.2."""
    product = project(tmp_path_factory.mktemp("project"))
    try:
        for version in ("1.4.1", "1.4.2"):
            declare(product, image=f"registry.example/shop/api:{version}")
            deployed = product.run("up", "staging")
            assert deployed.code == 0, deployed.text
        yield product
    finally:
        devcluster.cluster.stop(product.root, print, delete=True)


@pytest.fixture(scope="module")
def now() -> int:
    return int(time.time()) // STEP * STEP


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[str]:
    """A Prometheus that says: one budget of two is exhausted, since an hour ago."""
    with running(tmp_path_factory.mktemp("spent"), _told(now, lambda at: 0.2 if at < now - 3600 else -0.38)) as url:
        yield url


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[str]:
    """A Prometheus that says: all budgets have something left."""
    with running(tmp_path_factory.mktemp("fine"), _told(now, lambda _: 0.2)) as url:
        yield url


def _told(now: int, left: Callable[[int], float]) -> Iterator[Past]:
    times = range(now - 86_400, now + 7200, STEP)
    yield promised("api-availability", 0.995, times)
    yield promised("mail-delivery", 0.95, times)
    yield Past("slo:budget_left:ratio", inventory("api-availability"), ((at, left(at)) for at in times))
    yield Past("slo:budget_left:ratio", inventory("mail-delivery"), ((at, 0.6) for at in times))
    yield Past("slo:bad:events", {"slo": "api-availability"}, ((at, 4140) for at in times))
    yield Past("slo:total:events", {"slo": "api-availability"}, ((at, 600_000) for at in times))
    for slo in ("api-availability", "mail-delivery"):
        yield Past("slo:bad:increase5m", {"slo": slo}, ((at, 0) for at in times))
        yield Past("slo:total:increase5m", {"slo": slo}, ((at, 100) for at in times))


def declare(product: Product, gate: dict[str, Any] | None = None, **api: Any) -> None:
    """Staging with these values of the API; the rest as it is."""
    config = read_yaml(product.root / "Pulumi.staging.yaml")["config"]
    config["mainstay:services"]["api"].update(image="registry.example/shop/api:1.4.2", replicas=1, env={})
    config["mainstay:services"]["api"].update(api)
    config.pop("mainstay:gate", None)
    if gate:
        config["mainstay:gate"] = gate
    config["mainstay:status"] = {"title": "Shop", "slos": {"api-availability": "API"}}
    product.declare("staging", config)


def test_a_new_image_is_refused_while_a_budget_is_exhausted(product: Product, spent: str) -> None:
    declare(product, image="registry.example/shop/api:1.5.0")
    refused = product.run("gate", "staging", "--prometheus", spent)
    assert refused.code == 1, refused.text
    assert refused.err.partition("error: ")[2].startswith(f"The budget gate refuses this change.\n{OVER}")
    image = "image registry.example/shop/api:1.4.2 → registry.example/shop/api:1.5.0"
    assert f"Risky in this change: Deployment shop-staging/api: {image}.\n" in refused.err


def test_it_passes_while_all_budgets_have_something_left(product: Product, fine: str) -> None:
    declare(product, image="registry.example/shop/api:1.5.0")
    passed = product.run("gate", "staging", "--prometheus", fine)
    assert (passed.code, passed.err) == (0, "")
    assert "passes. No error budget is exhausted, of 2; the least is api-availability with 20 % left." in passed.out


def test_the_way_back_to_what_ran_before_passes(product: Product, spent: str) -> None:
    declare(product, image="registry.example/shop/api:1.4.1")
    passed = product.run("gate", "staging", "--prometheus", spent)
    assert passed.code == 0, passed.text
    assert "passes. This change goes back to what ran before." in passed.out


def test_a_way_back_with_something_new_in_it_is_no_way_back(product: Product, spent: str) -> None:
    declare(product, image="registry.example/shop/api:1.4.1", env={"LOG_LEVEL": "trace"})
    assert product.run("gate", "staging", "--prometheus", spent).code == 1


def test_more_replicas_pass_and_fewer_do_not(product: Product, spent: str) -> None:
    declare(product, replicas=3)
    passed = product.run("gate", "staging", "--prometheus", spent)
    assert passed.code == 0, passed.text
    assert "Nothing in this change is risky." in passed.out


def test_an_override_passes_is_recorded_and_shown_from_then_on(product: Product, spent: str, fine: str) -> None:
    declare(product, image="registry.example/shop/api:1.5.0")
    ask = ("gate", "staging", "--prometheus", spent)
    alone = product.run(*ask, "--override", "the fix")
    assert (alone.code, alone.err.startswith("error: --override REASON and --by WHO belong together")) == (1, True)
    assert not (product.root / overrides.FILE).exists()
    passed = product.run(*ask, "--override", "1.5.0 is the fix", "--by", "ana")
    assert passed.code == 0, passed.text
    (line,) = (product.root / overrides.FILE).read_text().splitlines()
    record = json.loads(line)
    assert (record["by"], record["reason"], record["stack"]) == ("ana", "1.5.0 is the fix", "staging")
    assert record["budgets"][0].startswith(OVER)
    assert record["risks"][0].startswith("Deployment shop-staging/api: image ")
    assert "ana: 1.5.0 is the fix" in product.run("gate", "staging", "--prometheus", fine).out


@pytest.mark.parametrize(("unreachable", "code"), [("refuse", 1), ("allow", 0)])
def test_without_prometheus_the_environment_decides(product: Product, unreachable: str, code: int) -> None:
    nowhere = "http://127.0.0.1:1"
    declare(
        product,
        {"prometheus": "http://prometheus.example", "unreachable": unreachable},
        image="registry.example/shop/api:1.5.0",
    )
    ended = product.run("gate", "staging", "--prometheus", nowhere)
    assert ended.code == code, ended.text
    assert f"Prometheus does not answer at {nowhere}: connection refused." in ended.text


def test_without_prometheus_what_is_not_risky_passes_nevertheless(product: Product) -> None:
    declare(product)
    passed = product.run("gate", "staging", "--prometheus", "http://127.0.0.1:1")
    assert passed.code == 0, passed.text
    assert "Nothing in this change is risky. The budgets are unknown: " in passed.out


def test_the_embedded_cluster_has_no_prometheus_and_says_so(product: Product) -> None:
    declare(product, {"prometheus": "http://prometheus.example"})
    passed = product.run("gate", "staging")
    assert (passed.code, passed.out.startswith("Budget gate: The embedded cluster runs no Prometheus")) == (0, True)
    assert "Name a Prometheus with --prometheus URL." in product.run("slo", "status", "staging").err


def test_the_page_is_written_and_says_when_nothing_can_be_measured(product: Product, fine: str, tmp_path: Path) -> None:
    declare(product)
    written = product.run("slo", "page", "staging", "--output", str(tmp_path), "--prometheus", fine)
    assert written.code == 0, written.text
    assert "Everything works" in (tmp_path / "index.html").read_text()
    blind = product.run("slo", "page", "staging", "--output", str(tmp_path), "--prometheus", "http://127.0.0.1:1")
    assert (blind.code, blind.err.startswith("warning: Prometheus does not answer")) == (0, True)
    page = (tmp_path / "index.html").read_text()
    assert "We cannot measure at the moment" in page
    assert "1 good" in page  # yesterday, from the file beside it


def test_the_state_is_shown_worst_first(product: Product, spent: str) -> None:
    declare(product)
    shown = product.run("slo", "status", "staging", "--prometheus", spent)
    assert shown.code == 0, shown.text
    rows = [line.split() for line in shown.out.splitlines()]
    assert [row[0] for row in rows] == ["SLO", "api-availability", "mail-delivery"]
    assert "-38.0 %" in shown.out
