"""Redis for job queues and counters: one node, every write in an append-only file, password required."""

from components.redis.redis import Redis, RedisArgs, kubernetes_name

__all__ = ["Redis", "RedisArgs", "kubernetes_name"]
