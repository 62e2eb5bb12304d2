"""The engine's events, folded into a `Result`, and told on the way as `Progress`.

Events come as the engine writes them: JSON over a gRPC stream, without delay, secrets masked. With one exception: in
debug diagnostics the SDK prints secret values. Those diagnostics are dropped here, first thing.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from engine import changes, contents
from engine.result import (
    Diagnostic,
    Json,
    Operation,
    Result,
    Step,
    Violation,
)
from policies.results import Results

_STACK_TYPE = "pulumi:pulumi:Stack"
_OPERATIONS = frozenset(get_args(Operation))
# Said by the engine about every failed run, next to the diagnostic that tells why; and about our own PATH.
_NOISE = ("update failed", "preview failed", "destroy failed", "refresh failed", "using pulumi-")
# What was under way when something else failed.
_CONSEQUENCE = "context canceled"


@dataclass(frozen=True)
class Progress:
    """Something to show while it happens."""

    urn: str | None
    label: str
    """`Deployment shop/api`; empty for what concerns no resource."""
    op: str
    """The step's operation, or `refresh`."""
    state: Literal["started", "done", "failed", "note"]
    message: str = ""
    """For a note: what the plugin says while it waits."""


Watch = Callable[[Progress], None]


@dataclass
class _Open:
    """A step under way."""

    step: Step
    began: float


@dataclass
class Recorder:
    """Takes events one by one; `result` at any time after."""

    operation: Literal["preview", "up", "down"]
    stack: str
    watch: Watch
    _began: float = field(default_factory=time.monotonic)
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _steps: dict[str, _Open] = field(default_factory=dict[str, _Open])
    _drift: dict[str, Step] = field(default_factory=dict[str, Step])
    _violations: list[Violation] = field(default_factory=list[Violation])
    _outputs: dict[str, Json] = field(default_factory=dict[str, Json])
    _old_outputs: dict[str, Json] = field(default_factory=dict[str, Json])
    _diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def take(self, event: Mapping[str, Any]) -> None:
        """Folds one event, a dictionary of the engine's JSON."""
        for name, handle in (
            ("diagnosticEvent", self._diagnostic),
            ("resourcePreEvent", self._begin),
            ("resOutputsEvent", self._end),
            ("resOpFailedEvent", self._fail),
            ("policyEvent", self._violation),
        ):
            if body := event.get(name):
                handle(body)

    def result(self, outcome: Literal["succeeded", "failed", "interrupted"], policy: Results | None) -> Result:
        """What the events so far amount to, with what the policy pack found."""
        steps = [each.step for each in self._steps.values() if each.step.type != _STACK_TYPE]
        return Result(
            operation=self.operation,
            stack=self.stack,
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self._began, 3),
            outcome=outcome,
            steps=tuple(sorted(steps, key=lambda step: step.urn)),
            drift=tuple(sorted(self._drift.values(), key=lambda step: step.urn)),
            policy=policy,
            violations=tuple(self._violations),
            outputs=self._outputs,
            outputs_changed=self._outputs != self._old_outputs,
            diagnostics=tuple(self._diagnostics),
        )

    def _diagnostic(self, body: Mapping[str, Any]) -> None:
        severity, message = str(body["severity"]), str(body["message"]).strip()
        if severity == "debug" or not message or message.startswith(_NOISE) or _CONSEQUENCE in message:
            return
        urn = body.get("urn") or None
        if severity.startswith("info"):
            known = self._steps.get(urn) if urn else None
            label, op = (known.step.label, known.step.op) if known else ("", "")
            self.watch(Progress(urn, label, op, "note", message))
            if body.get("ephemeral"):
                return
            severity = "info"
        diagnostic = Diagnostic(cast(Any, severity), urn, message)
        if diagnostic not in self._diagnostics:
            self._diagnostics.append(diagnostic)

    def _begin(self, body: Mapping[str, Any]) -> None:
        metadata = cast(dict[str, Any], body["metadata"])
        if metadata["op"] == "refresh":
            return
        opened = self._open(metadata)
        if opened.step.op != "same" and not body.get("planning"):
            self._tell(opened.step, "started")

    def _end(self, body: Mapping[str, Any]) -> None:
        metadata = cast(dict[str, Any], body["metadata"])
        if metadata["op"] == "refresh":
            self._refreshed(metadata)
            return
        if metadata["type"] == _STACK_TYPE:
            self._old_outputs = _outputs(_side(metadata, "old"))
            self._outputs = _outputs(_side(metadata, "new"))
        opened = self._open(metadata)
        if body.get("planning") or opened.step.state == "failed":
            return
        first = opened.step.state != "done"
        seconds = round(time.monotonic() - opened.began, 3)
        opened.step = replace(opened.step, state="done", seconds=seconds)
        if first and opened.step.op != "same":
            self._tell(opened.step, "done")

    def _fail(self, body: Mapping[str, Any]) -> None:
        metadata = cast(dict[str, Any], body["metadata"])
        if metadata["op"] == "refresh":
            return
        opened = self._open(metadata)
        seconds = round(time.monotonic() - opened.began, 3)
        opened.step = replace(opened.step, state="failed", seconds=seconds)
        self._tell(opened.step, "failed")

    def _open(self, metadata: dict[str, Any]) -> _Open:
        """The entry of the event's resource. A replacement is one step, though the engine makes it in three."""
        urn = str(metadata["urn"])
        opened = self._steps.get(urn)
        if opened is None:
            opened = self._steps[urn] = _Open(_step(metadata), time.monotonic())
        elif metadata.get("logical") and metadata["op"] in _OPERATIONS:
            seen = opened.step
            opened.step = replace(_step(metadata), state=seen.state, seconds=seen.seconds)
        return opened

    def _refreshed(self, metadata: dict[str, Any]) -> None:
        found = changes.drift(metadata)
        gone = metadata.get("new") is None
        if found or gone:
            step = _step(metadata)
            self._drift[step.urn] = replace(step, op="delete" if gone else "update", changes=found)

    def _violation(self, body: Mapping[str, Any]) -> None:
        violation = Violation(
            rule=str(body["policyName"]),
            enforcement=str(body["enforcementLevel"]),
            urn=body.get("resourceUrn") or None,
            message=str(body["message"]).strip(),
        )
        if violation not in self._violations:
            self._violations.append(violation)

    def _tell(self, step: Step, state: Literal["started", "done", "failed"]) -> None:
        # Components and providers take no time of their own; who watches wants to see objects.
        if step.kind:
            self.watch(Progress(step.urn, step.label, step.op, state))


def _outputs(state: Mapping[str, Any]) -> dict[str, Json]:
    return cast(dict[str, Json], changes.plain(state.get("outputs") or {}))


def _side(metadata: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    return cast(dict[str, Any], metadata.get(side) or {})


def _inputs(state: Mapping[str, Any]) -> dict[str, Json]:
    return cast(dict[str, Json], changes.plain(state.get("inputs") or {}))


def _step(metadata: dict[str, Any]) -> Step:
    old, new = _side(metadata, "old"), _side(metadata, "new")
    inputs = cast(dict[str, Any], new.get("inputs") or old.get("inputs") or {})
    urn, kind = str(metadata["urn"]), str(metadata["type"])
    of_kubernetes = kind.startswith("kubernetes:")
    # Components are not custom, providers are.
    is_object = of_kubernetes or (bool((new or old).get("custom")) and not kind.startswith("pulumi:"))
    about = inputs.get("metadata") if of_kubernetes else None
    about = cast(dict[str, Any], about) if isinstance(about, dict) else {}
    before, after = _inputs(old), _inputs(new)
    # What is no operation of its own is a part of a replacement: create-replacement, delete-replaced.
    op = str(metadata["op"]) if metadata["op"] in _OPERATIONS else "replace"
    return Step(
        urn=urn,
        type=kind,
        name=urn.rpartition("::")[2],
        op=cast(Any, op),
        kind=kind.rpartition(":")[2] if is_object else None,
        namespace=_known(about.get("namespace")),
        object_name=_known(about.get("name")),
        parent=new.get("parent") or old.get("parent") or None,
        protected=bool((new or old).get("protect")),
        changes=changes.changes(metadata) if op in ("update", "replace") else (),
        state="planned",
        seconds=None,
        images=contents.images(before, after) if of_kubernetes else (),
        declared=changes.declared(new.get("inputs") or {}) if is_object and op == "create" else None,
        data=contents.data(kind, op, before or after) if of_kubernetes else None,
    )


def _known(value: Any) -> str | None:
    text = changes.plain(value)
    return text if isinstance(text, str) and text != changes.UNKNOWN else None
