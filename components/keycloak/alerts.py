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
        "service": "keycloak",
        "summary": "No Keycloak answers: nobody can sign in, and sessions end as their tokens do.",
        "description": "No replica has answered a scrape for 2 minutes.",
        "dashboard": "keycloak",
        "runbook": """\
## Meaning
No replica runs or can be reached.

## Impact
Nobody can sign in; whoever is signed in is thrown out as the tokens end (`accessTokenSeconds`, minutes).

## First checks
1. `kubectl get pods -l app.kubernetes.io/component=keycloak`: none, restarting, or running and not ready?
2. `kubectl logs <pod> --previous --tail=100` of a restarting one.
3. Running but not ready: the database. `kubectl get cluster <cluster>`; see the Postgres alerts.

## Mitigation
1. "Unable to find ..." or "Unrecognized field" while it starts: the realm file; take back the last change of
   `mainstay:keycloak.realm`.
2. After a release: `kubectl rollout undo statefulset/keycloak`, then the same in git.
3. The database is down: mend that first; Keycloak comes back by itself.
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
        "description": "More than 5 % of the last five minutes, probes left out, for 5 minutes.",
        "dashboard": "keycloak",
        "runbook": """\
## Meaning
Keycloak answers a part of the requests with 5xx.

## Impact
Sign-ins or token refreshes fail for a part of the users.

## First checks
1. `kubectl logs -l app.kubernetes.io/component=keycloak --tail=200`: the exceptions say which call.
2. `kubectl describe cluster <cluster>` of its database: a failover just now?

## Mitigation
1. "read-only transaction": it still talks to a former primary; `kubectl rollout restart statefulset/keycloak`.
2. Deployed within the last hour? `kubectl rollout undo statefulset/keycloak`, then the same in git.
""",
    },
    {
        "name": "KeycloakSlow",
        "expr": (
            "histogram_quantile(\n"
            "  0.95, sum by (namespace, job, le) (rate(http_server_requests_seconds_bucket"
            '{job="keycloak",uri!~"/health.*|/metrics"}[5m]))\n'
            ") > 1"
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "One in twenty requests to Keycloak takes longer than {{ $value | humanizeDuration }}.",
        "description": "The 95th percentile has been above 1 s for 10 minutes.",
        "dashboard": "keycloak",
        "runbook": """\
## Meaning
Keycloak answers slowly: its database, its CPU, or many passwords to hash at once.

## Impact
Signing in takes long; services that fetch tokens wait with it.

## First checks
1. `kubectl top pod -l app.kubernetes.io/component=keycloak --containers`: at its CPU? Hashing passwords costs it.
2. KeycloakWaitsForDatabase fires too? Go on there.

## Mitigation
1. At its CPU: raise `mainstay:keycloak.replicas`, or `resources.cpu`.
2. KeycloakSignInsFail fires too: somebody tries passwords; block the addresses at the gateway.
""",
    },
    {
        "name": "KeycloakWaitsForDatabase",
        "expr": 'max by (namespace, job) (agroal_awaiting_count{job="keycloak"}) > 0',
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "{{ $value }} requests to Keycloak wait for a database connection.",
        "description": "The fullest pool has had requests waiting for 5 minutes.",
        "dashboard": "keycloak",
        "runbook": """\
## Meaning
All connections of a replica's pool are busy.

## Impact
Sign-ins are slow, and fail soon.

## First checks
1. `kubectl exec <primary> -c postgres -- psql app -c "SELECT pid, state, wait_event_type, left(query, 80) FROM
   pg_stat_activity"`: long queries, locks? `kubectl get cluster` names the primary.
2. CPU and disk of the database's primary, on its dashboard.

## Mitigation
1. The database is slow: end the query that holds the others up.
2. It is quick and the load has grown: raise `mainstay:keycloak.poolSize` or `replicas`, and the database's
   `maxConnections` with them.
""",
    },
    {
        "name": "KeycloakClusterSplit",
        "expr": (
            'min by (namespace, job) (vendor_cluster_size{job="keycloak"})\n'
            "  < on (namespace, job) group_left ()\n"
            '  label_replace(kube_statefulset_replicas, "job", "$1", "statefulset", "(.+)")'
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "A replica of Keycloak sees only {{ $value }}: logouts and lock-outs do not reach the others.",
        "description": "It sees {{ $value }} replicas, itself included: fewer than are declared, for 10 minutes.",
        "dashboard": "keycloak",
        "runbook": """\
## Meaning
Replicas find each other in the table `jgroups_ping` of their database, and talk on ports 7800 and 57800.

## Impact
Logouts and lock-outs do not reach the others; sign-ins work.

## First checks
1. `kubectl get pods -l app.kubernetes.io/component=keycloak`: as many as are declared? If not, see PodPending.
2. `kubectl logs <pod> | grep ISPN000094`: the members that each replica sees.
3. `kubectl get networkpolicy keycloak -o yaml`: both ports open between the replicas?

## Mitigation
1. `kubectl rollout restart statefulset/keycloak` makes them meet again; sessions are kept in the database.
2. The network plug-in does not enforce the policy as it is written: tell whoever runs the cluster.
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
        "description": "More than half, and more than 20, within 10 minutes.",
        "dashboard": "keycloak",
        "runbook": """\
## Meaning
Somebody tries passwords, or a release of the web frontend broke the sign-in.

## Impact
Users may not get in; or somebody tries to.

## First checks
1. `sum by (error, client_id) (rate(keycloak_user_events_total{event="login",error!=""}[10m]))` in Grafana: which error?
2. `kubectl logs -l app.kubernetes.io/component=keycloak --tail=200 | grep LOGIN_ERROR`: from which `ipAddress`?

## Mitigation
1. `invalid_user_credentials`, `user_temporarily_disabled`: an attack. Lock-out works per account; block the
   addresses at the gateway.
2. `invalid_redirect_uri`, `invalid_code`: the frontend or its client's addresses; take back the release.
""",
    },
]
