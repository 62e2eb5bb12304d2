"""Alerts about what is declared and not there: nothing to read, or rules that are not loaded."""

from collections.abc import Sequence

from components.observability.alert import Alert, Severity


def rules_missing(groups: int) -> Alert:
    """prometheus-operator leaves out rules that it refuses, without a word. `groups`: how many are declared."""
    return {
        "name": "RulesMissing",
        "expr": f"count by (namespace, job, pod) (prometheus_rule_group_rules) < {groups}",
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} has not loaded all groups of rules: the alerts of the others cannot fire.",
        "description": f"{{{{ $value }}}} groups are loaded and {groups} are declared, for 10 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
prometheus-operator refused a PrometheusRule, somebody deleted one, or Prometheus did not take over the new files.

## Impact
The alerts of the missing groups cannot fire: nobody would be called.

## First checks
1. `kubectl get prometheusrules`: is one missing? Compare with `mainstay render <stack>`.
2. `kubectl get events --field-selector involvedObject.kind=PrometheusRule`: refused, and why?
3. `kubectl port-forward service/prometheus 9090`, then http://127.0.0.1:9090/rules: which groups are there?

## Mitigation
1. Missing in the cluster: deploy again (`mainstay up <stack>`).
2. Refused: take back the change of `components/*/alerts.py` that brought it; `make test-data` finds the fault.
3. There and not loaded: see ConfigurationNotLoaded; else `kubectl delete pod <pod>`.
""",
    }


def targets_missing(jobs: Sequence[str]) -> Alert:
    """Nothing to scrape at all is not `up == 0`: the series is gone. `jobs`: what the environment declares."""
    return {
        "name": "TargetsMissing",
        "expr": "\n  or ".join(f'absent(up{{job="{job}"}})' for job in sorted(jobs)),
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "Prometheus finds nothing of {{ $labels.job }} to read metrics from.",
        "description": "It is declared, and has had no target for 10 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Declared, and not there: no pod runs, or its labels or its port are not those of its monitor.

## Impact
Its alerts are blind; if no pod runs, what it serves is down.

## First checks
1. `kubectl get pods -l app.kubernetes.io/name=<job>`: none? Then that is the trouble.
2. `kubectl get podmonitor <job> -o yaml`: compare its labels and port name with a pod's.
3. `gateway`: `kubectl -n envoy-gateway-system get pods -l gateway.envoyproxy.io/owning-gateway-name=gateway`.
4. `kubelet…`: `kubectl get clusterrolebindings | grep prometheus`: they are found through a ClusterRole.

## Mitigation
1. No pods: deploy again (`mainstay up <stack>`); a database's pods and the gateway's come from an operator, whose log
   says why they do not.
2. The monitor does not fit: take back what changed labels or ports.
3. No permission: somebody deleted the ClusterRole; deploy again.
""",
    }
