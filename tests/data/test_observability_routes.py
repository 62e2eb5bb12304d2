"""Who is told of what, on the genuine amtool."""

import itertools
import subprocess
from pathlib import Path

import pytest
import yaml

from components.observability.alert import Severity
from components.observability.alertmanager import configuration
from components.observability.alerts import WATCHDOG
from devcluster import checks

WAYS = ("pagerduty_key", "slack_url", "webhook_url")
COMBINATIONS = [ways for count in (1, 2, 3) for ways in itertools.combinations(WAYS, count)]


@pytest.fixture(scope="module")
def amtool() -> Path:
    return checks.ensure("amtool", print)


def config_file(folder: Path, ways: tuple[str, ...]) -> Path:
    path = folder / "alertmanager.yaml"
    path.write_text(configuration(dict.fromkeys(("heartbeat_url", *ways), "secret"), "staging"))
    return path


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("ways", COMBINATIONS, ids="+".join)
def test_amtool_finds_no_fault(amtool: Path, tmp_path: Path, ways: tuple[str, ...]) -> None:
    run(amtool, "check-config", config_file(tmp_path, ways))


@pytest.mark.parametrize("ways", COMBINATIONS, ids="+".join)
def test_every_severity_reaches_somebody(amtool: Path, tmp_path: Path, ways: tuple[str, ...]) -> None:
    file = config_file(tmp_path, ways)
    receivers = {each["name"]: each for each in yaml.safe_load(file.read_text())["receivers"]}
    for severity in Severity:
        receiver = f"people-{severity.lower()}"
        labels = [f"severity={severity}", "alertname=RedisDown", "namespace=shop-staging", "job=redis-queue"]
        run(amtool, "config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}", *labels)
        assert len(receivers[receiver]) > 1, f"{receiver} is told and tells nobody"


def test_what_has_no_severity_is_told_like_a_p1(amtool: Path, tmp_path: Path) -> None:
    file = config_file(tmp_path, WAYS)
    run(amtool, "config", "routes", "test", f"--config.file={file}", "--verify.receivers=people-p1", "alertname=Other")


def test_the_heartbeat_goes_to_the_outside_and_to_nobody_else(amtool: Path, tmp_path: Path) -> None:
    file = config_file(tmp_path, WAYS)
    labels = [f"alertname={WATCHDOG}", "severity=P3"]
    run(amtool, "config", "routes", "test", f"--config.file={file}", "--verify.receivers=heartbeat", *labels)
