"""Alerts of this room: pods, volumes and nodes, the monitoring itself, and the product seen from outside."""

from components.observability.alert import Alert, Severity
from components.observability.missing_alerts import rules_missing, targets_missing
from components.observability.monitoring_alerts import MONITORING, WATCHDOG
from components.observability.node_alerts import NODES
from components.observability.pod_alerts import PODS
from components.observability.volume_alerts import VOLUMES

__all__ = ["MONITORING", "NODES", "PODS", "PROBES", "VOLUMES", "WATCHDOG", "rules_missing", "targets_missing"]

PROBES: list[Alert] = [
    {
        "name": "PublicHostDown",
        # A probe runs every 5 minutes, as long as Prometheus remembers a value: ask for the last two.
        "expr": "max by (namespace, instance) (max_over_time(probe_success[11m])) == 0",
        "for_": "0m",
        "severity": Severity.P0,
        "service": "{{ $labels.instance }}",
        "summary": "{{ $labels.instance }} has not answered two probes in a row.",
        "description": "For 10 minutes: no connection, no valid certificate, or an answer other than 2xx.",
        "dashboard": "services",
        "runbook": """\
## Meaning
From inside the cluster, through the public name: no answer, not 2xx, or a certificate that is not valid. It is asked as
a user would, so that DNS, load balancer and gateway are all in it.

## Impact
Nobody reaches the product at this address.

## First checks
1. `curl -v <address>` from your own machine: name, certificate or status?
2. `kubectl get gateway,httproute`: accepted, programmed, with an address?
3. Status 5xx: see ServiceErrorRateHigh and WorkloadGone.

## Mitigation
1. No name: restore the DNS record. No certificate: see CertificateExpires.
2. No connection: `kubectl -n envoy-gateway-system get pods,services`; restart the proxy that is not ready.
3. The route was changed with the last release: take it back in git and deploy.
""",
    },
    {
        "name": "CertificateExpires",
        "expr": (
            "min by (namespace, instance) (last_over_time(probe_ssl_earliest_cert_expiry[11m])) - time()\n"
            "  < 14 * 86400"
        ),
        "for_": "1h",
        "severity": Severity.P2,
        "service": "{{ $labels.instance }}",
        "summary": "The certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}.",
        "description": "Less than 14 days are left, and it is renewed 30 days before its end.",
        "dashboard": "services",
        "runbook": """\
## Meaning
cert-manager renews 30 days before the end; it has not.

## Impact
None yet. When it has expired, no browser opens the product.

## First checks
1. `kubectl get certificate,certificaterequest,order,challenge`: which is not ready?
2. `kubectl describe certificate <name>`: the events say why.
3. `kubectl -n cert-manager logs deployment/cert-manager --tail=100`.

## Mitigation
1. The DNS name moved: correct it. The issuer's account is refused: renew its key.
2. Its rate limit is reached: wait for the time that the event names.
3. Then `kubectl delete certificaterequest <name>`: a new one is made at once.
""",
    },
]
