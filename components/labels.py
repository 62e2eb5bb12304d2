"""Kubernetes' recommended labels, as every Mainstay object carries them."""

from collections.abc import Mapping

UNBACKED_REASON = "mainstay.dev/unbacked-reason"
"""Annotation that says why the data here may be lost, for people and for the backup policy."""

DRAIN_SECONDS = "mainstay.dev/drain-seconds"
"""Annotation of a pod that says how long it may need after SIGTERM, for people and for the shutdown policy."""
PLAIN_KEYS = "mainstay.dev/plain-keys"
"""Annotation of a Secret that names, separated by commas, the keys that hold nothing secret: an operator wants a file
in a Secret, and policies are to read it."""


def selector(name: str, component: str) -> dict[str, str]:
    """The labels that pick one thing's pods: stable for ever, since a Deployment's selector is immutable."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}


def labels(name: str, component: str) -> Mapping[str, str]:
    """All labels of an object: its selector, and who manages it."""
    return {**selector(name, component), "app.kubernetes.io/managed-by": "mainstay"}
