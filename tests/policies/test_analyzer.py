"""The engine's side, message by message: what it sends, what it is told, what the results file says."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as protocol

from policies import results
from policies.analyzer import Analyzer
from policies.model import Enforcement, Outcome, Resource, Rule, Severity, Stack, Verdict
from policies.pack import RULES
from tests.policies.builders import TYPES, urn

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
CANARY = "canary-7f3a"
CLAIMS = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
Sent = tuple[str, str, dict[str, Any]]


def struct(value: dict[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(value)
    return message


def stateful_set(name: str, spec: object = CLAIMS, **metadata: object) -> Sent:
    return "StatefulSet", name, {"metadata": {"name": name, "namespace": "shop", **metadata}, "spec": spec}


def secret(value: object) -> dict[str, object]:
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


def analyze(
    stack: Sequence[Sent],
    rules: Sequence[Rule] = RULES,
    *,
    preview: bool = True,
    levels: Mapping[str, protocol.EnforcementLevel.ValueType] | None = None,
    declared: Sequence[Sent] = (),
    path: Path | None = None,
) -> protocol.AnalyzeResponse:
    """One run, as the engine makes it."""
    analyzer = Analyzer(rules, path)
    config = {rule: protocol.PolicyConfig(enforcementLevel=level) for rule, level in (levels or {}).items()}
    analyzer.Configure(protocol.ConfigureAnalyzerRequest(policyConfig=config), None)
    analyzer.ConfigureStack(
        protocol.AnalyzerStackConfigureRequest(project="shop", stack="staging", dry_run=preview), None
    )
    for kind, name, props in declared:
        request = protocol.AnalyzeRequest(urn=urn(kind, name), type=TYPES[kind], name=name, properties=struct(props))
        assert analyzer.Remediate(request, None) == protocol.RemediateResponse()
        assert analyzer.Analyze(request, None) == protocol.AnalyzeResponse()
    resources = [
        protocol.AnalyzerResource(urn=urn(kind, name), type=TYPES[kind], name=name, properties=struct(props))
        for kind, name, props in stack
    ]
    return analyzer.AnalyzeStack(protocol.AnalyzeStackRequest(resources=resources), None)


def complaints(response: protocol.AnalyzeResponse) -> list[tuple[str, str, int]]:
    """Rule, resource and level of every diagnostic."""
    return [(d.policyName, d.urn.rpartition("::")[2], d.enforcementLevel) for d in response.diagnostics]


def test_the_pack_introduces_itself() -> None:
    info = Analyzer(RULES, None).GetAnalyzerInfo(empty_pb2.Empty(), None)
    assert (info.name, info.supportsConfig) == ("mainstay", True)
    policies = {policy.name: policy for policy in info.policies}
    assert {name: policy.enforcementLevel for name, policy in policies.items()} == {
        "probes-present": protocol.MANDATORY,
        "service-has-slos": protocol.MANDATORY,
        "stateful-has-backup": protocol.MANDATORY,
    }
    assert all(policy.policy_type == protocol.POLICY_TYPE_STACK for policy in policies.values())
    assert policies["stateful-has-backup"].severity == protocol.POLICY_SEVERITY_CRITICAL
    assert "SOC 2 A1.2" in policies["stateful-has-backup"].tags


def test_a_violation_names_rule_resource_fault_and_remedy() -> None:
    response = analyze([stateful_set("redis")])
    by_rule = {diagnostic.policyName: diagnostic for diagnostic in response.diagnostics}
    backup = by_rule["stateful-has-backup"]
    assert backup.enforcementLevel == protocol.MANDATORY
    assert backup.severity == protocol.POLICY_SEVERITY_CRITICAL
    assert backup.urn == urn("StatefulSet", "redis")
    assert "StatefulSet shop/redis: nothing backs up its volume claim data." in backup.message
    assert "policy.mainstay.dev/stateful-has-backup" in backup.message


def test_one_unknown_value_neither_hides_a_violation_nor_fails_a_preview() -> None:
    stack = [stateful_set("a", UNKNOWN), stateful_set("b"), stateful_set("c", UNKNOWN)]
    backup = [found for found in complaints(analyze(stack)) if found[0] == "stateful-has-backup"]
    assert backup == [
        ("stateful-has-backup", "a", protocol.ADVISORY),
        ("stateful-has-backup", "b", protocol.MANDATORY),
        ("stateful-has-backup", "c", protocol.ADVISORY),
    ]


def test_what_is_still_unreadable_after_the_deployment_fails() -> None:
    response = analyze([stateful_set("a", "[secret]")], preview=False)
    assert ("stateful-has-backup", "a", protocol.MANDATORY) in complaints(response)


def test_the_order_of_the_engine_changes_nothing(tmp_path: Path) -> None:
    stack = [stateful_set(f"s{number}", UNKNOWN if number % 3 else CLAIMS) for number in range(12)]
    path = tmp_path / "results.json"
    answers: set[bytes] = set()
    for seed in range(10):
        random.Random(seed).shuffle(stack)  # noqa: S311
        answers.add(analyze(stack, path=path).SerializeToString(deterministic=True) + path.read_bytes())
    assert len(answers) == 1


def test_no_secret_reaches_a_message_or_the_results(tmp_path: Path) -> None:
    def talkative(subject: Resource, _stack: Stack) -> Verdict:
        return Verdict(faults=(f"it is {subject.props}",))

    def failing(subject: Resource, _stack: Stack) -> Verdict:
        raise ValueError(str(subject.props))

    rules = [
        Rule(
            id=judge.__name__,
            title="Leaks",
            enforcement=Enforcement.MANDATORY,
            severity=Severity.LOW,
            frameworks=(),
            remediation="None.",
            judge=judge,
        )
        for judge in (talkative, failing)
    ]
    spec = {**CLAIMS, "seen": "in-the-clear", "template": secret({"env": [{"value": CANARY}]}), "top": secret(CANARY)}
    kept = ("Secret", "auth", {"stringData": {"password": CANARY}, "metadata": {"name": "auth"}})
    path = tmp_path / "results.json"
    stack = [stateful_set("a", spec), kept]
    for declared in ((), stack):
        told = str(analyze(stack, rules, declared=declared, path=path)) + path.read_text()
        assert "in-the-clear" in told
        assert CANARY not in told


def test_a_broken_rule_fails_by_itself() -> None:
    def broken(_subject: Resource, _stack: Stack) -> Verdict:
        raise RuntimeError("a bug")

    rule = Rule(
        id="broken",
        title="Broken",
        enforcement=Enforcement.MANDATORY,
        severity=Severity.LOW,
        frameworks=(),
        remediation="None.",
        judge=broken,
    )
    response = analyze([stateful_set("a")], [rule, *RULES])
    assert ("broken", "a", protocol.MANDATORY) in complaints(response)
    assert ("stateful-has-backup", "a", protocol.MANDATORY) in complaints(response)
    assert "the rule itself failed (RuntimeError: a bug)" in response.diagnostics[0].message


def test_a_rule_that_saw_nothing_is_not_called_passed() -> None:
    response = analyze([("Service", "api", {})])
    assert [policy.policy_name for policy in response.not_applicable] == sorted(rule.id for rule in RULES)
    response = analyze([stateful_set("redis")])
    assert [policy.policy_name for policy in response.not_applicable] == ["service-has-slos"]


def test_an_exemption_is_shown_and_not_a_violation(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    annotations = {"policy.mainstay.dev/stateful-has-backup": "refilled from Postgres"}
    response = analyze([stateful_set("redis", annotations=annotations)], path=path)
    assert "stateful-has-backup" not in {name for name, _, _ in complaints(response)}
    found = results.read(path)
    assert found is not None
    backup = next(rule for rule in found.rules if rule.id == "stateful-has-backup")
    assert [finding.reasons for finding in backup.of(Outcome.EXEMPT)] == [("refilled from Postgres",)]


def test_a_component_is_judged_by_its_args() -> None:
    with_slos = ("Worker", "with", {"slos": [{"name": "ticks", "objective": 0.99, "window_days": 30}]})
    without = ("Worker", "without", {"image": "x"})
    response = analyze([("Worker", "with", {}), ("Worker", "without", {})], declared=[with_slos, without])
    assert complaints(response) == [("service-has-slos", "without", protocol.MANDATORY)]


def test_the_results_say_what_was_evaluated(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    analyze([stateful_set("redis"), ("Service", "api", {})], preview=False, path=path)
    found = results.read(path)
    assert found is not None
    assert (found.pack, found.project, found.stack, found.preview, found.resources) == (
        "mainstay",
        "shop",
        "staging",
        False,
        2,
    )
    assert {rule.id: (rule.evaluated, rule.count(Outcome.FAIL)) for rule in found.rules} == {
        "probes-present": (1, 1),
        "service-has-slos": (0, 0),
        "stateful-has-backup": (1, 1),
    }


def test_results_of_an_earlier_run_do_not_outlive_the_start_of_the_next(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    analyze([stateful_set("redis")], path=path)
    Analyzer(RULES, path)
    assert results.read(path) is None


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (protocol.ADVISORY, [("stateful-has-backup", "redis", protocol.ADVISORY)]),
        (protocol.REMEDIATE, [("stateful-has-backup", "redis", protocol.MANDATORY)]),
        (protocol.DISABLED, []),
    ],
)
def test_the_engine_may_set_a_level(
    level: protocol.EnforcementLevel.ValueType, told: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    path = tmp_path / "results.json"
    levels = {"stateful-has-backup": level, "probes-present": protocol.DISABLED}
    assert complaints(analyze([stateful_set("redis")], levels=levels, path=path)) == told
    found = results.read(path)
    assert found is not None
    assert found.rules[0].enforcement is Enforcement.DISABLED
