"""A base backup that is taken by hand."""

from components import postgres
from components.observability.runbook import Procedure
from components.postgres.backup import BARMAN_PLUGIN
from stacks.environment import Environment


def backup_now(environment: Environment) -> Procedure:
    """Before a migration, and after a backup that failed."""
    names = [postgres.kubernetes_name(name) for name, each in environment.platform.postgres.items() if each.backup]
    commands = "\n".join(_command(name) for name in names)
    return {
        "name": "BackupNow",
        "summary": "A migration is about to run, a backup failed, or a bucket has got a new key.",
        "text": f"""\
## Meaning
Base backups are taken by schedule. This takes one more, in the same way and to the same place. The write-ahead log is
archived all the time: a backup makes a restore quicker, and proves that the bucket can be written.

## First checks
1. `kubectl get cluster`: the database is healthy?
2. PostgresArchivingFails fires? A backup without its log is worth nothing: mend that first.

## Mitigation
Take it:

```sh
{commands}
```

1. `kubectl get backups.postgresql.cnpg.io --sort-by=.metadata.creationTimestamp`: the phase of the last is `completed`
   after minutes, or an hour for a large database.
2. `failed`: `kubectl describe backups.postgresql.cnpg.io <backup>`, then PostgresBackupFails.

## Escalation
A backup that cannot be taken before a migration: the migration waits.
""",
    }


def _command(name: str) -> str:
    return f"""\
kubectl create -f - <<'END'
apiVersion: postgresql.cnpg.io/v1
kind: Backup
metadata:
  generateName: {name}-now-
spec:
  cluster: {{ name: {name} }}
  method: plugin
  pluginConfiguration: {{ name: {BARMAN_PLUGIN} }}
END"""
