"""The same SLOs by another generator: Sloth, the genuine one, with its rules as it writes them."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from components.slo.indicators import Ratio
from components.slo.objective import Slo
from devcluster import checks

VERSION = "0.16.0"
"""As devcluster/checks/sloth pins it."""


def rules(slos: Sequence[Slo]) -> list[dict[str, Any]]:
    """Its rule groups for SLOs of failed requests over 30 days."""
    with tempfile.TemporaryDirectory() as name:
        written, made = Path(name) / "slos.yaml", Path(name) / "rules.yaml"
        # Not in JSON: it recognises its format by a line that begins with `version:`.
        written.write_text(yaml.dump_all([_spec(slo) for slo in slos], Dumper=yaml.CSafeDumper, sort_keys=False))
        command = [checks.ensure("sloth", print), "generate", "-i", written, "-o", made]
        subprocess.run(command, check=True, capture_output=True, text=True)
        documents = yaml.load_all(made.read_text(), yaml.CSafeLoader)
        return [group for document in documents for group in document["groups"]]


def _spec(slo: Slo) -> dict[str, Any]:
    if not isinstance(slo.indicator, Ratio) or not slo.indicator.bad or slo.window_days != 30:
        raise ValueError(f"{slo.name} is no share of failed events over 30 days: compare another SLO")

    def rate(selector: str) -> str:
        return f"sum(rate({selector}[{{{{.window}}}}]))"

    return {
        "version": "prometheus/v1",
        "service": slo.service,
        "slos": [
            {
                "name": slo.name,
                "objective": slo.objective * 100,
                "sli": {"events": {"error_query": rate(slo.indicator.bad), "total_query": rate(slo.indicator.events)}},
                "alerting": {
                    "name": "SlothBurns",
                    "page_alert": {"labels": {"severity": "page"}},
                    "ticket_alert": {"labels": {"severity": "ticket"}},
                },
            }
        ],
    }
