"""The embedded deployments' own Pulumi project, in `.mainstay/workspace/`. The committed files are only read.

It holds a copy of Pulumi.yaml and, for each stack, of Pulumi.<stack>.yaml without what the team has encrypted, with the
embedded cluster's address and with secrets generated once, which stand there encrypted and nowhere else.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from engine import EngineError
from engine.command import CommandFailed
from engine.sentences import explain
from engine.target import Target
from stacks.environment import environment_file
from stacks.yaml_file import read_yaml

_SECRET_BYTES = 24
_ENCRYPTION = ("encryptionsalt", "encryptedkey", "secretsprovider")


def prepare(target: Target) -> None:
    """Brings the workspace up to date with the committed files, makes the stack, and generates missing secrets.

    Raises EngineError.
    """
    directory = target.directory
    directory.mkdir(parents=True, exist_ok=True)
    _state(target).mkdir(parents=True, exist_ok=True)
    _passphrase(target.root / ".mainstay" / "passphrase")
    project = cast(dict[str, Any], read_yaml(target.root / "Pulumi.yaml"))
    # The program runs in Mainstay's process; the folder `main` names is not in the workspace.
    project.pop("main", None)
    _write(directory / "Pulumi.yaml", project)
    file = directory / environment_file(target.stack)
    there = cast(dict[str, Any], read_yaml(file) or {}) if file.is_file() else {}
    committed = cast(dict[str, Any], read_yaml(target.root / file.name))
    _write(file, _settings(committed, there, target))
    try:
        if not checkpoint(target).is_file():
            target.command.run("stack", "init", "--no-select", "--stack", target.stack)
        present = _encrypted(cast(dict[str, Any], read_yaml(file)))
        for key in target.environment.required_secrets:
            if key not in present:
                # Through stdin: arguments can be read by every user of the machine.
                target.command.run(
                    "config",
                    "set",
                    "--secret",
                    "--stack",
                    target.stack,
                    key,
                    stdin=secrets.token_urlsafe(_SECRET_BYTES),
                )
    except CommandFailed as error:
        raise EngineError(explain(str(error), target)) from None


def checkpoint(target: Target) -> Path:
    """The file backend's state of the stack."""
    project = cast(dict[str, Any], read_yaml(target.directory / "Pulumi.yaml"))["name"]
    return _state(target) / ".pulumi" / "stacks" / str(project) / f"{target.stack}.json"


def _state(target: Target) -> Path:
    return target.root / ".mainstay" / "state"


def _settings(committed: Mapping[str, Any], there: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """The stack's settings: the committed ones, the cluster, and what was encrypted here before."""
    config = {key: value for key, value in dict(committed.get("config") or {}).items() if not _holds_ciphertext(value)}
    config |= {"kubernetes:kubeconfig": target.kubeconfig, "kubernetes:context": target.context}
    kept = {key: there[key] for key in _ENCRYPTION if key in there}
    others = {key: value for key, value in committed.items() if key not in (*_ENCRYPTION, "config")}
    return {**others, **kept, "config": {**config, **_encrypted(there)}}


def _encrypted(settings: Mapping[str, Any]) -> dict[str, Any]:
    config = dict(settings.get("config") or {})
    return {key: value for key, value in config.items() if _holds_ciphertext(value)}


def _holds_ciphertext(value: Any) -> bool:
    """Whether a config value is encrypted, or has an encrypted part."""
    if isinstance(value, dict):
        known = cast(dict[str, Any], value)
        return set(known) == {"secure"} or any(_holds_ciphertext(each) for each in known.values())
    return isinstance(value, list) and any(_holds_ciphertext(each) for each in cast(list[Any], value))


def _passphrase(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(secrets.token_urlsafe(32))
    new.rename(path)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Writes YAML if it differs; other processes see the old file or the new one, never half of it."""
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.rename(path)
