"""`mainstay render`: the manifests as one YAML stream, or a file each."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from devcluster import Report
from engine import EngineError
from engine.secret_values import secret_values
from stacks.environment import load
from stacks.render import Manifest, render


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, as a person would write them; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return cast(Any, dumper).represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def write_manifests(root: Path, stack: str, folder: Path | None, show_secrets: bool, report: Report) -> None:
    """Renders an environment to stdout, or into `folder`, which must be new or empty. Raises EngineError."""
    environment = load(root, stack)
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EngineError(
            f"{folder} is not an empty folder: name a new one, so that nothing old is left among the new."
        )
    manifests = render(environment, secret_values(root, environment, report) if show_secrets else None)
    if folder is None:
        sys.stdout.write("---\n" + "---\n".join(as_yaml(each.manifest) for each in manifests))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for manifest in manifests:
        (folder / _file_name(manifest)).write_text(as_yaml(manifest.manifest), encoding="utf-8")


def as_yaml(value: Mapping[str, Any]) -> str:
    """As a person would write it."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _file_name(manifest: Manifest) -> str:
    """Kind and API group together are unique where the kind alone is not."""
    group = str(manifest.manifest["apiVersion"]).rpartition("/")[0].partition(".")[0]
    kind = (
        manifest.kind.lower() if group in ("", "apps", "networking", "policy") else f"{manifest.kind.lower()}.{group}"
    )
    return f"{kind}-{manifest.name}.yaml"
