"""Pydantic's validation errors as sentences that name file and key, and say what to do."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_TYPES = {
    "int_type": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "list_type": "a list",
}


def sentence(file: str, project: str, fault: ErrorDetails, root: type[BaseModel]) -> str:
    """One sentence for one of pydantic's errors in a model of type `root`."""
    path = [str(part) for part in fault["loc"] if part != "[key]"]
    where = f"{file}: {project}:{'.'.join(path)}" if path else f"{file}: {project}"
    kind, context, given = fault["type"], fault.get("ctx", {}), fault["input"]
    if kind == "extra_forbidden":
        known = _known_keys(root, path[:-1])
        close = get_close_matches(path[-1], known, 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
        return f"{where} is not a key that Mainstay knows; {hint}"
    if kind == "missing":
        return f"{where} is required and missing."
    if kind in _TYPES:
        return f"{where} must be {_TYPES[kind]}, not {_shown(given)}."
    if kind in ("greater_than_equal", "less_than_equal"):
        bound, limit = ("least", context.get("ge")) if "ge" in context else ("most", context.get("le"))
        return f"{where} must be at {bound} {limit}, not {_shown(given)}."
    if kind == "string_pattern_mismatch":
        return f"{where} is {_shown(given)}, which does not match {context.get('pattern')}."
    if kind == "string_too_short":
        return f"{where} must not be empty."
    if kind == "value_error":
        return f"{where}: {context['error']}."
    return f"{where}: {fault['msg']}."


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)


def _known_keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The keys that the section at `path` knows, walking through maps of sections."""
    for part in path:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields:
            model = _section_in(fields[part].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _section_in(arg))), None)
