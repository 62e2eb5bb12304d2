"""Resources to judge: from a state that Pulumi exported, or from manifests of whatever origin."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from audit import AuditError
from policies import normalise
from policies.stack import ROOT, Resource
from policies.values import Marker, Plain

_SUFFIXES = (".yaml", ".yml", ".json")


def from_state(export: Any, name: str) -> tuple[str, list[Resource]]:
    """Name of the stack, and its resources, from what `pulumi stack export` printed. `name`: what to call it in errors.

    Resources that are about to be deleted are left out; those that are only read (external) are not the stack's own.
    Raises AuditError.
    """
    deployment = cast(dict[str, Any], export).get("deployment") if isinstance(export, dict) else None
    # What was taken down has no list any more.
    listed: Any = cast(dict[str, Any], deployment).get("resources", []) if isinstance(deployment, dict) else None
    if not isinstance(listed, list):
        raise AuditError(f"{name} is no state: it has no deployment.resources. `pulumi stack export` writes one.")
    found: list[Resource] = []
    stack = ""
    for each in cast(list[dict[str, Any]], listed):
        urn, type_token = str(each.get("urn", "")), str(each.get("type", ""))
        if each.get("delete") or each.get("external") or not urn:
            continue
        if type_token == ROOT:
            stack = urn.split("::")[0].rpartition(":")[2]
        inputs, outputs = (cast(dict[str, Any], each.get(key) or {}) for key in ("inputs", "outputs"))
        found += normalise.resources(urn, type_token, urn.rpartition("::")[2], inputs, outputs)
    if not stack:
        raise AuditError(f"{name} holds no stack: nothing is deployed with it.")
    return stack, found


def from_manifests(folder: Path, stack: str) -> list[Resource]:
    """All Kubernetes objects in the YAML and JSON files in and below a folder. Raises AuditError."""
    files = [folder] if folder.is_file() else sorted(each for each in folder.rglob("*") if each.suffix in _SUFFIXES)
    if not files:
        raise AuditError(f"{folder} holds no manifests: no file there ends in {', '.join(_SUFFIXES)}.")
    found = [Resource(_urn(stack, ROOT, stack), ROOT, stack, {})]
    faults: list[str] = []
    taken: dict[str, Path] = {}
    for file in files:
        try:
            # JSON is YAML, nearly; a parser of its own is ten times as fast.
            text = file.read_text(encoding="utf-8")
            documents: Iterable[Any] = [json.loads(text)] if file.suffix == ".json" else list(_documents(text))
        except (OSError, ValueError, yaml.YAMLError) as error:
            faults.append(f"{file} cannot be read: {' '.join(str(error).split())}.")
            continue
        for document in documents:
            for each in _objects(document, file, stack, faults):
                if each.urn in taken:
                    faults.append(f"{file}: {each.subject} stands in {taken[each.urn]} too; only one of them can be.")
                taken[each.urn] = file
                found.append(each)
    if faults:
        raise AuditError("\n".join(faults))
    return found


def _documents(text: str) -> Iterator[Any]:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.load_all(text, Loader=loader)


def _objects(document: Any, file: Path, stack: str, faults: list[str]) -> Iterator[Resource]:
    if document is None:
        return
    if not isinstance(document, dict):
        faults.append(f"{file} holds a document that is no Kubernetes object.")
        return
    known = cast(dict[str, Any], document)
    version, kind = known.get("apiVersion"), known.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str):
        faults.append(f"{file} holds a document without apiVersion and kind.")
        return
    if kind.endswith("List") and isinstance(known.get("items"), list):
        # What a list holds is what is applied; the list itself is nothing.
        for item in cast(list[Any], known["items"]):
            yield from _objects(item, file, stack, faults)
        return
    metadata: Any = known.get("metadata")
    told = cast(dict[str, Any], metadata) if isinstance(metadata, dict) else {}
    name = "/".join(str(told[key]) for key in ("namespace", "name") if told.get(key))
    type_token = normalise.object_type(version, kind)
    yield from normalise.resources(_urn(stack, type_token, name), type_token, name, known, {})


def _urn(stack: str, type_token: str, name: str) -> str:
    return f"urn:pulumi:{stack}::manifests::{type_token}::{name}"


def digest(resources: Iterable[Resource]) -> str:
    """SHA-256 of the resources as the rules see them: by URN, secrets hidden, whatever their order was."""
    content = [
        [each.urn, each.type, each.partial, _json(dict(each.props))]
        for each in sorted(resources, key=lambda each: each.urn)
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _json(value: Plain) -> Any:
    if isinstance(value, Marker):
        return {"marker": value.name}
    if isinstance(value, Mapping):
        return {key: _json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    return value
