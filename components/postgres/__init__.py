"""PostgreSQL with high availability, continuous archiving and daily base backups, run by CloudNativePG."""

from components.postgres.postgres import Backup, Postgres, PostgresArgs, kubernetes_name

__all__ = ["Backup", "Postgres", "PostgresArgs", "kubernetes_name"]
