"""The configuration reference people read is the one the models would write today."""

from stacks.reference import reference
from tests.conftest import ROOT


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == reference(), (
        "renew it: python -m stacks.reference > docs/configuration.md"
    )
