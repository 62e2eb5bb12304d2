"""Production with one thing broken at a time: a small library of mutations over what it really declares, and the list.

A mutation changes the objects of a stack by their subjects, `Deployment shop-prod/api`; a path names a value, list
elements by index or by name: `spec.template.spec.containers.api.image`.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from policies.stack import Resource

Objects = dict[str, Resource]
Mutation = Callable[[Objects], None]

NS = "shop-prod"


class Defect(NamedTuple):
    """One thing that is wrong."""

    what: str
    rule: str
    """The rule that must catch it, and no other."""
    break_it: Mutation


def put(subject: str, path: str, value: object) -> Mutation:
    """The value at a path is another; None removes it."""

    def change(objects: Objects) -> None:
        props: Any = copy.deepcopy(dict(objects[subject].props))
        *parents, last = path.split(".")
        target = props
        for key in parents:
            target = _below(target, key)
        key = _index(target, last)
        if value is None:
            del target[key]
        else:
            target[key] = value
        objects[subject] = _with(objects[subject], props)

    return change


def edit(subject: str, path: str, how: Callable[[Any], Any]) -> Mutation:
    """The value at a path is what `how` makes of it."""

    def change(objects: Objects) -> None:
        value: Any = objects[subject].props
        for key in path.split("."):
            value = _below(value, key)
        put(subject, path, how(copy.deepcopy(value)))(objects)

    return change


def replaced(old: str, new: str) -> Callable[[Any], Any]:
    """A text with another text in place of one that is there."""

    def change(text: str) -> str:
        assert old in text, f"{old!r} is not there"
        return text.replace(old, new)

    return change


def remove(subject: str) -> Mutation:
    """The object is not there."""
    return lambda objects: _pop(objects, subject)


def add(type_token: str, name: str, props: dict[str, Any]) -> Mutation:
    """There is one more object."""

    def change(objects: Objects) -> None:
        metadata = {"name": name, "namespace": NS, **props.get("metadata", {})}
        made = Resource(
            f"urn:pulumi:prod::mainstay::{type_token}::{name}", type_token, name, {**props, "metadata": metadata}
        )
        objects[made.subject] = made

    return change


def all_of(*mutations: Mutation) -> Mutation:
    """Several at once, which are one defect."""

    def change(objects: Objects) -> None:
        for mutation in mutations:
            mutation(objects)

    return change


def broken(resources: tuple[Resource, ...], mutation: Mutation) -> list[Resource]:
    """The resources with one defect."""
    objects = {each.subject: each for each in resources}
    assert len(objects) == len(resources)
    mutation(objects)
    return list(objects.values())


def _pop(objects: Objects, subject: str) -> None:
    del objects[subject]


def _below(value: Any, key: str) -> Any:
    return value[_index(value, key)]


def _index(value: Any, key: str) -> Any:
    if not isinstance(value, list):
        return key.replace("~", ".")
    names = [cast(dict[str, Any], each).get("name") if isinstance(each, dict) else None for each in cast(Any, value)]
    return names.index(key) if key in names else int(key)


def _with(resource: Resource, props: dict[str, Any]) -> Resource:
    return Resource(resource.urn, resource.type, resource.name, props, resource.partial)


def everywhere(old: str, new: str) -> Callable[[Any], Any]:
    """In all expressions of rule groups a text is another; it must be in one at least."""

    def change(groups: Any) -> Any:
        rules = [rule for group in groups for rule in group["rules"]]
        assert any(old in rule["expr"] for rule in rules), f"{old!r} is not there"
        for rule in rules:
            rule["expr"] = rule["expr"].replace(old, new)
        return groups

    return change


def every_alert(section: str, key: str, value: str) -> Callable[[Any], Any]:
    """A label or an annotation of all alerts of rule groups is another."""

    def change(groups: Any) -> Any:
        for group in groups:
            for rule in group["rules"]:
                if "alert" in rule:
                    rule[section][key] = value
        return groups

    return change


def without(key: str) -> Callable[[Any], Any]:
    """A member is not there."""

    def change(members: Any) -> Any:
        assert key in members, f"{key!r} is not there: {list(members)}"
        return {name: value for name, value in members.items() if name != key}

    return change


def without_name(name: str) -> Callable[[Any], Any]:
    """A list has no entry of this name."""

    def change(entries: Any) -> Any:
        assert any(each["name"] == name for each in entries), f"{name!r} is not there"
        return [each for each in entries if each["name"] != name]

    return change


MAIN, STORE = f"Cluster {NS}/postgres-main", f"ObjectStore {NS}/postgres-main"
SCHEDULE = f"ScheduledBackup {NS}/postgres-main"
API, KEYCLOAK, REDIS = f"Deployment {NS}/api", f"StatefulSet {NS}/keycloak", f"StatefulSet {NS}/redis-queue"
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.api"
PROMETHEUS, ALERTMANAGER = f"Prometheus {NS}/prometheus", f"Alertmanager {NS}/alertmanager"
SECRET_TYPE = "kubernetes:core/v1:Secret"


def liveness_as_readiness(objects: Objects) -> None:
    """The api's liveness probe is its readiness probe."""
    container: Any = objects[API].props["spec"]
    for key in ("template", "spec", "containers", "api"):
        container = _below(container, key)
    put(API, f"{CONTAINER}.livenessProbe", copy.deepcopy(container["readinessProbe"]))(objects)


def only_settings(files: Any) -> Any:
    """Grafana's files without any dashboard."""
    return {name: text for name, text in files.items() if not name.endswith(".json")}


DEFECTS = (
    # Backups
    Defect("the schedule is gone", "stateful-has-backup", remove(SCHEDULE)),
    Defect("the schedule is suspended", "rpo-met", put(SCHEDULE, "spec.suspend", True)),
    Defect("the backup goes around the plugin", "rpo-met", put(SCHEDULE, "spec.method", "barmanObjectStore")),
    Defect("the database names no plugin", "stateful-has-backup", put(MAIN, "spec.plugins", [])),
    Defect("the plugin is off", "stateful-has-backup", put(MAIN, "spec.plugins.0.enabled", False)),
    Defect("the store is not there", "stateful-has-backup", remove(STORE)),
    Defect("a volume's excuse is gone", "stateful-has-backup", put(REDIS, "metadata.annotations", {})),
    Defect("backups on weekdays only", "rpo-met", put(SCHEDULE, "spec.schedule", "0 0 3 * * 1-5")),
    Defect("a schedule of five fields", "rpo-met", put(SCHEDULE, "spec.schedule", "0 3 * * *")),
    Defect("29 days", "retention-30d", put(STORE, "spec.retentionPolicy", "29d")),
    Defect("four weeks are 28 days", "retention-30d", put(STORE, "spec.retentionPolicy", "4w")),
    Defect("nothing says how long", "retention-30d", put(STORE, "spec.retentionPolicy", None)),
    Defect("the log is not archived", "pitr-wal-enabled", put(MAIN, "spec.plugins.0.isWALArchiver", False)),
    Defect(
        "the copy is in the same account",
        "backup-3-2-1",
        put(STORE, "metadata.annotations.mainstay~dev/offsite-account", "111111111111"),
    ),
    Defect(
        "the copy is the bucket itself",
        "backup-3-2-1",
        put(STORE, "metadata.annotations.mainstay~dev/offsite-destination", "s3://shop-prod-backups/copy"),
    ),
    Defect("no copy at all", "backup-3-2-1", put(STORE, "metadata.annotations", {})),
    # Health
    Defect("no readiness probe", "probes-present", put(API, f"{CONTAINER}.readinessProbe", None)),
    Defect("no liveness probe", "probes-present", put(API, f"{CONTAINER}.livenessProbe", None)),
    Defect(
        "a sidecar without probes",
        "probes-present",
        put(
            API,
            f"{POD}.initContainers",
            [
                {
                    "name": "proxy",
                    "image": "registry.example/proxy:1@sha256:" + "a" * 64,
                    "restartPolicy": "Always",
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
                }
            ],
        ),
    ),
    Defect(
        "a probe of a port that is not there",
        "probes-present",
        put(API, f"{CONTAINER}.livenessProbe.httpGet.port", "nowhere"),
    ),
    Defect("liveness asks what readiness asks", "liveness-not-readiness", liveness_as_readiness),
    Defect(
        "no time to start",
        "startup-probe-for-slow-starters",
        put(KEYCLOAK, f"{POD}.containers.keycloak.startupProbe.failureThreshold", 1),
    ),
    Defect("no disruption budget", "pdb-matches", remove(f"PodDisruptionBudget {NS}/api")),
    Defect(
        "a budget for other pods",
        "pdb-matches",
        put(f"PodDisruptionBudget {NS}/api", "spec.selector.matchLabels", {"app": "x"}),
    ),
    Defect(
        "a budget that lets nothing go", "pdb-matches", put(f"PodDisruptionBudget {NS}/api", "spec.maxUnavailable", 0)
    ),
    Defect("killed before it has drained", "graceful-shutdown", put(API, f"{POD}.terminationGracePeriodSeconds", 5)),
    Defect("all replicas on one node", "replicas-spread", put(API, f"{POD}.topologySpreadConstraints", [])),
    Defect("two instances", "database-replicated", put(MAIN, "spec.instances", 2)),
    Defect("superuser access", "database-protected", put(MAIN, "spec.enableSuperuserAccess", True)),
    # Capacity
    Defect("no memory limit", "requests-limits", put(API, f"{CONTAINER}.resources.limits", None)),
    Defect("no request", "requests-limits", put(API, f"{CONTAINER}.resources.requests", None)),
    Defect("a database without requests", "requests-limits", put(MAIN, "spec.resources", None)),
    Defect("no quota", "namespace-quota", remove(f"ResourceQuota {NS}/quota")),
    Defect(
        "an autoscaler of nothing",
        "autoscaler-valid",
        add(
            "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
            "api",
            {
                "spec": {
                    "minReplicas": 2,
                    "maxReplicas": 4,
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "apii"},
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                        }
                    ],
                }
            },
        ),
    ),
    Defect(
        "two of a single one",
        "singleton-really-single",
        put(f"Deployment {NS}/engine-worker", "spec.strategy", {"type": "RollingUpdate"}),
    ),
    # Delivery
    Defect("nobody approves", "environment-protection", put("RepositoryEnvironment github", "reviewers", [])),
    Defect(
        "administrators pass",
        "environment-protection",
        put("RepositoryEnvironment github", "canAdminsBypass", True),
    ),
    Defect(
        "a ruleset that only looks",
        "branch-protection",
        put("RepositoryRuleset github-ruleset", "enforcement", "evaluate"),
    ),
    Defect(
        "force pushes are allowed",
        "branch-protection",
        edit("RepositoryRuleset github-ruleset", "rules", without("nonFastForward")),
    ),
    Defect(
        "no check is required",
        "required-checks",
        edit("RepositoryRuleset github-ruleset", "rules", without("requiredStatusChecks")),
    ),
    # SLOs and alerts
    Defect("a service promises nothing", "service-has-slos", put("HttpService api", "slos", [])),
    Defect("nothing records the SLOs of the api", "service-has-slos", remove(f"PrometheusRule {NS}/slos-api")),
    Defect(
        "both windows are the short one",
        "burn-alert-multiwindow",
        edit(f"PrometheusRule {NS}/slos", "spec.groups", everywhere("slo:burn:ratio1h", "slo:burn:ratio5m")),
    ),
    Defect(
        "a factor that no outage reaches",
        "burn-alert-multiwindow",
        edit(f"PrometheusRule {NS}/slos", "spec.groups", everywhere("> 14.4", "> 14400")),
    ),
    Defect(
        "nobody owns an alert",
        "alert-metadata",
        edit(f"PrometheusRule {NS}/redis", "spec.groups", every_alert("labels", "owner", "")),
    ),
    Defect(
        "a runbook that is no address",
        "alert-metadata",
        edit(f"PrometheusRule {NS}/redis", "spec.groups", every_alert("annotations", "runbook_url", "see the wiki")),
    ),
    Defect(
        "an urgent alert ends at nobody",
        "alert-routed",
        edit(
            f"Secret {NS}/alertmanager",
            "stringData.alertmanager~yaml",
            replaced("- name: people-p0", "- name: people-p0\n- name: other"),
        ),
    ),
    Defect(
        "the heartbeat is gone",
        "dead-man-switch",
        edit(f"PrometheusRule {NS}/monitoring", "spec.groups", everywhere("vector(1)", "vector(1) > 2")),
    ),
    # Observability
    Defect(
        "the collector is gone",
        "logs-shipped",
        edit(
            f"ConfigMap {NS}/alloy",
            "data.config~alloy",
            replaced("http://loki:3100/loki/api/v1/push", "http://lokki:3100/loki/api/v1/push"),
        ),
    ),
    Defect(
        "logs go after a week",
        "log-retention",
        edit(f"ConfigMap {NS}/loki", "data.loki~yaml", replaced("retention_period: 90d", "retention_period: 7d")),
    ),
    Defect(
        "nothing deletes old logs",
        "log-retention",
        edit(f"ConfigMap {NS}/loki", "data.loki~yaml", replaced("retention_enabled: true", "retention_enabled: false")),
    ),
    Defect("metrics for a week", "retention-covers-slo", put(PROMETHEUS, "spec.retention", "7d")),
    Defect(
        "a monitor that nobody looks at",
        "metrics-scraped",
        put(f"PodMonitor {NS}/tempo", "metadata.labels", {"app": "api"}),
    ),
    Defect(
        "a monitor of another port",
        "metrics-scraped",
        put(f"PodMonitor {NS}/tempo", "spec.podMetricsEndpoints.0.port", "nowhere"),
    ),
    Defect(
        "no traces of the api",
        "traces-exported",
        edit(API, f"{CONTAINER}.env", without_name("OTEL_EXPORTER_OTLP_ENDPOINT")),
    ),
    Defect("Grafana without dashboards", "dashboard-exists", edit(f"ConfigMap {NS}/grafana", "data", only_settings)),
    # Security
    Defect(
        "a privileged container", "pod-security-restricted", put(API, f"{CONTAINER}.securityContext.privileged", True)
    ),
    Defect(
        "capabilities are kept", "pod-security-restricted", put(API, f"{CONTAINER}.securityContext.capabilities", {})
    ),
    Defect("the host's network", "pod-security-restricted", put(API, f"{POD}.hostNetwork", True)),
    Defect("nothing is denied", "network-default-deny", remove(f"NetworkPolicy {NS}/default-deny")),
    Defect(
        "ingress alone is denied",
        "network-default-deny",
        put(f"NetworkPolicy {NS}/default-deny", "spec.policyTypes", ["Ingress"]),
    ),
    Defect("an image by its tag", "image-digest", put(API, f"{CONTAINER}.image", "registry.example/shop/api:1.4.2")),
    Defect(
        "a database's image by its tag",
        "image-digest",
        put(MAIN, "spec.imageName", "ghcr.io/cloudnative-pg/postgresql:17.6"),
    ),
    Defect(
        "a password in a variable",
        "no-plaintext-secret",
        edit(API, f"{CONTAINER}.env", lambda env: [*env, {"name": "DB_PASSWORD", "value": "hunter2hunter2"}]),
    ),
    Defect(
        "a password in a file",
        "no-plaintext-secret",
        put(f"ConfigMap {NS}/blackbox-exporter", "data.extra", "postgres://shop:hunter2hunter2@db/shop"),
    ),
    Defect(
        "a role that may do anything",
        "rbac-least-privilege",
        put(f"Role {NS}/prometheus", "rules", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
    ),
    Defect(
        "everybody is an administrator",
        "rbac-least-privilege",
        put(f"ClusterRoleBinding default/{NS}-kube-state-metrics", "roleRef.name", "cluster-admin"),
    ),
    # Meta
    Defect(
        "a chart nobody can look into",
        "inventory-complete",
        add("kubernetes:helm.sh/v3:Release", "redis", {"chart": "redis"}),
    ),
)
