"""Whether all that a rendering refers to is in it."""

from collections.abc import Sequence

from stacks.environment import Environment
from tests.rendered.addresses import addresses, faults_of_addresses
from tests.rendered.index import Index, sites
from tests.rendered.network import faults_of_network
from tests.rendered.operators import Object
from tests.rendered.references import faults_of_fields

_SERVED = ("public_hosts", "keycloak")
"""Keys of an environment below which URLs are the product's own, so that its gateway must serve them."""


def dangling(objects: Sequence[Object], environment: Environment) -> list[str]:
    """A sentence for each reference that leads nowhere. `objects`: the environment's rendering, with secrets."""
    index = Index(objects)
    found = {
        *faults_of_fields(index),
        *faults_of_addresses(index, _outside(environment)),
        *faults_of_network(index, environment),
    }
    return sorted(found)


def _outside(environment: Environment) -> set[str]:
    """Hosts that the environment itself names and that are not its own."""
    platform = environment.platform.model_dump(mode="json")
    return {
        address.host
        for site in sites({"kind": "", **platform})
        if isinstance(site.value, str) and not any(f".{key}" in site.path for key in _SERVED)
        for address in addresses(site.value)
    }
