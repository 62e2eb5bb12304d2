"""Stacks to judge: good resources, and copies of them with one thing changed."""

import copy
from datetime import date
from typing import Any

from policies.evaluation import evaluate
from policies.facts import Facts
from policies.model import Finding, Rule
from policies.stack import Resource, Stack
from policies.values import Plain

Props = dict[str, Any]

EMPTY: dict[str, Any] = {}
GONE = object()
"""As a new value: the member is removed."""

TYPES = {
    "Cluster": "kubernetes:postgresql.cnpg.io/v1:Cluster",
    "ScheduledBackup": "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup",
    "ObjectStore": "kubernetes:barmancloud.cnpg.io/v1:ObjectStore",
    "Prometheus": "kubernetes:monitoring.coreos.com/v1:Prometheus",
    "PrometheusRule": "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
    "Deployment": "kubernetes:apps/v1:Deployment",
    "StatefulSet": "kubernetes:apps/v1:StatefulSet",
    "DaemonSet": "kubernetes:apps/v1:DaemonSet",
    "ReplicaSet": "kubernetes:apps/v1:ReplicaSet",
    "Job": "kubernetes:batch/v1:Job",
    "CronJob": "kubernetes:batch/v1:CronJob",
    "Secret": "kubernetes:core/v1:Secret",
    "Service": "kubernetes:core/v1:Service",
    "Stack": "pulumi:pulumi:Stack",
    "HttpService": "mainstay:index:HttpService",
    "Worker": "mainstay:index:Worker",
    "Redis": "mainstay:index:Redis",
    "Pod": "kubernetes:core/v1:Pod",
    "Namespace": "kubernetes:core/v1:Namespace",
    "ResourceQuota": "kubernetes:core/v1:ResourceQuota",
    "LimitRange": "kubernetes:core/v1:LimitRange",
    "PodDisruptionBudget": "kubernetes:policy/v1:PodDisruptionBudget",
    "HorizontalPodAutoscaler": "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    "ScaledObject": "kubernetes:keda.sh/v1alpha1:ScaledObject",
    "ScaledJob": "kubernetes:keda.sh/v1alpha1:ScaledJob",
    "Rollout": "kubernetes:argoproj.io/v1alpha1:Rollout",
    "Pooler": "kubernetes:postgresql.cnpg.io/v1:Pooler",
    "ClusterRole": "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
    "ClusterRoleBinding": "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    "Role": "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "RoleBinding": "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "HTTPRoute": "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
    "Alertmanager": "kubernetes:monitoring.coreos.com/v1:Alertmanager",
    "PrometheusAgent": "kubernetes:monitoring.coreos.com/v1alpha1:PrometheusAgent",
    "ThanosRuler": "kubernetes:monitoring.coreos.com/v1:ThanosRuler",
    "RepositoryEnvironment": "github:index/repositoryEnvironment:RepositoryEnvironment",
    "DeploymentPolicy": "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy",
    "RepositoryRuleset": "github:index/repositoryRuleset:RepositoryRuleset",
    "OrganizationRuleset": "github:index/organizationRuleset:OrganizationRuleset",
    "BranchProtection": "github:index/branchProtection:BranchProtection",
    "BranchProtectionV3": "github:index/branchProtectionV3:BranchProtectionV3",
    "BranchDefault": "github:index/branchDefault:BranchDefault",
    "Repository": "github:index/repository:Repository",
    "PodMonitor": "kubernetes:monitoring.coreos.com/v1:PodMonitor",
    "ServiceMonitor": "kubernetes:monitoring.coreos.com/v1:ServiceMonitor",
    "Probe": "kubernetes:monitoring.coreos.com/v1:Probe",
    "ConfigMap": "kubernetes:core/v1:ConfigMap",
    "NetworkPolicy": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "Postgres": "mainstay:index:Postgres",
    "Keycloak": "mainstay:index:Keycloak",
    "PodTemplate": "kubernetes:core/v1:PodTemplate",
    "ReplicationController": "kubernetes:core/v1:ReplicationController",
    "ServiceAccount": "kubernetes:core/v1:ServiceAccount",
}


def urn(kind: str, name: str) -> str:
    """URN of a resource of one of the `TYPES`."""
    return f"urn:pulumi:staging::shop::{TYPES[kind]}::{name}"


def resource(kind: str, name: str = "main", props: Props | None = None) -> Resource:
    """A resource of one of the `TYPES`; its object is called as it is and stands in namespace `shop`."""
    metadata: dict[str, Plain] = {"name": name, "namespace": "shop"}
    defaults: dict[str, Plain] = {"metadata": metadata} if TYPES[kind].startswith("kubernetes:") else {}
    return Resource(urn(kind, name), TYPES[kind], name, {**defaults, **(props or {})})


def changed(original: Resource, path: str, value: object) -> Resource:
    """A copy with the value at a dotted path set (numbers index lists) or, if it is `GONE`, removed."""
    props: Any = copy.deepcopy(dict(original.props))
    target: Any = props
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in parents:
        target = target[key]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return Resource(original.urn, original.type, original.name, props)


def patch(original: Resource) -> Resource:
    """The same as a patch of an object that is not at hand."""
    return Resource(original.urn, f"{original.type}Patch", original.name, original.props, partial=True)


def judged(rule: Rule, *resources: Resource, facts: Facts | None = None) -> dict[str, Finding]:
    """What a rule finds in a stack, by `Kind/name`."""
    (result,) = evaluate([rule], Stack(resources, facts))
    return {"/".join(finding.urn.split(":")[-3::2]): finding for finding in result.findings}


def workload(kind: str = "Deployment", name: str = "api", pod: Props | None = None, **spec: object) -> Resource:
    """One of Kubernetes' kinds, whose pods have the label `app` with its name and one container `main`."""
    spec_of_pod = pod or {"containers": [{"name": "main"}]}
    template: Props = {"metadata": {"labels": {"app": name}}, "spec": spec_of_pod}
    match kind:
        case "Pod":
            metadata = {"name": name, "namespace": "shop", "labels": {"app": name}}
            return resource(kind, name, {"metadata": metadata, "spec": spec_of_pod})
        case "CronJob":
            return resource(kind, name, {"spec": {"jobTemplate": {"spec": {"template": template, **spec}}}})
        case "ScaledJob":
            return resource(kind, name, {"spec": {"jobTargetRef": {"template": template}, **spec}})
        case _:
            return resource(kind, name, {"spec": {"template": template, **spec}})


def exemption_entry(**changes: object) -> dict[str, object]:
    """An entry of the register that is in order in November 2026, as its file has it."""
    return {
        "id": "EX-1",
        "stack": "staging",
        "rule": "a-rule",
        "resource": "Service shop/main",
        "reason": "known and accepted",
        "owner": "platform",
        "approver": "ana",
        "created": date(2026, 11, 1),
        "expires": date(2026, 12, 1),
        "ticket": "OPS-1",
        "compensatingControl": "looked at by hand",
        **changes,
    }
