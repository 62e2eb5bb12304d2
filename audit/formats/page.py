"""A page for people."""

from audit.assessment import Assessment


def render(assessment: Assessment) -> str:
    """The page."""
    return f"<!doctype html><title>{assessment.verdict}</title>"
