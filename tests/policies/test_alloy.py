"""Alloy's configuration, read as far as rules need it."""

import pytest

from policies.alloy import InvalidAlloy, parse

TEXT = """\
// a remark with a { brace
logging { level = "info" } /* and
another */
loki.write "a" {
  endpoint {
    url = "http://loki/{{ x }}" # a remark
  }
  labels = { a = "b", c = `d "e"` }
}
loki.process "b" {
  forward_to = concat([
    loki.write.a.receiver, // first
  ], [loki.write.c.receiver, "not.a.component"])
  open = "["
  close = ["]", "}"]
  rate = 0.5
  drop = true
  stage.match {
    forward_to = [loki.write.d.receiver]
  }
}
"""


def test_components_settings_and_names() -> None:
    found = parse(TEXT)
    assert list(found) == ["logging", "loki.write.a", "loki.process.b"]
    assert found["logging"].text("level") == "info"
    write, process = found["loki.write.a"], found["loki.process.b"]
    assert [each.text("url") for each in write.all("endpoint")] == ["http://loki/{{ x }}"]
    assert write.texts("labels") == ["b", 'd "e"']
    assert write.text("labels") is None
    assert list(process.named("forward_to")) == ["loki.write.a", "loki.write.c", "loki.write.d"]
    assert (process.number("rate"), process.number("drop"), process.is_true("drop")) == (0.5, None, True)
    assert process.is_true("rate") is False
    assert (process.text("open"), process.texts("close")) == ("[", ["]", "}"])
    assert process.all("stage.match", "nothing") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *((text, 1) for text in ("a {", "a }", 'a "b', "= 5", "5 = 3", "a", 'a "b"', "a b", "}", "a { ? }")),
        *((text, 1) for text in ("a {} }", "a { =", 'a { "}"')),
        ('\nloki.write "a" {\n x\n}', 3),
        ("/* two\nlines */\n?", 3),
    ],
)
def test_what_is_none_of_alloys_is_told(text: str, line: int) -> None:
    with pytest.raises(InvalidAlloy, match=f"line {line} |the block a has no end"):
        parse(text)


def test_what_is_cut_off_after_a_setting_can_be_read() -> None:
    assert parse("a = ") == {}
