"""The engine's failures, boiled down to what the person who must act needs to read."""

import re
from collections.abc import Iterable

from engine.command import Completed
from engine.result import Result
from engine.target import Target

_TRACEBACK = re.compile(r"\s*\n?Traceback \(most recent call last\).*", re.DOTALL)
_WRAPPING = re.compile(
    r"^(Unexpected <class '[\w.]+'>: |python inline source runtime error: |rpc error: code = \w+ desc = )+"
)
_MOST_FAILURES = 10


def failure(result: Result, completed: Completed, target: Target) -> str:
    """Why a preview, update or destruction failed, and what to do now."""
    if completed.program_error:
        return completed.program_error
    if result.mandatory:
        return _stopped_by_policy(result)
    said = list(dict.fromkeys(_about_resources(result)))
    if completed.code < 0:
        return (
            f"Pulumi's engine was ended from outside (signal {-completed.code}). What it did is recorded: "
            "the same command goes on from here."
        )
    if not said:
        return explain(completed.stderr or completed.stdout, target)
    text = "\n".join(said[:_MOST_FAILURES])
    if len(said) > _MOST_FAILURES:
        text += f"\nand {len(said) - _MOST_FAILURES} more like these (--debug shows all)."
    if result.operation == "up":
        text += (
            f"\nWhat was made stays and is recorded; mend this, then `mainstay up {target.stack}` goes on from here."
        )
    return text


def _stopped_by_policy(result: Result) -> str:
    lines = [
        f"policy {rule.id}: {finding.subject}: {'; '.join(finding.reasons)}. {rule.remediation}"
        for rule in (result.policy.rules if result.policy else ())
        for finding in rule.findings
        if any(each.rule == rule.id and each.urn == finding.urn for each in result.mandatory)
    ] or [f"policy {each.rule}: {_flat(each.message)}" for each in result.mandatory]
    if result.operation == "preview":
        lines.append("Nothing was changed: a mandatory policy stops the deployment before it begins.")
    return "\n".join(lines)


def explain(stderr: str, target: Target) -> str:
    """A sentence for what the CLI says when it does not even start to work."""
    if "incorrect passphrase" in stderr or "passphrase must be set" in stderr:
        return _passphrase(target)
    if match := re.search(r"created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)", stderr):
        user, host, pid, at = match.groups()
        return (
            f"Stack {target.stack} is locked: {user} on {host} (process {pid}) has been working on it since {at}. "
            f"Wait until that has ended; if it has died, `pulumi cancel --stack {target.stack}` takes the lock away."
        )
    if "[409] Conflict" in stderr:
        return (
            f"Somebody else is deploying stack {target.stack} at this moment. Wait until that has ended; "
            f"if it has died, `pulumi cancel --stack {target.stack}` takes the lock away."
        )
    if "no stack named" in stderr:
        return (
            f"Your Pulumi backend has no stack {target.stack}: `pulumi stack init {target.stack}` makes it, "
            "`pulumi whoami --verbose` says which backend you are logged in to."
        )
    if "PULUMI_ACCESS_TOKEN" in stderr or "pulumi login" in stderr:
        return "You are not logged in to a Pulumi backend: run `pulumi login` first (`pulumi login --help` lists them)."
    said = [line.removeprefix("error: ") for line in cleaned(stderr).splitlines() if line.strip()]
    return said[-1] if said else "Pulumi's engine ended without saying why; --debug shows all it wrote."


def cleaned(message: str) -> str:
    """A diagnostic without tracebacks and without the wrapping of the layers it passed through."""
    return _WRAPPING.sub("", _TRACEBACK.sub("", message.strip())).strip()


def _about_resources(result: Result) -> Iterable[str]:
    steps = {step.urn: step for step in result.steps}
    for diagnostic in result.diagnostics:
        if diagnostic.severity == "error":
            step = steps.get(diagnostic.urn or "")
            yield (f"{step.label}: " if step else "") + cleaned(diagnostic.message)


def _passphrase(target: Target) -> str:
    if target.embedded:
        return (
            f"The passphrase does not open this clone's embedded deployment of {target.stack}: set "
            "PULUMI_CONFIG_PASSPHRASE to the one it was made with (unset it if none was set then), or start anew with "
            f"`mainstay cluster stop --delete`, `rm -r {target.root / '.mainstay'}` and `mainstay up {target.stack}`."
        )
    return (
        f"The passphrase does not open Pulumi.{target.stack}.yaml: set PULUMI_CONFIG_PASSPHRASE "
        "(or PULUMI_CONFIG_PASSPHRASE_FILE) to the one the stack was made with."
    )


def _flat(message: str) -> str:
    return " ".join(message.split())
