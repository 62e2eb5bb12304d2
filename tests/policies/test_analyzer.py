"""The engine's side, message by message: what it sends, what it is told, what the results file says."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as protocol

from policies import exemptions, results
from policies.analyzer import Analyzer
from policies.model import Enforcement, Outcome, Rule, Severity, Theme, Verdict
from policies.pack import RULES as ALL_RULES
from policies.rules.backups import stateful_has_backup
from policies.rules.health import probes_present
from policies.rules.meta import no_inconclusive_on_deployed
from policies.rules.slo import service_has_slos
from policies.stack import Resource, Stack
from tests.policies.builders import TYPES, exemption_entry, urn

RULES = (probes_present.RULE, service_has_slos.RULE, stateful_has_backup.RULE)
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
    config: Mapping[str, str] | None = None,
    register: exemptions.Register | None = None,
) -> protocol.AnalyzeResponse:
    """One run, as the engine makes it."""
    analyzer = Analyzer(rules, path, register)
    policies = {rule: protocol.PolicyConfig(enforcementLevel=level) for rule, level in (levels or {}).items()}
    analyzer.Configure(protocol.ConfigureAnalyzerRequest(policyConfig=policies), None)
    analyzer.ConfigureStack(
        protocol.AnalyzerStackConfigureRequest(project="shop", stack="staging", dry_run=preview, config=config or {}),
        None,
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
    info = Analyzer(ALL_RULES, None).GetAnalyzerInfo(empty_pb2.Empty(), None)
    assert (info.name, info.supportsConfig) == ("mainstay", True)
    policies = {policy.name: policy for policy in info.policies}
    assert policies.keys() == {rule.id for rule in ALL_RULES}
    assert policies["probes-present"].enforcementLevel == protocol.MANDATORY
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
    assert "mainstay.dev/unbacked-reason" in backup.message


def test_one_unknown_value_neither_hides_a_violation_nor_fails_a_preview() -> None:
    stack = [stateful_set("a", UNKNOWN), stateful_set("b"), stateful_set("c", UNKNOWN)]
    backup = [found for found in complaints(analyze(stack)) if found[0] == "stateful-has-backup"]
    assert backup == [
        ("stateful-has-backup", "a", protocol.ADVISORY),
        ("stateful-has-backup", "b", protocol.MANDATORY),
        ("stateful-has-backup", "c", protocol.ADVISORY),
    ]


def test_what_is_still_unreadable_after_the_deployment_fails() -> None:
    rules = (stateful_has_backup.RULE, no_inconclusive_on_deployed.RULE)
    stack: list[Sent] = [stateful_set("a", "[secret]"), ("Stack", "shop-staging", {})]
    assert complaints(analyze(stack, rules)) == [("stateful-has-backup", "a", protocol.ADVISORY)]
    assert complaints(analyze(stack, rules, preview=False)) == [
        ("no-inconclusive-on-deployed", "shop-staging", protocol.MANDATORY),
        ("stateful-has-backup", "a", protocol.ADVISORY),
    ]


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
            theme=Theme.SECURITY,
            title="Leaks",
            why="Because.",
            applies_to="everything",
            enforcement=Enforcement.MANDATORY,
            severity=Severity.LOW,
            controls=(),
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
        theme=Theme.SECURITY,
        title="Broken",
        why="Because.",
        applies_to="everything",
        enforcement=Enforcement.MANDATORY,
        severity=Severity.LOW,
        controls=(),
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


def test_the_register_of_exemptions_counts_and_what_it_does_not_need_is_told(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    entry = exemption_entry(rule="stateful-has-backup", resource="StatefulSet shop/redis", created=today, expires=today)
    path = tmp_path / "results.json"
    register = exemptions.parse([entry, {**entry, "id": "EX-2", "resource": "StatefulSet shop/gone"}])
    response = analyze([stateful_set("redis")], path=path, register=register)
    assert "stateful-has-backup" not in {name for name, _, _ in complaints(response)}
    found = results.read(path)
    assert found is not None
    (finding,) = next(rule for rule in found.rules if rule.id == "stateful-has-backup").findings
    assert (finding.outcome, finding.exemption) == (Outcome.EXEMPT, "EX-1")
    assert [each.partition(":")[0] for each in found.unused_exemptions] == ["EX-2"]


def test_an_environment_may_weaken_a_rule_and_the_engine_still_overrule_it() -> None:
    section = {"production": False, "advisory": {"stateful-has-backup": "nothing here is worth keeping"}}
    config = {"mainstay:policies": json.dumps(section)}

    def level(**options: Any) -> list[int]:
        found = complaints(analyze([stateful_set("redis")], **options))
        return [level for rule, _, level in found if rule == "stateful-has-backup"]

    # As the engine does, which names every rule with the level the pack gave it.
    defaults = {rule.id: protocol.MANDATORY for rule in RULES}
    assert level(config=config, levels=defaults) == [protocol.ADVISORY]
    assert level(config=config, levels={**defaults, "stateful-has-backup": protocol.DISABLED}) == []
    for weaker in (
        {**section, "production": True},
        {"advisory": section["advisory"]},
        {**section, "advisory": {"stateful-has-backup": " "}},
    ):
        assert level(config={"mainstay:policies": json.dumps(weaker)}) == [protocol.MANDATORY]
    assert level(config={"mainstay:policies": "no JSON"}) == [protocol.MANDATORY]


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
