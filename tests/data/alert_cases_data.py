"""Histories of metrics that make each alert of databases, queues and Keycloak fire, and ones a step short of that."""

from components.postgres.drills import RESTORED
from tests.data.alert_cases import API, PG, Case, against, durations, one

KC = 'namespace="n",job="keycloak"'
REQUESTS = "http_server_requests_seconds"
BACKUP = "barman_cloud_cloudnative_pg_io_last_{}_backup_timestamp"
LOGINS = f'keycloak_user_events_total{{{KC},realm="shop",event="login",error="%s"}}'

DATA: dict[str, Case] = {
    "PostgresDown": Case(
        {f'cnpg_collector_up{{{PG},pod="1"}}': "0x40", f'cnpg_collector_up{{{PG},pod="2"}}': "0x40"},
        {f'cnpg_collector_up{{{PG},pod="1"}}': "0x40", f'cnpg_collector_up{{{PG},pod="2"}}': "1x40"},
    ),
    "PostgresConnectionsHigh": Case(
        {
            f'cnpg_backends_total{{{PG},pod="1",datname="app"}}': "80x40",
            f'cnpg_backends_total{{{PG},pod="1",datname="auth"}}': "11x40",
            f'cnpg_pg_settings_setting{{{PG},pod="1",name="max_connections"}}': "100x40",
        },
        {
            f'cnpg_backends_total{{{PG},pod="1",datname="app"}}': "80x40",
            f'cnpg_backends_total{{{PG},pod="1",datname="auth"}}': "10x40",
            f'cnpg_pg_settings_setting{{{PG},pod="1",name="max_connections"}}': "100x40",
            f'cnpg_pg_settings_setting{{{PG},pod="1",name="port"}}': "5432x40",
        },
    ),
    "PostgresBackupTooOld": one(
        f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{PG}}}", "0x1700", "3600x1650", 27 * 60
    ),
    # Judged at minute 30: 90 days and a second, and 90 days.
    "PostgresRestoreUntried": one(f"{RESTORED}{{{PG}}}", f"{1799 - 90 * 86400}x40", f"{1800 - 90 * 86400}x40"),
    "PostgresArchivingFails": Case(
        {
            f'cnpg_pg_stat_archiver_last_failed_time{{{PG},pod="1"}}': "500x40",
            f'cnpg_pg_stat_archiver_last_archived_time{{{PG},pod="1"}}': "400x40",
        },
        {
            f'cnpg_pg_stat_archiver_last_failed_time{{{PG},pod="1"}}': "500x40",
            f'cnpg_pg_stat_archiver_last_archived_time{{{PG},pod="1"}}': "501x40",
        },
    ),
    # A database that nobody writes to has nothing to archive.
    "PostgresArchivingStuck": Case(
        {
            f'cnpg_pg_stat_archiver_seconds_since_last_archival{{{PG},pod="1"}}': "0+60x40",
            f'cnpg_collector_pg_wal_archive_status{{{PG},pod="1",value="ready"}}': "1x40",
        },
        {
            f'cnpg_pg_stat_archiver_seconds_since_last_archival{{{PG},pod="1"}}': "0+60x40",
            f'cnpg_collector_pg_wal_archive_status{{{PG},pod="1",value="ready"}}': "0x40",
            f'cnpg_collector_pg_wal_archive_status{{{PG},pod="1",value="done"}}': "9x40",
        },
    ),
    "PostgresReplicationLags": against(
        f'cnpg_pg_replication_lag{{{PG},pod="2"}}',
        "61x40",
        "60x40",
        f'cnpg_pg_replication_in_recovery{{{PG},pod="2"}}',
        "1x40",
    ),
    "PostgresReplicaMissing": Case(
        {
            f'cnpg_pg_replication_streaming_replicas{{{PG},pod="1"}}': "0x40",
            f'cnpg_collector_up{{{PG},pod="1"}}': "1x40",
            f'cnpg_collector_up{{{PG},pod="2"}}': "1x40",
        },
        {
            f'cnpg_pg_replication_streaming_replicas{{{PG},pod="1"}}': "1x40",
            f'cnpg_pg_replication_streaming_replicas{{{PG},pod="2"}}': "0x40",
        },
    ),
    "RedisDown": one(f"redis_up{{{API}}}", "0x40", "0 1 0 1x37"),
    "RedisMemoryHigh": against(
        f"redis_memory_used_bytes{{{API}}}", "91x40", "90x40", f"redis_memory_max_bytes{{{API}}}", "100x40"
    ),
    "RedisRejectsConnections": one(f"redis_rejected_connections_total{{{API}}}", "0x27 1x12", "7x40"),
    "RedisPersistenceFails": one(f"redis_aof_last_write_status{{{API}}}", "0x40", "1x40"),
    "PostgresTransactionLong": one(
        f'cnpg_backends_max_tx_duration_seconds{{{PG},pod="1",datname="app",usename="app",state="active"}}',
        "1801x40",
        "1800x40",
    ),
    "PostgresQueriesWait": one(f'cnpg_backends_waiting_total{{{PG},pod="1"}}', "11x40", "10x40"),
    # Many deadlocks long ago are none now.
    "PostgresDeadlocks": one(
        f'cnpg_pg_stat_database_deadlocks{{{PG},pod="1",datname="app"}}', "900x80 907x40", "0x9 900x111", 100
    ),
    "PostgresIdsRunOut": one(
        f'cnpg_pg_database_xid_age{{{PG},pod="1",datname="app"}}', "1000000001x40", "1000000000x40"
    ),
    "PostgresBackupFails": against(
        f"{BACKUP.format('failed')}{{{PG}}}", "1001x40", "1000x40", f"{BACKUP.format('available')}{{{PG}}}", "1000x40"
    ),
    "PostgresArchivingLags": Case(
        {f'cnpg_collector_pg_wal_archive_status{{{PG},pod="1",value="ready"}}': "51x40"},
        {
            f'cnpg_collector_pg_wal_archive_status{{{PG},pod="1",value="ready"}}': "50x40",
            f'cnpg_collector_pg_wal_archive_status{{{PG},pod="1",value="done"}}': "90x40",
        },
    ),
    "RedisEvictsKeys": one(f"redis_evicted_keys_total{{{API}}}", "0x25 1x15", "7x40"),
    "KeycloakDown": Case(
        {f'up{{{KC},pod="1"}}': "0x40", f'up{{{KC},pod="2"}}': "0x40"},
        {f'up{{{KC},pod="1"}}': "0x40", f'up{{{KC},pod="2"}}': "1x40"},
    ),
    "KeycloakErrors": Case(
        {
            f'{REQUESTS}_count{{{KC},outcome="SUCCESS",uri="/realms"}}': "0+94x40",
            f'{REQUESTS}_count{{{KC},outcome="SERVER_ERROR",uri="/realms"}}': "0+6x40",
        },
        {  # probes that fail while a server starts
            f'{REQUESTS}_count{{{KC},outcome="SUCCESS",uri="/realms"}}': "0+95x40",
            f'{REQUESTS}_count{{{KC},outcome="SERVER_ERROR",uri="/realms"}}': "0+5x40",
            f'{REQUESTS}_count{{{KC},outcome="SERVER_ERROR",uri="/health/ready"}}': "0+50x40",
        },
    ),
    "KeycloakSlow": Case(
        durations(f"{REQUESTS}_bucket", {"0.5": 90, "1": 94, "2": 100, "+Inf": 100}, f'{KC},uri="/realms"'),
        durations(f"{REQUESTS}_bucket", {"0.5": 90, "1": 96, "2": 100, "+Inf": 100}, f'{KC},uri="/realms"'),
    ),
    "KeycloakWaitsForDatabase": one(f"agroal_awaiting_count{{{KC}}}", "1x40", "1x25 0x15"),
    "KeycloakClusterSplit": against(
        f"vendor_cluster_size{{{KC}}}",
        "1x40",
        "2x40",
        'kube_statefulset_replicas{namespace="n",job="kube-state-metrics",statefulset="keycloak"}',
        "2x40",
    ),
    "KeycloakSignInsFail": Case(
        {LOGINS % "": "0+4x40", LOGINS % "invalid_user_credentials": "0+5x40"},
        # Many of a few, and a few of many.
        {LOGINS % "": "0+5x40", LOGINS % "invalid_user_credentials": "0+5x40"},
    ),
}
