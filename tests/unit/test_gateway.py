"""What the gateway routes is what the environment declares, and nothing that is closed, in whatever spelling."""

import asyncio
import posixpath
import re
from collections.abc import Iterator
from typing import Any, cast

import pulumi
import pytest
from pulumi.runtime.stack import run_pulumi_func
from pydantic import TypeAdapter, ValidationError

from components.gateway import Gateway, GatewayArgs, Route
from stacks.render import Manifest, Recorder
from stacks.settings import Host, RoutedPath
from stacks.settings_gateway import GatewaySettings, faults_of_routes

PROBES = ["/health", "/readiness", "/liveness"]
API: Route = {"service": "api", "port": 8000, "hosts": ["api.shop.example"], "paths": ["/"], "closed": PROBES}
WEB: Route = {
    "service": "web",
    "port": 3000,
    "hosts": ["shop.example", "www.shop.example"],
    "paths": ["/"],
    "closed": PROBES,
}
HOOKS: Route = {"service": "hooks", "port": 8080, "hosts": ["shop.example"], "paths": ["/hooks"], "closed": ["/alive"]}
SETTINGS = GatewaySettings.model_validate({"issuer": {"name": "letsencrypt"}})
CLOSED_ON_SHOP = ["/metrics", "/admin", "/debug", "/internal", "/alive", *PROBES]

Json = dict[str, Any]


def declared(routes: list[Route], **changes: Any) -> list[Manifest]:
    args: GatewayArgs = {
        "namespace": "shop",
        "class_name": SETTINGS.class_name,
        "issuer": SETTINGS.issuer.name,
        "issuer_kind": SETTINGS.issuer.kind,
        "routes": routes,
        "closed": SETTINGS.closed_paths,
        "requests_per_minute": SETTINGS.requests_per_minute,
        "request_size": SETTINGS.request_size,
        "request_seconds": SETTINGS.request_seconds,
    }
    monitor = Recorder()

    async def run() -> None:
        pulumi.runtime.set_mocks(monitor.mocks, project="mainstay", stack="test", preview=False, monitor=monitor)
        await run_pulumi_func(lambda: cast(None, Gateway("gateway", cast(GatewayArgs, {**args, **changes}))))

    asyncio.run(run())
    return monitor.manifests(show_secrets=False)


def of_kind(manifests: list[Manifest], kind: str) -> list[Json]:
    return [each.manifest for each in manifests if each.kind == kind]


# -- A gateway in a few lines: what Envoy does to a path, then the Gateway API's order of precedence ------------------


def resolved(path: str) -> str | None:
    """The path Envoy matches: queries cut, slashes merged, dots resolved; None for what is refused outright."""
    path = path.partition("?")[0].replace("\\", "/")
    if re.search("%(2f|5c)", path, re.IGNORECASE):
        return None
    path = re.sub("%2e", ".", path, flags=re.IGNORECASE)
    folder = path.endswith(("/", "/.", "/.."))
    path = posixpath.normpath(re.sub("/+", "/", path))
    return path + "/" if folder and path != "/" else path


def matches(match: Json, path: str) -> bool:
    kind, value = match["path"]["type"], match["path"]["value"]
    if kind == "RegularExpression":
        return re.fullmatch(value, path) is not None
    assert kind == "PathPrefix"
    return value == "/" or path == value or path.startswith(value + "/")


def reached(manifests: list[Manifest], host: str, path: str, scheme: str = "https") -> str:
    """The service a request reaches, or `404`, or `redirect`."""
    listeners = of_kind(manifests, "Gateway")[0]["spec"]["listeners"]
    wanted = {"https": "HTTPS", "http": "HTTP"}[scheme]
    sections = {each["name"] for each in listeners if each["protocol"] == wanted and each.get("hostname", host) == host}
    seen = resolved(path)
    if seen is None:
        return "404"
    candidates: list[tuple[tuple[bool, int], str]] = []
    for route in of_kind(manifests, "HTTPRoute"):
        spec = route["spec"]
        if not sections & {each["sectionName"] for each in spec["parentRefs"]}:
            continue
        if host not in spec.get("hostnames", [host]):
            continue
        for rule in spec["rules"]:
            for match in rule.get("matches", [{"path": {"type": "PathPrefix", "value": "/"}}]):
                if matches(match, seen):
                    # Envoy Gateway: a regular expression before any prefix, then the longest.
                    rank = (match["path"]["type"] == "RegularExpression", len(match["path"]["value"]))
                    candidates.append((rank, target(rule)))
    if not candidates:
        return "404"
    best = max(rank for rank, _ in candidates)
    (answer,) = {where for rank, where in candidates if rank == best}  # equals must agree: nothing depends on order
    return answer


def target(rule: Json) -> str:
    for each in rule.get("filters", []):
        if each["type"] == "RequestRedirect":
            return "redirect"
        if each["type"] == "ExtensionRef":
            return "404"
    return rule["backendRefs"][0]["name"]


# ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop() -> list[Manifest]:
    return declared([API, WEB, HOOKS])


def spellings(path: str) -> Iterator[str]:
    """Ways to write a path that some server or other takes for the same."""
    yield path
    yield f"/{path}"
    yield f"/.{path}"
    yield f"/open/..{path}"
    yield f"/open/%2e%2E{path}"
    yield f"/open%2f..{path}"
    yield path.replace("/", "\\")
    yield f"{path}/"
    yield f"{path}/below"
    yield f"{path}?x=/open"
    yield f"{path};x"
    yield f"{path}%3bx"
    for index in range(1, len(path)):
        yield f"{path[:index]}%{ord(path[index]):02x}{path[index + 1 :]}"
        yield f"{path[:index]}%{ord(path[index]):02X}{path[index + 1 :]}"


@pytest.mark.parametrize("closed", CLOSED_ON_SHOP)
def test_a_closed_path_leads_nowhere_in_any_spelling(shop: list[Manifest], closed: str) -> None:
    for spelling in spellings(closed):
        assert reached(shop, "shop.example", spelling) == "404", spelling


def test_without_its_closing_rule_a_closed_path_would_be_routed(shop: list[Manifest]) -> None:
    """The matcher can tell the difference: with the rule gone, the same request reaches the service."""
    opened = declared([API])
    (route,) = [each for each in of_kind(opened, "HTTPRoute") if each["metadata"]["name"] == "api"]
    del route["spec"]["rules"][0]
    assert reached(opened, "api.shop.example", "/metrics") == "api"
    assert reached(shop, "api.shop.example", "/metrics") == "404"


@pytest.mark.parametrize(
    ("host", "path", "service"),
    [
        ("api.shop.example", "/", "api"),
        ("api.shop.example", "/v1/orders?limit=10", "api"),
        ("api.shop.example", "/metricsystem", "api"),
        ("api.shop.example", "/reports/metrics", "api"),
        ("api.shop.example", "/gr%C3%BC%20%C3%9Fe", "api"),
        ("api.shop.example", "/hooks", "api"),
        ("shop.example", "/healthy-food", "web"),
        ("shop.example", "/hooks", "hooks"),
        ("shop.example", "/hooks/github", "hooks"),
        ("shop.example", "/hooksmith", "web"),
        ("shop.example", "/open/../hooks", "hooks"),
        ("www.shop.example", "/hooks", "web"),
        ("other.example", "/", "404"),
    ],
)
def test_what_is_declared_is_reached(shop: list[Manifest], host: str, path: str, service: str) -> None:
    assert reached(shop, host, path) == service


def test_plain_http_only_redirects(shop: list[Manifest]) -> None:
    for host in ("api.shop.example", "shop.example", "other.example"):
        for path in ("/", "/metrics", "/v1"):
            assert reached(shop, host, path, "http") == "redirect"


def test_each_host_has_a_listener_a_certificate_and_one_secret_between_them(shop: list[Manifest]) -> None:
    hosts = {"api.shop.example", "shop.example", "www.shop.example"}
    listeners = {each["hostname"]: each for each in of_kind(shop, "Gateway")[0]["spec"]["listeners"] if "tls" in each}
    certificates = {each["spec"]["dnsNames"][0]: each["spec"] for each in of_kind(shop, "Certificate")}
    assert set(listeners) == set(certificates) == hosts
    for host in hosts:
        assert listeners[host]["tls"]["certificateRefs"][0]["name"] == certificates[host]["secretName"]
        assert certificates[host]["issuerRef"] == {
            "group": "cert-manager.io",
            "kind": "ClusterIssuer",
            "name": "letsencrypt",
        }


def test_every_reference_leads_to_an_object_declared_here(shop: list[Manifest]) -> None:
    gateways = {each["metadata"]["name"] for each in of_kind(shop, "Gateway")}
    filters = {each["metadata"]["name"] for each in of_kind(shop, "HTTPRouteFilter")}
    policies = of_kind(shop, "BackendTrafficPolicy") + of_kind(shop, "ClientTrafficPolicy")
    assert len(policies) == 2
    for policy in policies:
        assert [each["name"] for each in policy["spec"]["targetRefs"]] == list(gateways)
    for route in of_kind(shop, "HTTPRoute"):
        assert {each["name"] for each in route["spec"]["parentRefs"]} == gateways
        for rule in route["spec"]["rules"]:
            for each in rule.get("filters", []):
                assert each["type"] != "ExtensionRef" or each["extensionRef"]["name"] in filters


def test_limits_of_the_environment_arrive(shop: list[Manifest]) -> None:
    (backend,) = of_kind(shop, "BackendTrafficPolicy")
    assert backend["spec"]["requestBuffer"] == {"limit": "10Mi"}
    rules = backend["spec"]["rateLimit"]["local"]["rules"]
    assert [each["limit"] for each in rules] == [{"requests": 600, "unit": "Minute"}] * 2
    (route,) = [each for each in of_kind(shop, "HTTPRoute") if each["metadata"]["name"] == "api"]
    assert route["spec"]["rules"][1]["timeouts"] == {"request": "30s"}
    (client,) = of_kind(shop, "ClientTrafficPolicy")
    assert "clientIPDetection" not in client["spec"]
    (behind_proxy,) = of_kind(declared([API], trusted_hops=1), "ClientTrafficPolicy")
    assert behind_proxy["spec"]["clientIPDetection"] == {"xForwardedFor": {"numTrustedHops": 1}}


def test_two_claims_of_one_place_are_refused() -> None:
    twin: Route = {**HOOKS, "service": "twin"}
    assert faults_of_routes(SETTINGS, {"services.hooks": HOOKS, "services.twin": twin}) == [
        "mainstay:services.twin and mainstay:services.hooks both claim shop.example/hooks; "
        "give one of them another host or other paths."
    ]
    assert faults_of_routes(SETTINGS, {"services.api": API, "services.web": WEB, "services.hooks": HOOKS}) == []


def test_a_path_that_is_closed_cannot_be_claimed() -> None:
    peeping: Route = {**HOOKS, "paths": ["/metrics/mine"]}
    (fault,) = faults_of_routes(SETTINGS, {"services.hooks": peeping})
    assert fault.startswith("mainstay:services.hooks.paths has /metrics/mine, but /metrics is never routed on shop.")
    neighbour: Route = {**HOOKS, "paths": ["/health"]}
    (fault,) = faults_of_routes(SETTINGS, {"services.web": WEB, "services.hooks": neighbour})
    assert "/health is never routed on shop.example" in fault


def test_hosts_need_the_section_and_fit_the_gateway() -> None:
    assert faults_of_routes(None, {}) == []
    assert faults_of_routes(None, {"services.api": API}) == [
        "mainstay:services.api.hosts needs the section mainstay:gateway; add it, or drop the hosts."
    ]
    many: Route = {**API, "hosts": [f"h{number}.shop.example" for number in range(64)]}
    (fault,) = faults_of_routes(SETTINGS, {"services.api": many})
    assert "64 hosts together, and a gateway takes 63" in fault


@pytest.mark.parametrize("host", ["shop", "*.shop.example", "Shop.example", "shop.example/x", "shop.example:443", ""])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="is not a public host such as"):
        TypeAdapter(Host).validate_python(host)


@pytest.mark.parametrize("path", ["", "v1", "/v1/", "//v1", "/v1/../v2", "/./v1", "/%76", "/v1;a", "/v 1", "/v1\n"])
def test_what_is_no_path_to_route_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="is not a path to route such as"):
        TypeAdapter(RoutedPath).validate_python(path)


@pytest.mark.parametrize("path", ["/", "/v1", "/.well-known", "/a/b-c_d.e", "/..."])
def test_paths_to_route_are_accepted(path: str) -> None:
    assert TypeAdapter(RoutedPath).validate_python(path) == path
