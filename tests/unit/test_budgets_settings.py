"""The sections `mainstay:gate` and `mainstay:status`."""

from copy import deepcopy
from typing import Any

import pytest

from stacks import InvalidEnvironment
from stacks.environment import from_config
from stacks.yaml_file import read_yaml
from tests.conftest import ROOT


def _with(section: str, value: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = deepcopy(read_yaml(ROOT / "Pulumi.staging.yaml")["config"])
    return {**config, section: value}


def test_a_gate_refuses_while_prometheus_cannot_be_asked_unless_told_otherwise() -> None:
    gate = from_config(_with("mainstay:gate", {"prometheus": "https://prometheus.example"}), "staging").platform.gate
    assert gate
    assert gate.unreachable == "refuse"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({"prometheus": "prometheus:9090"}, "mainstay:gate.prometheus"),
        ({"prometheus": "https://ana:secret@prometheus.example"}, "mainstay:gate.prometheus"),
        ({"prometheus": "https://"}, "mainstay:gate.prometheus"),
        ({"prometheus": "https://prometheus.example", "unreachable": "ask"}, "mainstay:gate.unreachable"),
        ({}, "mainstay:gate.prometheus"),
    ],
)
def test_a_gate_that_cannot_work_is_refused(value: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidEnvironment) as error:
        from_config(_with("mainstay:gate", value), "staging")
    assert f"Pulumi.staging.yaml: {key} " in str(error.value)


def test_a_page_without_anything_on_it_is_refused() -> None:
    with pytest.raises(InvalidEnvironment, match=r"mainstay:status\.slos"):
        from_config(_with("mainstay:status", {"title": "Shop", "slos": {}}), "staging")
