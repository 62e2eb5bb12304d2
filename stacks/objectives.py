"""What an environment promises: the SLOs of all that is declared, each beside its own thing in the file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from components import postgres
from components.keycloak import slos as keycloak_slos
from components.postgres import slos as postgres_slos
from components.slo.objective import Slo, problems
from components.workload import slos as workload_slos
from stacks.settings_keycloak import NAME as KEYCLOAK

if TYPE_CHECKING:
    from stacks.environment import Platform


def slo_faults(platform: "Platform") -> list[str]:
    """What is wrong with them, a sentence each."""
    unprobed = [
        f"mainstay:services.{name}.slos.reachable is promised, but no URL of mainstay:observability.publicHosts leads "
        f"to its hosts; add https://{service.hosts[0]}/ there."
        for name, service in platform.services.items()
        if service.slos.reachable and not _probed(platform, service.hosts)
    ]
    if unprobed:
        return unprobed
    promised = slos(platform)
    found = [f"{problem}." for problem in problems(promised)]
    watch = platform.observability
    if watch:
        days = watch.prometheus.retention_days
        found += [
            f"mainstay:observability.prometheus.retention is {watch.prometheus.retention}, less than the "
            f"{slo.window_days} days over which the SLO {slo.name} is counted; keep samples longer."
            for slo in promised
            if slo.window_days > days
        ]
    return found


def slos(platform: "Platform") -> list[Slo]:
    """All of them, in the order of the file."""
    owner = platform.observability.owner if platform.observability else platform.namespace.name
    found: list[Slo | None] = []
    for name, service in platform.services.items():
        wanted = service.slos
        found += [
            (each := wanted.availability) and workload_slos.availability(name, each.promise(owner)),
            (each := wanted.latency) and workload_slos.latency(name, each.promise(owner), each.seconds),
            (each := wanted.errors) and workload_slos.errors(name, each.promise(owner)),
            (each := wanted.reachable)
            and workload_slos.reachable(name, each.promise(owner), _probed(platform, service.hosts)),
        ]
    for name, worker in platform.workers.items():
        wanted = worker.slos
        found += [
            (each := wanted.delivery) and workload_slos.delivery(name, each.promise(owner), each.seconds),
            (each := wanted.model) and workload_slos.model(name, each.promise(owner), each.seconds),
            (each := wanted.ticks) and workload_slos.ticks(name, each.promise(owner), each.seconds),
        ]
    if platform.keycloak:
        wanted = platform.keycloak.slos
        found += [
            (each := wanted.availability) and keycloak_slos.availability(KEYCLOAK, each.promise(owner)),
            (each := wanted.latency) and keycloak_slos.latency(KEYCLOAK, each.promise(owner), each.seconds),
        ]
    for name, database in platform.postgres.items():
        if each := database.slos.durability:
            found.append(postgres_slos.durability(postgres.kubernetes_name(name), each.promise(owner), each.seconds))
    return [slo for slo in found if slo]


def _probed(platform: "Platform", hosts: Sequence[str]) -> list[str]:
    """The public URLs that are asked from outside and lead to one of the hosts."""
    urls = platform.observability.public_hosts if platform.observability else []
    return [url for url in urls if url.removeprefix("https://").partition("/")[0] in hosts]
