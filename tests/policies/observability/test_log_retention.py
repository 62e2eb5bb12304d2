"""Rule log-retention: Loki keeps logs for 30 days, and deletes them because it is told to."""

import copy
from typing import Any

import pytest

from policies.model import Outcome
from policies.rules.observability.log_retention import RULE
from policies.values import SECRET, UNKNOWN
from tests.policies.builders import GONE, Props, changed, judged, resource
from tests.policies.observability.telemetry import LOKI, TEMPO, server

ARGS = "spec.template.spec.containers.0.args"


def verdict(config: Any = LOKI, *flags: str, **replaced: tuple[str, object]) -> tuple[Outcome, str]:
    """Outcome and reasons for a Loki; `replaced`: kind -> path and value of a change to that part."""
    workload, *others = server("loki", "loki.yaml", config, {"http": 3100})
    workload = changed(workload, ARGS, ["--config.file=/etc/loki/loki.yaml", *flags])
    parts = [
        changed(each, *replaced[kind]) if (kind := each.type.rpartition(":")[2]) in replaced else each
        for each in (workload, *others)
    ]
    finding = judged(RULE, *parts)["StatefulSet/loki"]
    return finding.outcome, "; ".join(finding.reasons)


def config(**limits: Any) -> Props:
    found = copy.deepcopy(LOKI)
    found["limits_config"] |= limits
    return found


def test_thirty_days_pass() -> None:
    assert verdict() == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("period", "clause"),
    [
        ("30d", None),
        ("720h", None),
        ("720h0m0s", None),
        ("5w", None),
        ("1y", None),
        ("29d", "limits_config.retention_period is 29d, less than 30 days"),
        ("719h59m59s", "less than 30 days"),
        ("4w", "less than 30 days"),
        ("0s", "is not set"),
        (0, "is not set"),
        ("", "is not set"),
        (None, "is not set"),
        ("for ever", "is not set"),
        (720, "less than 30 days"),
    ],
)
def test_the_period_is_set_and_long_enough(period: object, clause: str | None) -> None:
    outcome, reasons = verdict(config(retention_period=period))
    assert outcome is (Outcome.FAIL if clause else Outcome.PASS)
    assert (clause or "") in reasons


@pytest.mark.parametrize("compactor", [{}, {"retention_enabled": False}, {"retention_enabled": None}, None])
def test_nothing_is_kept_or_deleted_by_a_compactor_that_does_not_look(compactor: Any) -> None:
    assert verdict({**LOKI, "compactor": compactor}) == (
        Outcome.FAIL,
        "compactor.retention_enabled is not true, so that retention_period deletes nothing and is no promise",
    )


@pytest.mark.parametrize(
    ("selector", "period", "fails"),
    [
        ('{level="debug"}', "3d", False),
        ('{level="trace"}', "3d", False),
        ('{detected_level=~"debug|trace"}', "3d", False),
        ('{level="debug",namespace="shop"}', "3d", False),
        ('{level=~"debug|info"}', "3d", True),
        ('{level="info"}', "29d", True),
        ('{level="info"}', "30d", False),
        ('{level!="debug"}', "3d", True),
        ('{level!="debug",namespace="shop"}', "3d", True),
        ('{level!~"debug",namespace="shop"}', "3d", True),
        ('{level=""}', "3d", True),
        ('{namespace="debug"}', "3d", True),
        ("nonsense {", "3d", True),
        ('{level="debug"} |= "x"', "3d", True),
        ('sum({level="debug"})', "3d", True),
    ],
)
def test_only_what_nobody_asks_for_later_goes_sooner(selector: str, period: str, fails: bool) -> None:
    streams = [{"selector": '{level="warn"}', "period": "90d"}, {"selector": selector, "period": period}]
    outcome, reasons = verdict(config(retention_stream=streams))
    assert outcome is (Outcome.FAIL if fails else Outcome.PASS)
    assert not fails or "limits_config.retention_stream[1].period is" in reasons


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        (["-store.retention=60d"], Outcome.PASS),
        (["-store.retention=7d"], Outcome.FAIL),
        (["--store.retention", "7d"], Outcome.FAIL),
        (["-store.retention"], Outcome.FAIL),
        (["-compactor.retention-enabled=false"], Outcome.FAIL),
        (["-compactor.retention-enabled=true"], Outcome.PASS),
        (["-store.retention-more=7d"], Outcome.PASS),
    ],
)
def test_the_command_line_goes_before_the_file(flags: list[str], outcome: Outcome) -> None:
    assert verdict(LOKI, *flags)[0] is outcome


@pytest.mark.parametrize("setting", [config(retention_period="${DAYS}d"), config(per_tenant_override_config="/etc/x")])
def test_what_stands_elsewhere_is_not_known(setting: Props) -> None:
    assert verdict(setting)[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("kind", "path", "value", "outcome"),
    [
        ("ConfigMap", "data", SECRET, Outcome.INCONCLUSIVE),
        ("ConfigMap", "data", {"loki.yaml": UNKNOWN}, Outcome.INCONCLUSIVE),
        ("ConfigMap", "data", {}, Outcome.FAIL),
        ("ConfigMap", "metadata.name", "other", Outcome.FAIL),
        ("StatefulSet", ARGS, GONE, Outcome.FAIL),
        ("StatefulSet", ARGS, ["-config.file", "/etc/loki/loki.yaml"], Outcome.PASS),
        ("StatefulSet", ARGS, UNKNOWN, Outcome.INCONCLUSIVE),
    ],
)
def test_the_configuration_is_the_one_that_it_reads(kind: str, path: str, value: object, outcome: Outcome) -> None:
    assert verdict(**{kind: (path, value)})[0] is outcome


@pytest.mark.parametrize(
    ("image", "is_loki"),
    [
        ("grafana/loki", True),
        ("docker.io/grafana/loki:3.5.5", True),
        ("registry.example/loki@sha256:0", True),
        ("grafana/loki-canary:3", False),
        ("grafana/tempo:2", False),
        (UNKNOWN, False),
    ],
)
def test_a_loki_is_known_by_its_image_too(image: object, is_loki: bool) -> None:
    pod: Props = {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}
    found = judged(RULE, resource("Deployment", "x", pod))
    assert bool(found) is is_loki
    assert all(finding.outcome is Outcome.FAIL for finding in found.values())


def test_each_loki_is_judged_by_its_own_configuration_and_a_tempo_not_at_all() -> None:
    servers = [
        *server("loki", "loki.yaml", LOKI, {"http": 3100}),
        *server("other", "loki.yaml", {**LOKI, "compactor": {}}, {"http": 3100}),
        *server("tempo", "tempo.yaml", TEMPO, {"http": 3200}),
    ]
    found = judged(RULE, *servers)
    assert {key: each.outcome for key, each in found.items()} == {
        "StatefulSet/loki": Outcome.PASS,
        "StatefulSet/other": Outcome.FAIL,
    }


def test_what_cannot_be_read_of_others_does_not_matter() -> None:
    workload, *_ = server("loki", "loki.yaml", LOKI, {"http": 3100})
    hidden = server("tempo", "tempo.yaml", TEMPO, {"http": 3200})
    hidden[1] = changed(hidden[1], "data", SECRET)
    found = judged(RULE, changed(workload, ARGS, GONE), *hidden)
    assert found["StatefulSet/loki"].outcome is Outcome.FAIL


def test_an_unknown_value_does_not_hide_a_certain_fault() -> None:
    outcome, reasons = verdict({**config(retention_period="${DAYS}"), "compactor": {}})
    assert outcome is Outcome.FAIL
    assert reasons.startswith("compactor.retention_enabled")
