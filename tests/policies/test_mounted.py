"""Files in containers, and what a container is told on its command line."""

from typing import Any

import pytest

from policies.mounted import files, flag, read, words
from policies.pods import pods
from policies.stack import Resource, Stack
from tests.policies.builders import Props, resource, workload

CONFIG = resource("ConfigMap", "config", {"data": {"a.yaml": "A", "b.yaml": "B"}})
MORE = resource("ConfigMap", "more", {"data": {"c.yaml": "C"}})
MOUNT: Props = {"name": "config", "mountPath": "/etc/x"}


def reading(*resources: Resource, args: list[str], **container: Any) -> tuple[Resource, Any, Any, Stack]:
    spec: Props = {
        "containers": [{"name": "main", "args": args, **container}],
        "volumes": [
            {"name": "config", "configMap": {"name": "config"}},
            {"name": "some", "configMap": {"name": "config", "items": [{"key": "a.yaml", "path": "deep/one.yaml"}]}},
            {"name": "all", "projected": {"sources": [{"secret": {}}, *({"configMap": {"name": n}} for n in NAMES)]}},
            {"name": "empty", "emptyDir": {}},
        ],
    }
    own = workload(pod=spec)
    (pod,) = pods(own)
    (main,) = pod.main()
    return own, pod, main, Stack([own, *resources])


NAMES = ("config", "more")


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ([MOUNT], {"/etc/x/a.yaml": "A", "/etc/x/b.yaml": "B"}),
        ([{"name": "some", "mountPath": "/etc/x"}], {"/etc/x/deep/one.yaml": "A"}),
        ([{"name": "all", "mountPath": "/"}], {"/a.yaml": "A", "/b.yaml": "B", "/c.yaml": "C"}),
        ([{"name": "empty", "mountPath": "/etc/x"}, {"name": "none", "mountPath": "/y"}], {}),
        ([{**MOUNT, "mountPath": "/b", "subPath": "b.yaml"}], {"/b": "B"}),
        ([], {}),
    ],
)
def test_files_come_from_the_volumes_that_are_mounted(mounts: list[Props], expected: dict[str, str]) -> None:
    found = files(*reading(CONFIG, MORE, args=[], volumeMounts=mounts))
    assert {path: content.value for path, content in found.items()} == expected
    assert files(*reading(args=[], volumeMounts=mounts)) == {}


@pytest.mark.parametrize(
    ("args", "value"),
    [
        (["--config=x"], "x"),
        (["-config=x=y"], "x=y"),
        (["--config", "x", "y"], "x"),
        (["run", "--config", "x"], "x"),
        (["run", "--config"], ""),
        (["--xconfig=y"], None),
        (["--config="], ""),
        (["config=x", "--configs=y", "config"], None),
        ([], None),
    ],
)
def test_the_value_of_a_flag(args: list[str], value: str | None) -> None:
    _, _, main, _ = reading(args=args)
    assert flag(main, "config") == value


def test_what_it_is_started_with() -> None:
    _, _, main, _ = reading(args=["run"], command=["alloy"])
    assert words(main) == ["alloy", "run"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--config=/etc/x/a.yaml"], ["/etc/x/a.yaml"]),
        (["--config", "/etc/x/a.yaml"], ["/etc/x/a.yaml"]),
        (["run", "/etc/x"], ["/etc/x/a.yaml", "/etc/x/b.yaml"]),
        (["run", "/etc/x/"], ["/etc/x/a.yaml", "/etc/x/b.yaml"]),
        (["x=/etc/x/a.yaml"], []),
        (["-/etc/x/a.yaml"], []),
        (["/etc"], []),
        (["", "--config="], []),
    ],
)
def test_the_files_that_it_is_told_to_read(args: list[str], expected: list[str]) -> None:
    assert list(read(*reading(CONFIG, args=args, volumeMounts=[MOUNT]))) == expected


def test_an_empty_word_names_no_file_in_the_working_folder() -> None:
    mount: Props = {"name": "config", "mountPath": "", "subPath": "a.yaml"}
    assert read(*reading(CONFIG, args=["--config="], volumeMounts=[mount])) == {}
