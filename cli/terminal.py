"""Where the command's tables are shown."""

from rich.console import Console

_NARROWEST, _WIDTH = 80, 120


def console(stderr: bool = False) -> Console:
    """As wide as the terminal; what is too narrow for tables, and what is no terminal, has at least 120 columns."""
    found = Console(stderr=stderr, highlight=False)
    if found.width < _NARROWEST or not found.is_terminal:
        found.width = max(found.width, _WIDTH)
    return found
