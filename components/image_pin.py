"""Images by digest: a tag can be moved to other content, a digest cannot.

A digest comes from the environment, or is asked of the image's registry at every preview. A tag that somebody moved so
shows there as a change from one digest to another, before anything runs.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import pulumi

_REFERENCE = re.compile(r"(?P<name>[^@]+?)(:(?P<tag>[^:/@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?")
_IMAGE_KEYS = ("image", "imageName", "image_name")
_TYPES_WITHOUT_IMAGES = re.compile(r"kubernetes:core/v1:(ConfigMap|Secret)")


class Reference(NamedTuple):
    """The parts of an image reference."""

    repository: str
    """Where it is, written out: `docker.io/library/redis` for `redis`."""
    tag: str | None
    """Its tag."""
    digest: str | None
    """Its digest, `sha256:…`."""


def parse_reference(image: str) -> Reference:
    """The parts of `image`. Raises ValueError for a text that is none."""
    match = _REFERENCE.fullmatch(image)
    if match is None:
        raise ValueError(f"{image!r} is not an image reference")
    name = match["name"]
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif first != "localhost" and not re.search("[.:]", first):
        name = f"docker.io/{name}"
    return Reference(name, match["tag"], match["digest"])


class ImagePins:
    """Puts a digest behind every image of the resources that are declared after `apply_to_stack`."""

    def __init__(self, digests: Mapping[str, str], ask_registry: bool) -> None:
        """`digests`: by image reference, they win. `ask_registry`: look up all others; without it they keep the tag."""
        self._digests = digests
        self._ask_registry = ask_registry
        self._asked: dict[str, pulumi.Output[str]] = {}

    def apply_to_stack(self) -> None:
        """From here on each resource of the running program is pinned: one place, which no component can forget."""
        pulumi.runtime.register_stack_transformation(self._transformed)

    def pinned(self, image: str) -> pulumi.Input[str]:
        """The image with its digest; unchanged where it has one, or where none is known and none may be asked for."""
        if parse_reference(image).digest:
            return image
        if image in self._digests:
            return f"{image}@{self._digests[image]}"
        if not self._ask_registry:
            return image
        if image not in self._asked:
            self._asked[image] = _asked_of_registry(image)
        return self._asked[image]

    def _transformed(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("kubernetes:") or _TYPES_WITHOUT_IMAGES.fullmatch(args.type_):
            return None
        return pulumi.ResourceTransformationResult(cast(dict[str, Any], self._walk(args.props)), args.opts)

    def _walk(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            entries = cast(Mapping[str, Any], value)
            return {
                key: self.pinned(each) if key in _IMAGE_KEYS and isinstance(each, str) else self._walk(each)
                for key, each in entries.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [self._walk(each) for each in cast(Sequence[Any], value)]
        return value


def _asked_of_registry(image: str) -> pulumi.Output[str]:
    # Imported here: an environment that asks no registry need not wait for it, nor have its plugin.
    import pulumi_docker

    found = pulumi_docker.get_registry_image_output(name=image)
    return found.sha256_digest.apply(lambda digest: f"{image}@{digest}")
