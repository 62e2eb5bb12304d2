"""What watches Keycloak: its metrics' port and its alerts.

Metrics are Keycloak's own; the data test finds each of them at the real server. `http_server_requests_seconds_*` counts
the probes too, and a server that starts answers those with 503.
"""

from components.keycloak.network import MANAGEMENT_PORT
from components.labels import selector
from components.observability.alert import Alert, Severity
from components.observability.monitors import Target


def metrics_target(object_name: str) -> Target:
    """The pods of the Keycloak `object_name`."""
    return {
        "name": object_name,
        "pod_labels": selector(object_name, "keycloak"),
        "port_name": "management",
        "port": MANAGEMENT_PORT,
        "path": "/metrics",
    }


ALERTS: list[Alert] = [
    {
        "name": "KeycloakDown",
        "expr": 'sum by (namespace, job) (up{job="keycloak"}) == 0 or absent(up{job="keycloak"})',
        "for_": "2m",
        "severity": Severity.P0,
        "summary": "No Keycloak answers: nobody can sign in, and sessions end as their tokens do.",
        "runbook": """\
## Meaning
No replica runs or can be reached. Tokens already given stay valid for minutes (`accessTokenSeconds`).

## Act
1. `kubectl get pods -l app.kubernetes.io/component=keycloak`; a restarting one: `kubectl logs <pod> --previous`.
2. Running but not ready: the database. `kubectl cnpg status <cluster>`; see the Postgres alerts.
3. "Unable to find ..." or "Unrecognized field" while it starts: the realm file; take back the last change of
   `mainstay:keycloak.realm`.
""",
    },
    {
        "name": "KeycloakErrors",
        "expr": (
            "sum by (namespace, job) (rate(http_server_requests_seconds_count"
            '{job="keycloak",outcome="SERVER_ERROR",uri!~"/health.*|/metrics"}[5m]))\n'
            "  / sum by (namespace, job) (rate(http_server_requests_seconds_count"
            '{job="keycloak",uri!~"/health.*|/metrics"}[5m])) > 0.05'
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $value | humanizePercentage }} of the requests to Keycloak end in a server error.",
        "runbook": """\
## Meaning
Sign-ins or token refreshes fail for a part of the users.

## Act
1. `kubectl logs -l app.kubernetes.io/component=keycloak --tail=200`: the exceptions say which call.
2. "read-only transaction": it still talks to a former primary; `kubectl rollout restart statefulset/keycloak`.
3. Deployed within the last hour? `kubectl rollout undo statefulset/keycloak`, then the same in git.
""",
    },
    {
        "name": "KeycloakWaitsForDatabase",
        "expr": 'max by (namespace, job) (agroal_awaiting_count{job="keycloak"}) > 0',
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "{{ $value }} requests to Keycloak wait for a database connection.",
        "runbook": """\
## Meaning
All connections of a replica's pool are busy: sign-ins are slow, and fail soon.

## Act
1. The database is slow: `pg_stat_activity` for long queries and locks; CPU and disk of its primary.
2. It is quick and the load has grown: raise `mainstay:keycloak.poolSize` or `replicas`, and the database's
   `maxConnections` with them.
""",
    },
    {
        "name": "KeycloakClusterSplit",
        "expr": (
            'min by (namespace, job) (vendor_cluster_size{job="keycloak"})\n'
            '  < sum by (namespace, job) (up{job="keycloak"})'
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "A replica of Keycloak sees only {{ $value }}: logouts and lock-outs do not reach the others.",
        "runbook": """\
## Meaning
Replicas find each other in the table `jgroups_ping` of their database, and talk on ports 7800 and 57800.

## Act
1. `kubectl logs <pod> | grep ISPN000094`: the members that each replica sees.
2. The network policy `keycloak` must open both ports between the replicas; does the network plugin enforce it so?
3. `kubectl rollout restart statefulset/keycloak` makes them meet again; sessions are kept in the database.
""",
    },
    {
        "name": "KeycloakSignInsFail",
        "expr": (
            "(sum by (namespace, job, realm) (rate(keycloak_user_events_total"
            '{job="keycloak",event="login",error!=""}[10m]))\n'
            "  / sum by (namespace, job, realm) (rate(keycloak_user_events_total"
            '{job="keycloak",event="login"}[10m])) > 0.5)\n'
            "and sum by (namespace, job, realm) (increase(keycloak_user_events_total"
            '{job="keycloak",event="login",error!=""}[10m])) > 20'
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "{{ $value | humanizePercentage }} of the sign-ins to {{ $labels.realm }} fail.",
        "runbook": """\
## Meaning
Somebody tries passwords, or a release of the web frontend broke the sign-in.

## Act
1. `sum by (error, client_id) (rate(keycloak_user_events_total{event="login",error!=""}[10m]))`: which error?
2. `invalid_user_credentials`, `user_temporarily_disabled`: an attack. Lock-out works per account; block the
   addresses (in the log, `ipAddress`) at the gateway.
3. `invalid_redirect_uri`, `invalid_code`: the frontend or its client's addresses; take back the release.
""",
    },
]
