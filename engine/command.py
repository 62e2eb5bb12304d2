"""Runs of the Pulumi CLI: the program served from this process, the engine's events received as they happen.

The Automation API's own `Stack.up` would run the CLI four times where once is enough, and hides part of the events
(see `events`). So its server for inline programs is used, and the command line is written here.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pulumi
from google.protobuf.empty_pb2 import Empty
from pulumi.automation._server import LanguageServer  # pyright: ignore[reportPrivateUsage]
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS  # pyright: ignore[reportPrivateUsage]
from pulumi.runtime.proto import events_pb2_grpc, language_pb2_grpc

Program = Callable[[], None]
OnEvent = Callable[[Mapping[str, Any]], None]

_GRACE_AFTER_SECOND_INTERRUPT = 5.0
"""Seconds the engine has to end after it was told to stop at once."""


class CommandFailed(Exception):
    """A run of the CLI ended with an error; the message is what it wrote to stderr."""


@dataclass(frozen=True)
class Completed:
    """How a deployment's run of the CLI ended."""

    code: int
    stdout: str
    stderr: str
    interrupted: bool
    """The person asked to stop, and the engine did."""
    program_error: str | None
    """What the program itself raised, without a traceback."""


@dataclass(frozen=True)
class Command:
    """The Pulumi CLI, a directory to run it in and what to add to its environment."""

    binary: Path
    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, stdin: str = "") -> str:
        """A short command; its stdout. Raises CommandFailed."""
        done = subprocess.run(
            self._line(arguments),
            cwd=self.directory,
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandFailed(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def deploy(
        self,
        arguments: Sequence[str],
        program: Program,
        on_event: OnEvent,
        on_interrupt: Callable[[int], None],
        environment: Mapping[str, str],
    ) -> Completed:
        """Runs preview, up or destroy. Ctrl-C once lets the engine finish what is in flight and save the state,
        twice stops it at once; `on_interrupt` is told the count. Whatever happens, no process is left behind.
        `environment` is added to the variables of this run.
        """
        faults: list[str] = []
        server = grpc.server(ThreadPoolExecutor(max_workers=8), options=_GRPC_CHANNEL_OPTIONS)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(_guarded(program, faults)), server)
        events_pb2_grpc.add_EventsServicer_to_server(_Events(on_event), server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            # A session of its own: Ctrl-C at the terminal reaches this process only, which passes it on in order.
            process = subprocess.Popen(
                [
                    *self._line(arguments),
                    f"--client={address}",
                    "--exec-kind=auto.inline",
                    f"--event-log=tcp://{address}",
                ],
                cwd=self.directory,
                env={**self._environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            with process:
                stdout, stderr = _Drain(process.stdout), _Drain(process.stderr)
                interrupts = _wait(process, on_interrupt)
            return Completed(
                process.returncode,
                stdout.text(),
                stderr.text(),
                interrupts > 0,
                faults[0] if faults else None,
            )
        finally:
            server.stop(None).wait()

    def _line(self, arguments: Sequence[str]) -> list[str]:
        return [str(self.binary), "--non-interactive", "--color=never", *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_AUTOMATION_API": "true",
            # Makes the CLI take --client, --exec-kind and --event-log, as the Automation API does.
            "PULUMI_DEBUG_COMMANDS": "true",
            **self.environment,
        }


class _Events(events_pb2_grpc.EventsServicer):
    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event

    def StreamEvents(self, request_iterator: Iterator[Any], context: Any) -> Empty:
        for request in request_iterator:
            self._on_event(json.loads(request.event))
        return Empty()


class _Drain(threading.Thread):
    """Reads a pipe to its end, so that the child never blocks on it."""

    def __init__(self, stream: Any) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._text = ""
        self.start()

    def run(self) -> None:
        self._text = self._stream.read()

    def text(self) -> str:
        self.join()
        return self._text


def _guarded(program: Program, faults: list[str]) -> Program:
    """The program, its exceptions turned into the one kind that Pulumi shows without a traceback."""

    def run() -> None:
        # Each debug message would be a call to the engine that waits for its answer, with inputs in clear text.
        pulumi.log.debug = _unheard
        try:
            program()
        except Exception as error:
            faults.append(str(error) or type(error).__name__)
            raise pulumi.RunError(faults[0]) from error

    return run


def _unheard(*_: Any, **__: Any) -> None:
    pass


def _wait(process: subprocess.Popen[str], on_interrupt: Callable[[int], None]) -> int:
    """Waits for the CLI, passing interrupts on. Returns how many there were."""
    interrupts = 0
    try:
        while True:
            try:
                process.wait(timeout=_GRACE_AFTER_SECOND_INTERRUPT if interrupts > 1 else None)
                return interrupts
            except KeyboardInterrupt:
                interrupts += 1
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                on_interrupt(interrupts)
            except subprocess.TimeoutExpired:
                return interrupts
    finally:
        # Its plugins and the policy pack's runner end themselves when the engine is gone.
        if process.poll() is None:
            process.kill()
