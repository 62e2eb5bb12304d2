"""Where NetworkPolicies let pods go: out of the cluster, and nowhere in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from policies.label_selectors import matches
from policies.stack import Stack
from policies.targets import Target, targets
from policies.values import Node, Undecided

NETWORK_POLICY = "networking.k8s.io/NetworkPolicy"
_DNS = 53
_PRIVATE = tuple(ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""Where pods and Services have their addresses."""


@dataclass(frozen=True)
class WaysOut:
    """Where pods may go, name resolution aside."""

    limited: bool
    """Whether a policy says where; without one they may go anywhere."""
    inside: tuple[str, ...]
    """What leads to others within the cluster: policies, as messages call them."""
    outside: bool
    """Whether public addresses may be reached."""


def ways_out(target: Target, stack: Stack) -> WaysOut:
    """Of these pods. Raises Undecided."""
    inside: list[str] = []
    limited = outside = False
    for policy in stack.of(NETWORK_POLICY):
        spec = policy.root.at("spec")
        if policy.namespace != target.resource.namespace or not matches(spec.at("podSelector"), target.labels):
            continue
        if not _is_about_egress(spec):
            continue
        limited = True
        for rule in spec.at("egress").items():
            if _is_for_names(rule):
                continue
            leads = list(_leads(rule, target, stack))
            outside = outside or "outside" in leads
            inside += [policy.subject] if "inside" in leads else []
    return WaysOut(limited, tuple(dict.fromkeys(inside)), outside or not limited)


def _is_about_egress(spec: Node) -> bool:
    types = [each.text() for each in spec.at("policyTypes").items()]
    return "Egress" in types if types else bool(spec.at("egress").items())


def _is_for_names(rule: Node) -> bool:
    ports = [each.at("port").known() for each in rule.at("ports").items()]
    return bool(ports) and all(port == _DNS for port in ports)


def _leads(rule: Node, target: Target, stack: Stack) -> Iterator[str]:
    peers = rule.at("to").items()
    if not peers:
        yield from ("inside", "outside")
    for peer in peers:
        if peer.at("ipBlock").known() is not None:
            yield from _leads_to_addresses(peer.at("ipBlock"))
        elif peer.at("namespaceSelector").known() is not None or _picks_others(peer.at("podSelector"), target, stack):
            yield "inside"


def _picks_others(selector: Node, target: Target, stack: Stack) -> bool:
    """Whether it picks pods of the namespace that are not these."""
    others = [each for each in stack.once(targets) if each.resource is not target.resource]
    return any(
        each.resource.namespace == target.resource.namespace and matches(selector, each.labels) for each in others
    )


def _leads_to_addresses(block: Node) -> Iterator[str]:
    try:
        network = ip_network(block.at("cidr").text())
        excepted = [ip_network(each.text()) for each in block.at("except").items()]
    except ValueError:
        raise Undecided(f"{block.path} has no address range that can be read") from None
    if any(_overlaps(network, private) and not _covered(private, network, excepted) for private in _PRIVATE):
        yield "inside"
    if not network.is_private:
        yield "outside"


def _overlaps(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return network.version == other.version and network.overlaps(other)


def _covered(
    private: IPv4Network | IPv6Network,
    network: IPv4Network | IPv6Network,
    excepted: list[IPv4Network | IPv6Network],
) -> bool:
    """Whether what the two have in common is excepted."""
    common = private if private.prefixlen >= network.prefixlen else network
    return any(
        each.version == common.version and each.prefixlen <= common.prefixlen and each.overlaps(common)
        for each in excepted
    )
