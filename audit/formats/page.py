"""One HTML page for a person: verdict first, then what is wrong, then everything, by theme and by control.

It needs no network; its one script filters, and without it all is there to be read. Colour is never the only sign.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from audit.assessment import Assessment, RuleText, Verdict
from audit.formats.printable import printable
from policies.controls import FRAMEWORKS, parts
from policies.evidence import Evidence
from policies.model import Enforcement, Finding, Outcome, RuleResult, Theme

_HERE = Path(__file__).parent
_WORDS = {
    Outcome.FAIL: "fails",
    Outcome.ERROR: "error",
    Outcome.INCONCLUSIVE: "undecided",
    Outcome.EXEMPT: "exempt",
    Outcome.PASS: "holds",
    Outcome.NOT_APPLICABLE: "not applicable",
}
"""From what must be looked at to what need not."""
_WRONG = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE)
_VERDICTS = {
    Verdict.PASSED: ("pass", "Passed"),
    Verdict.INCOMPLETE: ("inconclusive", "Incomplete"),
    Verdict.FAILED: ("fail", "Failed"),
}
_SILENT = "asked nothing"
_KINDS = {"deployed": "Recorded as deployed on", "state": "The state in", "manifests": "The manifests in"}
_SHOWN = 5
"""Findings of a rule in the summary; the rule itself lists all."""


def render(assessment: Assessment) -> str:
    """The page."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    kind, word = _VERDICTS[assessment.verdict]
    stack = escape(assessment.input.stack)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{word}: policies of {stack}, {assessment.as_of[:10]}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#rules">To the rules</a>
<main>
<h1>Policies of {stack}</h1>
<p class="verdict {kind}">{word}<small>{escape(_sentence(assessment))}</small></p>
<p class="lead">{_lead(assessment)}</p>
{_numbers(assessment)}
{_closely(assessment)}
<div class="controls" role="search" hidden>
<input type="search" id="q" placeholder="rule, resource, control, reason …" aria-label="Search the findings">
{_boxes(assessment)}
<span class="count" id="count" role="status"></span>
</div>
<h2 id="rules">By theme</h2>
{"".join(_theme(assessment, theme) for theme in Theme)}
<h2 id="by-control">By control</h2>
{_controls(assessment)}
<h2 id="exemptions">Exemptions</h2>
{_exemptions(assessment)}
<h2 id="evidence">Dated evidence</h2>
{_evidence(assessment)}
<h2 id="identity">What was judged, and by what</h2>
{_identity(assessment)}
</main>
<script>{script}</script>
</body>
</html>
"""


def _sentence(assessment: Assessment) -> str:
    mandatory = [each for each in assessment.results if each.enforcement is Enforcement.MANDATORY]
    failed = [each.id for each in mandatory if each.count(Outcome.FAIL) or each.count(Outcome.ERROR)]
    undecided = [each.id for each in mandatory if each.count(Outcome.INCONCLUSIVE)]
    if failed:
        return f"{_counted(len(failed), 'mandatory rule')} of {len(mandatory)} fail: {', '.join(failed)}."
    if undecided:
        return f"None of {len(mandatory)} mandatory rules fails, but these are undecided: {', '.join(undecided)}."
    return f"None of {len(mandatory)} mandatory rules fails."


def _lead(assessment: Assessment) -> str:
    judged = assessment.input
    changed = ", with changes" * judged.commit.endswith("-dirty")
    commit = f"; the repository at commit <code>{escape(judged.commit[:12])}</code>{changed}" if judged.commit else ""
    return (
        f"{_KINDS[judged.kind]} {escape(judged.source)}{commit}; "
        f'as of <time datetime="{assessment.as_of}">{assessment.as_of}</time>. '
        f"{_counted(len(assessment.population), 'resource')}, {_counted(len(assessment.rules), 'rule')}."
    )


def _numbers(assessment: Assessment) -> str:
    head = "".join(f'<th class="n" scope="col">{word}</th>' for word in _WORDS.values())
    rows: list[str] = []
    for theme in Theme:
        results = [each for each in assessment.results if each.theme is theme]
        if not results:
            continue
        counts = "".join(
            f'<td class="n">{sum(each.count(outcome) for each in results) or ""}</td>' for outcome in _WORDS
        )
        silent = sum(each.vacuous for each in results)
        link = f'<a href="#theme-{theme}">{_name(theme)}</a>'
        rows.append(
            f'<tr><th scope="row">{link}</th><td class="n">{len(results)}</td>{counts}'
            f'<td class="n">{silent or ""}</td></tr>'
        )
    return (
        '<table class="numbers"><thead><tr><th scope="col">theme</th><th class="n" scope="col">rules</th>'
        f'{head}<th class="n" scope="col">{_SILENT}</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _closely(assessment: Assessment) -> str:
    """What must be looked at: mandatory rules first, what fails before what is open."""
    wrong = [each for each in assessment.results if any(each.count(outcome) for outcome in _WRONG)]
    wrong.sort(key=lambda each: (each.enforcement is not Enforcement.MANDATORY, _rank(each)))
    if not wrong:
        return ""
    rows = "".join(
        f'<tr class="{_class(result)}"><td><span class="tag">{_word(result)}</span><br>{result.enforcement}</td>'
        f'<td><a href="#{result.id}">{result.id}</a></td><td>{_examples(result)}'
        f"<p>{escape(result.remediation)}</p></td></tr>"
        for result in wrong
    )
    return f"<h2>Look closely at</h2>{_table(('outcome', 'rule', 'where, why, and what to do'), rows)}"


def _examples(result: RuleResult) -> str:
    wrong = [each for each in result.findings if each.outcome in _WRONG]
    told = "".join(
        f'<li><span class="mono">{escape(each.subject)}</span>: {_reasons(each, "; ")}</li>' for each in wrong[:_SHOWN]
    )
    rest = f'<li><a href="#{result.id}">and {len(wrong) - _SHOWN} more</a></li>' if len(wrong) > _SHOWN else ""
    return f"<ul>{told}{rest}</ul>"


def _boxes(assessment: Assessment) -> str:
    boxes = [
        (outcome.value, word, sum(each.count(outcome) for each in assessment.results))
        for outcome, word in _WORDS.items()
    ]
    boxes.append(("silent", f"rules that {_SILENT}", len(assessment.vacuous)))
    return "\n".join(
        f'<label><input type="checkbox" name="show" value="{value}" checked> {word} ({count})</label>'
        for value, word, count in boxes
    )


def _theme(assessment: Assessment, theme: Theme) -> str:
    results = [each for each in assessment.results if each.theme is theme]
    if not results:
        return ""
    rules = "".join(_rule(assessment, each) for each in sorted(results, key=_rank))
    return f'<section class="theme"><h3 id="theme-{theme}">{_name(theme)}</h3>{rules}</section>'


def _rule(assessment: Assessment, result: RuleResult) -> str:
    text = assessment.text(result.id)
    numbers = assessment.population_of(result)
    level = escape(result.enforcement)
    if reason := assessment.weakened.get(result.id):
        level += f": {escape(reason)}"
    rows = "".join(
        f'<tr data-outcome="{each.outcome}" class="{each.outcome}"><td>{_tag(each.outcome)}</td>'
        f'<td class="mono" title="{escape(each.urn)}">{escape(each.subject)}</td><td>{_reasons(each)}</td></tr>'
        for each in sorted(result.findings, key=lambda each: [*_WORDS].index(each.outcome))
    )
    found = _table(("outcome", "resource", "why"), rows) if rows else "<p>None of the resources is its business.</p>"
    searched = " ".join((result.id, result.title, result.theme, result.enforcement, *text.controls)).lower()
    opened = " open" if any(result.count(outcome) for outcome in _WRONG) else ""
    return f"""
<details class="rule {_class(result)}" id="{result.id}" data-text="{escape(searched)}"{opened}>
<summary><span class="tag">{_word(result)}</span><b>{escape(result.title)}</b><code>{result.id}</code></summary>
<div><dl>
<dt>Why</dt><dd>{escape(text.why)}</dd>
<dt>Asked of</dt><dd>{escape(text.applies_to)}</dd>
<dt>Population</dt><dd>{numbers["evaluated"]} evaluated + {numbers["not_applicable"]} not applicable + \
{numbers["other_kinds"]} of other kinds = {numbers["all"]} resources</dd>
<dt>Level</dt><dd>{level}; severity {escape(result.severity)}</dd>
<dt>Controls</dt><dd>{escape("; ".join(text.controls))}</dd>
<dt>Mend it</dt><dd>{escape(text.remediation)}</dd>
</dl>{found}</div>
</details>"""


def _controls(assessment: Assessment) -> str:
    results = {each.id: each for each in assessment.results}
    found: list[str] = []
    for framework, controls in FRAMEWORKS.items():
        rows = "".join(
            f'<tr class="{state}"><th scope="row">{escape(number)}</th><td>{escape(title)}</td>'
            f'<td><span class="tag">{word}</span></td><td>{_links(rules)}</td></tr>'
            for number, title in controls.items()
            if (rules := [each for each in assessment.rules if (framework, number) in map(parts, each.controls)])
            for state, word in (_state([results[each.id] for each in rules]),)
        )
        if rows:
            found.append(f"<h3>{escape(framework)}</h3>{_table(('id', 'control', 'state', 'rules'), rows)}")
    return "".join(found)


def _state(results: Sequence[RuleResult]) -> tuple[str, str]:
    """Class and word for a control: the worst of its rules counts, advisory ones too."""
    asked = [each for each in results if not each.vacuous]
    for outcome in _WRONG:
        if any(each.count(outcome) for each in asked):
            return outcome.value, _WORDS[outcome]
    if not asked:
        return "silent", "not assessed"
    exempt = any(each.count(Outcome.EXEMPT) for each in asked)
    return ("exempt", "holds, with exemptions") if exempt else ("pass", "holds")


def _exemptions(assessment: Assessment) -> str:
    problems = "".join(f"<li>{escape(each)}</li>" for each in assessment.exemption_problems)
    wrong = f'<p class="fail"><span class="tag">wrong entries exempt nothing</span></p><ul>{problems}</ul>'
    rows = "".join(
        f"<tr><td>{escape(each.id)}</td><td>{escape(entry.state)}</td><td>{escape(each.rule)}</td>"
        f'<td class="mono">{escape(each.resource)}</td><td>{escape(each.reason)}<br><small>Instead: '
        f"{escape(each.compensating_control)}</small></td><td>{escape(each.owner)} / {escape(each.approver)}</td>"
        f"<td>{each.created} – {each.expires}</td><td>{escape(each.ticket)}</td></tr>"
        for entry in assessment.exemptions
        for each in (entry.exemption,)
    )
    head = ("id", "state", "rule", "resource", "reason", "owner / approver", "from – to", "ticket")
    return (wrong if problems else "") + (_table(head, rows) if rows else "<p>The register has no valid entry.</p>")


def _evidence(assessment: Assessment) -> str:
    def state(each: Evidence) -> tuple[str, str]:
        if each.day.isoformat() > assessment.as_of[:10]:
            return "silent", "later, not counted"
        return ("pass", "passed") if each.passed else ("fail", "failed")

    rows = "".join(
        f'<tr class="{kind}"><td>{escape(each.at)}</td><td>{escape(each.kind)}</td>'
        f'<td class="mono">{escape(each.subject)}</td><td><span class="tag">{word}</span></td>'
        f"<td>{escape(each.detail)}</td><td><code>{escape(each.source)}</code></td></tr>"
        for each in assessment.evidence
        for kind, word in (state(each),)
    )
    return _table(("when", "kind", "of", "result", "detail", "file"), rows) if rows else "<p>None was given.</p>"


def _identity(assessment: Assessment) -> str:
    judged, judge = assessment.input, assessment.judge
    rows = [
        ("Input, SHA-256", judged.digest),
        ("Commit", judged.commit or "not known"),
        ("Policy pack", f"{judge.pack} {judge.version}"),
        ("Rules, SHA-256", judge.digest),
        ("Exemptions, SHA-256", judge.register_digest),
        *((f"Evidence {name}, SHA-256", value) for name, value in _digests(assessment)),
        *sorted(judge.tools.items()),
    ]
    told = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in rows)
    return f"<dl>{told}</dl>"


def _digests(assessment: Assessment) -> Iterable[tuple[str, str]]:
    return sorted({(each.source, each.digest) for each in assessment.evidence})


def _links(rules: Iterable[RuleText]) -> str:
    return ", ".join(f'<a href="#{each.id}">{each.id}</a>' for each in rules)


def _table(head: Sequence[str], rows: str) -> str:
    names = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f'<table class="wide"><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>'


def _reasons(finding: Finding, between: str = "<br>") -> str:
    return between.join(escape(printable(each)) for each in finding.reasons)


def _tag(outcome: Outcome) -> str:
    return f'<span class="tag">{_WORDS[outcome]}</span>'


def _worst(result: RuleResult) -> Outcome | None:
    if result.vacuous:
        return None
    return next((each for each in _WORDS if result.count(each)), None)


def _class(result: RuleResult) -> str:
    worst = _worst(result)
    return worst.value if worst else "silent"


def _word(result: RuleResult) -> str:
    worst = _worst(result)
    return f"{_WORDS[worst]} ({result.count(worst)})" if worst else _SILENT


def _rank(result: RuleResult) -> tuple[int, bool, str]:
    worst = _worst(result)
    return [*_WORDS].index(worst) if worst else len(_WORDS), result.enforcement is not Enforcement.MANDATORY, result.id


def _name(theme: Theme) -> str:
    return "SLO" if theme is Theme.SLO else theme.capitalize()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
