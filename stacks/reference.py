"""The reference of all configuration keys, written from the models that check them.

`python -m stacks.reference > docs/configuration.md` renews it; a test fails while it is out of date.
"""

import sys
from collections.abc import Sequence
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.environment import PROJECT, SECRETS, Platform, backup_keys, redis_password
from stacks.settings import SHARED_DSN
from stacks.settings_alerting import SMTP_PASSWORD
from stacks.settings_keycloak import ADMIN_PASSWORD, API_CLIENT_SECRET
from stacks.settings_observability import (
    REMOTE_WRITE_TOKEN,
    AlertmanagerSettings,
    ContactsSettings,
    ObservabilitySettings,
    PrometheusSettings,
)

_INTRODUCTION = f"""\
# Configuration

<!-- Generated from stacks/settings*.py by `python -m stacks.reference > docs/configuration.md`; do not edit. -->

An environment is one file, `Pulumi.<stack>.yaml`. Everything in it is checked before anything is built or changed; a
mistake gives a sentence that names file and key. Keys not listed here are refused. An editor with a YAML language
server completes and explains them as one types: the first line of each file names `docs/environment.schema.json`.

| key | what it is |
|---|---|
| `{PROJECT}:<section>` | the sections below |
| `kubernetes:context` | context of the real cluster; without it and the next key, `mainstay` uses the embedded one |
| `kubernetes:kubeconfig` | path of a kubeconfig other than the usual one |
| `github:owner` | organization or person whose repository `{PROJECT}:github` names |
| `github:token` | token that may administer the repository, encrypted; `GITHUB_TOKEN` does as well |
| `{SECRETS}:<name>` | a secret value: `pulumi config set --secret --stack <stack> {SECRETS}:<name>` |
| `pulumi:<setting>` | settings of Pulumi itself |

Quantities are Kubernetes' own (`250m`, `512Mi`, `10Gi`).

## Secrets

What an environment declares decides which secrets it needs. `mainstay preview` and `mainstay up` name those that a real
cluster's environment lacks, as commands to copy; on the embedded cluster they are generated. [More](secrets.md).

| where | needs |
|---|---|
"""


def secrets() -> list[tuple[str, list[str]]]:
    """What makes secrets needed -> their config keys, with `<name>` for the names an environment chooses."""
    contacts = dict.fromkeys(ContactsSettings.model_fields, True)
    told = AlertmanagerSettings.model_construct(contacts=ContactsSettings.model_validate(contacts))
    metrics = PrometheusSettings.model_construct(remote_write=None)
    watching = ObservabilitySettings.model_construct(alertmanager=told, prometheus=metrics).secrets
    of_contact = {contact: [name for name in watching if name.startswith(f"alert-{contact}-")] for contact in contacts}
    always = [name for name in watching if not any(name in names for names in of_contact.values())]
    rows: list[tuple[str, Sequence[str]]] = [
        (f"`{PROJECT}:postgres.<name>.backup`", backup_keys("<name>")),
        (f"`{PROJECT}:redis.<name>`", (redis_password("<name>"),)),
        ("`secretEnv` of a service or worker", ("<name>",)),
        (f"`{PROJECT}:keycloak`", (ADMIN_PASSWORD, API_CLIENT_SECRET)),
        (f"`{PROJECT}:observability`", always),
        (f"`{PROJECT}:observability.prometheus.remoteWrite`", (REMOTE_WRITE_TOKEN,)),
        *((f"`{PROJECT}:observability.alertmanager.contacts.{key}`", names) for key, names in of_contact.items()),
        (f"`{PROJECT}:observability.alertmanager.email`", (SMTP_PASSWORD,)),
        *(
            (f"`{PROJECT}:observability.alertmanager.escalation.{key}`", [each.replace("alert-", "alert-<name>-", 1)])
            for key, names in of_contact.items()
            for each in names
        ),
        (f"`{PROJECT}:sentry`", (SHARED_DSN,)),
        (f"`{PROJECT}:github.secrets`, on a real cluster", ("<name>",)),
    ]
    return [(where, [f"{SECRETS}:{name}" for name in names]) for where, names in rows]


def reference() -> str:
    """The whole document, in Markdown."""
    needed = (f"| {where} | {', '.join(f'`{key}`' for key in keys)} |\n" for where, keys in secrets())
    parts = [_INTRODUCTION + "".join(needed)]
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
    names = {int: "whole number", float: "number", bool: "true or false"}
    # `int | None` is a whole number, too; so is one with bounds, which hides in an Annotated.
    within = (annotation, *(get_args(arg)[0] if get_args(arg) else arg for arg in get_args(annotation)))
    return next((names[each] for each in within if each in names), "text")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default_factory() if field.default_factory else field.default  # pyright: ignore[reportCallIssue]
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, list):
        return f"`[{', '.join(map(str, cast(list[object], value)))}]`"
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
