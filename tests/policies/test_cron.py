"""Schedules: which ones run every day."""

import pytest

from policies.cron import InvalidSchedule, runs_daily


@pytest.mark.parametrize(
    "schedule",
    [
        "0 0 3 * * *",
        "  0  30 3 * *\t* ",
        "*/10 * * * * *",
        "0 0 3 ? * ?",
        "0 0 0,12 * * *",
        "0 0 8-18/2 * * *",
        "0 5/15 * * * *",
        "0 0 3 1-31 * *",
        "0 0 3 1-15,16-31 jan-dec 0-6",
        "0 0 3 * 1-12 SUN-SAT",
        "0 0 3 * jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec sun,mon,tue,wed,thu,fri,sat",
        # From the first day on.
        "0 0 3 1/1 * *",
        # Both restricted: either one suffices.
        "0 0 3 1-31 * 1-5",
        "0 0 3 15 * sun-sat",
        "@daily",
        "@midnight",
        "@hourly",
    ],
)
def test_every_day(schedule: str) -> None:
    assert runs_daily(schedule)


@pytest.mark.parametrize(
    "schedule",
    [
        "0 0 3 * * 1-5",
        "0 0 3 * * 0",
        "0 0 3 ? * 1-5",
        "0 0 3 1 * *",
        "0 0 3 1-30 * *",
        "0 0 3 */2 * *",
        # A star with a step is a star: both fields count.
        "0 0 3 */2 * 0-6",
        "0 0 3 1-31 * */2",
        "0 0 3 * 1-11 *",
        "0 0 3 2-31 * 1-6",
        "@weekly",
        "@monthly",
        "@yearly",
        "@annually",
    ],
)
def test_not_every_day(schedule: str) -> None:
    assert not runs_daily(schedule)


@pytest.mark.parametrize(
    ("schedule", "clause"),
    [
        ("0 3 * * *", "has 5 fields instead of 6"),
        ("0 0 3 * * * *", "has 7 fields instead of 6"),
        ("", "has 0 fields"),
        ("@every 24h", "has 2 fields"),
        ("@reboot", "has 1 fields"),
        ("60 0 3 * * *", "no valid second: '60'"),
        ("0 60 3 * * *", "no valid minute: '60'"),
        ("0 0 24 * * *", "no valid hour: '24'"),
        ("0 0 3 0 * *", "no valid day of the month: '0'"),
        ("0 0 3 32 * *", "no valid day of the month: '32'"),
        ("0 0 3 * 13 *", "no valid month: '13'"),
        ("0 0 3 * * 7", "no valid day of the week: '7'"),
        ("0 0 3 * * mon-sun", "no valid day of the week: 'mon-sun'"),
        ("0 0 5-3 * * *", "no valid hour: '5-3'"),
        ("0 0 */0 * * *", "no valid hour: '*/0'"),
        ("0 0 3/ * * *", "no valid hour: '3/'"),
        ("0 0 3/x * * *", "no valid hour: '3/x'"),
        ("0 0 -3 * * *", "no valid hour: ''"),
        ("0 0 1,,2 * * *", "no valid hour: ''"),
        ("0 0 mon * * *", "no valid hour: 'mon'"),
        ("0 0 ³ * * *", "no valid hour: '³'"),
    ],
)
def test_what_the_operator_would_refuse_or_misread(schedule: str, clause: str) -> None:
    with pytest.raises(InvalidSchedule) as caught:
        runs_daily(schedule)
    assert clause in str(caught.value)
