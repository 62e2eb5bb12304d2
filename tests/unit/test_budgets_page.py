"""The status page as text. How it behaves in a browser is in tests/data."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from budgets import BudgetsError, days, month, page
from budgets.days import Part, State
from budgets.wording import percent

NOW = int(datetime(2026, 11, 21, 9, 10, tzinfo=UTC).timestamp())
BAD = {date(2026, 11, 21): 0.982, date(2026, 10, 1): 0.4, date(2026, 10, 2): 1.0}


def _part(title: str, state: State, attained: float | None = 0.9971) -> Part:
    return Part(title, state, attained, 30, days.calendar(BAD, 0.005, NOW))


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        ([State.OK, State.OK], "Everything works"),
        ([State.DEGRADED, State.OK], "A is degraded"),
        ([State.DEGRADED, State.DOWN], "B is down"),
        ([State.DOWN, State.DOWN], "A and B are down"),
        ([State.OK, State.UNKNOWN], "We cannot measure B at the moment; all else works"),
        ([State.UNKNOWN, State.UNKNOWN], "We cannot measure at the moment"),
    ],
)
def test_the_first_sentence_is_the_worst_that_is_known(states: list[State], sentence: str) -> None:
    text = page.render("Shop", [_part(title, state) for title, state in zip("AB", states, strict=True)], NOW)
    assert f"<span>{sentence}</span>" in text
    assert f"<title>Shop status: {sentence}</title>" in text


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = page.render("Shop", [_part("API", State.OK)], NOW)
    assert re.findall(r"https?:|url\(|@import|\b(?:src|href)=", text) == []
    assert "default-src 'none'" in text


def test_titles_are_text_and_nothing_else() -> None:
    text = page.render('<script>"', [_part("</h2><img src=x onerror=alert(1)>", State.OK)], NOW)
    found: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)

    Tags().feed(text)
    assert found.count("script") == 1
    assert "img" not in found


def test_each_part_tells_its_days_in_words_too() -> None:
    text = page.render("Shop", [_part("API", State.OK)], NOW)
    assert 'aria-label="The last 90 days: 1 good, 1 degraded, 1 down, 87 without data"' in text
    assert "2 days with trouble" in text
    assert "<li>21 November 2026: 98.2 % good, degraded</li><li>1 October 2026: 40 % good, down</li>" in text


def test_the_same_state_gives_the_same_bytes() -> None:
    parts = [_part("API", State.OK)]
    assert page.render("Shop", parts, NOW) == page.render("Shop", list(map(replace, parts)), NOW)


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.99999, 2, "99.99 %"),
        (1.0, 2, "100 %"),
        (0.995, 4, "99.5 %"),
        (0.57, 2, "57 %"),
        (-0.38, 1, "-38 %"),
        (123.456, 1, "12345.6 %"),
        (0.2, 0, "20 %"),
        (1.0, 0, "100 %"),
    ],
)
def test_shares_are_rounded_down(share: float, digits: int, text: str) -> None:
    assert percent(share, digits) == text


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "october", "2026-10-01"])
def test_what_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(BudgetsError, match="is not a month such as 2026-10"):
        month.bounds(name)


def test_a_month_has_all_its_days() -> None:
    start, end = month.bounds("2028-02")
    assert (end - start) == 29 * 86_400
    assert month.last_complete(int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())) == "2026-12"
