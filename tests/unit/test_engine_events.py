"""Events folded into a result. What real engines send is covered by tests/engine; here are the odd orders and ends."""

import json
from typing import Any

from engine.events import Progress, Recorder

STACK = "urn:pulumi:staging::mainstay::"
API = f"{STACK}mainstay:index:HttpService$kubernetes:apps/v1:Deployment::api"
ROOT = f"{STACK}pulumi:pulumi:Stack::mainstay-staging"


def test_a_preview_plans_and_an_update_does() -> None:
    planned, _ = _fold("preview", _step("resourcePreEvent", "create", planning=True))
    done, _ = _fold("up", _step("resourcePreEvent", "create"), _step("resOutputsEvent", "create"))
    assert [step.state for step in planned.steps] == ["planned"]
    assert planned.steps[0].seconds is None
    assert [step.state for step in done.steps] == ["done"]
    assert done.steps[0].seconds is not None
    assert done.steps[0].label == "Deployment shop/api"
    assert done.counts == {"create": 1}


def test_a_failed_step_stays_failed_and_an_unreached_one_planned() -> None:
    result, told = _fold(
        "up",
        _step("resourcePreEvent", "update"),
        _diagnostic("error", "the API server refuses it", API),
        _step("resOpFailedEvent", "update"),
        _step("resourcePreEvent", "create", urn=f"{API}-2"),
    )
    assert {step.urn: step.state for step in result.steps} == {API: "failed", f"{API}-2": "planned"}
    assert [each.state for each in told] == ["started", "failed", "started"]
    assert result.diagnostics[0].urn == API


def test_a_replacement_is_one_step_though_the_engine_takes_three() -> None:
    result, _ = _fold(
        "up",
        _step("resourcePreEvent", "delete-replaced", logical=False),
        _step("resOutputsEvent", "delete-replaced", logical=False),
        _step("resourcePreEvent", "replace"),
        _step("resOutputsEvent", "replace"),
        _step("resourcePreEvent", "create-replacement", logical=False),
        _step("resOutputsEvent", "create-replacement", logical=False),
    )
    assert [(step.op, step.state) for step in result.steps] == [("replace", "done")]


def test_nothing_to_change_is_no_change() -> None:
    outputs = {"endpoints": {"api": "http://api"}}
    result, told = _fold("preview", _step("resOutputsEvent", "same"), _root(outputs, outputs))
    assert not result.has_changes
    assert result.outputs == outputs
    assert told == []


def test_an_output_that_differs_is_a_change() -> None:
    result, _ = _fold("preview", _root({"namespace": "a"}, {"namespace": "b"}))
    assert result.has_changes


def test_a_refresh_tells_drift_and_what_is_gone() -> None:
    changed = _step("resOutputsEvent", "refresh", diff={"spec.replicas": "update"})
    changed["resOutputsEvent"]["metadata"]["old"]["outputs"] = {"spec": {"replicas": 1}}
    changed["resOutputsEvent"]["metadata"]["new"]["outputs"] = {"spec": {"replicas": 9}}
    gone = _step("resOutputsEvent", "refresh", urn=f"{API}-2")
    gone["resOutputsEvent"]["metadata"]["new"] = None
    same = _step("resOutputsEvent", "refresh", urn=f"{API}-3")
    result, _ = _fold("preview", changed, gone, same)
    assert [(step.urn, step.op) for step in result.drift] == [(API, "update"), (f"{API}-2", "delete")]
    assert (result.drift[0].changes[0].old, result.drift[0].changes[0].new) == (1, 9)
    assert result.steps == ()


def test_debug_diagnostics_in_which_the_sdk_prints_secrets_are_dropped() -> None:
    result, told = _fold("up", _diagnostic("debug", "props=canary"), _diagnostic("info", "told"))
    assert "canary" not in json.dumps(result.to_dict())
    assert [each.message for each in told] == ["told"]


def test_what_the_plugin_says_while_it_waits_is_told_and_not_kept() -> None:
    result, told = _fold(
        "up", _step("resourcePreEvent", "create"), _diagnostic("info", "0 of 3 pods ready", API, ephemeral=True)
    )
    assert (told[-1].state, told[-1].label, told[-1].message) == ("note", "Deployment shop/api", "0 of 3 pods ready")
    assert result.diagnostics == ()


def test_a_name_that_is_not_known_yet_is_no_name() -> None:
    event = _step("resourcePreEvent", "create", planning=True)
    event["resourcePreEvent"]["metadata"]["new"]["inputs"]["metadata"]["namespace"] = (
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    )
    result, _ = _fold("preview", event)
    assert result.steps[0].label == "Deployment api"


def test_a_resource_of_another_provider_is_an_object_and_a_component_is_none() -> None:
    secret = _step("resourcePreEvent", "create", urn=f"{STACK}github:index/actionsSecret:ActionsSecret::key")
    secret["resourcePreEvent"]["metadata"] |= {"type": "github:index/actionsSecret:ActionsSecret"}
    secret["resourcePreEvent"]["metadata"]["new"]["custom"] = True
    component = _step("resourcePreEvent", "create", urn=f"{STACK}mainstay:index:Redis::queue")
    component["resourcePreEvent"]["metadata"] |= {"type": "mainstay:index:Redis"}
    provider = _step("resourcePreEvent", "create", urn=f"{STACK}pulumi:providers:github::github")
    provider["resourcePreEvent"]["metadata"] |= {"type": "pulumi:providers:github"}
    provider["resourcePreEvent"]["metadata"]["new"]["custom"] = True
    result, _ = _fold("preview", secret, component, provider)
    assert [step.label for step in result.changed] == ["ActionsSecret key"]


def test_a_new_object_is_told_whole_but_for_its_secrets() -> None:
    event = _step("resourcePreEvent", "create", planning=True)
    event["resourcePreEvent"]["metadata"]["new"]["inputs"] |= {
        "kind": "Secret",
        "stringData": {"key": "canary"},
        "data": {"key": "canary"},
    }
    result, _ = _fold("preview", event)
    assert result.steps[0].declared == {
        "kind": "Secret",
        "metadata": {"name": "api", "namespace": "shop"},
        "stringData": "[secret]",
        "data": "[secret]",
    }


def test_a_result_is_json_in_a_fixed_order() -> None:
    events = [_step("resourcePreEvent", "create", urn=f"{API}-{number}", planning=True) for number in (2, 1, 3)]
    result, _ = _fold("preview", *events)
    assert [step["urn"] for step in json.loads(json.dumps(result.to_dict()))["steps"]] == [
        f"{API}-1",
        f"{API}-2",
        f"{API}-3",
    ]


def _fold(operation: Any, *events: dict[str, Any]) -> tuple[Any, list[Progress]]:
    told: list[Progress] = []
    recorder = Recorder(operation, "staging", told.append)
    for event in events:
        recorder.take(event)
    return recorder.result("succeeded", None), told


def _step(
    event: str,
    op: str,
    urn: str = API,
    planning: bool = False,
    logical: bool = True,
    diff: dict[str, str] | None = None,
) -> dict[str, Any]:
    state = {
        "inputs": {"kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}},
        "outputs": {},
        "parent": ROOT,
    }
    metadata = {
        "op": op,
        "urn": urn,
        "type": "kubernetes:apps/v1:Deployment",
        "old": None if op == "create" else dict(state),
        "new": dict(state),
        "detailedDiff": {path: {"diffKind": kind} for path, kind in (diff or {}).items()},
        "logical": logical,
    }
    return {event: {"metadata": metadata, "planning": planning}}


def _root(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        "op": "same",
        "urn": ROOT,
        "type": "pulumi:pulumi:Stack",
        "old": {"inputs": {}, "outputs": old},
        "new": {"inputs": {}, "outputs": new},
    }
    return {"resOutputsEvent": {"metadata": metadata, "planning": True}}


def _diagnostic(severity: str, message: str, urn: str = "", ephemeral: bool = False) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": severity, "message": f"{message}\n", "urn": urn, "ephemeral": ephemeral}}
