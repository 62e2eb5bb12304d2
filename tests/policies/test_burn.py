"""What expressions come to: in which ways an alert fires for one SLO, and how fast its budget then burns."""

import pytest

from policies.burn import Burn
from policies.values import Node
from policies.watching import Entry, Rules
from tests.policies.builders import resource

HOLDER = resource("PrometheusRule")
RECORDED = {
    "bad": "increase(failures[5m])",
    "total": "increase(requests[5m])",
    "share1h": "rate(bad[1h]) / rate(total[1h])",
    "half": "vector(0.5)",
    "one": "vector(1)",
    "never": 'bad{slo="b"}',
    "again": "again > 1 or share1h > 0.5",
    "loop": "loop + 1",
}
S1 = "rate(bad[1h]) / rate(total[1h])"
S5 = "rate(bad[5m]) / rate(total[5m])"
HOUR, MINUTES = 3600.0, 300.0
LIMITED = {((HOUR, 0.5),)}
NEVER: set[tuple[tuple[float, float], ...]] = set()
UNLIMITED: set[tuple[tuple[float, float], ...]] = {()}


def entry(expr: str, alert: str = "", record: str = "", **labels: str | None) -> Entry:
    return Entry(HOLDER, Node({"expr": expr}), alert, record, labels)


def burn(budget: str = "vector(0.1)", slo: str | None = "a") -> Burn:
    recordings = [entry(expr, record=name, slo="a") for name, expr in RECORDED.items()]
    kinds = [entry("made_elsewhere", record=f"of_{kind}", slo="a", kind=kind) for kind in "xy"]
    twice = [entry(f"rate(bad[{window}]) / rate(total[{window}])", record="twice", slo="a") for window in ("1h", "5m")]
    return Burn(entry(budget, record="inventory", slo=slo), Rules([*recordings, *kinds, *twice]))


def ways(expr: str) -> set[tuple[tuple[float, float], ...]]:
    """The window and the share of each way."""
    found = burn().ways(entry(expr, alert="Alert", slo="a"))
    return {tuple(sorted((each.window, each.share) for each in way)) for way in found}


@pytest.mark.parametrize(
    "expr",
    [
        *(f"{count}(bad[1h]) / {count}(total[1h]) > 0.5" for count in ("increase", "rate", "sum_over_time")),
        "count_over_time(bad[1h]) / count_over_time(total[1h]) > 0.5",
        *(f"{of} by (slo) (rate(bad[1h])) / {of} by (slo) (rate(total[1h])) > 0.5" for of in ("sum", "avg")),
        *(f"{of} by (slo) (rate(bad[1h])) / {of} by (slo) (rate(total[1h])) > 0.5" for of in ("min", "max")),
        *(f"{number} {S1}" for number in ("0.5 <", "0.5 <=")),
        f"{S1} >= 0.5",
        f"(({S1})) > (0.5)",
        f"-({S1} > 0.5)",
        f"sum by (slo) ({S1} > 0.5)",
        f"{S1} > on () vector(0.5)",
        f"{S1} > half",
        f"{S1} > scalar(half)",
        f"{S1} > rate(bad[1h]) / (2 * rate(bad[1h]))",
        f"{S1} > rate(bad[1h]) / rate(bad[1h]) - half",
        f"clamp_min({S1}, 0) > 0.5",
        f"sort({S1}) > 0.5",
        f"label_replace({S1}, 'x', 'y', '', '') > 0.5",
        f"label_join({S1}, 'x', ',', 'y') > 0.5",
        f"histogram_quantile(0.5, {S1} > 0.5)",
        f"round({S1} > 0.5)",
        f"({S1} > 0.5) + 1",
        f"({S1} and bad) > 0.5",
        f"({S1} unless bad) > 0.5",
        "share1h > 0.5",
        "rate(bad[1h]) / (rate(total[1h]) > 0) > 0.5",
        "sum_over_time(bad[1h:]) / sum_over_time(total[1h:]) > 0.5",
        f"avg_over_time(({S5})[1h:5m]) > 0.5",
        f"avg_over_time(({S1})[5m:1m]) > 0.5",
        "avg_over_time(share1h[5m]) > 0.5",
        f"1 - {S1} > 0.5",
        f"{S1} / 2 > 0.25",
        f"{S1} * 2 > 1",
        f"3 * {S1} > 1.5",
        "rate(bad[1h]) / (2 * rate(total[1h])) > 0.25",
        "3 * rate(bad[1h]) / rate(total[1h]) > 1.5",
        "rate(bad[1h]) * 3 / rate(total[1h]) > 1.5",
        f"vector(2) > 1 and on () {S1} > 0.5",
        *(
            f"{none} or {S1} > 0.5"
            for none in ('bad{slo="b"}', "of_x and of_y", "vector(1) > 2", "slo:none", "never > 0")
        ),
        *(f"{none} or {S1} > 0.5" for none in ('rate(bad{slo="b"}[1h]) > 0', '0 < rate(bad{slo="b"}[1h])')),
        f'{S1} > 0.5 unless one{{slo="b"}}',
        f'{S1} > 0.5 unless rate(bad{{slo="b"}}[1h]) / rate(bad{{slo="b"}}[1h])',
        f'{S1} > 0.5 and on () elsewhere{{x="1"}}',
    ],
)
def test_one_condition_in_many_words(expr: str) -> None:
    assert ways(expr) == LIMITED


@pytest.mark.parametrize(
    "expr",
    [
        f"0.5 > {S1}",
        f"0.5 >= {S1}",
        f"{S1} < 0.5",
        f"{S1} != 0.5",
        f"{S1} > bool 0.5",
        f"({S5} > 0.5) > bool 0.1",
        f"absent({S1} > 0.5)",
        f"{S1} > time()",
        f"{S1} > 1 / 0",
        "delta(bad[1h]) / delta(total[1h]) > 0.5",
        "rate(bad[1h]) * rate(total[1h]) > 0.5",
        "rate(bad[1h]) / rate(total[5m]) > 0.5",
        "rate(bad[1h]) / (0 * rate(total[1h])) > 0.5",
        "rate(bad[1h] @ 0) / rate(total[1h]) > 0.5",
        "rate(bad[1h] offset 1d) / rate(total[1h]) > 0.5",
        "count by (slo) (rate(bad[1h])) / count by (slo) (rate(total[1h])) > 0.5",
        "share1h @ 0 > 0.5",
        "share1h offset 1d > 0.5",
        *(f"{share} > 0.5" for share in ("twice", "loop", "elsewhere", "bad", "avg_over_time(bad[1h])")),
        *(f"avg_over_time(({S5})[1h:5m] {when}) > 0.5" for when in ("offset 1d", "@ 0")),
        f"max_over_time(({S5})[1h:5m]) > 0.5",
        *(f"({either}) > 0.5" for either in (f"bad or {S1}", f"{S1} or vector(1)")),
        *(f"{scaled} > 0.5" for scaled in (f"{S1} + 1", f"{S1} * 0", f"{S1} / 0", f"{S1} * -1", f"0 * {S1}")),
        *(f"{scaled} > 0.5" for scaled in (f"2 / {S1}", f"1 + {S1}", f"2 - {S1}", f"1 - 2 * {S1}")),
    ],
)
def test_what_is_no_limit_to_a_share_of_events_restricts_nothing(expr: str) -> None:
    assert ways(expr) == UNLIMITED


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (f"{S1} > 0.5 or {S5} > 0.7", {((HOUR, 0.5),), ((MINUTES, 0.7),)}),
        (f"{S1} > 0.5 and {S5} > 0.7", {((MINUTES, 0.7), (HOUR, 0.5))}),
        (f"(0.1 < {S1}) > 0.5", {((HOUR, 0.1), (HOUR, 0.5))}),
        ("again", {(), *LIMITED}),
        ("twice", UNLIMITED),
        (f"{S1} > 0.5 unless one", NEVER),
        (f'{S1} > 0.5 and bad{{slo="b"}}', NEVER),
    ],
)
def test_ways_are_told_apart(expr: str, expected: set[tuple[tuple[float, float], ...]]) -> None:
    assert ways(expr) == expected


def test_an_slo_has_a_name_and_a_budget_or_neither() -> None:
    assert (burn().name, burn().budget) == ("a", 0.1)
    assert (burn("elsewhere", None).name, burn("elsewhere", None).budget) == ("", 0.0)


def test_a_recording_that_no_rule_makes_is_told() -> None:
    found = burn()
    assert found.ways(entry("slo:none > 1 and elsewhere > 1", alert="Alert", slo="a")) == []
    assert found.missing == {"slo:none"}
    assert found.ways(entry("slo:other > 1", alert="Alert", slo="b")) == []
    assert found.missing == {"slo:none", "slo:other"}
