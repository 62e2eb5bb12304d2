"""The provider's configuration (`kubernetes:…` in Pulumi.<stack>.yaml, or an explicit Provider's arguments)."""

from dataclasses import dataclass

from devcluster.plugin.errors import Refused
from devcluster.plugin.inputs import DEFAULT_NAMESPACE
from devcluster.plugin.values import Object, text

# Settings that change what the genuine provider does so much that passing over them would be a lie.
_UNSUPPORTED = {"renderYamlToDirectory": "", "enableServerSideApply": "true"}


@dataclass(frozen=True)
class Settings:
    """What the stand-in understands; the genuine provider's other settings make no difference to it."""

    kubeconfig: str
    """Path or content, "" for the ambient one."""
    context: str
    """"" for the kubeconfig's current context."""
    namespace: str
    """Where objects go that name no namespace."""
    mutable_kinds: frozenset[str]
    """Those of ConfigMap and Secret that are updated instead of replaced when their data changes."""
    always_force: bool
    """Whether conflicts with other field managers are always won."""


def read_settings(arguments: Object) -> Settings:
    """The settings among a provider's arguments. Raises Refused for one that the stand-in cannot honour."""
    for name, default in _UNSUPPORTED.items():
        if _text(arguments, name) not in ("", default):
            raise Refused(
                f"The stand-in for pulumi-resource-kubernetes cannot do kubernetes:{name}: remove the setting."
            )
    mutable = {"enableConfigMapMutable": "ConfigMap", "enableSecretMutable": "Secret"}
    return Settings(
        kubeconfig=_text(arguments, "kubeconfig"),
        context=_text(arguments, "context"),
        namespace=_text(arguments, "namespace") or DEFAULT_NAMESPACE,
        mutable_kinds=frozenset(kind for name, kind in mutable.items() if _text(arguments, name) == "true"),
        always_force=_text(arguments, "enablePatchForce") == "true",
    )


def _text(arguments: Object, name: str) -> str:
    # Settings arrive as strings, or as JSON values from an explicit Provider.
    value = arguments.get(name)
    return str(value).lower() if isinstance(value, bool) else text(arguments, name)
