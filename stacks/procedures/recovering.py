"""The commands by which a database comes back from its archive: the pages of disasters are made of them."""

from typing import NamedTuple

import yaml

from components import postgres
from components.postgres.recovery import Object, recovered_name, recovery
from stacks.environment import Environment
from stacks.render import render


class Database(NamedTuple):
    """A database with a backup, as the pages name it."""

    name: str
    """In Kubernetes, `postgres-main`."""
    key: str
    """Of its section in the environment's file, `mainstay:postgres.main`."""
    destination: str
    """Where its archive is."""
    objects: list[Object]
    """What brings it back beside itself."""

    @property
    def back(self) -> str:
        """Name of the one that comes back."""
        return recovered_name(self.name)

    @property
    def commands(self) -> str:
        """The command that starts its recovery, `targetTime` left out."""
        return f"kubectl apply -f - <<'END'\n{yaml.safe_dump_all(self.objects, sort_keys=False, width=1000)}END"


def databases(environment: Environment) -> list[Database]:
    """All that have a backup."""
    objects = [each.manifest for each in render(environment)]
    return [
        Database(
            name := postgres.kubernetes_name(key),
            f"mainstay:postgres.{key}",
            each.backup.destination,
            recovery(objects, name),
        )
        for key, each in environment.platform.postgres.items()
        if each.backup
    ]


def stop_writers(environment: Environment) -> str:
    """The commands that stop everybody who writes to a database."""
    platform = environment.platform
    workloads = {**platform.services, **platform.workers}
    users = [
        name
        for name, each in workloads.items()
        if any(target.startswith("postgres.") for target in each.connections.values())
    ]
    commands = [f"kubectl scale deployment {' '.join(users)} --replicas=0"] if users else []
    if platform.keycloak:
        commands.append("kubectl scale statefulset keycloak --replicas=0")
    return "\n".join(commands)


PRIMARY = "primary() { kubectl get cluster $1 -o jsonpath='{.status.currentPrimary}'; }"
"""A function of the shell: which pod of a database takes writes."""


def copy_back(database: Database) -> list[str]:
    """The commands that copy what came back over what is there."""
    return [
        PRIMARY,
        f"kubectl exec $(primary {database.back}) -c postgres -- pg_dump -Fc app \\",
        f"  | kubectl exec -i $(primary {database.name}) -c postgres -- \\",
        "      pg_restore --clean --if-exists --single-transaction -d app",
    ]


def look(database: Database) -> list[str]:
    """The commands that wait for what comes back, and show what is in it."""
    return [
        PRIMARY,
        f"kubectl wait cluster/{database.back} --for=condition=Ready --timeout=1h",
        f"kubectl exec $(primary {database.back}) -c postgres -- psql app -c '\\dt+'",
    ]


def clean_up(database: Database) -> str:
    """The command that removes what came back, once it is copied."""
    return f"kubectl delete cluster,objectstore,networkpolicy {database.back}"


def block(*commands: str) -> str:
    """Commands as Markdown shows them."""
    return "```sh\n" + "\n".join(commands) + "\n```"
