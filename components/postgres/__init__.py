"""PostgreSQL with high availability, continuous archiving and daily base backups, run by CloudNativePG."""

from components.postgres.backup import Backup, Offsite
from components.postgres.postgres import Postgres, PostgresArgs, kubernetes_name

__all__ = ["Backup", "Offsite", "Postgres", "PostgresArgs", "kubernetes_name"]
