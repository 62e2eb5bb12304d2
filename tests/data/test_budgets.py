"""Budgets, the monthly review and the status page, from a genuine Prometheus whose past is known to the last event."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from budgets import BudgetsError, days, gate, month, status
from budgets.days import State
from budgets.month import Incident, Outcome
from budgets.prometheus import Prometheus, Unreachable
from tests.data.budgets_prometheus import STEP, Past, inventory, promised, running


def at(text: str) -> int:
    """Unix seconds of a UTC time such as `2025-10-07 12:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


OCTOBER, NOVEMBER = at("2025-10-01 00:00"), at("2025-11-01 00:00")
SPENT = at("2025-11-10 09:00")
"""From then on the budget of api-availability is spent."""
RECOVERED = (at("2025-11-04 00:00"), at("2025-11-04 06:00"))
FINE, LATER, EMPTY = at("2025-11-08 12:00"), at("2025-11-10 12:00"), at("2025-12-20 00:00")
OUTAGE = (at("2025-10-07 12:00"), at("2025-10-07 13:00"))
BLIND = (at("2025-10-10 00:00"), at("2025-10-12 00:00"))
ALERTS = {"alertname": "SLOBurnsFast", "alertstate": "firing", "severity": "P1"}


def _october() -> Iterator[Past]:
    # The first of them counts the last five minutes of September.
    slots = range(OCTOBER, NOVEMBER + 1, STEP)
    half_hours = range(OCTOBER, NOVEMBER + 1, 1800)

    def counted(slo: str, bad: Callable[[int], float], total: float) -> Iterator[Past]:
        yield Past("slo:bad:increase5m", {"slo": slo}, ((slot, bad(slot)) for slot in slots))
        yield Past("slo:total:increase5m", {"slo": slo}, ((slot, total) for slot in slots))

    for slo, objective in (
        ("api-availability", 0.995),
        ("engine-ticks", 0.99),
        ("ghost", 0.99),
        ("idle-errors", 0.999),
        ("mail-delivery", 0.95),
    ):
        yield promised(slo, objective, half_hours)
    # Half of 100 requests in each five minutes fail for an hour.
    yield from counted("api-availability", lambda slot: 50 if OUTAGE[0] < slot <= OUTAGE[1] else 0, 100)
    # Every tenth mail is late, all the time.
    yield from counted("mail-delivery", lambda _: 1, 10)
    yield from counted("idle-errors", lambda _: 0, 0)
    seen = [slot for slot in slots if not BLIND[0] < slot <= BLIND[1]]
    yield Past("slo:bad:increase5m", {"slo": "engine-ticks"}, ((slot, 0) for slot in seen))
    yield Past("slo:total:increase5m", {"slo": "engine-ticks"}, ((slot, 60) for slot in seen))
    called = range(OUTAGE[0] + 180, OUTAGE[1] + 241, 60)
    # A restart of Prometheus in the middle is no second incident.
    minutes = [minute for minute in called if not 0 < minute - OUTAGE[0] - 1800 <= 240]
    yield Past("ALERTS", {**ALERTS, **inventory("api-availability")}, ((minute, 1) for minute in minutes))


def _november() -> Iterator[Past]:
    def left(time: int) -> float:
        # It had been spent before, and recovered.
        return -0.38 if time >= SPENT or RECOVERED[0] <= time < RECOVERED[1] else 0.4

    times = range(at("2025-11-02 00:00"), at("2025-11-12 00:00"), STEP)
    api, mail = inventory("api-availability"), inventory("mail-delivery", "28d")
    yield promised("api-availability", 0.995, times)
    yield promised("mail-delivery", 0.95, times, "28d")
    yield promised("new-thing", 0.99, times)
    yield Past("slo:budget_left:ratio", api, ((time, left(time)) for time in times))
    yield Past("slo:budget_left:ratio", mail, ((time, 0.5) for time in times))
    yield Past("slo:burn:ratio1h", mail, ((time, 3.0) for time in times))
    yield Past("slo:burn:ratio6h", mail, ((time, 4.0) for time in times))
    for slo, bad, total in (("api-availability", 3000 * 1.38, 600_000), ("mail-delivery", 250, 10_000)):
        yield Past("slo:bad:events", {"slo": slo}, [(time, bad) for time in times])
        yield Past("slo:total:events", {"slo": slo}, [(time, total) for time in times])
        yield Past("slo:bad:increase5m", {"slo": slo}, ((time, 60) for time in times))
        yield Past("slo:total:increase5m", {"slo": slo}, ((time, 100) for time in times))
    called = range(LATER - 1800, LATER + 1, 60)
    yield Past("ALERTS", {**ALERTS, **mail}, ((minute, 1) for minute in called))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with running(folder, [*_october(), *_november()]) as url:
        yield Prometheus(url)


def test_a_budget_says_what_is_left_and_how_long_it_lasts(prometheus: Prometheus) -> None:
    api, mail, new = status.ask(prometheus, FINE)
    assert [each.promise.slo for each in (api, mail, new)] == ["api-availability", "mail-delivery", "new-thing"]
    assert (mail.left, mail.burn_1h, mail.burn_6h, mail.promise.window_days) == (0.5, 3.0, 4.0, 28)
    assert mail.hours_left == pytest.approx(0.5 * 28 * 24 / 4)
    assert mail.attained == pytest.approx(0.975)
    assert (api.hours_left, api.exhausted, api.exhausted_since) == (None, False, None)
    assert (new.left, new.attained, new.total) == (None, None, None)


def test_an_exhausted_budget_says_since_when(prometheus: Prometheus) -> None:
    api = status.ask(prometheus, LATER)[0]
    assert (api.exhausted, api.exhausted_since) == (True, SPENT)
    assert gate.exhausted_sentence(api) == (
        "api-availability: 99.31 % attained of 99.5 % promised over 30 days, 38 % over its budget, "
        "since 2025-11-10 09:00 UTC (owner: platform)."
    )


def test_a_prometheus_without_slos_knows_nothing(prometheus: Prometheus) -> None:
    with pytest.raises(BudgetsError, match="knows no SLO"):
        status.ask(prometheus, EMPTY)
    assert gate.ask(prometheus, EMPTY).reasons[0].startswith("The budgets are unknown: ")


def test_what_is_no_query_is_told_in_prometheus_own_words(prometheus: Prometheus) -> None:
    with pytest.raises(BudgetsError, match=r"refuses the query 'sum\('.*unclosed") as refused:
        prometheus.instant("sum(", FINE)
    assert not isinstance(refused.value, Unreachable)


def test_a_month_is_what_was_counted_by_hand(prometheus: Prometheus) -> None:
    found = month.ask(prometheus, "2025-10", EMPTY)
    assert (found.complete, found.start, found.end) == (True, OCTOBER, NOVEMBER)
    assert [(each.promise.slo, each.outcome) for each in found.slos] == [
        ("mail-delivery", Outcome.MISSED),
        ("ghost", Outcome.UNKNOWN),
        ("idle-errors", Outcome.IDLE),
        ("api-availability", Outcome.MET),
        ("engine-ticks", Outcome.MET),
    ]
    mail, ghost, idle, api, ticks = found.slos
    slots = 31 * 288
    assert (api.bad, api.total, api.measured) == (600, slots * 100, 1.0)
    assert api.attained == pytest.approx(1 - 600 / 892_800)
    assert api.spent == pytest.approx(600 / (892_800 * 0.005))
    assert api.worst
    assert (api.worst.end, api.worst.bad, api.worst.total) == (OUTAGE[1], 600, 1200)
    assert api.worst.burn == pytest.approx(100)
    assert api.incidents == (Incident(OUTAGE[0] + 180, OUTAGE[1] + 240),)
    assert (mail.spent, mail.attained) == (pytest.approx(2), pytest.approx(0.9))
    assert (idle.attained, idle.spent, idle.worst, idle.measured) == (None, None, None, 1.0)
    assert (ghost.total, ghost.measured) == (0, 0)
    assert (ticks.total, ticks.measured) == ((slots - 576) * 60, (slots - 576) / slots)


def test_a_month_that_is_not_over_says_so(prometheus: Prometheus) -> None:
    found = month.ask(prometheus, "2025-10", at("2025-10-16 00:02"))
    assert (found.complete, found.end) == (False, at("2025-10-16 00:00"))
    api = next(each for each in found.slos if each.promise.slo == "api-availability")
    assert (api.total, api.measured) == (15 * 288 * 100, 1.0)


def test_a_month_before_all_data_is_not_invented(prometheus: Prometheus) -> None:
    with pytest.raises(BudgetsError, match="knows of no SLO in 2025-08"):
        month.ask(prometheus, "2025-08", EMPTY)


def test_the_public_sees_days_and_the_state_now(prometheus: Prometheus) -> None:
    public = {"api-availability": "API", "mail-delivery": "E-mail", "new-thing": "Search"}
    known = {"API": {date(2025, 9, 30): 0.97, date(2025, 10, 7): 0.5}}
    api, mail, search = days.ask(prometheus, public, known, LATER)
    assert [each.state for each in (api, mail, search)] == [State.OK, State.DOWN, State.UNKNOWN]
    assert (api.attained, mail.window_days) == (pytest.approx(1 - 4140 / 600_000), 28)
    by_day = {day: (good, state) for day, good, state in api.days}
    assert len(by_day) == 90
    assert by_day[date(2025, 9, 29)] == (None, State.UNKNOWN)
    assert by_day[date(2025, 9, 30)] == (0.97, State.DEGRADED)
    assert by_day[date(2025, 10, 6)] == (1.0, State.OK)
    # What was kept of a finished day stands, even if Prometheus has forgotten a part of it.
    assert by_day[date(2025, 10, 7)] == (0.5, State.DOWN)
    alone = days.ask(prometheus, public, {}, LATER)[0].days[-35]
    assert alone == (date(2025, 10, 7), pytest.approx(1 - 600 / 28_800), State.DEGRADED)
    assert by_day[date(2025, 11, 10)] == (pytest.approx(0.4), State.DOWN)
    kept = json.loads(days.finished([api], LATER))["API"]
    assert (kept["2025-10-07"], "2025-11-10" in kept) == (0.5, False)


def test_days_are_kept_and_read_again(prometheus: Prometheus, tmp_path: Path) -> None:
    public = {"api-availability": "API"}
    (first,) = days.ask(prometheus, public, {}, LATER)
    (file := tmp_path / "days.json").write_text(days.finished([first], LATER))
    (again,) = days.unmeasured(public, days.read(file), LATER)
    assert (again.state, again.attained) == (State.UNKNOWN, None)
    assert [good for _, good, _ in again.days[:-1]] == [
        None if good is None else pytest.approx(good, abs=1e-6) for _, good, _ in first.days[:-1]
    ]
    assert again.days[-1][1] is None


def test_a_worst_hour_is_a_whole_hour(prometheus: Prometheus) -> None:
    mail = month.ask(prometheus, "2025-10", EMPTY).slos[0]
    assert mail.worst
    assert (mail.worst.end, mail.worst.bad, mail.worst.total) == (at("2025-10-01 01:00"), 12, 120)
