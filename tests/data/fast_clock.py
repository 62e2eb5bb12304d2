"""Rules and routes on a clock that runs sixty times faster: an hour of theirs is a minute of the test's.

Only durations change: a range, an interval, a delay. What is compared with what stays as it is deployed.
"""

import re
from typing import Any

SPEED = 60
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+)([smhd])")


def faster(duration: str) -> str:
    """`1h` becomes `60s`; `30s` becomes `500ms`."""
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))
    return f"{round(seconds * 1000 / SPEED)}ms"


def faster_rules(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rule groups with every range, interval and delay shortened."""

    def expr(text: str) -> str:
        return re.sub(r"\[([^\]]+)\]", lambda found: f"[{_each(found[1])}]", text)

    def rule(each: dict[str, Any]) -> dict[str, Any]:
        delay = {key: faster(str(each[key])) for key in ("for", "keep_firing_for") if key in each}
        return {**each, "expr": expr(each["expr"]), **delay}

    return [
        {
            **group,
            "interval": faster(group.get("interval", "60s")),
            "rules": [rule(each) for each in group["rules"]],
        }
        for group in groups
    ]


def faster_routes(config: str) -> str:
    """Alertmanager's configuration with every wait shortened."""
    return re.sub(
        r"^( *(?:- )?(?:group_wait|group_interval|repeat_interval): )(\S+)$",
        lambda found: f"{found[1]}{faster(found[2])}",
        config,
        flags=re.MULTILINE,
    )


def _each(text: str) -> str:
    return _DURATION.sub(lambda found: faster(found[0]), text)
