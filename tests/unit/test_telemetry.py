"""Which traces, lines and metrics are kept or copied: what an environment's file may say of it, and what follows."""

import copy
import json
import re
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.observability.alert import Severity
from components.observability.sampling import slow_seconds
from components.slo.promise import Promise
from components.workload import slos
from stacks.environment import load
from stacks.objectives import slos as promised
from stacks.render import Manifest, render
from stacks.settings_observability import ObservabilitySettings
from tests.conftest import COPIED, ROOT, declared
from tests.unit.test_observability import CANARY, SECTION, rendering


def changed(section: str, **values: Any) -> dict[str, Any]:
    found = copy.deepcopy(SECTION)
    found[section] |= values
    return found


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        (changed("traces", share=-1), "greater than or equal to 0"),
        (changed("traces", share=101), "less than or equal to 100"),
        (changed("logs", retentionByLevel={"debug": "7d"}), "debug is 7d, not less than retention 7d"),
        (changed("logs", retentionByLevel={"debug": "12h"}), "should match pattern"),
        (changed("prometheus", remoteWrite={"url": "http://metrics.example/push"}), "should match pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ObservabilitySettings.model_validate(section)


def test_the_bounds_are_accepted_and_all_traces_are_kept_unless_it_says_otherwise() -> None:
    for share in (0, 0.5, 100):
        assert ObservabilitySettings.model_validate(changed("traces", share=share)).traces.share == share
    assert ObservabilitySettings.model_validate(SECTION).traces.share == 100
    ObservabilitySettings.model_validate(changed("logs", retentionByLevel={"debug": "6d"}))


def test_slow_follows_from_the_shortest_time_that_a_service_promises() -> None:
    promise = Promise(0.95, 30, Severity.P1, "platform", 60)
    found = slow_seconds(
        [
            slos.availability("api", promise),
            slos.latency("api", promise, 2),
            slos.model("api", promise, 0.5),
            slos.delivery("email-worker", promise, 60),
            slos.ticks("engine-worker", promise, 10),
        ]
    )
    assert found == {"api": 0.5, "email-worker": 60}


def text_of(manifests: list[Manifest], kind: str, name: str, key: str) -> str:
    (found,) = [each.manifest for each in manifests if (each.kind, each.name) == (kind, name)]
    return (found.get("data") or found["stringData"])[key]


@pytest.mark.parametrize(("stack", "share"), [("staging", 100), ("prod", 10)])
def test_what_the_environment_says_stands_in_the_configurations(stack: str, share: int) -> None:
    environment = load(ROOT, stack)
    watch = environment.platform.observability
    assert watch is not None
    manifests = render(environment)
    alloy = text_of(manifests, "ConfigMap", "alloy", "config.alloy")
    assert f"sampling_percentage = {share}\n" in alloy
    slow = slow_seconds(promised(environment.platform))
    assert slow["api"] == 0.5
    for service, seconds in slow.items():
        assert f'"{service}" and end_time - start_time > Duration("{seconds:g}s")' in alloy
    limits = yaml.safe_load(text_of(manifests, "ConfigMap", "loki", "loki.yaml"))["limits_config"]
    by_level = {each["selector"]: each["period"] for each in limits["retention_stream"]}
    assert by_level == {f'{{level="{level}"}}': days for level, days in watch.logs.retention_by_level.items()}
    assert limits["retention_period"] == watch.logs.retention


def test_the_chunks_stand_where_the_page_moves_them_from() -> None:
    """The bucket's rule in docs; test_logs_and_traces.py finds chunks at that prefix in a bucket."""
    (block,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "telemetry.md").read_text(), re.DOTALL)
    moved = [rule for rule in json.loads(block)["Rules"] if "Transitions" in rule]
    assert [rule["Filter"]["Prefix"] for rule in moved] == ["fake/"]
    assert not any("Expiration" in rule for rule in json.loads(block)["Rules"])


BASIC = {"url": "https://metrics.example/api/v1/push", "username": "123456"}
BEARER = {"url": "https://metrics.example:8443/push"}
SECRET = "prometheus-remote-write"
TOKEN = {"name": SECRET, "key": "token"}


@pytest.mark.parametrize(
    ("wanted", "access", "port"),
    [
        (BASIC, {"basicAuth": {"username": {"name": SECRET, "key": "username"}, "password": TOKEN}}, 443),
        (BEARER, {"authorization": {"credentials": TOKEN}}, 8443),
    ],
    ids=["basic", "bearer"],
)
def test_a_copy_of_the_metrics_is_opened_by_a_secret(wanted: dict[str, str], access: dict[str, Any], port: int) -> None:
    manifests = rendering(show_secrets=True, section=changed("prometheus", remoteWrite=wanted))
    (prometheus,) = [each.manifest["spec"] for each in manifests if each.kind == "Prometheus"]
    (entry,) = prometheus["remoteWrite"]
    assert access.items() <= entry.items()
    assert entry["url"] == wanted["url"]
    (secret,) = [each.manifest["stringData"] for each in manifests if (each.kind, each.name) == ("Secret", SECRET)]
    name = {"username": wanted["username"]} if "username" in wanted else {}
    assert secret == {"token": CANARY, **name}
    policies = [each.manifest for each in manifests if (each.kind, each.name) == ("NetworkPolicy", "prometheus")]
    out = [rule["ports"] for rule in policies[0]["spec"]["egress"] if "ipBlock" in rule.get("to", [{}])[0]]
    assert out == [[{"protocol": "TCP", "port": port}]]


def test_without_a_copy_there_is_no_secret_of_it() -> None:
    assert "secrets:remote-write-token" in declared(COPIED).required_secrets
    assert "secrets:remote-write-token" not in load(ROOT, "staging").required_secrets
    assert SECRET not in {each.name for each in rendering()}
