"""From what a service exposes to what is recorded, and to the page: scenarios of a sample a minute."""

import math

from components.observability.alert import Severity
from components.slo.alerts import MINUTES_OF_AN_INCREASE, WITHOUT_DATA
from components.slo.histories import State, Stretch, exposed
from components.slo.indicators import Latency, Probe, Ratio, RawRatio, looks_per_minute
from components.slo.objective import FASTEST, Slo
from components.slo.scenario import (
    BURNS,
    PAGE,
    Scenario,
    alert,
    counted,
    fires,
    holds,
    inventory,
    near,
    never,
    traffic_of,
)

_SILENT = WITHOUT_DATA["name"]
_ALL = f"{BURNS}|{_SILENT}"


def minutes(slo: Slo) -> list[Scenario]:
    """From what the service exposes to what is recorded, and to the page; a sample a minute."""
    found = [_outage(slo), *_absences(slo)]
    if looks_per_minute(slo.indicator) is None:
        # Looks come at their own pace, and whatever the traffic.
        found += [_idle(slo), _unequal(slo), *(_single(slo, rate) for rate in (1, 11 / 64))]
    if isinstance(slo.indicator, Latency) or (isinstance(slo.indicator, Ratio) and slo.indicator.good):
        found.append(_never_good(slo))
    if isinstance(slo.indicator, RawRatio):
        found += [_idle(slo), _shares(slo, slo.indicator)]
    return found


def _outage(slo: Slo) -> Scenario:
    traffic = traffic_of(slo)
    # Minutes of outage until the hour's budget burns fast; two more, as an increase takes its five minutes to rise.
    expected = 150 + FASTEST * slo.budget * 60 + 1.5
    before, after = max(149, math.floor(expected) - 3), math.ceil(expected) + 3
    stretches = [Stretch(150, traffic), Stretch(60, traffic, traffic), Stretch(40, traffic)]
    bad, total = _recorded(slo)
    checks = [
        never(PAGE, before),
        fires(after, PAGE, slo.page, inventory(slo)),
        holds(140, near(bad, 0)),
        holds(140, near(total, _seen(slo, traffic))),
        holds(205, near(bad, _seen(slo, traffic))),
        holds(208, near(f'slo:burn:ratio5m{{slo="{slo.name}"}}', 1 / slo.budget)),
        holds(205, f'slo:error_budget:ratio{{slo="{slo.name}"}} == bool {slo.budget:.9g}'),
        holds(205, f'slo:bad:minimum{{slo="{slo.name}"}} == bool {slo.minimum}'),
        alert(249, PAGE, slo.name, 0),
    ]
    return Scenario("outage and recovery", exposed(slo, stretches), checks)


def _absences(slo: Slo) -> list[Scenario]:
    found = [_no_series_yet(slo), _series_end(slo)]
    if slo.workload:
        found += [_vanishes(slo), *_vanishes_quietly(slo), _never_up(slo), _not_wanted(slo), _hiccup(slo)]
    return found


def _no_series_yet(slo: Slo) -> Scenario:
    """It alerts that nothing is counted; for others too, unless no replica of theirs is wanted."""
    series = exposed(slo, [Stretch(90, state=State.SILENT)])
    for kind, metric in (("Deployment", "kube_deployment_spec_replicas"), ("StatefulSet", "kube_statefulset_replicas")):
        for wanted in (0, 1):
            name = f"{kind.lower()}-{wanted}"
            series[f'{metric}{{{kind.lower()}="{name}"}}'] = f"{wanted}x90"
            series[f'slo:error_budget:ratio{{slo="{name}",workload="{kind}/{name}"}}'] = "0.01x90"
    checks = [never(BURNS, 89), never(_ALL, 59), fires(75, _SILENT, Severity.P2, inventory(slo))]
    for kind in ("deployment", "statefulset"):
        checks += [alert(75, _SILENT, f"{kind}-{wanted}", wanted) for wanted in (0, 1)]
    return Scenario("no series yet", series, checks)


def _series_end(slo: Slo) -> Scenario:
    stretches = [Stretch(30, traffic_of(slo)), Stretch(90, state=State.SILENT)]
    # The last count is a few minutes younger than the last series; it is missed after ten, and for an hour.
    checks = [never(_ALL, 100), alert(106, _SILENT, slo.name, 1)]
    return Scenario("its series end", exposed(slo, stretches), checks)


def _vanishes(slo: Slo) -> Scenario:
    traffic = traffic_of(slo)
    bad, total = _recorded(slo)
    counts = looks_per_minute(slo.indicator) is None
    lost = f"avg_over_time({total}[59m] offset 1m)" if counts else f"{5 * slo.rate:g}"
    # Twice the traffic in the last minutes: the hour before, and no other time, says what is lost.
    stretches = [Stretch(110, traffic), Stretch(40, 2 * traffic), Stretch(60, state=State.GONE), Stretch(40, traffic)]
    checks = [
        never(_ALL, 149),
        # It may be a scrape that was missed: not yet.
        holds(150, f"abs({total} - {lost}) > bool 0.5"),
        alert(math.ceil(150 + FASTEST * slo.budget * 60) + 4, PAGE, slo.name, 1),
        *(holds(152, f"abs({each} - {lost}) < bool 1e-6") for each in (total, bad)),
        alert(249, PAGE, slo.name, 0),
    ]
    return Scenario("the service vanishes", exposed(slo, stretches), checks)


def _vanishes_quietly(slo: Slo) -> list[Scenario]:
    """Just below the quiet rate it is that rate which counts as lost; just above, the hour before."""
    if looks_per_minute(slo.indicator) is not None:
        return []
    quiet = 5 * slo.rate
    found: list[Scenario] = []
    for share, condition in ((0.875, f"== bool {quiet:g}"), (1.125, f"> bool {quiet * 1.02:g}")):
        stretches = [Stretch(50, slo.rate * share), Stretch(5, state=State.GONE)]
        checks = [holds(53, f"{each} {condition}") for each in _recorded(slo)]
        found.append(Scenario(f"it vanishes at {share:.1%} of the quiet rate", exposed(slo, stretches), checks))
    return found


def _never_up(slo: Slo) -> Scenario:
    checks = [alert(89, PAGE, slo.name, 1), *(holds(60, near(each, 5 * slo.rate)) for each in _recorded(slo))]
    return Scenario("it never came up", exposed(slo, [Stretch(90, state=State.DOWN)]), checks)


def _not_wanted(slo: Slo) -> Scenario:
    bad, total = _recorded(slo)
    checks = [never(_ALL, 89), counted(89, f"{bad} > 0", 0), counted(89, total, 0)]
    return Scenario("not wanted", exposed(slo, [Stretch(90, state=State.UNWANTED)]), checks)


def _hiccup(slo: Slo) -> Scenario:
    traffic = traffic_of(slo)
    bad, total = _recorded(slo)
    stretches = [Stretch(60, traffic), Stretch(1, traffic, state=State.HICCUP), Stretch(30, traffic)]
    checks = [
        never(_ALL, 90),
        holds(90, f"max_over_time({bad}[90m]) < bool 1e-6"),
        holds(60, near(total, _seen(slo, traffic))),
    ]
    return Scenario("a scrape fails", exposed(slo, stretches), checks)


def _idle(slo: Slo) -> Scenario:
    traffic = traffic_of(slo)
    stretches = [Stretch(30, traffic), Stretch(120), Stretch(30, traffic)]
    full = f'slo:budget_left:ratio{{slo="{slo.name}"}} == bool 1'
    return Scenario(
        "hours without traffic, and never a failure",
        exposed(slo, stretches),
        [never(_ALL, 179), holds(140, full), holds(179, full)],
    )


def _unequal(slo: Slo) -> Scenario:
    traffic = traffic_of(slo)
    stretches = [Stretch(10), Stretch(60, 100 * traffic), Stretch(60, traffic, traffic / 2), Stretch(10)]
    left = 1 - 30 / (60 * 101) / slo.budget
    return Scenario(
        "a busy half without failures, a quiet half that fails",
        exposed(slo, stretches),
        [holds(139, f'abs(slo:budget_left:ratio{{slo="{slo.name}"}} - {left:.12g}) < bool {abs(1 - left) / 1000:.6g}')],
    )


def _single(slo: Slo, rate: float) -> Scenario:
    stretches = [Stretch(60, rate), Stretch(1, 1, 1), Stretch(60, rate)]
    seen = f'max_over_time(slo:bad:increase5m{{slo="{slo.name}"}}[2h]) > bool 0.5'
    return Scenario(
        f"one failure at {rate * 60:.0f} events an hour",
        exposed(slo, stretches),
        [never(BURNS, 120), holds(90, seen)],
    )


def _never_good(slo: Slo) -> Scenario:
    """What counts the good ones is not there: none has been yet, or the service has no such bucket."""
    service = slo
    if isinstance(slo.indicator, Latency):
        others = tuple(each for each in slo.indicator.buckets if each != slo.indicator.seconds)
        service = slo._replace(indicator=slo.indicator._replace(buckets=others))
    checks = [holds(19, near(each, _seen(slo, 1))) for each in _recorded(slo)]
    return Scenario("good ones are not counted at all", exposed(service, [Stretch(20, 1, 1)]), checks)


def _shares(slo: Slo, indicator: RawRatio) -> Scenario:
    """Half a bad look is half a bad event; a share in per cent makes all of them bad."""
    bad, total = _recorded(slo)
    per_cent = 99.5 if indicator.bad else 1 - 99.5
    stretches = [Stretch(30, 1), Stretch(15, 1, 0.25), Stretch(15), Stretch(15, 1, per_cent)]
    looks = _seen(slo, 1)
    checks = [
        *(holds(at, near(total, count)) for at, count in ((29, looks), (44, looks), (59, 0), (74, looks))),
        *(holds(at, near(bad, share * looks)) for at, share in ((29, 0), (44, 0.25), (59, 0), (74, 1))),
    ]
    return Scenario("shares, none, and what is no share", exposed(slo, stretches), checks)


def _recorded(slo: Slo) -> tuple[str, str]:
    return f'slo:bad:increase5m{{slo="{slo.name}"}}', f'slo:total:increase5m{{slo="{slo.name}"}}'


def _seen(slo: Slo, traffic: float) -> float:
    """Events within five minutes of these histories, which hold a probe's sample each minute."""
    if isinstance(slo.indicator, Probe):
        return MINUTES_OF_AN_INCREASE
    return MINUTES_OF_AN_INCREASE * (looks_per_minute(slo.indicator) or traffic)
