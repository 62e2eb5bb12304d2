"""Fixtures of the tests on promtool."""

from pathlib import Path

import pytest

from devcluster import checks


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The genuine promtool."""
    return checks.ensure("promtool", print)
