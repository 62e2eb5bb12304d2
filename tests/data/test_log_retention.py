"""How long lines are kept, on the genuine Loki: each level for its own time, and then it is deleted."""

import json
import shutil
import time
import urllib.parse
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.data.telemetry_servers import get, post, started_loki, store, until, written_loki
from tests.data.test_logs_and_traces import deployed

DAY = 24 * 3600
KEPT = {"debug": 3, "info": 7, "error": 14}
"""Level -> days, in staging."""


AGES = [(level, days + more) for level, days in KEPT.items() for more in (-0.5, 0.5)]
"""Level and age in days of the lines there are: half a day before their time has come, and half a day after."""


def push(loki: str, level: str, age: float) -> None:
    # Each a stream of its own: what is deleted is a chunk, and that of a stream would hold both of its lines.
    labels = {"namespace": "shop-staging", "service_name": f"api-{age}", "level": level}
    values = [[str(time.time_ns() - int(age * DAY * 1e9)), "a line"]]
    assert post(f"{loki}/loki/api/v1/push", {"streams": [{"stream": labels, "values": values}]}) == 204


def found(loki: str) -> list[tuple[str, float]]:
    """Those that are still there, each asked for in its own hour."""
    return [(level, age) for level, age in AGES if _is_there(loki, level, age)]


def _is_there(loki: str, level: str, age: float) -> bool:
    then = time.time() - age * DAY
    asked = {"query": f'{{level="{level}"}}', "start": str(then - 1800), "end": str(then + 1800)}
    status, body = get(f"{loki}/loki/api/v1/query_range?{urllib.parse.urlencode(asked)}")
    return status == 200 and bool(json.loads(body)["data"]["result"])


def test_each_level_is_deleted_when_its_time_has_come(tmp_path: Path) -> None:
    with store(tmp_path) as kept:
        config: dict[str, Any] = written_loki(tmp_path, deployed("staging"), kept)
        # Lines of last week are accepted; what is done every some minutes, and two hours later, is done at once.
        config["limits_config"]["reject_old_samples"] = False
        config["storage_config"] = {"tsdb_shipper": {"resync_interval": "1s"}}
        compactor = config["compactor"]
        config["compactor"] = {**compactor, "retention_enabled": False, "delete_request_store": ""}
        with loki(tmp_path, config) as url:
            for level, age in AGES:
                push(url, level, age)
            # Writes all it has to the bucket, and ends. Whoever comes after has the bucket alone.
            post(f"{url}/ingester/shutdown")
            until("the end of Loki", 60, lambda: get(f"{url}/ready")[0] == 0)
        with loki(tmp_path, config) as url:
            until("all lines", 60, lambda: found(url) == AGES)
        config["compactor"] = {**compactor, "compaction_interval": "1s", "retention_delete_delay": "1s"}
        with loki(tmp_path, config) as url:
            expected = [(level, age) for level, age in AGES if age < KEPT[level]]
            until("what is too old to be gone", 120, lambda: found(url) == expected)


@contextmanager
def loki(folder: Path, config: dict[str, Any]) -> Generator[str]:
    """Its address, once it is ready; its volume is empty."""
    shutil.rmtree(folder / "loki", ignore_errors=True)
    with started_loki(folder, config) as port:
        url = f"http://127.0.0.1:{port}"
        until(f"Loki (log: {folder}/loki.log)", 60, lambda: get(f"{url}/ready")[0] == 200)
        yield url
