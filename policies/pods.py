"""Pods, wherever they are described: workloads, jobs, lists, patches, and the resources of operators."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from policies.model import Check, each
from policies.stack import Resource
from policies.values import Node, Undecided

DEPLOYMENT = "apps/Deployment"
STATEFUL_SET = "apps/StatefulSet"
DAEMON_SET = "apps/DaemonSet"
REPLICA_SET = "apps/ReplicaSet"
REPLICATION_CONTROLLER = "core/ReplicationController"
POD = "core/Pod"
JOB = "batch/Job"
CRON_JOB = "batch/CronJob"
POD_TEMPLATE = "core/PodTemplate"

SERVING = frozenset({DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, REPLICATION_CONTROLLER, POD})
"""Kinds whose pods run until they are stopped."""
FINISHING = frozenset({JOB, CRON_JOB})
"""Kinds whose pods end by themselves."""

_TEMPLATES = {
    POD: (),
    **dict.fromkeys(
        (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, REPLICATION_CONTROLLER, JOB), ("spec", "template")
    ),
    CRON_JOB: ("spec", "jobTemplate", "spec", "template"),
    POD_TEMPLATE: ("template",),
}
_TEMPLATES_OF_OPERATORS = (("spec", "template"), ("spec", "jobTargetRef", "template"), ("spec", "jobTemplate"))
"""Where custom resources have a pod template (CloudNativePG's Pooler, KEDA's ScaledJob, Argo's Rollout …)."""


class Role(StrEnum):
    """When a container runs."""

    MAIN = "container"
    INIT = "init container"
    """Runs before the others, and ends, unless it is a sidecar."""
    EPHEMERAL = "ephemeral container"
    """Put into a running pod by a person."""


@dataclass(frozen=True)
class Container:
    """One container of a pod."""

    node: Node
    role: Role

    @property
    def title(self) -> str:
        """How messages call it, e.g. `container api`, `init container migrate`."""
        name = self.node.at("name").value
        return f"{self.role} {name if isinstance(name, str) and name else self.node.path}"

    def runs_on(self) -> bool:
        """Whether it runs as long as the pod: main containers, and sidecars, which are init containers that are always
        restarted. Raises Undecided."""
        return self.role is Role.MAIN or (self.role is Role.INIT and self.node.at("restartPolicy").text() == "Always")


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of some."""

    template: Node
    """What has `metadata` and `spec`."""

    @property
    def spec(self) -> Node:
        """The pod spec."""
        return self.template.at("spec")

    @property
    def labels(self) -> Node:
        """Labels of the pods."""
        return self.template.at("metadata", "labels")

    def runs_on(self) -> bool:
        """Whether its containers are started again whenever they end. Raises Undecided."""
        return self.spec.at("restartPolicy").text() in ("", "Always")

    def containers(self) -> list[Container]:
        """All of them: main, init and ephemeral ones. Raises Undecided where a list cannot be read."""
        return [*self.main(), *self.inits(), *self.ephemeral()]

    def main(self) -> list[Container]:
        """The ordinary containers."""
        return [Container(node, Role.MAIN) for node in self.spec.at("containers").items()]

    def inits(self) -> list[Container]:
        """Init containers, sidecars among them."""
        return [Container(node, Role.INIT) for node in self.spec.at("initContainers").items()]

    def ephemeral(self) -> list[Container]:
        """What a person has put into a running pod."""
        return [Container(node, Role.EPHEMERAL) for node in self.spec.at("ephemeralContainers").items()]


def pods(resource: Resource) -> list[Pod]:
    """The pods a resource describes: one template for a workload, none for what has no pods.

    A workload whose template cannot be read has one all the same: reading it raises Undecided. The containers that
    operators make by themselves (a database's, Prometheus') are not described anywhere, and not here.
    """
    path = _TEMPLATES.get(resource.kind)
    if path is not None:
        return [Pod(resource.root.at(*path))]
    if not resource.type.startswith("kubernetes:"):
        return []
    return [Pod(template) for template in _of_operators(resource)]


def serving(resource: Resource) -> list[Pod]:
    """Those of its pods that run until they are stopped. Raises Undecided.

    Pods that nobody keeps and those of operators say by their restartPolicy whether they are to end by themselves.
    """
    if resource.kind in FINISHING:
        return []
    return [pod for pod in pods(resource) if resource.kind in SERVING - {POD} or pod.runs_on()]


def _of_operators(resource: Resource) -> Iterator[Node]:
    for path in _TEMPLATES_OF_OPERATORS:
        template = resource.root.at(*path)
        try:
            if template.at("spec", "containers").items():
                yield template
        except Undecided:
            # A custom resource that cannot be read need not have pods at all.
            continue


def each_running(pod: Pod, check: Callable[[Container], Iterable[str]]) -> list[Check]:
    """One check for every container that runs as long as the pod; a list that cannot be read stays undecided."""

    def checked(role: Role, node: Node) -> Iterable[str]:
        container = Container(node, role)
        return check(container) if container.runs_on() else ()

    return [
        *each(pod.spec.at("containers"), partial(checked, Role.MAIN)),
        *each(pod.spec.at("initContainers"), partial(checked, Role.INIT)),
    ]


def pod_spec(workload: Resource) -> Node:
    """The pod spec of a workload of Kubernetes' own."""
    return workload.root.at(*_TEMPLATES[workload.kind], "spec")
