"""What a client may ask of the gateway: how often, how much, how long, and in which spelling.

Both policies are Envoy Gateway's own kinds and hold for every listener and route of the gateway.
"""

from typing import Any

import pulumi

RECEIVE_SECONDS = 30
"""How long a client may take to send a whole request; without a limit a slow one holds a connection for ever."""
IDLE_SECONDS = 300
"""How long a connection may stay open without a request; longer than common load balancers in front keep theirs."""
CONNECT_SECONDS = 5
"""How long the way from the gateway to a service's pod may take to open."""


def backend_traffic(gateway: str, requests_per_minute: pulumi.Input[int], request_size: str) -> dict[str, Any]:
    """Spec of the BackendTrafficPolicy: rate per client and size of a request."""
    return {
        "targetRefs": [_target(gateway)],
        "rateLimit": {
            # Counted in each proxy, hence in total up to the limit times their number. A count shared by all needs a
            # Redis that whoever runs Envoy Gateway configures for the whole cluster.
            "type": "Local",
            "local": {
                "rules": [
                    {
                        "clientSelectors": [{"sourceCIDR": {"type": "Distinct", "value": everyone}}],
                        "limit": {"requests": requests_per_minute, "unit": "Minute"},
                    }
                    for everyone in ("0.0.0.0/0", "::/0")
                ]
            },
        },
        # Larger ones are refused with 413. The proxy holds a request until it is complete, so this is also what one
        # request may cost it in memory.
        "requestBuffer": {"limit": request_size},
        "timeout": {"tcp": {"connectTimeout": f"{CONNECT_SECONDS}s"}},
    }


def client_traffic(gateway: str, trusted_hops: pulumi.Input[int] | None) -> dict[str, Any]:
    """Spec of the ClientTrafficPolicy: TLS, timeouts, and paths that could be read in two ways."""
    spec: dict[str, Any] = {
        "targetRefs": [_target(gateway)],
        "tls": {"minVersion": "1.2", "alpnProtocols": ["h2", "http/1.1"]},
        "timeout": {
            "http": {"requestReceivedTimeout": f"{RECEIVE_SECONDS}s", "idleTimeout": f"{IDLE_SECONDS}s"},
        },
        # `/x%2f..%2fmetrics` is refused, not guessed at.
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        "headers": {"withUnderscoresAction": "RejectRequest"},
    }
    if trusted_hops is not None:
        spec["clientIPDetection"] = {"xForwardedFor": {"numTrustedHops": trusted_hops}}
    return spec


def _target(gateway: str) -> dict[str, str]:
    return {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway}
