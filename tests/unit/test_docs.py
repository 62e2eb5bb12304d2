"""What people read leads somewhere: links to pages and headings that exist, commands that can be typed."""

import re
import shlex
from argparse import Action, ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import main
from stacks.environment import load
from stacks.reference import secrets
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "examples" / "product" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:\S*/)?(mainstay|make)\b")
"""As it is typed, perhaps with its folder."""
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_link_leads_nowhere(page: Path) -> None:
    dead = [link for link in _links(page.read_text()) if not _leads_somewhere(page, link)]
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_can_be_typed(page: Path) -> None:
    wrong = [line for line in _commands(page.read_text()) if not _is_a_command(line)]
    assert wrong == []


def test_links_and_commands_are_found_at_all() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert len(list(_links(text))) > 30
    assert len(list(_commands(text))) > 20


@pytest.mark.parametrize(
    ("line", "can_be_typed"),
    [
        ("mainstay up staging", True),
        ("mainstay preview staging prod --format markdown", True),
        ("mainstay cluster stop --delete", True),
        ("make up STACK=prod", True),
        ("mainstay deploy staging", False),
        ("mainstay cluster restart", False),
        ("mainstay preview staging --form markdown", False),
        ("make upp", False),
    ],
)
def test_a_command_is_told_from_a_mistake(line: str, can_be_typed: bool) -> None:
    assert _is_a_command(line) == can_be_typed


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("docs/configuration.md", True),
        ("docs/configuration.md#mainstayservicesname", True),
        ("#every-day", True),
        ("docs/configuration.md#mainstay-services", False),
        ("docs/configurations.md", False),
        ("#every-night", False),
        ("https://example.org/not-asked", True),
    ],
)
def test_a_link_is_told_from_a_mistake(link: str, leads: bool) -> None:
    assert _leads_somewhere(ROOT / "README.md", link) == leads


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_reference_names_every_secret_the_environments_need(stack: str) -> None:
    environment = load(ROOT, stack)
    workloads = [*environment.platform.services.values(), *environment.platform.workers.values()]
    chosen = {f"secrets:{name}" for each in workloads for name in each.secret_env.values()}
    patterns = [re.escape(key).replace("<name>", "[a-z0-9-]+") for _, keys in secrets() for key in keys]
    known = re.compile("|".join(each for each in patterns if each != "secrets:[a-z0-9-]+"))
    unnamed = [key for key in environment.required_secrets if key not in chosen and not known.fullmatch(key)]
    assert unnamed == []


def _links(text: str) -> Iterator[str]:
    """Targets of all links, those in code left out."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    return (match[1] for match in LINK.finditer(prose))


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target.read_text())


def _anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _commands(text: str) -> Iterator[str]:
    """Lines of code blocks that call `mainstay` or `make`: after a prompt, or in a block without one."""
    for _, language, block in FENCE.findall(text):
        if language not in ("", "console", "sh"):
            continue
        lines = [line.strip() for line in block.splitlines()]
        typed = [line[2:] for line in lines if line.startswith("$ ")] or lines
        yield from (line for line in typed if COMMAND.match(line))
    yield from re.findall(r"`((?:mainstay|make) [^`]+)`", FENCE.sub("", text))


def _is_a_command(line: str) -> bool:
    # What follows two spaces explains, as in a list of commands; # is a comment of the shell.
    name, *words = shlex.split(line.partition("  ")[0].partition("…")[0], comments=True)
    if name.endswith("make"):
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return all(word in targets or "=" in word or word.startswith("-") for word in words)
    parser = main._parser()  # pyright: ignore[reportPrivateUsage]
    while words and (verbs := _verbs(parser)):
        if words[0] not in verbs:
            return False
        parser = verbs[words[0]]
        words = words[1:]
    options = [word for word in words if word.startswith("--")]
    return all(word in parser._option_string_actions for word in options)  # pyright: ignore[reportPrivateUsage]


def _verbs(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    groups = [action for action in parser._actions if _is_group(action)]  # pyright: ignore[reportPrivateUsage]
    return dict(groups[0].choices) if groups else {}  # pyright: ignore


def _is_group(action: Action) -> bool:
    return isinstance(action.choices, dict)
