"""Fixtures of more than one file."""

from tests.data.example_product import python, redis, start
from tests.data.receiver import receiver

__all__ = ["python", "receiver", "redis", "start"]
