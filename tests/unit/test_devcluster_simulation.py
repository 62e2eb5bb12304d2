from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import simulation

Json = dict[str, Any]
STAGES: list[Json] = [stage for file in simulation.stages() for stage in yaml.safe_load_all(file.read_text())]


def names(stage: Json) -> str:
    return str(stage["metadata"]["name"])


def test_no_two_stages_have_the_same_name() -> None:
    assert len({names(stage) for stage in STAGES}) == len(STAGES) > 20


# Nodes are devcluster's own; pod-deleted is what ends the deletion of a pod.
LEAVING = [each for each in STAGES if each["spec"]["resourceRef"]["kind"] != "Node" and names(each) != "pod-deleted"]


@pytest.mark.parametrize("stage", LEAVING, ids=names)
def test_a_stage_leaves_objects_that_are_being_deleted_alone(stage: Json) -> None:
    keys = [each["jq"]["key"] for each in stage["spec"]["selector"]["matchExpressions"]]
    assert any(".metadata.deletionTimestamp == null" in key for key in keys)


@pytest.mark.parametrize("stage", [each for each in STAGES if "fail" in names(each)], ids=names)
def test_a_failing_stage_waits_for_the_annotation_and_repeats_its_reason(stage: Json) -> None:
    assert simulation.FAIL in str(stage["spec"]["selector"])
    assert f'index .metadata.annotations "{simulation.FAIL}"' in str(stage["spec"]["steps"])


def test_every_kind_that_becomes_healthy_can_be_made_to_fail() -> None:
    kinds = {stage["spec"]["resourceRef"]["kind"] for stage in STAGES}
    failing = {stage["spec"]["resourceRef"]["kind"] for stage in STAGES if "fail" in names(stage)}
    not_failing = {"Node", "PersistentVolume", "PersistentVolumeClaim", "Service", "ScheduledBackup"}
    assert kinds - failing == not_failing


def test_each_zone_has_two_nodes_with_addresses_of_their_own() -> None:
    nodes = [placed.manifest for placed in simulation.furniture() if placed.manifest["kind"] == "Node"]
    zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes]
    assert sorted(zones) == ["local-a", "local-a", "local-b", "local-b", "local-c", "local-c"]
    assert len({node["spec"]["podCIDR"] for node in nodes}) == len(nodes)


def test_stage_files_are_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert all(file.is_absolute() for file in simulation.stages())
