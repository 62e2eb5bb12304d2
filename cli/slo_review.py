"""The monthly review as Markdown: the verdict first, then every SLO, worst first, then incidents and overrides."""

from collections.abc import Sequence

from budgets.month import Kept, Month, Outcome
from budgets.overrides import Override
from budgets.wording import about, moment, percent
from cli.markdown import cell, code, prose

_WHOLE = 0.999
"""A month with this share of its time measured counts as measured: a restart of Prometheus is no gap."""

_COLUMNS = (
    *("SLO", "outcome", "promised", "attained", "budget spent", "budget left"),
    *("bad of all events", "worst hour", "incidents", "measured"),
)


def markdown(stack: str, month: Month, overrides: Sequence[Override]) -> str:
    """The document; the same month gives the same text."""
    lines = [
        f"# SLO review of {code(stack)}, {month.name}",
        "",
        f"**{_verdict(month)}**",
        "",
        *([] if month.complete else [f"The month is not over: this is its state at {moment(month.end)}.", ""]),
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *map(_row, month.slos),
        "",
        "Budgets are those of this month's events alone. Worst hour: how many times too fast the budget burned, and "
        "when that hour ended. Measured: share of the time with data.",
        *_gaps(month),
        *_incidents(month),
        *_overrides(overrides),
    ]
    return "\n".join(lines) + "\n"


def _verdict(month: Month) -> str:
    missed, unknown = (
        [each.promise.slo for each in month.slos if each.outcome is outcome]
        for outcome in (Outcome.MISSED, Outcome.UNKNOWN)
    )
    count = len(month.slos)
    if missed:
        said = f"{len(missed)} of {_counted(count, 'SLO')} missed: {', '.join(missed)}."
    else:
        met = count - len(unknown)
        said = f"No SLO was missed: {met} of {count} kept." if met else "Nothing can be said."
    return f"{said} Without any data: {', '.join(unknown)}." if unknown else said


def _row(kept: Kept) -> str:
    worst = kept.worst
    return (
        "| "
        + " | ".join(
            (
                cell(kept.promise.slo),
                str(kept.outcome),
                percent(kept.promise.objective),
                "–" if kept.attained is None else percent(kept.attained),
                "–" if kept.spent is None else about(kept.spent),
                "–" if kept.spent is None else about(1 - kept.spent),
                "–" if not kept.total else f"{kept.bad:.0f} of {kept.total:.0f}",
                "–"
                if worst is None
                else f"{worst.burn:.1f}× at {moment(worst.end)} ({worst.bad:.0f} of {worst.total:.0f})",
                str(len(kept.incidents)),
                percent(kept.measured, 1),
            )
        )
        + " |"
    )


def _gaps(month: Month) -> list[str]:
    gaps = [each for each in month.slos if each.measured < _WHOLE]
    if not gaps:
        return []
    told = ", ".join(f"{code(each.promise.slo)} ({percent(each.measured, 1)} measured)" for each in gaps)
    return ["", f"Data is missing for part of the time, of which nothing is said here: {told}."]


def _incidents(month: Month) -> list[str]:
    found = sorted(
        (incident.start, each.promise.slo, incident.end) for each in month.slos for incident in each.incidents
    )
    if not found:
        return ["", "## Incidents", "", "Nobody was called: no budget burned fast (SLOBurnsFast)."]
    rows = [f"| {moment(start)} | {duration(end - start)} | {cell(slo)} |" for start, slo, end in found]
    return ["", "## Incidents", "", "SLOBurnsFast was firing:", "", "| from | for | SLO |", "|---|---|---|", *rows]


def _overrides(overrides: Sequence[Override]) -> list[str]:
    if not overrides:
        return []
    rows = [
        f"| {each.time} | {prose(each.by)} | {prose(each.reason)} | {prose('; '.join(each.risks))} |"
        for each in overrides
    ]
    head = ["| when | who | why | what passed |", "|---|---|---|---|"]
    return ["", "## Overrides of the budget gate", "", "Recorded in this clone:", "", *head, *rows]


def duration(seconds: int) -> str:
    """E.g. `2 h 05 min`."""
    hours, minutes = divmod(max(seconds, 60) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
