"""Everything that watches an environment: metrics, alerts, dashboards, logs and traces."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.labels import labels
from components.observability import (
    alertmanager,
    alloy,
    exporters,
    grafana,
    loki,
    object_store,
    pipeline,
    prometheus,
    remote_write,
    tempo,
)
from components.observability.alert import Alert, Recording, rule_groups
from components.observability.alertmanager import AlertmanagerArgs, declare_alertmanager, sealed_contacts
from components.observability.alerts import MONITORING, NODES, PODS, PROBES, VOLUMES, rules_missing, targets_missing
from components.observability.alloy import CollectorArgs, declare_alloy
from components.observability.exporters import declare_kube_state_metrics, declare_probes
from components.observability.grafana import GrafanaArgs, declare_grafana
from components.observability.log_alerts import LOG_ALERTS
from components.observability.loki import LogsArgs, declare_loki
from components.observability.monitors import Target, declare_monitor
from components.observability.prometheus import PrometheusArgs, declare_prometheus
from components.observability.sampling import slow_seconds
from components.observability.telemetry_alerts import TELEMETRY
from components.observability.tempo import TracesArgs, declare_tempo
from components.slo.alerts import EXHAUSTED, FAST, SLOW, WITHOUT_DATA
from components.slo.objective import Slo
from components.slo.rules import rules as slo_rules

SLO_ALERTS = (FAST, SLOW, EXHAUSTED, WITHOUT_DATA)


class ObservabilityArgs(TypedDict):
    """What watching an environment takes."""

    namespace: str
    """Namespace that is watched, and in which what watches runs."""
    environment: str
    """Name of the environment, on every alert and message."""
    owner: str
    """Who answers for the alerts, e.g. `platform`: the label `owner`."""
    runbooks: str
    """URL below which the runbook pages stand, e.g. `https://github.com/acme/shop/blob/main/docs/runbooks`."""
    targets: Sequence[Target]
    """What has metrics: from the rooms of what is declared."""
    alerts: Mapping[str, Sequence[Alert]]
    """Name of a group -> its alerts: from the rooms of what is declared."""
    recordings: NotRequired[Mapping[str, Sequence[Recording]]]
    """Name of a group -> series that its alerts ask for and no exporter shows. Default: none."""
    slos: NotRequired[Sequence[Slo]]
    """What is promised: from the rooms of what is declared. Default: nothing."""
    dashboards: NotRequired[str]
    """URL of Grafana, to which alerts link. Default: they have no link to a dashboard."""
    public_hosts: NotRequired[Sequence[str]]
    """HTTPS URLs that are asked every 5 minutes. Default: none."""
    prometheus: PrometheusArgs
    """The metrics server."""
    alertmanager: AlertmanagerArgs
    """Who is told of alerts, and by what."""
    logs: LogsArgs
    """The logs of all pods, and of other namespaces where some are named."""
    traces: TracesArgs
    """The requests through the product, span by span."""
    collector: CollectorArgs
    """What brings logs and traces there."""
    grafana: GrafanaArgs
    """The dashboards."""


class Observability(pulumi.ComponentResource):
    """Prometheus, Alertmanager, rules, monitors and exporters; Alloy, Loki and Tempo; Grafana."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mainstay:index:Observability", name, cast(pulumi.Inputs, _sealed(args)), opts)
        namespace, environment, hosts = args["namespace"], args["environment"], args.get("public_hosts", [])
        targets = [*args["targets"], *OWN_TARGETS]
        for target in targets:
            declare_monitor(target, namespace, self)
        declare_kube_state_metrics(namespace, self)
        reached = targets
        if hosts:
            declare_probes(hosts, namespace, self)
            reached = [*targets, exporters.BLACKBOX_TARGET]
        for name, groups in rule_files(args).items():
            kubernetes.apiextensions.CustomResource(
                f"rules-{name}",
                api_version="monitoring.coreos.com/v1",
                kind="PrometheusRule",
                metadata={"name": name, "namespace": namespace, "labels": labels(name, "alerts")},
                spec={"groups": groups},
                opts=pulumi.ResourceOptions(parent=self),
            )
        declare_alertmanager(args["alertmanager"], namespace, environment, self)
        declare_prometheus(args["prometheus"], namespace, environment, reached, self)
        collector, reader = alloy.TARGET["pod_labels"], grafana.TARGET["pod_labels"]
        declare_loki(args["logs"], log_rules(args), collector, reader, namespace, environment, self)
        declare_tempo(args["traces"], collector, reader, namespace, self)
        others, slow = args["logs"]["namespaces"], slow_seconds(args.get("slos", ()))
        config = pipeline.configuration([namespace, *others], environment, args["traces"]["share"], slow)
        declare_alloy(args["collector"], config, others, namespace, self)
        declare_grafana(args["grafana"], namespace, self)
        self.register_outputs({})


OWN_TARGETS: tuple[Target, ...] = (
    prometheus.TARGET,
    alertmanager.TARGET,
    exporters.KUBE_STATE_TARGET,
    loki.TARGET,
    tempo.TARGET,
    alloy.TARGET,
    grafana.TARGET,
)
"""What watches is watched too."""


def rule_files(args: ObservabilityArgs) -> dict[str, list[dict[str, Any]]]:
    """Name of a PrometheusRule -> its groups: one a group of alerts, one for each service's SLOs, one for all SLOs."""
    links = (*_links(args), args["alertmanager"].get("escalation", ()))
    files = {group["name"]: [group] for group in rule_groups(_alerts(args), args["owner"], *links)}
    for name, recorded in args.get("recordings", {}).items():
        (group,) = files[name]
        group["rules"] = [*(dict(each) for each in recorded), *group["rules"]]
    promised = args.get("slos", ())
    services = {f"slo-{slo.name}": slo.service for slo in promised}
    for group in slo_rules(promised, *links):
        service = services.get(group["name"])
        files.setdefault(f"slos-{service}" if service else "slos", []).append(group)
    return files


def log_rules(args: ObservabilityArgs) -> str:
    """The file of rules that Loki evaluates."""
    groups = rule_groups({"logs": LOG_ALERTS}, args["owner"], *_links(args))
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def _links(args: ObservabilityArgs) -> tuple[str, str | None]:
    return args["runbooks"], args.get("dashboards")


def all_alerts(args: ObservabilityArgs) -> dict[str, Sequence[Alert]]:
    """Group -> alerts, those of this room, of logs and of SLOs included."""
    return {**_alerts(args), "logs": LOG_ALERTS, **({"slos": SLO_ALERTS} if args.get("slos") else {})}


def _alerts(args: ObservabilityArgs) -> dict[str, Sequence[Alert]]:
    jobs = [*(target["name"] for target in [*args["targets"], *OWN_TARGETS]), *prometheus.NODE_PATHS]
    own = {"pods": PODS, "volumes": VOLUMES, "nodes": NODES, "telemetry": TELEMETRY}
    if args.get("public_hosts"):
        own["probes"] = PROBES
    groups = {**args["alerts"], **own}
    count = len(groups) + 1 + len(slo_rules(args.get("slos", ()), args["runbooks"]))
    return {**groups, "monitoring": [*MONITORING, targets_missing(jobs), rules_missing(count)]}


def _sealed(args: ObservabilityArgs) -> dict[str, object]:
    """The args as they are registered, contacts and keys secret from their entry on."""
    metrics = args["prometheus"]
    if "remote_write" in metrics:
        metrics = {**metrics, "remote_write": remote_write.sealed(metrics["remote_write"])}
    return {
        **args,
        "prometheus": metrics,
        "logs": {**args["logs"], "store": object_store.sealed(args["logs"]["store"])},
        "traces": {**args["traces"], "store": object_store.sealed(args["traces"]["store"])},
        "alertmanager": {
            **args["alertmanager"],
            "contacts": sealed_contacts(args["alertmanager"]["contacts"]),
        },
        "grafana": {**args["grafana"], "admin_password": pulumi.Output.secret(args["grafana"]["admin_password"])},
    }
