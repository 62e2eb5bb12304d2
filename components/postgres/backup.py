"""Backup of a database: continuous archiving and base backups into an object store."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.labels import labels

BARMAN_PLUGIN = "barman-cloud.cloudnative-pg.io"


class Offsite(TypedDict):
    """The bucket the backups' bucket is replicated to: by the store itself, outside Kubernetes."""

    destination: pulumi.Input[str]
    """Its path, e.g. `s3://acme-backups-offsite/prod`."""
    account: pulumi.Input[str]
    """Account it belongs to."""
    region: pulumi.Input[str]
    """Region it is in."""
    lock_days: pulumi.Input[int]
    """For how many days nobody can delete what is in it (object lock); 0 for not at all."""


class Backup(TypedDict):
    """Where and how often a database is backed up."""

    destination: pulumi.Input[str]
    """Object store's path, e.g. `s3://acme-backups/prod`."""
    account: NotRequired[pulumi.Input[str]]
    """Account the bucket belongs to; policies compare it with that of the copy."""
    region: NotRequired[pulumi.Input[str]]
    """Region the bucket is in."""
    offsite: NotRequired[Offsite]
    """Where the copy off site is. Default: there is none."""
    endpoint: NotRequired[pulumi.Input[str]]
    """URL of an S3-compatible store that is not AWS. Default: AWS."""
    schedule: pulumi.Input[str]
    """When base backups are taken: cron with six fields, seconds first, e.g. `0 0 3 * * *`."""
    retention: pulumi.Input[str]
    """How long they are kept, e.g. `30d`."""
    access_key_id: pulumi.Input[str]
    """The store's key id; kept secret together with the key."""
    secret_access_key: pulumi.Input[str]
    """The store's secret key."""


def declare_backup(
    object_name: str, namespace: pulumi.Input[str], backup: Backup, parent: pulumi.Resource
) -> pulumi.Resource:
    """Declares credentials, object store and schedule; returns the store, which the cluster must find at start."""
    child = pulumi.ResourceOptions(parent=parent)
    secret_name = f"{object_name}-backup"
    secret = kubernetes.core.v1.Secret(
        secret_name,
        metadata={
            "name": secret_name,
            "namespace": namespace,
            "labels": labels(object_name, "postgres"),
        },
        string_data={
            "ACCESS_KEY_ID": pulumi.Output.secret(backup["access_key_id"]),
            "SECRET_ACCESS_KEY": pulumi.Output.secret(backup["secret_access_key"]),
        },
        opts=child,
    )
    spec: dict[str, Any] = {
        "retentionPolicy": backup["retention"],
        "configuration": {
            "destinationPath": backup["destination"],
            "s3Credentials": {
                "accessKeyId": {"name": secret_name, "key": "ACCESS_KEY_ID"},
                "secretAccessKey": {"name": secret_name, "key": "SECRET_ACCESS_KEY"},
            },
            "wal": {"compression": "gzip", "maxParallel": 4},
            "data": {"compression": "gzip"},
        },
        # The container beside each instance that compresses and sends; killed for its memory, it would stop archiving.
        "instanceSidecarConfiguration": {
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
        },
    }
    if "endpoint" in backup:
        spec["configuration"]["endpointURL"] = backup["endpoint"]
        # Stores other than AWS refuse the checksums that newer AWS clients send unasked.
        spec["instanceSidecarConfiguration"]["env"] = [
            {"name": "AWS_REQUEST_CHECKSUM_CALCULATION", "value": "when_required"},
            {"name": "AWS_RESPONSE_CHECKSUM_VALIDATION", "value": "when_required"},
        ]
    store = kubernetes.apiextensions.CustomResource(
        f"{object_name}-store",
        api_version="barmancloud.cnpg.io/v1",
        kind="ObjectStore",
        metadata={
            "name": object_name,
            "namespace": namespace,
            "labels": labels(object_name, "postgres"),
            **_whereabouts(backup),
        },
        spec=spec,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[secret]),
    )
    kubernetes.apiextensions.CustomResource(
        f"{object_name}-schedule",
        api_version="postgresql.cnpg.io/v1",
        kind="ScheduledBackup",
        metadata={
            "name": object_name,
            "namespace": namespace,
            "labels": labels(object_name, "postgres"),
        },
        spec={
            "cluster": {"name": object_name},
            "schedule": backup["schedule"],
            "method": "plugin",
            "pluginConfiguration": {"name": BARMAN_PLUGIN},
            # Deleting the schedule must not delete the backups it made; deleting the cluster may.
            "backupOwnerReference": "cluster",
            "immediate": True,
        },
        opts=child,
    )
    return store


def _whereabouts(backup: Backup) -> dict[str, Any]:
    """Where the bucket and its copy are, as annotations: nothing in Kubernetes replicates it, but policies and people
    must be able to tell."""
    found: dict[str, pulumi.Input[str]] = {}
    if "account" in backup:
        found["account"] = backup["account"]
    if "region" in backup:
        found["region"] = backup["region"]
    if "offsite" in backup:
        offsite = backup["offsite"]
        found["offsite-destination"] = offsite["destination"]
        found["offsite-account"] = offsite["account"]
        found["offsite-region"] = offsite["region"]
        found["offsite-lock-days"] = pulumi.Output.from_input(offsite["lock_days"]).apply(str)
    return {"annotations": {f"mainstay.dev/{key}": value for key, value in found.items()}} if found else {}
