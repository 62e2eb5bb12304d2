"""The policy pack in the real engine: what stops a run, what does not, and what is written down about it."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from policies.model import Outcome
from tests.engine.policy_runs import REASON, Runner, one_violation, project, redis, run, unknown

__all__ = ["project", "run"]

CANARY = "canary-7f3a"


def monitoring(kind: str, labels: Mapping[str, str], spec: Any) -> pulumi.Resource:
    """An object of the Prometheus operator."""
    metadata: Any = {"name": kind.lower(), "namespace": "shop", "labels": labels}
    return kubernetes.apiextensions.CustomResource(
        kind.lower(), api_version="monitoring.coreos.com/v1", kind=kind, metadata=metadata, spec=spec
    )


class Worker(pulumi.ComponentResource):
    """What a component looks like to the engine: args in, no outputs."""

    def __init__(self, name: str, args: pulumi.Inputs) -> None:
        super().__init__("mainstay:index:Worker", name, args)
        self.register_outputs({})


def test_a_violation_stops_the_run_and_says_why(run: Runner) -> None:
    done = run(lambda: redis("redis") and None)
    assert not done.succeeded
    assert "[mandatory]" in done.output
    assert "StatefulSet shop/redis: nothing backs up its volume claim data." in done.output
    assert done.rule("stateful-has-backup").count(Outcome.FAIL) == 1
    assert done.rule("probes-present").count(Outcome.PASS) == 1


def test_a_good_stack_passes_and_what_was_looked_at_is_written_down(run: Runner) -> None:
    def program() -> None:
        redis("redis", {REASON: "refilled from Postgres"})
        Worker("mail", {"slos": [{"name": "delivery", "objective": 0.95, "window_days": 30}]})

    done = run(program)
    assert done.succeeded
    assert done.found is not None
    assert (done.found.project, done.found.stack, done.found.preview) == ("policytest", "dev", True)
    assert [finding.reasons for finding in done.rule("stateful-has-backup").of(Outcome.NOT_APPLICABLE)] == [
        ("its data may be lost: refilled from Postgres",)
    ]
    assert [finding.subject for finding in done.rule("service-has-slos").of(Outcome.PASS)] == ["Worker mail"]
    # Neither the pack nor its end leaves anything else among the messages.
    assert "Traceback" not in done.output


def test_an_update_is_judged_too(run: Runner) -> None:
    up = ("up", "--yes", "--skip-preview")
    assert run(lambda: redis("redis", {REASON: "refilled"}) and None, *up).succeeded
    done = run(lambda: redis("redis", claims=unknown()) and None, *up)
    assert not done.succeeded
    assert done.found is not None
    assert not done.found.preview
    assert done.rule("stateful-has-backup").of(Outcome.FAIL)[0].reasons == (
        "nothing backs up its volume claim made-first",
    )


def test_unknown_values_hide_no_violation(run: Runner) -> None:
    done = run(one_violation)
    assert not done.succeeded
    backup = done.rule("stateful-has-backup")
    assert [finding.subject for finding in backup.of(Outcome.FAIL)] == ["StatefulSet shop/redis"]
    assert backup.count(Outcome.INCONCLUSIVE) == 18


def test_unknown_values_alone_do_not_stop_a_preview(run: Runner) -> None:
    done = run(lambda: redis("redis", claims=unknown()) and None)
    assert done.succeeded
    assert done.rule("stateful-has-backup").count(Outcome.INCONCLUSIVE) == 1
    assert "cannot be decided: spec.volumeClaimTemplates is not known before the deployment" in done.output


def test_no_secret_is_told(run: Runner) -> None:
    def program() -> None:
        canary = pulumi.Output.secret(CANARY)
        redis("redis", {REASON: canary})
        redis("probed", {REASON: "known"}, liveness_probe={"http_get": {"port": canary}})
        kubernetes.core.v1.Secret("auth", metadata={"name": "auth"}, string_data={"password": CANARY})

    done = run(program)
    assert not done.succeeded
    assert done.rule("stateful-has-backup").count(Outcome.FAIL) == 1
    assert done.rule("probes-present").of(Outcome.INCONCLUSIVE)[0].reasons == (
        "spec.template.spec.containers[0].livenessProbe.httpGet.port is a secret",
    )
    told = [str(event["policyEvent"]) for event in done.events if event.get("policyEvent")]
    assert told
    assert CANARY not in done.output + "".join(told) + str(done.found)


def test_a_level_can_be_set_for_a_run(run: Runner) -> None:
    def program() -> None:
        redis("redis")
        Worker("engine", {"image": "engine"})

    done = run(program, set_levels={"stateful-has-backup": "advisory", "service-has-slos": "advisory"})
    assert done.succeeded
    assert re.search(r"\[advisory\].*stateful-has-backup", done.output)
    assert "Worker engine: it declares no SLO (slos)." in done.output
    assert [finding.subject for finding in done.rule("service-has-slos").of(Outcome.FAIL)] == ["Worker engine"]


def test_objectives_count_only_where_prometheus_is_given_their_rules(run: Runner) -> None:
    declared = {"name": "mail-delivery", "objective": 0.95, "window_days": 30}
    groups = [
        {
            "name": "slo",
            "rules": [
                {"record": "slo:error_budget:ratio", "expr": "vector(0.05)", "labels": {"slo": declared["name"]}},
                {"alert": "SLOBurnsFast", "expr": "slo:burn:ratio1h > 14.4"},
            ],
        }
    ]

    def program(label: str) -> None:
        monitoring("Prometheus", {}, {"ruleSelector": {"matchLabels": {"tier": "shop"}}})
        monitoring("PrometheusRule", {"tier": label}, {"groups": groups})
        Worker("mail", {"slos": [declared]})

    watched = run(lambda: program("shop"))
    assert watched.succeeded, watched.output
    assert [finding.subject for finding in watched.rule("service-has-slos").of(Outcome.PASS)] == ["Worker mail"]
    unwatched = run(lambda: program("other"))
    assert not unwatched.succeeded
    assert (
        "Worker mail: nothing evaluates its SLO mail-delivery: PrometheusRule shop/prometheusrule" in unwatched.output
    )


def test_results_that_cannot_be_written_fail_the_run(run: Runner) -> None:
    done = run(lambda: redis("redis", {REASON: "refilled"}) and None, written="/proc/none/results.json")
    assert not done.succeeded
    assert "The policy results cannot be written: [Errno 2]" in done.output


def test_a_program_that_fails_leaves_no_results_of_the_run_before(run: Runner) -> None:
    def fails() -> None:
        raise RuntimeError("broken")

    assert run(lambda: redis("redis", {REASON: "refilled"}) and None).found is not None
    done = run(fails)
    assert not done.succeeded
    assert done.found is None
