"""What all layers of tests share: the repository's own environment files, as data to change and to check."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.environment import Environment, from_config, load
from stacks.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent

Config = dict[str, Any]

COPIED = "staging-copied"
"""Staging with a copy of its metrics elsewhere, which neither environment of the repository has."""


def declared(name: str) -> Environment:
    """An environment of the repository, or `COPIED`."""
    if name != COPIED:
        return load(ROOT, name)
    config: Config = read_yaml(ROOT / "Pulumi.staging.yaml")["config"]
    copy: Config = {"url": "https://metrics.example/api/v1/push", "username": "123456"}
    config["mainstay:observability"]["prometheus"]["remoteWrite"] = copy
    return from_config(config, "staging")


@pytest.fixture
def staging() -> Config:
    """The config keys of Pulumi.staging.yaml, to be changed by a test."""
    return copy.deepcopy(read_yaml(ROOT / "Pulumi.staging.yaml")["config"])


def only(section: str, config: Config) -> Config:
    """The section and its namespace, for tests to which the rest would add nothing but time."""
    return {key: config[key] for key in ("mainstay:namespace", f"mainstay:{section}")}


@pytest.fixture
def environment() -> Callable[[Config], Environment]:
    """Checks config keys as those of a stack called staging."""
    return lambda config: from_config(config, "staging")
