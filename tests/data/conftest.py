"""Fixtures of more than one file."""

from tests.data.example_product import python, redis, start

__all__ = ["python", "redis", "start"]
