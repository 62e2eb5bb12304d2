"""The alerts on SLOs: the same few for all of them, whatever their number.

The arithmetic reads the recorded series of all SLOs at once, joined by the label `slo` with the inventory
`slo:error_budget:ratio`, which lends the labels `service` and `owner`.
"""

from components.observability.alert import Alert, Severity
from components.slo.objective import FASTEST

MINUTES_OF_AN_INCREASE = 5
"""An increase over five minutes is recorded each minute, so that a sum of them counts every event five times."""
PAGES = (Severity.P0, Severity.P1)
"""How urgent a page may be; the SLO says which of them it is."""
BURN_WINDOWS = {"fast": ("5m", "30m", "1h", "6h"), "slow": ("2h", "1d", "3d")}
"""Windows of the recorded burn rates: those for pages, and those that may be minutes old."""

# Burn rates of the SRE workbook. A 28-day budget is 7 % smaller than that of 30 days; the rates stay, and what has been
# spent when they alert is 2.1 % instead of 2 %.
_FAST = (("1h", "5m", FASTEST), ("6h", "30m", 6.0))
_SLOW = (("1d", "2h", 3.0), ("3d", "6h", 1.0))


def _burns(pairs: tuple[tuple[str, str, float], ...]) -> str:
    """Both windows burn, and the long one has seen more bad events than bad luck brings."""
    return "\nor\n".join(
        f"(\n  slo:burn:ratio{long} > {factor:g} and slo:burn:ratio{short} > {factor:g}\n"
        f"  and on (slo) sum_over_time(slo:bad:increase5m[{long}]) / {MINUTES_OF_AN_INCREASE}"
        " >= on (slo) slo:bad:minimum\n)"
        for long, short, factor in pairs
    )


def _unwanted(metric: str, kind: str) -> str:
    """Workloads that are meant to have no replica: then there is nothing to count, and that is right."""
    return f'label_replace({metric} == 0, "workload", "{kind}/$1", "{kind.lower()}", "(.+)")'


_LEFT = (
    "{{ with printf \"slo:budget_left:ratio{slo='%s'}\" $labels.slo | query }}"
    "{{ . | first | value | humanizePercentage }}{{ else }}An unknown share{{ end }}"
    " of the error budget of {{ $labels.window }} is left."
)

FAST: Alert = {
    "name": "SLOBurnsFast",
    "expr": _burns(_FAST),
    "for_": "0m",
    "severity": Severity.P0,
    "owner": "{{ $labels.owner }}",
    "service": "{{ $labels.service }}",
    "summary": "{{ $labels.slo }} burns its error budget {{ $value | humanize }} times too fast.",
    "description": _LEFT,
    "dashboard": "slo-detail?var-slo={{ $labels.slo }}",
    "runbook": """\
## Meaning
So much more goes wrong than was promised that the budget of a month is gone within two to five days: within the last
hour and the last five minutes, or within six hours and the last half-hour. The severity is the
one that the SLO asks for.

## Impact
Users notice.

## First checks
1. Dashboard "SLO": since when? Do the other SLOs of this service suffer too?
2. Is another alert of this service, or of a database it needs, firing? Mend that first.
3. Does it say that nothing is counted at all, while replicas are wanted? Then the service is gone:
   `kubectl get pods -l app.kubernetes.io/name=<service>`.

## Mitigation
1. Deployed within the last hour? Roll back: `kubectl rollout undo deployment/<service>`, then the same in git.
2. Nothing of the kind: the service's logs and traces of failing requests name the cause.
""",
}
"""One rule for each of PAGES: there, `severity` is the SLO's own."""

SLOW: Alert = {
    "name": "SLOBurnsSlowly",
    "expr": _burns(_SLOW),
    "for_": "0m",
    "severity": Severity.P2,
    "owner": "{{ $labels.owner }}",
    "service": "{{ $labels.service }}",
    "summary": "{{ $labels.slo }} has burnt its error budget {{ $value | humanize }} times too fast for hours.",
    "description": _LEFT,
    "dashboard": "slo-detail?var-slo={{ $labels.slo }}",
    "runbook": """\
## Meaning
A small share of events goes wrong all the time: the budget will not last for its window.

## Impact
A few users are hit again and again. If nothing is done, risky changes are frozen before the window ends.

## First checks
1. Dashboard "SLO": when did it begin? Compare with releases and with changes of traffic.
2. Group the failures by route, tenant or replica: mostly one of them is to blame.

## Mitigation
1. Take back the release that began it, or mend the one route.
2. Nothing to mend? Then the promise is too high: agree on another objective with the owner.
""",
}

EXHAUSTED: Alert = {
    "name": "SLOBudgetExhausted",
    "expr": "slo:budget_left:ratio <= 0\n  and on (slo) slo:bad:events >= on (slo) slo:bad:minimum",
    "for_": "0m",
    "severity": Severity.P2,
    "owner": "{{ $labels.owner }}",
    "service": "{{ $labels.service }}",
    "summary": "{{ $labels.slo }} has no error budget left.",
    "description": "{{ $value | humanizePercentage }} of the error budget of {{ $labels.window }} is left.",
    "dashboard": "slo-detail?var-slo={{ $labels.slo }}",
    "runbook": """\
## Meaning
The promise of this window is broken.

## Impact
By the error-budget policy risky changes wait until the budget recovers.

## First checks
1. What spent it? Dashboard "SLO" over the whole window, and the postmortems of its incidents.
2. Is it still burning (SLOBurnsFast, SLOBurnsSlowly)? Mend that first.

## Mitigation
1. Put the work that prevents these failures before features.
2. The budget recovers as the bad days leave the window.
""",
}

WITHOUT_DATA: Alert = {
    "name": "SLOWithoutData",
    "expr": (
        "slo:error_budget:ratio\n"
        "unless on (slo) count_over_time(slo:total:increase5m[10m])\n"
        f"unless on (workload) {_unwanted('kube_deployment_spec_replicas', 'Deployment')}\n"
        f"unless on (workload) {_unwanted('kube_statefulset_replicas', 'StatefulSet')}"
    ),
    "for_": "1h",
    "severity": Severity.P2,
    "owner": "{{ $labels.owner }}",
    "service": "{{ $labels.service }}",
    "summary": "Nothing has been counted for {{ $labels.slo }} within an hour.",
    "description": "The series slo:total:increase5m has had no sample for an hour, though replicas are wanted.",
    "dashboard": "slo-detail?var-slo={{ $labels.slo }}",
    "runbook": """\
## Meaning
The promise is not watched: its metric is misspelt, renamed, or no longer scraped. No traffic is not the cause, since a
counter that stands still counts as nothing bad; but a service that has not had a single request since its start has no
counter yet.

## Impact
None for users. If the service failed now, nobody would be called by this SLO.

## First checks
1. The rule `slo:total:increase5m` of this SLO names its metrics; ask Prometheus for them: which is missing?
2. Is TargetDown or TargetsMissing firing? Mend that first.

## Mitigation
1. Renamed in a release: change the SLO beside the service, and deploy.
2. New, and no request yet: send one.
""",
}

ALERTS: list[Alert] = [FAST, SLOW, EXHAUSTED, WITHOUT_DATA]
