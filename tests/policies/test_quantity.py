"""Quantities, as Kubernetes reads them."""

from decimal import Decimal

import pytest

from policies.quantity import InvalidQuantity, quantity
from policies.values import SECRET, UNKNOWN, Node, Undecided


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (None, None),
        (2, "2"),
        (0.5, "0.5"),
        ("0", "0"),
        ("250m", "0.25"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("2.", "2"),
        ("+3", "3"),
        ("-1", "-1"),
        ("5u", "0.000005"),
        ("7n", "0.000000007"),
        ("1k", "1000"),
        ("1M", "1000000"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("2E", "2000000000000000000"),
        ("1Ei", "1152921504606846976"),
        ("12e3", "12000"),
        ("12E-1", "1.2"),
    ],
)
def test_a_quantity_is_an_exact_number(value: object, number: str | None) -> None:
    assert quantity(Node(value)) == (None if number is None else Decimal(number))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", " 1", "1 Gi", "1gi", "1K", "m", "1e", "1mm", "1x", "1xi", "a", True, [], {}])
def test_what_kubernetes_refuses_is_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(InvalidQuantity, match=r"^spec\.cpu is not a quantity such as 250m, 2 or 512Mi$"):
        quantity(Node(value, "spec.cpu"))  # type: ignore[arg-type]


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
def test_what_cannot_be_read_is_undecided(marker: object) -> None:
    with pytest.raises(Undecided):
        quantity(Node(marker))  # type: ignore[arg-type]
