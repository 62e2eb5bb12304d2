"""Alloy's configuration, as far as rules need it: its components, what they are set to, and which others they name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+ | //[^\n]* | \#[^\n]* | /\*.*?\*/)
  | (?P<newline>\n)
  | (?P<string>"(?:[^"\\\n]|\\.)*" | `[^`]*`)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
  | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%^<>!=.,;:(){}\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = "([{", ")]}"


class InvalidAlloy(ValueError):
    """A text that Alloy could not read; `str()` is a clause, which says where and quotes nothing."""


@dataclass(frozen=True)
class Token:
    """One word: `kind` is string, number, name, sign or newline; a string's text is without its quotes."""

    kind: str
    text: str
    line: int


@dataclass
class Block:
    """A block: `loki.write "logs" { … }`, or one within it."""

    name: str
    label: str
    settings: dict[str, list[Token]] = field(default_factory=dict[str, list[Token]])
    blocks: list["Block"] = field(default_factory=list["Block"])

    @property
    def key(self) -> str:
        """How others call the component: `loki.write.logs`."""
        return f"{self.name}.{self.label}" if self.label else self.name

    def all(self, *names: str) -> list["Block"]:
        """The blocks at a path of names."""
        found: list[Block] = [self]
        for name in names:
            found = [block for each in found for block in each.blocks if block.name == name]
        return found

    def text(self, name: str) -> str | None:
        """A setting that is one string; None for what is none, or has to be worked out."""
        tokens = self.settings.get(name, [])
        return tokens[0].text if [each.kind for each in tokens] == ["string"] else None

    def texts(self, name: str) -> list[str]:
        """The strings in a setting."""
        return [each.text for each in self.settings.get(name, []) if each.kind == "string"]

    def number(self, name: str) -> float | None:
        """A setting that is one number."""
        tokens = self.settings.get(name, [])
        return float(tokens[0].text) if [each.kind for each in tokens] == ["number"] else None

    def is_true(self, name: str) -> bool:
        """Whether a setting is `true`."""
        return [each.text for each in self.settings.get(name, [])] == ["true"]

    def named(self, setting: str) -> Iterator[str]:
        """Keys of the components whose exports a setting names, here or in a block below."""
        for token in self.settings.get(setting, []):
            if token.kind == "name" and "." in token.text:
                yield token.text.rpartition(".")[0]
        for block in self.blocks:
            yield from block.named(setting)


def parse(text: str) -> dict[str, Block]:
    """Key -> component. Raises InvalidAlloy."""
    reader = _Reader(list(_tokens(text)))
    root = reader.block("", "")
    return {block.key: block for block in root.blocks}


def _tokens(text: str) -> Iterator[Token]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise InvalidAlloy(f"line {line} cannot be read")
        position = found.end()
        kind = str(found.lastgroup)
        if kind == "string":
            yield Token(kind, found[0][1:-1], line)
        elif kind != "space":
            yield Token(kind, found[0], line)
        line += found[0].count("\n")


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def block(self, name: str, label: str) -> Block:
        """Up to its closing brace, or to the end for the outermost, which has no name."""
        block = Block(name, label)
        while (token := self._next()) is not None:
            if token.kind == "newline":
                continue
            if token.text == "}" and token.kind == "sign" and name:
                return block
            if token.kind != "name":
                raise InvalidAlloy(f"line {token.line} begins neither a setting nor a block")
            self._statement(token, block)
        if name:
            raise InvalidAlloy(f"the block {name} has no end")
        return block

    def _statement(self, begins: Token, block: Block) -> None:
        name = begins.text
        follows = self._next()
        label = ""
        if follows and follows.kind == "string":
            label, follows = follows.text, self._next()
        if follows and follows.text == "{":
            block.blocks.append(self.block(name, label))
        elif follows and follows.text == "=":
            block.settings[name] = self._expression()
        else:
            raise InvalidAlloy(f"line {begins.line} is neither a setting nor a block")

    def _expression(self) -> list[Token]:
        """Up to the end of the line, or beyond it while a bracket is open."""
        found: list[Token] = []
        depth = 0
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            closes = token.kind == "sign" and token.text in _CLOSING
            if depth == 0 and (closes or token.kind == "newline"):
                break
            self._at += 1
            depth += (token.kind == "sign" and token.text in _OPENING) - closes
            found.append(token)
        return found

    def _next(self) -> Token | None:
        if self._at >= len(self._tokens):
            return None
        self._at += 1
        return self._tokens[self._at - 1]
