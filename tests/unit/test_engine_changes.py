"""Property differences: paths, values, and that no secret gets through."""

import json
from typing import Any

import pytest

from engine.changes import at, changes, drift, parts, plain
from engine.result import MASK, Json

SECRET_VALUE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "canary"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ("spec.containers[0].image", ("spec", "containers", 0, "image")),
        ('metadata.annotations["pulumi.com/waitFor"]', ("metadata", "annotations", "pulumi.com/waitFor")),
        ('["a.b"][2]', ("a.b", 2)),
        ('data["say \\"hi\\""].x', ("data", 'say "hi"', "x")),
    ],
)
def test_parts_reads_property_paths(path: str, expected: tuple[str | int, ...]) -> None:
    assert parts(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "b"), 1),
        (("list", 1), "y"),
        (("list", 9), None),
        (("a", "b", "c"), None),
        (("list", "x"), None),
        (("hidden", "deeper"), MASK),
    ],
)
def test_at_finds_values_and_masks_what_is_inside_a_secret(path: tuple[str | int, ...], expected: Json) -> None:
    bag = plain({"a": {"b": 1.0}, "list": ["x", "y"], "hidden": SECRET_VALUE})
    assert at(bag, path) == expected


def test_changes_take_old_from_the_live_object_and_new_from_the_program() -> None:
    step = _metadata(
        old_inputs={"spec": {"replicas": 1}},
        old_outputs={"spec": {"replicas": 7}, "status": {}},
        new_inputs={"spec": {"replicas": 2, "paused": True}},
        diff={"spec.replicas": "update", "spec.paused": "add"},
    )
    paused, replicas = changes(step)
    assert (replicas.path, replicas.kind, replicas.old, replicas.new) == ("spec.replicas", "update", 7, 2)
    assert (paused.path, paused.kind, paused.old, paused.new) == ("spec.paused", "add", None, True)


def test_a_forced_replacement_is_told() -> None:
    step = _metadata(
        old_outputs={"spec": {"clusterIP": "a"}},
        new_inputs={"spec": {"clusterIP": "b"}},
        diff={"spec.clusterIP": "update-replace"},
    )
    (change,) = changes(step)
    assert change.forces_replacement
    assert change.kind == "update"


@pytest.mark.parametrize("side", ["old_inputs", "old_outputs", "new_inputs"])
def test_a_value_that_is_secret_on_one_side_is_masked_on_all(side: str) -> None:
    bags: dict[str, Any] = {name: {"env": "canary"} for name in ("old_inputs", "old_outputs", "new_inputs")}
    bags[side] = {"env": SECRET_VALUE}
    (change,) = changes(_metadata(**bags, diff={"env": "update"}))
    assert (change.old, change.new) == (MASK, MASK)


def test_the_data_of_a_kubernetes_secret_is_masked_even_if_nothing_marks_it() -> None:
    bag = {"kind": "Secret", "data": {"password": "canary"}}
    step = _metadata(old_inputs=bag, old_outputs=bag, new_inputs=bag, diff={"data.password": "update"})
    assert "canary" not in json.dumps([change.__dict__ for change in changes(step)])


def test_drift_is_old_state_against_live_object() -> None:
    step = _metadata(
        old_outputs={"spec": {"replicas": 2}},
        new_outputs={"spec": {"replicas": 9}},
        diff={"spec.replicas": "update"},
    )
    (change,) = drift(step)
    assert (change.old, change.new) == (2, 9)


def _metadata(
    old_inputs: dict[str, Any] | None = None,
    old_outputs: dict[str, Any] | None = None,
    new_inputs: dict[str, Any] | None = None,
    new_outputs: dict[str, Any] | None = None,
    diff: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "old": {"inputs": old_inputs or {}, "outputs": old_outputs or {}},
        "new": {"inputs": new_inputs or {}, "outputs": new_outputs or {}},
        "detailedDiff": {path: {"diffKind": kind, "inputDiff": False} for path, kind in (diff or {}).items()},
    }
