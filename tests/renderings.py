"""Renderings of the repository's environments, made once in a test process: each takes a second."""

import copy
from functools import cache

from stacks.render import Manifest, render
from tests.conftest import declared


def rendering(stack: str) -> list[Manifest]:
    """What `mainstay render` shows of an environment; the caller may change it."""
    return copy.deepcopy(_rendering(stack, False))


def with_secrets(stack: str) -> list[Manifest]:
    """The same with secrets, so that what is in secret files can be read: each secret's value is its own name."""
    return copy.deepcopy(_rendering(stack, True))


def own_names(stack: str) -> dict[str, str]:
    """The secrets that an environment needs, by key, as `with_secrets` is given them."""
    return {key: key.partition(":")[2] for key in declared(stack).required_secrets}


@cache
def _rendering(stack: str, shown: bool) -> list[Manifest]:
    return render(declared(stack), own_names(stack) if shown else None)
