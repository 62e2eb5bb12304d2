"""Kubernetes quantities ("250m", "512Mi", "1.5") as exact numbers."""

import re
from decimal import Decimal

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_FACTOR = {
    "": Decimal(1),
    "m": Decimal(1) / 1000,
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def parse(quantity: str) -> Decimal:
    """The number a quantity stands for: bytes for memory and storage, cores for CPU.

    Raises ValueError when Kubernetes would not take the text as a quantity.
    """
    match = _FORM.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a Kubernetes quantity such as 250m, 2, 512Mi or 10Gi")
    return Decimal(match[1]) * _FACTOR[match[2] or ""]
