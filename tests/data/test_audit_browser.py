"""The audit's page in a real browser: opened from disk, filtered, printed, read in both themes, without any network."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from audit.assessment import Assessment
from audit.formats import page
from tests.audits import DRILL, assessed, exemption, resource

MANY = 60
SEEN = """\
[...document.querySelectorAll("details.rule")].filter(each => each.getClientRects().length).map(each =>
  [each.id, each.open, [...each.querySelectorAll("tr[data-outcome]")].filter(row => !row.hidden).length])"""
"""Rules that can be seen: id, whether it is unfolded, rows that the filter lets through."""
CONTRASTS = """\
(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(each => each / 255)
    .map(each => each <= .04045 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4)
    .reduce((sum, each, index) => sum + each * [.2126, .7152, .0722][index], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = rgb(getComputedStyle(node).backgroundColor);
      if (color[3] === undefined || color[3] > 0) return color;
    }
  };
  const found = {};
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some(each => each.nodeType === 3 && each.data.trim())) continue;
    if (!node.getClientRects().length || node.tagName === "STYLE" || node.tagName === "SCRIPT") continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    found[node.tagName + "." + node.className] = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  }
  return found;
})()"""
"""Ratio of contrast, as WCAG computes it, of each kind of text that can be seen."""


@pytest.fixture(scope="module")
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no Chromium: tests/data/packages.sh installs it"
    return found


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    many = [resource(f"r{number:02}", first="good", second="none") for number in range(MANY)]
    return assessed(
        *many,
        resource("a", first="good", second="bad"),
        resource("b", first="bad", mild="bad"),
        resource("c", first="open", second="none"),
        register=exemption(),
        evidence=(DRILL,),
    )


def _run(browser: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    return subprocess.run(
        [*command, *quiet, f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def _file(assessment: Assessment, folder: Path) -> Path:
    (file := folder / "report.html").write_text(page.render(assessment), encoding="utf-8")
    return file


def _asked(browser: str, file: Path, fragment: str, answer: str, *arguments: str, do: str = "") -> Any:
    """What an expression gives in the page, after some statements; asked from a frame around it."""
    (frame := file.with_name("frame.html")).write_text(
        f"""<!doctype html><iframe width="1200" height="900" src="{file.name}#{fragment}"></iframe><pre></pre><script>
onload = () => {{
  const answer = (({{document, location}}) => {{ {do}; return {answer}; }})(window[0]);
  document.querySelector("pre").textContent = JSON.stringify(answer);
}};</script>"""
    )
    same_origin = ["--allow-file-access-from-files", "--disable-web-security"]
    done = _run(browser, file.parent, *same_origin, *arguments, "--dump-dom", frame.as_uri())
    (told,) = re.findall(r"<pre>(.*)</pre>", done.stdout, re.DOTALL)
    assert told, done.stderr
    return json.loads(unescape(told))


def _typed(text: str) -> str:
    return f'const q = document.getElementById("q"); q.value = "{text}"; q.dispatchEvent(new Event("input"))'


def _clicked(value: str) -> str:
    return f"document.querySelector('input[value={value}]').click()"


def test_a_search_leaves_the_rows_it_is_about_and_unfolds_them(
    browser: str, assessment: Assessment, tmp_path: Path
) -> None:
    file = _file(assessment, tmp_path)
    expected = [["second", True, 1], ["first", True, 1]]
    assert _asked(browser, file, "q=R07+shop", SEEN) == expected
    answer = f"[{SEEN}, location.hash, document.getElementById('count').textContent]"
    assert _asked(browser, file, "", answer, do=_typed("R07 shop")) == [expected, "#q=R07+shop", "2 findings"]
    # A control, a reason; what is nowhere.
    assert _asked(browser, file, "q=looked+by+hand", SEEN) == []
    assert [rule for rule, *_ in _asked(browser, file, "q=CP-9", SEEN)] == ["second", "mild", "first", "silent"]


def test_boxes_leave_the_outcomes_that_are_ticked(browser: str, assessment: Assessment, tmp_path: Path) -> None:
    file = _file(assessment, tmp_path)
    failures = [["second", True, 1], ["mild", True, 1]]
    assert _asked(browser, file, "show=fail", SEEN) == failures
    assert _asked(browser, file, "show=silent", SEEN) == [["silent", False, 0]]
    others = "; ".join(map(_clicked, ("error", "inconclusive", "exempt", "pass", "not_applicable", "silent")))
    assert _asked(browser, file, "", f"[{SEEN}, location.hash]", do=others) == [failures, "#show=fail"]


def test_a_link_to_a_rule_shows_it_whatever_the_filter_hid(
    browser: str, assessment: Assessment, tmp_path: Path
) -> None:
    file = _file(assessment, tmp_path)
    seen = _asked(browser, file, "silent", SEEN)
    assert ["silent", True, 0] in seen
    assert len(seen) == 4


@pytest.mark.parametrize("theme", [0, 1])
def test_all_that_is_read_has_contrast(browser: str, assessment: Assessment, tmp_path: Path, theme: int) -> None:
    """Themes: 0 is dark, 1 light, as Chromium counts them."""
    unfold = 'document.querySelectorAll("details").forEach(each => each.open = true)'
    setting = f"--blink-settings=preferredColorScheme={theme}"
    answer = f"[getComputedStyle(document.body).backgroundColor, {CONTRASTS}]"
    background, found = _asked(browser, _file(assessment, tmp_path), "", answer, setting, do=unfold)
    assert background == ("rgb(20, 21, 19)", "rgb(251, 251, 250)")[theme]
    assert len(found) > 20
    ratios: Mapping[str, float] = found
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}


def test_printed_nothing_is_folded_away_or_filtered_out(browser: str, assessment: Assessment, tmp_path: Path) -> None:
    file = _file(assessment, tmp_path)
    printed = ["--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'p.pdf'}"]
    _run(browser, tmp_path, *printed, f"{file.as_uri()}#q=nothing+is+like+this")
    pages = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "p.pdf"), "-"], capture_output=True, text=True, check=True
    ).stdout.split("\f")
    text = "\n".join(pages)
    assert len(pages) > 3
    assert text.lstrip().startswith("Policies of prod")
    for number in range(MANY):
        # In the rules first and second.
        assert len(re.findall(rf"Service shop/r{number:02}\b", text)) == 2
    for told in ("Mend it", "None of the resources is its business", "EX-1", "drill.yaml", "63 evaluated"):
        assert told in text, told
    assert "rules that asked nothing" not in text, "the boxes are printed"


def test_it_is_opened_without_a_complaint_or_a_request(browser: str, assessment: Assessment, tmp_path: Path) -> None:
    file = _file(assessment, tmp_path)
    log = tmp_path / "net.json"
    done = _run(browser, tmp_path, f"--log-net-log={log}", "--dump-dom", file.as_uri())
    assert "CONSOLE" not in done.stderr
    findings = sum(len(result.findings) for result in assessment.results)
    assert re.search(rf'id="count"[^>]*>{findings} findings<', done.stdout), "the script did not run"
    # What the browser wants for itself is of no origin.
    asked = re.findall(r'"initiator":"(?!not an origin)[^}]*"url":"([^"]*)"', log.read_text())
    assert asked == []
