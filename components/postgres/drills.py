"""When each database was last restored from its backup, as a series: no exporter knows of that.

The time is as of the last deployment: what was tried since is known once it is deployed.
"""

from collections.abc import Mapping

from components.observability.alert import Recording

RESTORED = "mainstay:postgres_restored:timestamp_seconds"
LONGEST_DAYS = 90
"""How long ago a restore may have been tried: a quarter (requirement B4); weekly is the goal."""


def recordings(namespace: str, restored: Mapping[str, int]) -> list[Recording]:
    """`restored`: name in Kubernetes -> last restore that went well, in seconds since 1970; 0 if there was none."""
    return [
        {"record": RESTORED, "expr": f"vector({at})", "labels": {"namespace": namespace, "job": name}}
        for name, at in sorted(restored.items())
    ]
