"""Kubernetes quantities (`250m`, `1.5`, `512Mi`, `1e3`) as exact numbers."""

import re
from decimal import Decimal

from policies.values import Node

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]+))?")
_FACTORS = {
    "n": Decimal(10) ** -9,
    "u": Decimal(10) ** -6,
    "m": Decimal(10) ** -3,
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


class InvalidQuantity(ValueError):
    """Kubernetes would refuse the value; `str()` is a clause."""


def quantity(node: Node) -> Decimal | None:
    """The number that stands there: cores of CPU, bytes of memory; None if nothing does.

    Raises Undecided, and InvalidQuantity.
    """
    value = node.known()
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidQuantity(f"{node.path} is not a quantity such as 250m, 2 or 512Mi")
    number, unit, exponent = match.groups()
    return Decimal(number) * _FACTORS.get(unit, Decimal(1)) * Decimal(10) ** int(exponent or 0)
