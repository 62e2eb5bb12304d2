"""A database as it should be: archived, backed up every day, kept 30 days, copied off site."""

from collections.abc import Mapping

from policies.facts import Facts
from policies.model import Outcome, Rule
from policies.stack import Resource
from tests.policies.builders import judged, resource

BARMAN = "barman-cloud.cloudnative-pg.io"

CLUSTER = resource(
    "Cluster",
    props={
        "metadata": {"name": "main", "namespace": "shop", "annotations": {}},
        "spec": {
            "instances": 3,
            "postgresql": {"parameters": {"archive_timeout": "1min"}},
            "plugins": [
                {
                    "name": BARMAN,
                    "isWALArchiver": True,
                    "parameters": {"barmanObjectName": "main", "serverName": "main"},
                }
            ],
        },
    },
)
STORE = resource(
    "ObjectStore",
    props={
        "metadata": {
            "name": "main",
            "namespace": "shop",
            "annotations": {
                "mainstay.dev/account": "1111",
                "mainstay.dev/region": "eu-central-1",
                "mainstay.dev/offsite-destination": "s3://shop-offsite/staging",
                "mainstay.dev/offsite-account": "2222",
                "mainstay.dev/offsite-region": "eu-west-1",
                "mainstay.dev/offsite-lock-days": "30",
            },
        },
        "spec": {"retentionPolicy": "30d", "configuration": {"destinationPath": "s3://shop-backups/staging"}},
    },
)
BACKUP = resource(
    "ScheduledBackup",
    props={
        "spec": {
            "cluster": {"name": "main"},
            "schedule": "0 0 3 * * *",
            "method": "plugin",
            "pluginConfiguration": {"name": BARMAN},
        }
    },
)
GOOD = {"Cluster": CLUSTER, "ObjectStore": STORE, "ScheduledBackup": BACKUP}


def verdict(
    rule: Rule, replaced: Mapping[str, Resource | None], *more: Resource, facts: Facts | None = None
) -> tuple[Outcome, str]:
    """Outcome and reasons for the cluster in the good stack, some of its parts replaced, taken away (None) or added."""
    parts = [*more, *(part for part in {**GOOD, **replaced}.values() if part)]
    finding = judged(rule, *parts, facts=facts)["Cluster/main"]
    return finding.outcome, "; ".join(finding.reasons)
