"""The reference of all configuration keys, written from the models that check them.

`python -m stacks.reference > docs/configuration.md` renews it; a test fails while it is out of date.
"""

import sys
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.environment import PROJECT, Platform

_INTRODUCTION = f"""\
# Configuration

<!-- Generated from stacks/settings.py by `python -m stacks.reference > docs/configuration.md`; do not edit. -->

An environment is one file, `Pulumi.<stack>.yaml`. Everything in it is checked before anything is built or changed; a
mistake gives a sentence that names file and key. Keys not listed here are refused.

| key | what it is |
|---|---|
| `{PROJECT}:<section>` | the sections below |
| `kubernetes:context` | context of the real cluster; without it and the next key, `mainstay` uses the embedded one |
| `kubernetes:kubeconfig` | path of a kubeconfig other than the usual one |
| `secrets:<name>` | a secret value: `pulumi config set --secret --stack <stack> secrets:<name>` |

Secrets that a section needs: `secrets:redis-<name>-password`; `secrets:postgres-<name>-backup-access-key-id` and
`secrets:postgres-<name>-backup-secret-access-key` where a database has a backup; and each name on the right side of a
`secretEnv`. On the embedded cluster they are generated.

Quantities are Kubernetes' own (`250m`, `512Mi`, `10Gi`).
"""


def reference() -> str:
    """The whole document, in Markdown."""
    parts = [_INTRODUCTION]
    for name, field in Platform.model_fields.items():
        model = _section(field.annotation)
        several = get_origin(field.annotation) is dict
        key = f"{PROJECT}:{name}.<name>" if several else f"{PROJECT}:{name}"
        parts.append(f"## `{key}`\n\n{field.description}\n\n{_table(model)}")
    return "\n".join(parts)


def _table(model: type[BaseModel], prefix: str = "") -> str:
    rows = [] if prefix else ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        nested = _section(field.annotation, or_none=True)
        rows.append(f"| `{key}` | {_type(field)} | {_default(field)} | {field.description} |")
        if nested:
            rows.append(_table(nested, f"{key}.").rstrip("\n"))
    return "\n".join(rows) + "\n"


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    if _section(annotation, or_none=True):
        return "section"
    if get_origin(annotation) is dict:
        return "map of text"
    if get_origin(annotation) is list or any(get_origin(arg) is list for arg in get_args(annotation)):
        return "list"
    names = {int: "whole number", bool: "true or false"}
    return names.get(annotation, "text") if isinstance(annotation, type) else "text"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default_factory() if field.default_factory else field.default  # pyright: ignore[reportCallIssue]
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _section(annotation: Any, or_none: bool = False) -> Any:
    """The section's model within an annotation such as `dict[Name, PostgresSettings]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for arg in get_args(annotation):
        if found := _section(arg, or_none=True):
            return found
    if or_none:
        return None
    raise TypeError(f"{annotation} holds no section")


if __name__ == "__main__":
    sys.stdout.write(reference())
