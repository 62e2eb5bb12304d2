"""Whoever is called about a service or a database finds it on a dashboard: a query there selects its metrics."""

import re
from collections import defaultdict
from collections.abc import Mapping

from policies.dashboards import Shown, dashboards
from policies.model import Rule, Severity, Theme, Verdict
from policies.monitors import scraped
from policies.pods import DEPLOYMENT, STATEFUL_SET
from policies.promql import InvalidQuery, conditions, metric, parse, selectors
from policies.stack import Resource, Stack
from policies.targets import CLUSTER
from policies.values import Undecided
from policies.watching import everything

_OWNERS = ("HttpService", "Worker", "Redis", "Keycloak")
"""Components whose workloads are asked; the engine puts the types of a resource's parents into its URN."""
_EXPORTED = {CLUSTER: "cnpg_", "Redis": "redis_"}
"""What the metrics of a database begin with."""
_GENERAL = frozenset({"up"})
"""What Prometheus itself makes of every target shows nothing of it."""
_PART = re.compile(r"_(bucket|count|sum)$")


def _judge(resource: Resource, stack: Stack) -> Verdict | None:
    owner = _owner(resource)
    if not owner:
        return None
    found = stack.once(scraped)
    jobs = found.jobs.get(resource.urn, frozenset())
    if not jobs:
        return Verdict(undecided=found.unread[:1]) if found.unread else Verdict(("nothing reads its metrics",))
    on = stack.once(dashboards)
    if any(_shows(shown, job, owner, stack) for shown in on.shown for job in jobs):
        return Verdict()
    if on.unread:
        return Verdict(undecided=on.unread[:1])
    because = f" ({on.problems[0]})" if on.problems else ""
    names = ", ".join(sorted(jobs))
    return Verdict(
        (f"no query on a dashboard that a Grafana of this stack loads selects its metrics (job {names}){because}",)
    )


def _owner(resource: Resource) -> str:
    if resource.kind == CLUSTER:
        return CLUSTER
    if resource.kind not in (DEPLOYMENT, STATEFUL_SET):
        return ""
    return next((each for each in _OWNERS if f"mainstay:index:{each}$" in resource.urn), "")


def _shows(shown: Shown, job: str, owner: str, stack: Stack) -> bool:
    if shown.metric in _GENERAL or not shown.picks("job", job):
        return False
    prefix = _EXPORTED.get(owner)
    if prefix:
        return shown.metric.startswith(prefix)
    known = stack.once(_known).get(job)
    if known:
        return _PART.sub("", shown.metric) in known or shown.names("job", job)
    # Nothing says which metrics it has; a query that asks for jobs at all may be meant for it.
    return any(label == "job" for label, _, _ in shown.conditions)


def _known(stack: Stack) -> Mapping[str, set[str]]:
    """Job -> metrics that the stack's own rules read of it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for entry in stack.once(everything).entries:
        try:
            read = list(selectors(parse(entry.expression)))
        except (InvalidQuery, Undecided):
            continue
        for selector in read:
            for label, operator, value in conditions(selector):
                if (label, operator) == ("job", "=") and metric(selector) not in _GENERAL:
                    found[value].add(_PART.sub("", metric(selector)))
    return found


RULE = Rule(
    id="dashboard-exists",
    theme=Theme.OBSERVABILITY,
    title="Every service, worker and database is on a dashboard",
    why="An alert says that something is wrong. What it is, and since when, is seen on a dashboard, or guessed.",
    applies_to="workloads of HttpService, Worker, Redis and Keycloak; CloudNativePG clusters",
    severity=Severity.LOW,
    controls=("SOC 2 CC7.2", "ISO/IEC 27001:2022 8.16", "NIST 800-53 r5 SI-4", "NIST 800-53 r5 AU-6"),
    remediation="Add a panel whose query selects its job to a dashboard, and load that into the Grafana.",
    judge=_judge,
)
