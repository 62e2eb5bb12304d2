"""Previews as one comment on a pull request: the verdicts, what ends, what runs, what the rules say; all else folded.

The comment never exceeds what GitHub takes. Each section may use half of the room that those before it left, the folded
difference the rest; what does not fit is counted. The same previews give the same text.
"""

from collections.abc import Iterable, Sequence

from cli import difference
from cli.markdown import cell, code, fenced, prose, visible
from cli.report import summary
from engine.changes import parts
from engine.result import Result
from engine.review import Review, reaches_data
from policies.model import Enforcement, Finding, Outcome, RuleResult

LIMIT = 65_536
"""GitHub's limit in characters; counted here in bytes, which are never fewer."""

_FRAMES = 4_000
"""Kept for what is no item: titles, heads of tables, fences, the sentences that say what was left out."""
_FOLD = "<details><summary>All changes, property by property</summary>\n\n"
_UNFOLD = "\n\n</details>\n"
_ENDS = {"delete": "is deleted", "replace": "is deleted and made anew"}
_MOST_PATHS = 5
_SECRET_VERBS = {"create": "is new", "delete": "is deleted"}
_OUTCOMES = (Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.EXEMPT, Outcome.INCONCLUSIVE)


MARKER = "<!-- mainstay-preview -->"
"""By this line, which nobody sees, a workflow finds the comment that it wrote before."""


def markdown(reviews: Sequence[Review]) -> str:
    """The comment, with a line break at its end: first the verdict of every environment, then each one's details."""
    if len(reviews) == 1:
        (review,) = reviews
        head, titles = f"{_verdict(review)}\n\n", [""]
    else:
        head = "".join(f"- {_verdict(review)}\n" for review in reviews) + "\n"
        titles = [f"### {code(review.stack)}\n\n" for review in reviews]
    foot = f"{MARKER}\n"
    details = _share(reviews, LIMIT - _size(head) - _size("".join(titles)) - _size(foot))
    return f"{head}{''.join(map(''.join, zip(titles, details, strict=True)))}{foot}"


def _share(reviews: Sequence[Review], room: int) -> list[str]:
    """The details of each within the room of all: who needs less than an equal share leaves the rest to the others."""
    details = {index: _details(review, room) for index, review in enumerate(reviews)}
    for left, index in zip(range(len(details), 0, -1), sorted(details, key=lambda at: _size(details[at])), strict=True):
        equal, review = room // left, reviews[index]
        if _size(details[index]) > equal:
            details[index] = _details(review, equal)
        if _size(details[index]) > equal:
            details[index] = f"It did not fit here; {code(f'mainstay preview {review.stack}')} shows it.\n\n"
        room -= _size(details[index])
    return [details[index] for index in range(len(reviews))]


def _verdict(review: Review) -> str:
    return f"**{review.level}** · {code(review.stack)}: {prose(review.summary)}"


def _details(review: Review, room: int) -> str:
    """All but the verdict."""
    page = _Page(room - _size(foot := _foot(review)))
    result = review.result
    if result is None or (review.failure and not result.mandatory):
        said = [visible(line) for line in (review.failure or "").splitlines()]
        page.add(fenced(said[: fitting(said, page.share)], "text") + "\n")
    if result is not None:
        page.section("", [*_stopping(result)])
        page.section("#### Look closely at", [*_closely(result)])
        page.section("#### Images", [*_images(result)], ("| object | container | from | to |", "|---|---|---|---|"))
        page.section("#### Secrets (names only)", [*_secrets(result)])
        page.section("#### Changed outside Mainstay", [*_drift(result)])
        _policies(page, result)
        page.section("#### Warnings", [*_warnings(result)])
        page.add(f"{prose(summary(result))}\n")
        _difference(page, result, review.stack)
    return f"{page.text}{foot}"


class _Page:
    """Text that keeps to its room."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.text = ""

    @property
    def share(self) -> int:
        """What one more part may use."""
        return max(0, self.room - _FRAMES) // 2

    def add(self, text: str) -> None:
        """A line or a block, followed by a line break."""
        self.text += f"{text}\n"
        self.room -= _size(text) + 1

    def section(self, title: str, items: Sequence[str], head: Sequence[str] = ()) -> None:
        """A list or a table; nothing at all if there are no items."""
        if not items:
            return
        if title:
            self.add(f"{title}\n")
        for line in head:
            self.add(line)
        kept = fitting(items, self.share)
        for item in items[:kept]:
            self.add(item)
        if left := len(items) - kept:
            self.add(f"\n… and {left} more.")
        self.add("")


def fitting(items: Iterable[str], room: int) -> int:
    """How many of the items, from the first on, fit into so many bytes, each with a line break."""
    kept = 0
    for item in items:
        room -= _size(item) + 1
        if room < 0:
            break
        kept += 1
    return kept


def _size(text: str) -> int:
    return len(text.encode())


def _stopping(result: Result) -> Iterable[str]:
    """The mandatory policies that fail, by what they say about each object."""
    rules = result.policy.rules if result.policy else ()
    found = {(rule.id, finding.urn): (rule, finding) for rule in rules for finding in rule.findings}
    for violation in sorted(result.mandatory, key=lambda each: (each.rule, each.urn or "", each.message)):
        if known := found.get((violation.rule, violation.urn or "")):
            yield f"- {_finding(*known)} {prose(known[0].remediation)}"
        else:
            yield f"- {code(violation.rule)}: {prose(violation.message)}"


def _closely(result: Result) -> Iterable[str]:
    """Deletions, replacements, and whatever else reaches data; first what holds data."""
    steps = [step for step in result.changed if step.op in _ENDS or reaches_data(step)]
    for step in sorted(steps, key=lambda step: (step.data is None, step.op, step.label)):
        reasons = [change.path for change in step.changes if change.forces_replacement or step.op == "update"]
        line = f"{code(step.label)} {_ENDS.get(step.op, 'is changed in place')}"
        if reasons:
            line += f" ({', '.join(map(code, reasons[:_MOST_PATHS]))}{', …' if len(reasons) > _MOST_PATHS else ''})"
        if step.protected and step.op == "delete":
            line += "; it is protected, so the engine refuses"
        if step.data is None:
            yield f"- {line}"
        else:
            fate = f": {prose(step.data.fate)}" if step.op in _ENDS else ""
            yield f"- ⚠️ **{step.data.noun}** {line}{fate}"


def _images(result: Result) -> Iterable[str]:
    for step in sorted(result.changed, key=lambda step: step.label):
        for image in step.images:
            yield f"| {cell(step.label)} | {cell(image.where)} | {cell(image.old)} | {cell(image.new)} |"


def _secrets(result: Result) -> Iterable[str]:
    for step in sorted(result.changed, key=lambda step: step.label):
        if step.kind == "Secret":
            paths = (parts(change.path) for change in step.changes)
            keys = sorted({str(path[1]) for path in paths if path[0] in ("data", "stringData") and len(path) > 1})
            verb = _SECRET_VERBS.get(step.op, "changes")
            yield f"- {code(step.label)} {verb}{': ' if keys else ''}{', '.join(map(code, keys))}"


def _drift(result: Result) -> Iterable[str]:
    for step in result.drift:
        what = "is gone" if step.op == "delete" else ", ".join(code(change.path) for change in step.changes)
        yield f"- {code(step.label)}: {what}"


def _policies(page: _Page, result: Result) -> None:
    if result.policy is None:
        page.add("#### Policies\n\nNot evaluated: the run ended before.\n")
        return
    rules = sorted(
        result.policy.rules,
        key=lambda rule: (not _faults(rule), rule.enforcement is not Enforcement.MANDATORY, rule.id),
    )
    head = ("| rule | enforcement | pass | fail | error | exempt | open | |", "|---|---|--:|--:|--:|--:|--:|---|")
    page.section("#### Policies", [_rule(rule) for rule in rules], head)
    stopped = {(each.rule, each.urn) for each in result.mandatory}
    explained = [
        f"- {outcome.value}: {_finding(rule, finding)}"
        for outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.EXEMPT)
        for rule in rules
        for finding in rule.of(outcome)
        if (rule.id, finding.urn) not in stopped
    ]
    page.section("", explained)


def _rule(rule: RuleResult) -> str:
    counts = " | ".join(str(rule.count(outcome)) for outcome in _OUTCOMES)
    remark = "applies to nothing here, so it proves nothing" if rule.vacuous else ""
    return f"| {cell(rule.id)} | {rule.enforcement.value} | {counts} | {remark} |"


def _faults(rule: RuleResult) -> int:
    return rule.count(Outcome.FAIL) + rule.count(Outcome.ERROR)


def _finding(rule: RuleResult, finding: Finding) -> str:
    reasons = "; ".join(reason.rstrip(".") for reason in finding.reasons)
    return f"{code(rule.id)} {code(finding.subject)}: {prose(reasons)}."


def _warnings(result: Result) -> Iterable[str]:
    yield from sorted({f"- {prose(each.message)}" for each in result.diagnostics if each.severity == "warning"})


def _difference(page: _Page, result: Result, stack: str) -> None:
    """All that fits, whole objects, the largest last: one huge object must not hide ten small ones."""
    steps = [*((step, " outside Mainstay") for step in result.drift), *((step, "") for step in result.changed)]
    if not steps:
        return
    blocks = [difference.lines(step, remark) for step, remark in steps]
    texts = ["\n".join(block) for block in blocks]
    by_size = sorted(range(len(texts)), key=lambda index: (_size(texts[index]), index))
    room = page.room - _FRAMES // 2
    shown = sorted(by_size[: fitting([texts[index] for index in by_size], room)])
    left = len(texts) - len(shown)
    page.add(_FOLD + fenced([texts[index] for index in shown], "diff"))
    if left:
        page.add(f"\n{left} of {len(texts)} objects did not fit here; {code(f'mainstay preview {stack}')} shows all.")
    page.add(_UNFOLD)


def _foot(review: Review) -> str:
    return f"<sub>Compared with {prose(review.compared_with)}.</sub>\n\n" if review.compared_with else ""
