"""The programs of the embedded cluster and how each is started."""

from pathlib import Path

from devcluster.directory import Directory
from devcluster.supervisor import Component
from devcluster.toolchain import Toolchain

# The component that listens on each port; "etcd-peer" is unused by a single etcd but cannot be switched off.
PORTS = ("kube-apiserver", "etcd", "etcd-peer", "kube-controller-manager", "kube-scheduler", "kwok")

LOOPBACK = "127.0.0.1"


def components(
    toolchain: Toolchain, directory: Directory, ports: dict[str, int], stages: list[Path]
) -> tuple[Component, ...]:
    """All components, in the order to start them."""
    return (
        _etcd(toolchain, directory, ports),
        _api_server(toolchain, directory, ports),
        _controller_manager(toolchain, directory, ports),
        _scheduler(toolchain, directory, ports),
        _kwok(toolchain, directory, ports, stages),
    )


def _etcd(toolchain: Toolchain, directory: Directory, ports: dict[str, int]) -> Component:
    url = f"https://{LOOPBACK}:{ports['etcd']}"
    peer = f"https://{LOOPBACK}:{ports['etcd-peer']}"
    server, key, authority = directory.certificate("server"), directory.key("server"), directory.certificate("ca")
    return Component(
        "etcd",
        ports["etcd"],
        "/health",
        (
            str(toolchain.path("etcd")),
            f"--name={directory.path.parent.name}",
            f"--data-dir={directory.etcd}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={directory.path.parent.name}={peer}",
            f"--cert-file={server}",
            f"--key-file={key}",
            "--client-cert-auth",
            f"--trusted-ca-file={authority}",
            f"--peer-cert-file={server}",
            f"--peer-key-file={key}",
            "--peer-client-cert-auth",
            f"--peer-trusted-ca-file={authority}",
            # What the operating system has been given outlives a killed process; only a crash of the machine could lose
            # the last writes, and a development cluster can be made again.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
    )


def _api_server(toolchain: Toolchain, directory: Directory, ports: dict[str, int]) -> Component:
    certificate, key = directory.certificate, directory.key
    return Component(
        "kube-apiserver",
        ports["kube-apiserver"],
        "/readyz",
        (
            str(toolchain.path("kube-apiserver")),
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={ports['kube-apiserver']}",
            f"--tls-cert-file={certificate('server')}",
            f"--tls-private-key-file={key('server')}",
            f"--client-ca-file={certificate('ca')}",
            f"--etcd-servers=https://{LOOPBACK}:{ports['etcd']}",
            f"--etcd-cafile={certificate('ca')}",
            f"--etcd-certfile={certificate('apiserver-etcd')}",
            f"--etcd-keyfile={key('apiserver-etcd')}",
            "--authorization-mode=Node,RBAC",
            # On top of the defaults, among them PodSecurity, ResourceQuota, LimitRanger and ServiceAccount.
            "--enable-admission-plugins=NodeRestriction",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={key('service-account')}",
            f"--service-account-key-file={directory.certificates / 'service-account.pub'}",
            # Pods are simulated: none will ever dial the `kubernetes` service, and loopback is no valid endpoint.
            "--endpoint-reconciler-type=none",
            # As on most clusters: pod security, per namespace, decides.
            "--allow-privileged=true",
            "--profiling=false",
        ),
        after="etcd",
    )


def _controller_manager(toolchain: Toolchain, directory: Directory, ports: dict[str, int]) -> Component:
    config = directory.client_config("controller-manager")
    return Component(
        "kube-controller-manager",
        ports["kube-controller-manager"],
        "/healthz",
        (
            str(toolchain.path("kube-controller-manager")),
            *_secure(directory, ports["kube-controller-manager"], config),
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={directory.key('service-account')}",
            f"--root-ca-file={directory.certificate('ca')}",
            f"--cluster-signing-cert-file={directory.certificate('ca')}",
            f"--cluster-signing-key-file={directory.key('ca')}",
            "--profiling=false",
        ),
        after="kube-apiserver",
    )


def _scheduler(toolchain: Toolchain, directory: Directory, ports: dict[str, int]) -> Component:
    return Component(
        "kube-scheduler",
        ports["kube-scheduler"],
        "/healthz",
        (
            str(toolchain.path("kube-scheduler")),
            *_secure(directory, ports["kube-scheduler"], directory.client_config("scheduler")),
            "--profiling=false",
        ),
        after="kube-apiserver",
    )


def _secure(directory: Directory, port: int, config: Path) -> tuple[str, ...]:
    return (
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={directory.certificate('server')}",
        f"--tls-private-key-file={directory.key('server')}",
        # There is one of each, and an election would cost seconds at every start.
        "--leader-elect=false",
    )


def _kwok(toolchain: Toolchain, directory: Directory, ports: dict[str, int], stages: list[Path]) -> Component:
    return Component(
        "kwok",
        ports["kwok"],
        "/healthz",
        (
            str(toolchain.path("kwok")),
            f"--kubeconfig={directory.client_config('kwok')}",
            f"--server-address={LOOPBACK}:{ports['kwok']}",
            f"--tls-cert-file={directory.certificate('server')}",
            f"--tls-private-key-file={directory.key('server')}",
            "--manage-all-nodes",
            # No leases: a new kwok would leave the nodes alone until those of the one before it have run out. The stage
            # node-heartbeat does their work.
            "--node-lease-duration-seconds=0",
            f"--node-ip={LOOPBACK}",
            *(f"--config={stage}" for stage in stages),
        ),
        after="kube-apiserver",
        # It ends at once if a kind that a stage names is not served yet.
        once_exists=str(directory.installed_crds),
    )
