"""A gateway of the Kubernetes Gateway API, run by Envoy Gateway, its certificates issued by cert-manager."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.gateway.limits import backend_traffic, client_traffic
from components.gateway.route import Route, closed_paths, rules
from components.labels import labels

HTTP_LISTENER = "http"
CERTIFICATE_SECONDS = 900
"""How long a first certificate may take: DNS must point at the gateway before the authority can see it."""


class GatewayArgs(TypedDict):
    """What a gateway is given."""

    namespace: pulumi.Input[str]
    """Namespace to run in, the one of the services."""
    class_name: pulumi.Input[str]
    """GatewayClass that the cluster offers for Envoy Gateway, e.g. `envoy-gateway`."""
    issuer: pulumi.Input[str]
    """cert-manager's issuer of the certificates."""
    issuer_kind: pulumi.Input[str]
    """`ClusterIssuer`, or `Issuer` for one in the namespace."""
    routes: Sequence[Route]
    """The public services."""
    closed: NotRequired[Sequence[str]]
    """Path prefixes closed on all hosts beside `/metrics` and the services' probes, e.g. `/admin`. Default: none."""
    requests_per_minute: pulumi.Input[int]
    """What one client address may ask of one proxy before it gets 429."""
    request_size: str
    """The largest request, e.g. `10Mi`; above it the answer is 413."""
    request_seconds: int
    """The longest a request may take before it gets 504."""
    trusted_hops: NotRequired[pulumi.Input[int]]
    """Proxies in front that append to X-Forwarded-For. Default: none, the client is who connects."""


class Gateway(pulumi.ComponentResource):
    """Gateway with one listener per host, certificates, routes, redirect from HTTP, limits."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mainstay:index:Gateway", name, cast(pulumi.Inputs, dict(args)), opts)
        hosts = sorted({host for route in args["routes"] for host in route["hosts"]})

        def declare(
            object_name: str,
            api_version: str,
            kind: str,
            spec: dict[str, Any],
            after: Sequence[pulumi.Resource] = (),
            annotations: dict[str, str] | None = None,
        ) -> pulumi.Resource:
            return kubernetes.apiextensions.CustomResource(
                f"{name}-{kind.lower()}-{object_name}",
                api_version=api_version,
                kind=kind,
                metadata={
                    "name": object_name,
                    "namespace": args["namespace"],
                    "labels": labels(name, "gateway"),
                    "annotations": annotations or {},
                },
                spec=spec,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
            )

        api, envoy = "gateway.networking.k8s.io/v1", "gateway.envoyproxy.io/v1alpha1"
        closed_filter = f"{name}-closed"
        # The policies stand before the gateway listens, and the answer for closed paths before any route: there is no
        # moment in which more is open than declared.
        before: list[pulumi.Resource] = [
            declare(
                name,
                envoy,
                "BackendTrafficPolicy",
                backend_traffic(name, args["requests_per_minute"], args["request_size"]),
            ),
            declare(name, envoy, "ClientTrafficPolicy", client_traffic(name, args.get("trusted_hops"))),
            declare(
                closed_filter,
                envoy,
                "HTTPRouteFilter",
                {
                    "directResponse": {
                        "statusCode": 404,
                        "contentType": "text/plain",
                        "body": {"type": "Inline", "inline": "not found\n"},
                    }
                },
            ),
        ]
        gateway = declare(
            name,
            api,
            "Gateway",
            {"gatewayClassName": args["class_name"], "listeners": [_http(), *(_https(host) for host in hosts)]},
            before,
            {"pulumi.com/waitFor": "condition=Programmed"},
        )
        # Without hostnames: cert-manager's own routes for HTTP challenges name host and exact path, and so win.
        declare(
            f"{name}-redirect",
            api,
            "HTTPRoute",
            {
                "parentRefs": [{"name": name, "sectionName": HTTP_LISTENER}],
                "rules": [
                    {
                        "filters": [
                            {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
                        ]
                    }
                ],
            },
            [gateway],
        )
        for route in args["routes"]:
            closed = closed_paths(route, list(args.get("closed", [])))
            own_hosts = sorted(set(route["hosts"]))
            declare(
                route["service"],
                api,
                "HTTPRoute",
                {
                    "parentRefs": [{"name": name, "sectionName": host} for host in own_hosts],
                    "hostnames": own_hosts,
                    "rules": rules(route, closed, closed_filter, args["request_seconds"]),
                },
                [gateway],
            )
        for host in hosts:
            # After the gateway, through which an authority may check who owns the host.
            declare(
                host,
                "cert-manager.io/v1",
                "Certificate",
                {
                    "secretName": certificate_secret(host),
                    "dnsNames": [host],
                    "issuerRef": {
                        "group": "cert-manager.io",
                        "kind": args["issuer_kind"],
                        "name": args["issuer"],
                    },
                    "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
                    "usages": ["digital signature", "server auth"],
                },
                [gateway],
                {
                    "pulumi.com/waitFor": "condition=Ready",
                    "pulumi.com/timeoutSeconds": str(CERTIFICATE_SECONDS),
                },
            )
        self.register_outputs({})


def certificate_secret(host: str) -> str:
    """Name of the Secret that cert-manager keeps a host's certificate in."""
    return f"{host}-tls"


def _http() -> dict[str, Any]:
    return {
        "name": HTTP_LISTENER,
        "port": 80,
        "protocol": "HTTP",
        # Routes of its own namespace only: here the redirect and cert-manager's challenges.
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }


def _https(host: str) -> dict[str, Any]:
    return {
        "name": host,
        "hostname": host,
        "port": 443,
        "protocol": "HTTPS",
        "tls": {
            "mode": "Terminate",
            "certificateRefs": [{"group": "", "kind": "Secret", "name": certificate_secret(host)}],
        },
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
