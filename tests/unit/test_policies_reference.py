"""The page about all rules is what the rules say."""

from pathlib import Path

from policies.reference import page

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "policies.md").read_text(encoding="utf-8") == page(), (
        "python -m policies.reference > docs/policies.md renews it"
    )
