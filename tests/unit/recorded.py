"""Previews as JSON, read back: those recorded by tests/engine/record_previews.py, and what the command writes."""

import json
from pathlib import Path
from typing import Any

from engine import review
from engine.result import Change, Data, Diagnostic, Image, Result, Step, Violation
from engine.review import Review
from policies import results

GOLDEN = Path(__file__).parent / "golden"


def recorded(name: str, folder: Path) -> Review:
    """The preview of golden/<name>.json, judged anew. `folder`: an empty one for a file in between."""
    content: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    steps = content.pop("steps")
    return judged({**content, "result": content["result"] and {**content["result"], "steps": steps}}, folder)


def judged(content: dict[str, Any], folder: Path) -> Review:
    """The preview of a document, judged anew."""
    failure, place = content["failure"], content["compared_with"]
    if content["result"] is None:
        return review.failed(content["stack"], failure)
    result = _result(content["result"], folder)
    return review.refused(failure, result, place) if failure else review.of(result, place)


def _result(content: dict[str, Any], folder: Path) -> Result:
    (file := folder / "policies.json").write_text(json.dumps({"format": results.FORMAT, **content["policy"]}))
    content = {key: value for key, value in content.items() if key != "counts"}
    content |= {"started": "", "seconds": 0.0, "policy": results.read(file)}
    content |= {"steps": _steps(content["steps"]), "drift": _steps(content["drift"])}
    for key, read in (("violations", Violation), ("diagnostics", Diagnostic)):
        content[key] = tuple(read(**each) for each in content[key])
    return Result(**content)


def _steps(content: list[dict[str, Any]]) -> tuple[Step, ...]:
    return tuple(map(_step, content))


def _step(content: dict[str, Any]) -> Step:
    content |= {
        "changes": tuple(Change(**each) for each in content["changes"]),
        "images": tuple(Image(**each) for each in content["images"]),
        "data": Data(**content["data"]) if content["data"] else None,
    }
    return Step(**content)
