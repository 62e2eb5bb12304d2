"""The status page in a real browser, without any network."""

import re
import shutil
import subprocess
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from budgets import days, page
from budgets.days import Part, State


@pytest.fixture(scope="module")
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no Chromium: tests/data/packages.sh installs it"
    return found


def _part(now: int) -> Part:
    today = datetime.fromtimestamp(now, UTC).date()
    known: dict[date, float] = {today - timedelta(days=ago): 1.0 for ago in range(90)}
    return Part("API", State.OK, 0.9999, 30, days.calendar(known, 0.005, now))


def _seen(browser: str, folder: Path, now: int) -> tuple[str, str]:
    """The document after its script has run, and what the browser complained of."""
    (file := folder / "index.html").write_text(page.render("Shop", [_part(now)], now))
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run(
        [*command, f"--user-data-dir={folder / 'profile'}", file.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout, "\n".join(re.findall(r'CONSOLE.*?"(.*)"', done.stderr))


def test_a_new_page_says_nothing_of_its_age(browser: str, tmp_path: Path) -> None:
    document, complaints = _seen(browser, tmp_path, int(time.time()))
    assert re.search(r'id="old"[^>]* hidden', document)
    assert complaints == ""


def test_an_old_page_says_that_it_is_old(browser: str, tmp_path: Path) -> None:
    document, complaints = _seen(browser, tmp_path, int(time.time()) - 3 * 3600)
    assert re.search(r'id="old"[^>]*>This page is 3 hours old\. Things may have changed since\.<', document)
    assert 'hidden=""' not in document
    assert complaints == ""
