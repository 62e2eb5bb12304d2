"""Which API server a kubeconfig's context means, said before anything is sent there."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from engine import EngineError
from stacks.environment import ClusterTarget


@dataclass(frozen=True)
class Found:
    """A context that exists."""

    context: str
    server: str
    """URL of its API server."""
    path: str | None
    """The kubeconfig that the environment names; None is the usual place ($KUBECONFIG or ~/.kube/config)."""


def find(target: ClusterTarget, root: Path, file: str) -> Found:
    """The real cluster an environment names. A relative path is meant from `root`; `file` is for messages.

    Raises EngineError if the kubeconfig cannot be read or has no such context.
    """
    given = target.kubeconfig
    if given and "\n" in given:
        raise EngineError(
            f"{file}: kubernetes:kubeconfig holds a whole kubeconfig; give the path of one instead, "
            "so that no credential stands in the file."
        )
    paths = [root / Path(each).expanduser() for each in ([given] if given else _usual_paths())]
    contents = [_read(path, file, required=bool(given)) for path in paths]
    context = target.context or next(
        (str(each["current-context"]) for each in contents if each.get("current-context")), ""
    )
    where = ", ".join(map(str, paths))
    if not context:
        raise EngineError(
            f"{file}: kubernetes:kubeconfig is {where}, which has no current context; set kubernetes:context."
        )
    contexts = _named(contents, "contexts", "context")
    if context not in contexts:
        raise EngineError(
            f"{file}: kubernetes:context is {context!r}, which {where} does not have; "
            f"there are: {', '.join(sorted(contexts)) or 'none'}."
        )
    clusters = _named(contents, "clusters", "cluster")
    server = str(clusters.get(str(contexts[context].get("cluster")), {}).get("server", ""))
    return Found(context, server, str(paths[0]) if given else None)


def _usual_paths() -> list[str]:
    return [each for each in os.environ.get("KUBECONFIG", "~/.kube/config").split(os.pathsep) if each]


def _read(path: Path, file: str, required: bool) -> dict[str, Any]:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        if not required:
            return {}
        raise EngineError(f"{file}: kubernetes:kubeconfig is {path}, which cannot be read: {error.strerror}.") from None
    except yaml.YAMLError:
        raise EngineError(f"{path} is not a kubeconfig: it is not valid YAML.") from None
    return cast(dict[str, Any], content) if isinstance(content, dict) else {}


def _named(contents: list[dict[str, Any]], section: str, key: str) -> dict[str, dict[str, Any]]:
    """Entries of a section by name; of several files the first that has a name counts, as for kubectl."""
    found: dict[str, dict[str, Any]] = {}
    for content in contents:
        for entry in cast(list[dict[str, Any]], content.get(section) or []):
            found.setdefault(str(entry["name"]), cast(dict[str, Any], entry.get(key) or {}))
    return found
