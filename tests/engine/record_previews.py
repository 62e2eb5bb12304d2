"""Changes that a team makes, previewed for real; run as a program it renews tests/unit/golden/*.json.

Each file is what `mainstay preview shop --format json` wrote on the embedded cluster, where `shop` as it is
here had been deployed before. tests/unit/test_cli_comment.py renders the comments from them.
"""

import copy
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import devcluster.cluster
from engine.target import command
from stacks.environment import load
from tests.engine.product import REPOSITORY, Product, project

STACK = "shop"
GOLDEN = REPOSITORY / "tests" / "unit" / "golden"

Config = dict[str, Any]

_SMALL = {"cpu": "50m", "memory": "128Mi", "memoryLimit": "256Mi"}
_AVAILABLE = {"availability": {"objective": 99.5, "quietRate": 1}}
ENVIRONMENT: Config = {
    "mainstay:namespace": {
        "name": "shop",
        "cpu": 8,
        "memory": "16Gi",
        "storage": "100Gi",
        "pods": 60,
        "protect": False,
    },
    "mainstay:postgres": {
        "main": {
            "instances": 1,
            "cpu": "250m",
            "memory": "1Gi",
            "storage": "10Gi",
            "walStorage": "5Gi",
            "maxConnections": 100,
            "backup": {
                "destination": "s3://shop-backups/postgres",
                "schedule": "0 0 3 * * *",
                "retention": "30d",
            },
            "protect": False,
        }
    },
    "mainstay:redis": {
        "queue": {
            "cpu": "100m",
            "memory": "256Mi",
            "storage": "1Gi",
            "unbackedReason": "Jobs are written to Postgres first; the scheduler enqueues again what was lost.",
            "protect": False,
        }
    },
    "mainstay:services": {
        "api": {
            "image": "registry.example/shop/api:1.4.2",
            "port": 8000,
            "replicas": 1,
            "resources": _SMALL,
            "secretEnv": {"SESSION_KEY": "session-key"},
            "connections": {"DATABASE_URL": "postgres.main", "REDIS_URL": "redis.queue"},
            "slos": _AVAILABLE,
        },
        "web": {
            "image": "registry.example/shop/web:1.4.2",
            "port": 3000,
            "replicas": 1,
            "resources": _SMALL,
            "connections": {"API_URL": "services.api"},
            "slos": _AVAILABLE,
        },
    },
}


def image_bump(config: Config) -> None:
    for name, service in config["mainstay:services"].items():
        service["image"] = f"registry.example/shop/{name}:1.5.0"


def scale(config: Config) -> None:
    config["mainstay:services"]["api"]["replicas"] = 3


def new_service(config: Config) -> None:
    config["mainstay:services"]["search"] = {
        "image": "registry.example/shop/search:0.1.0",
        "port": 8080,
        "replicas": 1,
        "resources": _SMALL,
        "slos": _AVAILABLE,
    }


def service_renamed(config: Config) -> None:
    config["mainstay:services"]["storefront"] = config["mainstay:services"].pop("web")


def database_resized(config: Config) -> None:
    config["mainstay:postgres"]["main"] |= {"storage": "20Gi", "memory": "2Gi"}


def database_deleted(config: Config) -> None:
    del config["mainstay:postgres"]
    del config["mainstay:services"]["api"]["connections"]["DATABASE_URL"]


def backup_removed(config: Config) -> None:
    del config["mainstay:postgres"]["main"]["backup"]


def queue_resized(config: Config) -> None:
    config["mainstay:redis"]["queue"]["storage"] = "2Gi"


def misspelt(config: Config) -> None:
    config["mainstay:services"]["api"]["replica"] = 3


def nothing(config: Config) -> None:
    """As deployed."""


CHANGES: tuple[Callable[[Config], None], ...] = (
    nothing,
    image_bump,
    scale,
    new_service,
    service_renamed,
    database_resized,
    database_deleted,
    backup_removed,
    queue_resized,
    misspelt,
)


def record(product: Product, name: str) -> None:
    ended = product.run("preview", STACK, "--format", "json")
    content = json.loads(ended.out)
    # A line for each step: short, and still readable when it changes.
    steps: list[dict[str, Any]] = content["result"].pop("steps") if content["result"] else []
    text = json.dumps(content, indent=1).removesuffix("\n}")
    lines = ",\n  ".join(json.dumps(step, separators=(",", ":")) for step in steps)
    (GOLDEN / f"{name}.json").write_text(f'{text},\n "steps": [\n  {lines}\n ]\n}}\n')
    sys.stdout.write(f"{name}: exit code {ended.code}: {content['verdict']}\n")


def rotate(product: Product, stack: str, secret: str, value: str) -> None:
    """Gives a secret of the embedded deployment another value."""
    pulumi = command(product.root, load(product.root, stack), print)
    pulumi.run("config", "set", "--secret", "--stack", stack, f"secrets:{secret}", stdin=value)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        product = project(Path(folder))
        try:
            product.declare(STACK, ENVIRONMENT)
            deployed = product.run("up", STACK)
            sys.stdout.write(deployed.text)
            if deployed.code:
                sys.exit(1)
            for change in CHANGES:
                config = copy.deepcopy(ENVIRONMENT)
                change(config)
                product.declare(STACK, config)
                record(product, change.__name__.replace("_", "-"))
            product.declare(STACK, ENVIRONMENT)
            rotate(product, STACK, "session-key", "a-rotated-value")
            record(product, "secret-rotated")
        finally:
            devcluster.cluster.stop(product.root, print, delete=True)


if __name__ == "__main__":
    main()
