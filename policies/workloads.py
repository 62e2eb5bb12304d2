"""Kubernetes' workloads: where their pods are described."""

from policies.model import Resource
from policies.values import Node

DEPLOYMENT = "apps/Deployment"
STATEFUL_SET = "apps/StatefulSet"
DAEMON_SET = "apps/DaemonSet"
REPLICA_SET = "apps/ReplicaSet"
JOB = "batch/Job"
CRON_JOB = "batch/CronJob"

SERVING = frozenset({DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET})
"""Kinds whose pods run until they are stopped."""
FINISHING = frozenset({JOB, CRON_JOB})
"""Kinds whose pods end by themselves."""


def pod_spec(workload: Resource) -> Node:
    """The pod spec in the template of a serving workload."""
    return workload.root.at("spec", "template", "spec")
