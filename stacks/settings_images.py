"""The section `mainstay:images`, and what must hold among all images of an environment."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from components import images
from components.image_pin import parse_reference
from stacks.settings import Image, Section

Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class ImagesSettings(Section):
    """How images are pinned to content."""

    pin: Annotated[str, Field(pattern="^(registry|none)$")] = Field(
        "registry",
        description="`registry`: on a real cluster, ask each image's registry for the digest of its tag; "
        "`none`: trust tags, which the policy `image-digest` refuses. The embedded cluster never asks.",
    )
    digests: dict[Image, Digest] = Field(
        default_factory=dict, description="Image with tag -> its digest, `sha256:…`; no registry is asked for these."
    )


def own_images() -> dict[str, str]:
    """The images Mainstay itself chooses, by their names in components/images.py."""
    return {name: value for name, value in vars(images).items() if name.isupper() and isinstance(value, str)}


def faults_of_images(settings: ImagesSettings, product: Mapping[str, str]) -> list[str]:
    """What is wrong among all images, in sentences without the file's name.

    `product`: the environment's images by config key, e.g. `services.api.image`.
    """
    named = {
        **{f"components/images.py: {name}": image for name, image in own_images().items()},
        **{f"mainstay:{key}": image for key, image in product.items()},
    }
    faults: list[str] = []
    first: dict[str, tuple[str, str]] = {}
    for key, image in named.items():
        known_key, known = first.setdefault(parse_reference(image).repository, (key, image))
        if parse_reference(known)[1:] != parse_reference(image)[1:]:
            faults.append(f"{key} is {image}, but {known_key} is {known}: one image, two versions; use one of them.")
    for image in settings.digests:
        if image not in named.values():
            faults.append(
                f"mainstay:images.digests has {image}, which nothing here uses; "
                "write the image just as it is used, or remove the line."
            )
    return faults
