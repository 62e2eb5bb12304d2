"""How shares and times are written for people."""

import math
from datetime import UTC, datetime

_ROUNDING = 1e-6


def percent(share: float, digits: int = 4) -> str:
    """E.g. `99.5 %`. Rounded down, so that 100 % means that nothing failed and 99.5 % is never said of less."""
    scale = 10**digits
    # What binary fractions lack of a round number must not cost a digit.
    text = f"{math.floor(share * 100 * scale + _ROUNDING) / scale:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text} %"


def about(share: float) -> str:
    """E.g. `13.4 %`, rounded as usual: for shares of which none is a promise."""
    return f"{share * 100:.1f} %"


def moment(time: int) -> str:
    """Unix seconds, e.g. `2026-10-07 13:00 UTC`."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
