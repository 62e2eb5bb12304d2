"""Dashboards that a Grafana of the stack shows, and the series that their queries select."""

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from policies.mounted import files
from policies.pods import Container, pods
from policies.promql import InvalidQuery, conditions, metric, parse, selectors
from policies.stack import Resource, Stack
from policies.values import Node, Undecided

_PROVISIONING = "/etc/grafana/provisioning"
"""Grafana's own folder, unless GF_PATHS_PROVISIONING names another."""
_SPAN = re.compile(r"\$(__\w+|\{__\w+(:\w+)?\})")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))|\[\[(\w+)\]\]")


@dataclass(frozen=True)
class Shown:
    """One selector of a query on a dashboard."""

    dashboard: str
    metric: str
    conditions: tuple[tuple[str, str, str], ...]
    """Label, operator, value; a value with a variable in it is None of `values`: see `picks`."""
    variables: dict[str, frozenset[str] | None]
    """Variable -> the values that can be picked; None: whatever there is."""

    def picks(self, label: str, value: str) -> bool:
        """Whether a person can make it select series with this label."""
        return all(self._may(operator, wanted, value) for name, operator, wanted in self.conditions if name == label)

    def names(self, label: str, value: str) -> bool:
        """Whether it asks for that very value, and not for whatever there is."""
        return self.picks(label, value) and not self.picks(label, "\0")

    def _may(self, operator: str, wanted: str, value: str) -> bool:
        found = _VARIABLE.search(wanted)
        if found is None:
            try:
                same = re.fullmatch(wanted, value) is not None if "~" in operator else wanted == value
            except re.error:
                return False
            return same is not operator.startswith("!")
        offered = self.variables.get(next(each for each in found.groups() if each))
        return offered is None or value in offered


@dataclass(frozen=True)
class Dashboards:
    """All of a stack."""

    shown: tuple[Shown, ...]
    problems: tuple[str, ...]
    unread: tuple[str, ...]


def dashboards(stack: Stack) -> Dashboards:
    """Ask through `stack.once`."""
    shown: list[Shown] = []
    problems: list[str] = []
    unread: list[str] = []
    for resource in stack.resources:
        for pod in pods(resource):
            try:
                containers = pod.main()
            except Undecided as reason:
                unread.append(f"of {resource.subject}, {reason}")
                continue
            for container in containers:
                try:
                    mounted = files(resource, pod, container, stack)
                    for path in _provided(container, mounted):
                        shown += _shown(resource, path, mounted[path].text(), problems)
                except Undecided as reason:
                    unread.append(f"of {resource.subject}, {reason}")
    return Dashboards(tuple(shown), tuple(problems), tuple(unread))


def _provided(container: Container, mounted: dict[str, Node]) -> Iterator[str]:
    """Paths of the dashboards that the container is told to load."""
    folder = posixpath.join(_folder(container), "dashboards")
    for path, content in mounted.items():
        if posixpath.dirname(path) != folder or not path.endswith((".yaml", ".yml")):
            continue
        for provider in Node(_yaml(content.text())).at("providers").items():
            root = provider.at("options", "path").text().rstrip("/")
            for each in mounted:
                if root and each.startswith(f"{root}/") and each.endswith(".json"):
                    yield each


def _folder(container: Container) -> str:
    for variable in container.node.at("env").items():
        if variable.at("name").value == "GF_PATHS_PROVISIONING":
            return variable.at("value").text()
    return _PROVISIONING


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _shown(resource: Resource, path: str, text: str, problems: list[str]) -> Iterator[Shown]:
    try:
        document = Node(json.loads(text))
    except ValueError:
        problems.append(f"{path} in {resource.subject} is no JSON")
        return
    variables = dict(map(_variable, document.at("templating", "list").items()))
    for query in _queries(document):
        try:
            parsed = parse(_SPAN.sub("5m", query))
        except InvalidQuery:
            continue
        for selector in selectors(parsed):
            yield Shown(path, metric(selector), tuple(conditions(selector)), variables)


def _variable(variable: Node) -> tuple[str, frozenset[str] | None]:
    name = variable.at("name").text()
    if variable.at("type").text() in ("custom", "constant"):
        return name, frozenset(each.strip() for each in variable.at("query").text().split(","))
    return name, None


def _queries(parent: Node) -> Iterator[str]:
    """Of all panels, those within rows included."""
    for panel in parent.at("panels").items():
        for target in panel.at("targets").items():
            if target.at("hide").value is not True:
                yield target.at("expr").text()
        yield from _queries(panel)
