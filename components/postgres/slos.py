"""What a database may promise, counted from CloudNativePG's metrics."""

from components.slo.indicators import Freshness
from components.slo.objective import Slo
from components.slo.promise import Promise


def durability(object_name: str, promise: Promise, seconds: float) -> Slo:
    """Looks that find the last archived write-ahead log no older than `seconds`: what a lost cluster would lose.

    The primary's value counts, which is the newest. A database that nobody writes to archives nothing either; the
    product's scheduler writes all the time.
    """
    metric = "cnpg_pg_stat_archiver_last_archived_time"
    title = f"What was written to {object_name} more than {seconds:g} s ago stands in its archive."
    # An operator's pods: their absence is PostgresDown's business.
    return promise.of(object_name, "durability", title, Freshness(f'{metric}{{job="{object_name}"}}', seconds), None)
