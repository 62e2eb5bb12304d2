"""YAML read strictly: a key that stands twice is an error, where PyYAML would silently keep the last."""

from pathlib import Path
from typing import Any

import yaml


class DuplicateKey(ValueError):
    """A mapping has a key twice. `line` counts from 1."""

    def __init__(self, key: str, line: int) -> None:
        super().__init__(f"the key {key!r} stands twice (line {line})")
        self.key = key
        self.line = line


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise DuplicateKey(str(key.value), key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """The document in `path`. Raises DuplicateKey, or ValueError with a phrase for text that is not YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise ValueError(f"not valid YAML at {place}: {error.problem}") from None
