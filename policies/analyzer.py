"""The engine's side: serves the rules over the analyzer protocol by which the Pulumi engine asks a policy pack.

Pulumi's policy SDK speaks the same protocol, but takes the marks off secrets before a policy sees them, decodes the
stack again for every policy, and turns a mandatory policy into advice as soon as one value is unknown. Here a stack is
decoded once, secrets stay behind the border, and every rule answers for itself.

The engine sends every resource as it is declared (`Analyze`), and at the end all of them as they stand
(`AnalyzeStack`). Rules need both, a component's args being in the former only; so they all run at the end.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as protocol
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from policies import exemptions, normalise, results
from policies.evaluation import evaluate, unused
from policies.facts import Facts
from policies.levels import levels
from policies.model import Enforcement, Finding, Outcome, Rule, RuleResult, Severity
from policies.pack import NAME, VERSION
from policies.stack import Resource, Stack

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024

_ENFORCEMENT = {
    Enforcement.ADVISORY: protocol.ADVISORY,
    Enforcement.MANDATORY: protocol.MANDATORY,
    Enforcement.DISABLED: protocol.DISABLED,
}
_SEVERITY = {
    Severity.LOW: protocol.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: protocol.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: protocol.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: protocol.POLICY_SEVERITY_CRITICAL,
}


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """One run of the engine over one stack."""

    def __init__(
        self, rules: Sequence[Rule], results_path: Path | None, register: exemptions.Register | None = None
    ) -> None:
        self._rules = rules
        self._register = register or exemptions.Register()
        self._results_path = results_path
        self._enforcement: dict[str, Enforcement] = {}
        self._levels: dict[str, Enforcement] = {}
        self._project = self._stack = ""
        self._preview = False
        self._declared: dict[str, struct_pb2.Struct] = {}
        if results_path:
            results_path.unlink(missing_ok=True)

    def GetAnalyzerInfo(self, request: empty_pb2.Empty, context: Any) -> protocol.AnalyzerInfo:
        return protocol.AnalyzerInfo(
            name=NAME,
            displayName="Mainstay",
            version=VERSION,
            supportsConfig=True,
            policies=[
                protocol.PolicyInfo(
                    name=rule.id,
                    description=rule.title,
                    enforcementLevel=_ENFORCEMENT[rule.enforcement],
                    severity=_SEVERITY[rule.severity],
                    policy_type=protocol.POLICY_TYPE_STACK,
                    tags=rule.controls,
                    remediation_steps=rule.remediation,
                )
                for rule in self._rules
            ],
        )

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Configure(self, request: protocol.ConfigureAnalyzerRequest, context: Any) -> empty_pb2.Empty:
        by_number = {number: level for level, number in _ENFORCEMENT.items()}
        defaults = {rule.id: rule.enforcement for rule in self._rules}
        # Rules remedy nothing: asking for remediation asks for the strictest level there is. The engine names every
        # rule; what is as the pack has it was not asked for, and must not undo what the environment says.
        asked = {
            rule_id: by_number.get(config.enforcementLevel, Enforcement.MANDATORY)
            for rule_id, config in request.policyConfig.items()
        }
        self._enforcement = {rule_id: level for rule_id, level in asked.items() if level is not defaults.get(rule_id)}
        return empty_pb2.Empty()

    def ConfigureStack(
        self, request: protocol.AnalyzerStackConfigureRequest, context: Any
    ) -> protocol.AnalyzerStackConfigureResponse:
        self._project, self._stack, self._preview = request.project, request.stack, request.dry_run
        self._levels = levels(request.config)
        return protocol.AnalyzerStackConfigureResponse()

    def Remediate(self, request: protocol.AnalyzeRequest, context: Any) -> protocol.RemediateResponse:
        return protocol.RemediateResponse()

    def Analyze(self, request: protocol.AnalyzeRequest, context: Any) -> protocol.AnalyzeResponse:
        self._declared[request.urn] = request.properties
        return protocol.AnalyzeResponse()

    def AnalyzeStack(self, request: protocol.AnalyzeStackRequest, context: Any) -> protocol.AnalyzeResponse:
        facts = Facts(self._stack, datetime.now(UTC).date(), not self._preview, self._register)
        stack = Stack((each for sent in request.resources for each in self._resources(sent)), facts)
        rule_results = evaluate(self._rules, stack, {**self._levels, **self._enforcement})
        if self._results_path:
            found = results.Results(
                pack=NAME,
                version=VERSION,
                project=self._project,
                stack=self._stack,
                preview=self._preview,
                resources=len(stack.resources),
                rules=rule_results,
                unused_exemptions=tuple(map(str, unused(self._register, rule_results, stack))),
            )
            try:
                results.write(found, self._results_path)
            except OSError as error:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"The policy results cannot be written: {error}.")
        return protocol.AnalyzeResponse(
            diagnostics=[diagnostic for result in rule_results for diagnostic in _diagnostics(result)],
            # The engine calls a policy passed that complained of nothing; one that saw nothing must not be.
            not_applicable=[
                protocol.PolicyNotApplicable(policy_name=result.id, reason="no resource of this stack is subject to it")
                for result in rule_results
                if result.vacuous
            ],
        )

    def _resources(self, resource: protocol.AnalyzerResource) -> Iterator[Resource]:
        declared = self._declared.pop(resource.urn, struct_pb2.Struct())
        return normalise.resources(
            resource.urn,
            resource.type,
            resource.name,
            json_format.MessageToDict(declared),
            json_format.MessageToDict(resource.properties),
        )


def _diagnostics(result: RuleResult) -> Iterator[protocol.AnalyzeDiagnostic]:
    for finding in result.findings:
        level = _level(finding, result.enforcement)
        if level is not None:
            yield protocol.AnalyzeDiagnostic(
                policyName=result.id,
                policyPackName=NAME,
                policyPackVersion=VERSION,
                description=result.title,
                message=_message(finding, result),
                urn=finding.urn,
                enforcementLevel=_ENFORCEMENT[level],
                severity=_SEVERITY[result.severity],
            )


def _level(finding: Finding, enforcement: Enforcement) -> Enforcement | None:
    match finding.outcome:
        case Outcome.FAIL | Outcome.ERROR:
            return enforcement
        case Outcome.INCONCLUSIVE:
            # A preview may not know yet; where all is known, the rule no-inconclusive-on-deployed fails.
            return Enforcement.ADVISORY
        case _:
            return None


def _message(finding: Finding, result: RuleResult) -> str:
    reasons = "; ".join(finding.reasons)
    match finding.outcome:
        case Outcome.INCONCLUSIVE:
            return f"{result.title}.\n{finding.subject}: cannot be decided: {reasons}."
        case Outcome.ERROR:
            return f"{result.title}.\n{finding.subject}: the rule itself failed ({reasons}); this is a bug of the rule."
        case _:
            return f"{result.title}.\n{finding.subject}: {reasons}. {result.remediation}"


def serve(rules: Sequence[Rule]) -> None:
    """Serves until the engine ends, telling it the port on stdout."""
    engine = os.getppid()
    path = os.environ.get(results.VARIABLE)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(
        Analyzer(rules, Path(path) if path else None, exemptions.load()), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # The engine ends a pack when it is done with it; an engine that was killed cannot.
    while os.getppid() == engine:
        server.wait_for_termination(timeout=1)
    server.stop(grace=None)
