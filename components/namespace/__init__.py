"""The namespace that an environment lives in, closed by default."""

from components.namespace.namespace import Namespace, NamespaceArgs

__all__ = ["Namespace", "NamespaceArgs"]
