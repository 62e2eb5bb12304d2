import os
import socket
import sys
from collections.abc import Iterator

import pytest

from devcluster import ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def test_kept_ports_are_kept_and_taken_ones_replaced(taken: int) -> None:
    first = ports.choose(("a", "b", "c"), {}, {})
    again = ports.choose(("a", "b", "c"), {**first, "b": taken}, {})
    assert (again["a"], again["c"]) == (first["a"], first["c"])
    assert again["b"] != taken
    assert len(set(again.values())) == 3


def test_a_fixed_port_wins_over_one_that_another_kept() -> None:
    port = ports.choose(("a",), {}, {})["a"]
    chosen = ports.choose(("a", "b"), {"a": 0, "b": port}, {"a": port})
    assert chosen["a"] == port
    assert chosen["b"] != port


def test_a_taken_port_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_owner_of_a_port_is_named(taken: int) -> None:
    assert str(ports.owner(taken)).endswith(f"(process {os.getpid()})")
    assert ports.owner(1) is None
