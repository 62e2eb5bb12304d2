"""Who is told of what, on the genuine amtool: every alert of staging and production reaches somebody."""

import itertools
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.alert import URGENT, Level, Severity
from components.observability.alerts import WATCHDOG
from components.observability.routing import Email, Maintenance, configuration
from devcluster import checks
from stacks.environment import load
from stacks.render import render

ROOT = Path(__file__).parents[2]
STACKS = ("staging", "prod")
LOG_RULES = ("ConfigMap", "loki")
"""What holds the alerts that Loki evaluates."""
WAYS = ("pagerduty_key", "slack_url", "webhook_url")
EMAIL: Email = {
    "smarthost": "smtp.example:587",
    "sender": "alerts@shop.example",
    "username": "alerts",
    "to": ["oncall@shop.example"],
}
CHAIN: list[Level] = [
    {"name": "tech-lead", "after": "15m"},
    {"name": "cto", "after": "1h", "email": ["cto@shop.example"]},
]
COMBINATIONS = [ways for count in (1, 2, 3) for ways in itertools.combinations(WAYS, count)]


@pytest.fixture(scope="module")
def amtool() -> Path:
    return checks.ensure("amtool", print)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(folder: Path, config: str) -> Path:
    path = folder / "alertmanager.yaml"
    path.write_text(config)
    return path


def receiver(amtool: Path, file: Path, labels: dict[str, str]) -> str:
    given = [f"{key}={value}" for key, value in labels.items()]
    return run(amtool, "config", "routes", "test", f"--config.file={file}", *given).strip()


def channels(file: Path) -> dict[str, int]:
    """Receiver -> in how many ways it tells somebody."""
    config = yaml.safe_load(file.read_text())
    ways = ("pagerduty_configs", "slack_configs", "webhook_configs", "email_configs")
    return {each["name"]: sum(len(each.get(way, [])) for way in ways) for each in config["receivers"]}


@cache
def environment(stack: str) -> tuple[str, list[dict[str, Any]]]:
    """Alertmanager's configuration and all alerting rules of an environment of this repository, those on logs too."""
    manifests = render(load(ROOT, stack), dict.fromkeys(load(ROOT, stack).required_secrets, "x"))
    (config,) = [
        each.manifest["stringData"] for each in manifests if (each.kind, each.name) == ("Secret", "alertmanager")
    ]
    groups = [group for each in manifests if each.kind == "PrometheusRule" for group in each.manifest["spec"]["groups"]]
    (rules,) = [each.manifest["data"]["rules.yaml"] for each in manifests if (each.kind, each.name) == LOG_RULES]
    groups += yaml.safe_load(rules)["groups"]
    return config["alertmanager.yaml"], [rule for group in groups for rule in group["rules"] if "alert" in rule]


def expected(labels: dict[str, str], name: str) -> str:
    if name == WATCHDOG:
        return "heartbeat"
    return labels.get("escalation", f"people-{labels.get('severity', '').lower()}")


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_of_the_environment_reaches_the_receiver_of_its_severity(
    amtool: Path, tmp_path: Path, stack: str
) -> None:
    config, rules = environment(stack)
    file = written(tmp_path, config)
    run(amtool, "check-config", file)
    ways = channels(file)
    assert len(rules) > 50
    seen: dict[tuple[str, ...], str] = {}
    for rule in rules:
        labels = {key: value for key, value in rule["labels"].items() if "{{" not in value}
        # Only these labels are asked about by any route: alerts that share them share the answer.
        key = (str(rule["alert"] == WATCHDOG), labels.get("severity", ""), labels.get("escalation", ""))
        if key not in seen:
            seen[key] = receiver(amtool, file, {"alertname": rule["alert"], "namespace": "n", **labels})
        assert seen[key] == expected(labels, rule["alert"]), rule["alert"]
        assert ways[seen[key]] >= 1, f"{seen[key]} is told of {rule['alert']} and tells nobody"
    asked = {word.split("=")[0] for route in yaml.safe_load(config)["route"]["routes"] for word in route["matchers"]}
    assert asked <= {"alertname", "severity", "escalation"}


@pytest.mark.parametrize("stack", STACKS)
def test_no_receiver_is_empty_and_none_is_unused(tmp_path: Path, stack: str) -> None:
    file = written(tmp_path, environment(stack)[0])
    config = yaml.safe_load(file.read_text())
    assert min(channels(file).values()) >= 1
    assert set(channels(file)) == {route["receiver"] for route in config["route"]["routes"]}


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_of_the_environment_says_all_that_a_person_needs(stack: str) -> None:
    for rule in environment(stack)[1]:
        name, labels, notes = rule["alert"], rule["labels"], rule["annotations"]
        if "escalation" not in labels:
            assert labels["severity"] in set(Severity), name
            assert labels["owner"], name
            assert labels["service"], name
        assert notes["summary"].endswith("."), name
        assert notes["description"].endswith((".", ".)")), name
        page = ROOT / "docs/runbooks" / notes["runbook_url"].rpartition("/")[2]
        assert page.is_file(), f"{name} links to {notes['runbook_url']}, which is not there"


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_links_to_a_dashboard_and_an_urgent_one_is_told_to_each_level(stack: str) -> None:
    settings = load(ROOT, stack).platform.observability
    assert settings is not None
    names = [level.name for level in settings.alertmanager.escalation]
    levels: dict[str, list[str]] = {}
    urgent: set[str] = set()
    for rule in environment(stack)[1]:
        assert rule["annotations"]["dashboard_url"].startswith(f"{settings.grafana.url}/d/"), rule["alert"]
        urgent |= {rule["alert"]} if rule["labels"]["severity"] in URGENT else set()
        if level := rule["labels"].get("escalation"):
            levels.setdefault(rule["alert"], []).append(level)
    if names:
        assert levels.keys() == urgent
    assert {name for each in levels.values() for name in each} == set(names)


@pytest.mark.parametrize("email", [None, EMAIL], ids=["", "e-mail"])
@pytest.mark.parametrize("ways", [(), *COMBINATIONS], ids="+".join)
def test_whatever_the_contacts_are_amtool_finds_no_fault_and_each_severity_reaches_somebody(
    amtool: Path, tmp_path: Path, ways: tuple[str, ...], email: Email | None
) -> None:
    contacts = {"heartbeat_url", *ways, *(["smtp_password"] if email else [])}
    if not ways and not email:
        with pytest.raises(ValueError, match="nobody would be told"):
            configuration(contacts, "staging")
        return
    file = written(tmp_path, configuration(contacts, "staging", email))
    run(amtool, "check-config", file)
    for severity in Severity:
        assert receiver(amtool, file, {"alertname": "X", "severity": severity}) == f"people-{severity.lower()}"
        assert channels(file)[f"people-{severity.lower()}"] >= 1


def test_pagerduty_calls_for_what_cannot_wait_alone() -> None:
    config = yaml.safe_load(configuration({"heartbeat_url", *WAYS}, "staging"))
    calls = {each["name"] for each in config["receivers"] if "pagerduty_configs" in each}
    assert calls == {f"people-{severity.lower()}" for severity in URGENT}


def test_each_level_of_the_escalation_is_told_by_its_own_ways(amtool: Path, tmp_path: Path) -> None:
    contacts = {"heartbeat_url", "slack_url", "smtp_password", "tech-lead-pagerduty_key"}
    file = written(tmp_path, configuration(contacts, "staging", EMAIL, CHAIN))
    run(amtool, "check-config", file)
    for level in CHAIN:
        labels = {"alertname": "RedisDown", "severity": "P0", "escalation": level["name"]}
        assert receiver(amtool, file, labels) == level["name"]
    by_name = {each["name"]: each for each in yaml.safe_load(file.read_text())["receivers"]}
    (called,) = by_name["tech-lead"]["pagerduty_configs"]
    assert called["routing_key_file"].endswith("/tech-lead-pagerduty_key")
    assert [each["to"] for each in by_name["cto"]["email_configs"]] == ["cto@shop.example"]


def test_a_level_that_tells_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="level tech-lead tells nobody"):
        configuration({"heartbeat_url", "slack_url"}, "staging", None, [{"name": "tech-lead", "after": "15m"}])
    with pytest.raises(ValueError, match="no server to send by"):
        configuration({"heartbeat_url", "slack_url"}, "staging", None, [CHAIN[1]])


MAINTENANCE: list[Maintenance] = [
    {"day": "sunday", "start": "02:00", "end": "04:00"},
    {"day": "2026-12-01", "start": "22:00", "end": "24:00"},
]


def test_amtool_takes_planned_maintenance_and_it_mutes_what_can_wait_alone(amtool: Path, tmp_path: Path) -> None:
    file = written(tmp_path, configuration({"heartbeat_url", *WAYS}, "staging", None, (), MAINTENANCE))
    run(amtool, "check-config", file)
    config = yaml.safe_load(file.read_text())
    muted = {str(route["matchers"]) for route in config["route"]["routes"] if "mute_time_intervals" in route}
    assert muted == {f"['severity=\"{severity}\"']" for severity in Severity if severity not in URGENT}
    (found,) = [each["time_intervals"] for each in config["time_intervals"] if each["name"] == "maintenance"]
    assert found[1] == {
        "years": ["2026"],
        "months": ["12"],
        "days_of_month": ["1"],
        "times": [{"start_time": "22:00", "end_time": "24:00"}],
    }


def test_what_has_no_severity_is_told_like_a_p1(amtool: Path, tmp_path: Path) -> None:
    file = written(tmp_path, configuration({"heartbeat_url", *WAYS}, "staging"))
    assert receiver(amtool, file, {"alertname": "Other"}) == "people-p1"
