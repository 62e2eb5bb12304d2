"""Disaster recovery: which of five it is, and the way back from each (REQUIREMENTS B7)."""

from collections.abc import Sequence

from components import postgres
from components.observability.runbook import Procedure
from stacks.environment import Environment
from stacks.procedures.databases import data_damaged, database_lost, keycloak_lost
from stacks.procedures.recovering import PRIMARY, Database, block, databases, stop_writers


def disaster_recovery(environment: Environment) -> list[Procedure]:
    """The way in, and a page for each of the five; none where no database has a backup to come back from."""
    stack, keycloak = environment.stack, environment.platform.keycloak
    found, stop = databases(environment), stop_writers(environment)
    if not found:
        return []
    pages = [
        _overview(found),
        database_lost(stack, stop, found),
        _cluster_lost(stack, found),
        _backups_lost(stack, found),
        data_damaged(stack, stop, found[0]),
    ]
    if keycloak:
        own = postgres.kubernetes_name(keycloak.database_name)
        pages += [keycloak_lost(stack, each) for each in found if each.name == own]
    return pages


def _overview(databases: Sequence[Database]) -> Procedure:
    kept = "\n".join(f"| `{each.name}` | `{each.destination}`, folder `{each.name}` |" for each in databases)
    return {
        "name": "DisasterRecovery",
        "summary": "Data, the cluster, the backups or the identities are lost: which is it, and which page comes next?",
        "text": f"""\
## Meaning
| what is lost | how it shows | page |
|---|---|---|
| the volumes of a database, or all of it | PostgresDown, and no claim of it is left | DatabaseLost |
| the region or the cluster | no API server, PublicHostDown, the heartbeat stopped | ClusterLost |
| the backups' bucket, deleted or encrypted | PostgresArchivingFails: NoSuchBucket, AccessDenied | BackupsLost |
| data, by a migration, a fault or a person | users miss things, nothing fires | DataDamaged |
| Keycloak's data: users, realm, keys | KeycloakDown for good, or nobody's password is right | KeycloakLost |

A single instance, pod or node is no disaster: Kubernetes and CloudNativePG replace it.

## Impact
What may be lost is what was not archived yet: at most five minutes (RPO), as long as PostgresArchivingFails and
PostgresArchivingStuck did not fire before. A database is to be back within an hour (RTO): replaying takes about as long
as copying its size from the bucket, so measure yours before you need it.

| database | archive |
|---|---|
{kept}

Code and environments are in git. Pulumi's state is in the team's backend. What Redis held is made again by the
scheduler. Logs and traces are in buckets of their own. Prometheus' history is lost with its volume.

## First checks
1. One person decides, one writes down what is done and when, everybody else does what they are asked.
2. Stop what makes it worse: a deployment that runs, a script, an intruder (RotateSecrets).
3. `kubectl get cluster,pods,pvc`: what is still there? Delete nothing before you know which page you are on.
4. `kubectl get backups.postgresql.cnpg.io --sort-by=.status.stoppedAt`: the newest that is `completed`.

## Mitigation
1. Go to the page. All of them bring data back *beside* what is there, look at it, and only then copy it.
2. Budgets are exhausted by then and the gate refuses: `--override "<why>" --by <who>` of `mainstay up` lets it pass.
3. Afterwards write a PostmortemTemplate, and mend what made the page longer than it had to be.

What does not exist yet, so that nobody counts on it: a restore that is drilled by itself, a copy of the backups in
another account or region, and a second cluster that stands by.

## Escalation
A disaster is a P0: call whoever would be called for PostgresDown, and the manager at once.
""",
    }


def _cluster_lost(stack: str, databases: Sequence[Database]) -> Procedure:
    moved = ", ".join(f"`{each.key}`" for each in databases)
    state = [
        f"pulumi stack export --stack {stack} --file {stack}-lost.json",
        f"pulumi stack rm {stack} --force --preserve-config --yes",
        f"pulumi stack init {stack}",
    ]
    return {
        "name": "ClusterLost",
        "summary": "The cluster or its region is gone and will not come back in time.",
        "text": f"""\
## Meaning
Everything is made anew in another cluster: the objects from git, the data from the archive.

## Impact
The product is down. Until the names lead to the new gateway no user can do harm there: change DNS last.

## First checks
1. The provider's status page and console: will it come back within the hour? Then wait.
2. The buckets are in the same region? Without them this page ends here: BackupsLost.
3. You have `Pulumi.{stack}.yaml`, its passphrase or key, and the keys of the buckets?

## Mitigation
1. A cluster in another region, with what [it needs](../real-cluster.md): storage class, network plugin, operators.
2. Name it: `pulumi config set --stack {stack} kubernetes:context <context>`
3. Forget what was in the old one. Nothing is deleted by this; the first command keeps the state, just in case:

{block(*state)}

   `stack init` takes the secrets provider of before: add `--secrets-provider <url>` where it was no passphrase.
4. Give every database a new place for its archive: `backup.destination` of {moved}, as in step 4 of DatabaseLost.
5. `mainstay up {stack} --override "<why>" --by <who>`: all is made, with empty databases. Nobody can reach it yet.
6. For each database: DatabaseLost from step 1 on, without step 4. In the objects at its end `destinationPath` is the
   *old* path.
7. `kubectl get gateway gateway`: its address. Let the DNS names lead there. Certificates are issued within minutes of
   that: `kubectl get certificate`
8. BackupNow. Then see that the old cluster cannot come back and write to the old archive: delete it.

What is different at first: Prometheus has no history, so that budgets begin anew; Redis is empty, and the scheduler
fills it.

## Escalation
This takes hours. Whoever decides tells the product's owner and the users within the first 30 minutes.
""",
    }


def _backups_lost(stack: str, databases: Sequence[Database]) -> Procedure:
    dumps = [
        f"kubectl exec $(primary {each.name}) -c postgres -- pg_dump -Fc app > {each.name}-$(date -u +%F).dump"
        for each in databases
    ]
    keys = ", ".join(f"`secrets:{each.name}-backup-…`" for each in databases)
    return {
        "name": "BackupsLost",
        "summary": "The bucket with the backups is deleted, encrypted by somebody else, or cannot be trusted any more.",
        "text": f"""\
## Meaning
The data is there, and nothing to bring it back from. Whoever could do this to the bucket may be about to do it to the
databases.

## Impact
None yet. Until step 4 has ended, losing a database is for good.

## First checks
1. `kubectl get cluster`: every database is healthy?
2. The bucket's own log at its provider: which key did it, and is it still being used?
3. Versions or a lock of the bucket's objects? Then the provider can bring them back: ask now, it has a time limit.

## Mitigation
1. First of all a copy that nobody in the cluster can reach, on a machine of yours:

{block(PRIMARY, *dumps)}

2. Take the intruder's way: revoke the keys of the bucket and of whoever could delete it (RotateSecrets, "Leaked").
3. A new bucket, in another account if you can, with versions and a lock. Keys that may write and not delete versions.
4. Set `backup.destination` of every database to it in `Pulumi.{stack}.yaml`, and the keys {keys}. Then
   `mainstay up {stack} --override "<why>" --by <who>`, and BackupNow.
5. `kubectl exec <primary> -c postgres -- psql app -c "TABLE pg_stat_archiver"`: the log goes to the new bucket.
6. The databases are encrypted as well: there is no other copy than what you or the provider have made. Bring it back as
   in DatabaseLost, into an empty database, with `pg_restore` of the file.

A second copy in another account is not declared by Mainstay. Most providers can replicate a bucket; with a lock on the
copy this page becomes short.

## Escalation
Ransomware is a crime and a leak: management, whoever answers for data protection, and the police decide what is said.
""",
    }
