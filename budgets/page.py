"""The status page: one HTML file that needs no network, no server and no script to be read.

Colour is never the only sign: bars differ in height, states are words. The one script tells the reader
when the page has become old, since a page that nobody renews would go on saying that all is well.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from html import escape

from budgets.days import Part, State
from budgets.wording import percent

_WORDS = {
    State.OK: "Works",
    State.DEGRADED: "Degraded",
    State.DOWN: "Down",
    State.UNKNOWN: "No data",
}
_DAY_WORDS = {State.OK: "good", State.DEGRADED: "degraded", State.DOWN: "down", State.UNKNOWN: "without data"}
_CLASSES = {State.OK: "ok", State.DEGRADED: "degraded", State.DOWN: "down", State.UNKNOWN: "unknown"}
_SIGNS = {
    State.OK: '<path d="M5 10.5l3.4 3.4L15 7"/>',
    State.DEGRADED: '<path d="M10 5v6.2M10 14.6v.2"/>',
    State.DOWN: '<path d="M6.3 6.3l7.4 7.4M13.7 6.3l-7.4 7.4"/>',
    State.UNKNOWN: '<path d="M6 10h8"/>',
}
_BAR, _GAP, _HEIGHT = 8, 2, 36
_SHORT = {State.OK: 0, State.DEGRADED: 10, State.DOWN: 20, State.UNKNOWN: 30}
"""How much a bar lacks at its top: the higher, the better."""

_STYLE = """
:root{color-scheme:light dark;--page:#fbfbfa;--card:#fff;--line:#e3e3df;--text:#1c1c1a;--soft:#62625c;
--ok:#2c7a4b;--degraded:#b26a00;--down:#b3261e;--unknown:#8d8d85;--ok-tint:#e8f3ec;--degraded-tint:#fbf0dd;
--down-tint:#fbe9e7;--unknown-tint:#f0f0ed}
@media(prefers-color-scheme:dark){:root{--page:#141513;--card:#1d1e1b;--line:#33352f;--text:#ecece6;--soft:#a3a49b;
--ok:#5cc288;--degraded:#e9a93c;--down:#f2796f;--unknown:#7d7f76;--ok-tint:#1b2c22;--degraded-tint:#32270f;
--down-tint:#3a1e1b;--unknown-tint:#272824}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:46rem;margin:0 auto;padding:3rem 1.25rem 4rem}
h1{font-size:1.15rem;font-weight:600;margin:0 0 1.25rem}
h2{font-size:1rem;font-weight:600;margin:0;overflow-wrap:anywhere}
svg.sign{width:1.3em;height:1.3em;flex:none;fill:none;stroke:var(--card);stroke-width:2.2;stroke-linecap:round;
stroke-linejoin:round}
svg.sign circle{fill:var(--of);stroke:none}
.overall{display:flex;align-items:center;gap:.75rem;padding:1.1rem 1.25rem;border-radius:.75rem;font-size:1.25rem;
font-weight:600;line-height:1.3;margin:0 0 .5rem;border:1px solid}
.ok{--of:var(--ok);--tint:var(--ok-tint)}.degraded{--of:var(--degraded);--tint:var(--degraded-tint)}
.down{--of:var(--down);--tint:var(--down-tint)}.unknown{--of:var(--unknown);--tint:var(--unknown-tint)}
.overall{background:var(--tint);border-color:var(--of)}
.when{color:var(--soft);font-size:.875rem;margin:0 0 2rem}
.old{background:var(--degraded-tint);border:1px solid var(--degraded);border-radius:.75rem;padding:.75rem 1.25rem;
margin:0 0 1rem}
ul.parts{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
ul.parts>li{padding:1.1rem 1.25rem 1rem}
ul.parts>li+li{border-top:1px solid var(--line)}
.head{display:flex;justify-content:space-between;align-items:center;gap:1rem;margin-bottom:.6rem}
.state{display:inline-flex;align-items:center;gap:.35rem;font-size:.9375rem;font-weight:600;white-space:nowrap}
svg.days{display:block;width:100%;height:2.25rem}
svg.days rect{fill:var(--of)}
.foot{display:flex;justify-content:space-between;gap:1rem;color:var(--soft);font-size:.8125rem;margin-top:.35rem}
.foot b{color:var(--text);font-weight:600}
details{font-size:.875rem;margin-top:.5rem;color:var(--soft)}
summary{cursor:pointer;width:fit-content}
summary:focus-visible{outline:2px solid var(--text);outline-offset:2px;border-radius:2px}
details ul{margin:.35rem 0 0;padding-left:1.2rem}
.legend{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem;color:var(--soft);font-size:.8125rem;margin:1rem 0 0;padding:0;
list-style:none}
.legend li{display:flex;align-items:end;gap:.4rem}
.legend svg{width:8px;height:18px}
.legend rect{fill:var(--of)}
@media(max-width:30rem){main{padding:1.5rem 1rem 3rem}.overall{font-size:1.1rem}}
@media print{:root{--page:#fff;--card:#fff}main{padding:0;max-width:none}ul.parts>li{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}.old{display:none}}
"""
_SCRIPT = """
(function(){var made=document.getElementById("made"),old=document.getElementById("old");
function look(){var minutes=Math.floor((Date.now()-Date.parse(made.dateTime))/60000);
old.hidden=minutes<30;old.textContent="This page is "+(minutes<120?minutes+" minutes":Math.floor(minutes/60)+" hours")+
" old. Things may have changed since.";}
look();setInterval(look,60000);})();
"""


def render(title: str, parts: Sequence[Part], now: int) -> str:
    """The page. `now`: Unix seconds at which `parts` were asked for."""
    state, sentence = _overall(parts)
    made = datetime.fromtimestamp(now, UTC)
    rows = "\n".join(map(_part, parts))
    policy = f"default-src 'none'; style-src '{_hash(_STYLE)}'; script-src '{_hash(_SCRIPT)}'; base-uri 'none'"
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} status: {escape(sentence)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)} status</h1>
<p class="old" id="old" role="alert" hidden></p>
<p class="overall {_CLASSES[state]}">{_sign(state)}<span>{escape(sentence)}</span></p>
<p class="when">As of <time id="made" datetime="{made.isoformat()}">{_date(made.date())}, {made:%H:%M} UTC</time></p>
<ul class="parts">
{rows}
</ul>
{_legend()}
</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _overall(parts: Sequence[Part]) -> tuple[State, str]:
    """The worst that is known, in a sentence."""
    for state, words in ((State.DOWN, "down"), (State.DEGRADED, "degraded")):
        if names := [part.title for part in parts if part.state is state]:
            verb = "is" if len(names) == 1 else "are"
            return state, f"{_joined(names)} {verb} {words}"
    silent = [part.title for part in parts if part.state is State.UNKNOWN]
    if len(silent) == len(parts):
        return State.UNKNOWN, "We cannot measure at the moment"
    if silent:
        return State.UNKNOWN, f"We cannot measure {_joined(silent)} at the moment; all else works"
    return State.OK, "Everything works"


def _part(part: Part) -> str:
    kept = f"<b>{percent(part.attained, 2)}</b> good over {part.window_days} days" if part.attained is not None else ""
    return f"""\
<li class="{_CLASSES[part.state]}">
<div class="head"><h2>{escape(part.title)}</h2><span class="state">{_sign(part.state)}{_WORDS[part.state]}</span></div>
{_bars(part)}
<div class="foot"><span>{len(part.days)} days ago</span><span>{kept}</span><span>today</span></div>
{_bad_days(part)}</li>"""


def _bars(part: Part) -> str:
    counts = Counter(state for _, _, state in part.days)
    told = ", ".join(f"{counts[state]} {words}" for state, words in _DAY_WORDS.items() if counts[state])
    bars = "".join(
        f'<g class="{_CLASSES[state]}"><title>{_date(day)}: {_told(good, state)}</title>'
        f"{_rect(state, place * (_BAR + _GAP))}"
        "</g>"
        for place, (day, good, state) in enumerate(part.days)
    )
    width = len(part.days) * (_BAR + _GAP) - _GAP
    return (
        f'<svg class="days" role="img" aria-label="The last {len(part.days)} days: {told}" '
        f'viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none">{bars}</svg>'
    )


def _bad_days(part: Part) -> str:
    """The same without a mouse: on a phone, on paper, read aloud."""
    bad = [each for each in reversed(part.days) if each[2] in (State.DEGRADED, State.DOWN)]
    if not bad:
        return ""
    rows = "".join(f"<li>{_date(day)}: {_told(good, state)}</li>" for day, good, state in bad)
    count = f"{len(bad)} day{'' if len(bad) == 1 else 's'} with trouble"
    return f"<details><summary>{count}</summary><ul>{rows}</ul></details>\n"


def _legend() -> str:
    items = "".join(
        f'<li class="{_CLASSES[state]}"><svg viewBox="0 0 {_BAR} {_HEIGHT}" aria-hidden="true">'
        f"{_rect(state, 0)}</svg>{words}</li>"
        for state, words in (
            (State.OK, "good day"),
            (State.DEGRADED, "degraded: worse than promised"),
            (State.DOWN, "down: more than 10 % failed"),
            (State.UNKNOWN, "no data"),
        )
    )
    return f'<ul class="legend">{items}</ul>'


def _rect(state: State, x: int) -> str:
    return f'<rect x="{x}" y="{_SHORT[state]}" width="{_BAR}" height="{_HEIGHT - _SHORT[state]}" rx="2"/>'


def _told(good: float | None, state: State) -> str:
    return "no data" if good is None else f"{percent(good, 2)} good{'' if state is State.OK else f', {state}'}"


def _sign(state: State) -> str:
    disc = '<circle cx="10" cy="10" r="10"/>'
    return f'<svg class="sign" viewBox="0 0 20 20" aria-hidden="true">{disc}{_SIGNS[state]}</svg>'


def _date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
