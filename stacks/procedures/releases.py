"""What is done every week: release, roll back, migrate, rotate secrets; and what is done when one has leaked."""

from components import postgres
from components.observability.runbook import Procedure
from stacks.environment import Environment
from stacks.procedures.recovering import block

_FIRING = (
    "kubectl exec alertmanager-alertmanager-0 -c alertmanager -- amtool alert query "
    "--alertmanager.url=http://127.0.0.1:9093"
)


def release(stack: str) -> Procedure:
    """Release, roll back, migrations."""
    return {
        "name": "ReleaseAndRollBack",
        "summary": "A version is to be released, to be taken back, or brings a migration of the database.",
        "text": f"""\
## Before
1. It runs in staging, from the same image, and nobody has complained.
2. Nothing urgent fires: `{_FIRING}`
3. The error budgets allow it: `mainstay gate {stack}`
4. It brings a migration? Then read the last section first.

## Release
1. Change the image's tag in `Pulumi.{stack}.yaml`, in git.
2. `mainstay preview {stack}`: is that all that would change? [Upgrading](../upgrade.md) says how to read it.
3. `mainstay up {stack}`: new pods start beside the old ones; an old one ends when a new one is ready.

## Watch
For 15 minutes, which is when most releases that fail do:

1. `kubectl rollout status deployment/<service> --timeout=10m`; if it ends with an error, RolloutStuck follows.
2. Dashboards Services and Gateway: failures per route, answer times. ServiceErrorRateHigh and GatewayErrors fire within
   five minutes of the first fault that matters; a fault of one quiet route takes ServiceRouteFails fifteen.
3. `kubectl top pod --containers --sort-by=memory`: what grows from release to release?

## Roll back
1. One service, at once: `kubectl rollout undo deployment/<service>`, then
   `kubectl rollout status deployment/<service> --timeout=2m`
2. Then the same in git, or the next deployment brings it again: `git revert <commit>`, and `mainstay up {stack}`
3. Several services: only step 2, so that they go back together. Going back to what ran before passes the budget gate.
4. Postgres, Redis, Keycloak: a new version may have changed their files; [Upgrading](../upgrade.md) says which way back
   each has.
5. Five quiet minutes later it is over; write a PostmortemTemplate if users noticed.

## Migrations
A roll-back does not undo them. So that none is needed:

1. Make it in two releases: the first adds (columns, tables, indexes `CONCURRENTLY`) and the old version still works
   with it; the second removes what no running version uses.
2. Give it `SET lock_timeout = '5s'`, so that it fails instead of holding everybody up (PostgresQueriesWait).
3. Right before: BackupNow, and note the time, to which DataDamaged can go back:
   `date -u +"%Y-%m-%d %H:%M:%S+00"`
4. It fails: mend it and run it again. It destroyed data: DataDamaged.

## Escalation
Whoever releases watches, and rolls back without asking. What cannot be rolled back goes to the owner, whom the label
`owner` of the service's alerts names.
""",
    }


def secrets(environment: Environment) -> Procedure:
    """Rotate, and what to do with a secret that has leaked."""
    stack, databases = environment.stack, sorted(environment.platform.postgres)
    passwords = [
        line
        for name in databases
        for line in (
            f"kubectl delete secret {postgres.kubernetes_name(name)}-app",
            _restart(environment, f"postgres.{name}"),
        )
    ]
    return {
        "name": "RotateSecrets",
        "summary": "A secret is 90 days old, somebody who knew it has left, or it may have leaked.",
        "text": f"""\
## Meaning
[Secrets](../secrets.md) says which there are, where each is, who can read it, and what a new value restarts.

## Rotate
1. Make the new value at its source (the cloud, the mail server, PagerDuty …), and leave the old one valid.
2. Set it; the command asks for the value: `pulumi config set --secret --stack {stack} secrets:<name>`
3. `mainstay preview {stack}`: it names what will restart. Then `mainstay up {stack}`
4. See that it is used: `kubectl get pods --sort-by=.status.startTime`, and no alert of its user; for a bucket's key,
   BackupNow.
5. Revoke the old value at its source. Only now is it rotated.

Three are different:

1. `keycloak-admin-password` and `keycloak-api-client-secret`: change them in Keycloak first, then here.
2. `redis-<name>-password`: those who have not restarted yet are refused for a minute; do it in a quiet hour.
3. Passwords of databases are CloudNativePG's. It makes a new one where the secret is gone; who connects has to restart:

{block(*passwords)}

## Leaked
1. How bad is it? Who has it can do what its user can: read
   [Secrets](../secrets.md#where-a-value-is-and-who-can-read-it).
2. It opens data or money: revoke it at its source at once, and accept that its user fails until step 3.
3. Rotate it, as above.
4. What was done with it? The source's own log, and from Grafana: `{{service_name=~".+"}} |= "<user or key id>"`.
5. How did it leak? A commit: it stays in the history, so only the new value helps. A laptop or a pipeline: rotate
   everything that was there, the passphrase too:
   `pulumi stack change-secrets-provider --stack {stack} passphrase`
6. Data was read or changed: DataDamaged, and whoever answers for data protection is told within the day.
7. Write a PostmortemTemplate.

## Escalation
A leak of what opens users' data or the cluster is a P0: call whoever would be called for PostgresDown.
""",
    }


def _restart(environment: Environment, connection: str) -> str:
    """The command that restarts all that read the URL of a connection."""
    platform = environment.platform
    users = [
        f"deployment/{name}"
        for workloads in (platform.services, platform.workers)
        for name, workload in workloads.items()
        if connection in workload.connections.values()
    ]
    if platform.keycloak and platform.keycloak.database == connection:
        users.append("statefulset/keycloak")
    return f"kubectl rollout restart {' '.join(users)}" if users else "# nobody connects to it"
