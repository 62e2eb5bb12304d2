"""Disasters of a single database: it is lost, its data is damaged, or it is Keycloak's."""

from collections.abc import Sequence

from components.observability.runbook import Procedure
from stacks.procedures.recovering import PRIMARY, Database, block, clean_up, copy_back, look

_USERS = "SELECT r.name, count(u.id) FROM realm r LEFT JOIN user_entity u ON u.realm_id = r.id GROUP BY 1"


def database_lost(stack: str, stop: str, databases: Sequence[Database]) -> Procedure:
    """The end of the archive comes back; its commands end with the objects of each database."""
    one = databases[0]
    recoveries = "\n\n".join(f"`{each.name}`:\n\n{block(each.commands)}" for each in databases)
    return {
        "name": "DatabaseLost",
        "summary": "All volumes of a database are gone or unreadable, or somebody deleted it.",
        "text": f"""\
## Meaning
No instance has the data any more. It comes back from the archive. The commands are for `{one.name}`; for another
database put its name instead.

## Impact
The product is down until the end of this page. What was not archived is lost: see DisasterRecovery.

## First checks
1. `kubectl get pods,pvc -l cnpg.io/cluster={one.name}`: a claim that is `Bound` may still have the data; then
   PostgresDown is the page.
2. `kubectl get objectstore,secret {one.name} {one.name}-backup`: store and keys of the archive are there?
3. The namespace's quota has room for one more instance: `kubectl describe quota quota`

## Mitigation
1. Stop everybody who writes:

{block(stop)}

2. Bring it back beside itself: the commands are at the end of this page. It replays the archive to its end.
3. Wait, and look at what came back:

{block(*look(one))}

   While it runs: `kubectl logs -l cnpg.io/cluster={one.back} --all-containers --tail=20`. "no target backup found"
   means that the store is not the right one, or that there never was a backup.
4. Give the new database a new place for its archive: in `Pulumi.{stack}.yaml` set `backup.destination` of
   `{one.key}` to a path that nothing was ever written to, e.g. `{one.destination}-2`. (It refuses to archive into the
   history of another.) Then make it anew, empty:

{block(f"kubectl delete cluster {one.name} --ignore-not-found", f"mainstay up {stack}")}

5. The deployment has started the others again: stop them as in step 1. Then copy. All of it goes through your machine,
   so be near the cluster, and have patience with a large one:

{block(*copy_back(one))}

6. `mainstay up {stack}`: everybody starts again, with the password of the new database.
7. BackupNow. When its phase is `completed`, clean up:

{block(clean_up(one))}

8. Keep the old path until its last backup is older than the retention.

## Recovery of each database
{recoveries}

## Escalation
Not back after an hour: whoever decides tells the product's owner, and the status page says so.
""",
    }


def data_damaged(stack: str, stop: str, one: Database) -> Procedure:
    """A moment of the past comes back beside the present."""
    table = [
        PRIMARY,
        f"kubectl exec $(primary {one.back}) -c postgres -- \\",
        "    pg_dump -t <table> --section=pre-data --section=data app \\",
        "  | sed 's/public\\.<table>/public.<table>_before/g' \\",
        f"  | kubectl exec -i $(primary {one.name}) -c postgres -- psql --single-transaction -v ON_ERROR_STOP=1 app",
    ]
    target = "    recovery:\n      recoveryTarget: { targetTime: '2026-11-25 03:00:00+00' }\n      source: origin"
    return {
        "name": "DataDamaged",
        "summary": "A migration, a fault of the code or a person has destroyed data, and the database itself is well.",
        "text": f"""\
## Meaning
The archive holds every moment since the oldest backup. The database of a moment before comes back beside the one that
is there. The commands are for `{one.name}`; for another database put its name instead.

## Impact
Some users miss data, or see wrong data. What was written since is right, mostly: bringing everything back would lose
it.

## First checks
1. When exactly? The migration's log, or the first user's complaint. A moment before, in UTC: `2026-11-25 03:00:00+00`.
2. Does it go on? Then stop it: `kubectl rollout undo deployment/<service>`, or everybody as in step 1 of DatabaseLost.
3. Which tables? One or two can be brought back while the rest goes on.

## Mitigation
1. Bring the database of that moment back beside this one: the commands are at the end of DatabaseLost, with one line
   more in its Cluster, below `bootstrap:`

```yaml
{target}
```

2. Wait, and look whether the lost data is there, and the damage is not:

{block(*look(one))}

   Too late or too early: delete it as in step 5, and begin again with another moment.
3. Some tables: copy each under another name, compare, and take over by hand what is missing:

{block(*table)}

4. All of it, and what was written since is given up: stop everybody, copy, start everybody.

{block(stop, *copy_back(one), f"mainstay up {stack}")}

5. Clean up: `{clean_up(one)}`
6. The migration is mended before it runs again: ReleaseAndRollBack.

## Escalation
Whether to give up what was written since is the product owner's decision, not yours: ask before step 4.
""",
    }


def keycloak_lost(stack: str, database: Database) -> Procedure:
    """Identities are gone, or in other hands."""
    return {
        "name": "KeycloakLost",
        "summary": "Users, the realm or its keys are gone, or somebody else has them.",
        "text": f"""\
## Meaning
All that Keycloak knows is in `{database.name}`: users, passwords, clients, the realm's keys. Its pods keep nothing.
With an empty database it starts and looks well: with the realm of `mainstay:keycloak.realm`, and without a single user.

## Impact
Nobody can sign in. Sessions end with their tokens, within minutes.

## First checks
1. `kubectl get pods -l app.kubernetes.io/component=keycloak` and `kubectl get cluster {database.name}`: does it run,
   and its database too? If not, KeycloakDown or PostgresDown is the page.
2. Are the realm and its users there?

{block(PRIMARY, f'kubectl exec $(primary {database.name}) -c postgres -- psql app -c "{_USERS}"')}

3. `kubectl logs -l app.kubernetes.io/component=keycloak --tail=300 | grep -i -e admin -e REMOVE`: who did it?

## Mitigation
1. The database is gone: DatabaseLost, for `{database.name}`.
2. Users or the realm were deleted: DataDamaged, for `{database.name}`, all of it. Stop only Keycloak:
   `kubectl scale statefulset keycloak --replicas=0`. Who signed up since has to do it again.
3. Back, and nobody can sign in to the product: the client's secret is that of the moment before. Set
   `secrets:keycloak-api-client-secret` to it, or change it in Keycloak; then `mainstay up {stack}`.
4. Somebody else has the keys or the administrator's password: in Keycloak, add new realm keys with a higher priority,
   disable the old ones, and sign all sessions out; then RotateSecrets, "Leaked", for `keycloak-admin-password` and the
   client's secret.

## Escalation
Identities in other hands are a leak: whoever answers for data protection is told within the day.
""",
    }
