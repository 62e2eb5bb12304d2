"""SLOs from and to OpenSLO v1, so that those written for other tools need not be written again.

What OpenSLO has no word for stands in annotations `mainstay.dev/…`; a document without them takes the caller's values.
An indicator is read only where it is a counter, a gauge or a histogram's buckets named by a plain selector: Mainstay
writes the arithmetic itself. Anything else is refused with a sentence, rather than read as something similar.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from components.observability.alert import Severity
from components.slo.indicators import Freshness, Indicator, Latency, Probe, Queue, Ratio, RawRatio, bound
from components.slo.objective import Slo, Workload, problems
from components.slo.selector import parse

_OURS = "mainstay.dev/"
_AGE = re.compile(r"timestamp\((?P<gauge>.+)\) - (?P=gauge)", re.DOTALL)
Document = Mapping[str, Any]


class Defaults(NamedTuple):
    """What a document does not say."""

    owner: str
    """Who answers for the SLO."""
    page: Severity
    """P0 or P1."""
    quiet_rate: float
    """Events a minute in a quiet hour, for SLOs of counted events."""


def imported(documents: Sequence[Document], defaults: Defaults) -> list[Slo]:
    """The SLOs among `documents`, which may refer to SLIs among them. Raises ValueError with a sentence."""
    indicators: dict[str, Any] = {}
    for each in documents:
        if each.get("apiVersion") != "openslo/v1":
            raise ValueError(f"{_name(each)}: the version {each.get('apiVersion')} is not read: write openslo/v1")
        if each.get("kind") not in ("SLO", "SLI"):
            raise ValueError(
                f"{_name(each)}: the kind {each.get('kind')} is not read, only SLO and SLI; "
                "alerts and their routes follow from the objective: leave it out"
            )
        if each["kind"] == "SLI":
            indicators[_name(each)] = each.get("spec", {})
    slos = [_slo(each, indicators, defaults) for each in documents if each["kind"] == "SLO"]
    if found := problems(slos):
        raise ValueError("\n".join(found))
    return slos


def exported(slo: Slo) -> dict[str, Any]:
    """The OpenSLO v1 document of an SLO; `imported` makes the same SLO of it."""
    notes = {f"{_OURS}owner": slo.owner, f"{_OURS}page": str(slo.page)}
    if slo.quiet_rate is not None:
        notes[f"{_OURS}quiet-rate"] = repr(slo.quiet_rate)
    if slo.workload:
        notes[f"{_OURS}workload"] = f"{slo.workload.kind}/{slo.workload.name}"
    if isinstance(slo.indicator, Latency):
        notes[f"{_OURS}buckets"] = ",".join(repr(each) for each in slo.indicator.buckets)
    metric, threshold = _metric(slo.indicator)
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": slo.name, "annotations": notes},
        "spec": {
            "description": slo.title,
            "service": slo.service,
            "indicator": {"metadata": {"name": slo.name}, "spec": metric},
            "timeWindow": [{"duration": f"{slo.window_days}d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": slo.name, "target": slo.objective, **threshold}],
        },
    }


def _metric(indicator: Indicator) -> tuple[dict[str, Any], dict[str, Any]]:
    match indicator:
        case Ratio():
            kind = "bad" if indicator.bad else "good"
            return _ratio_metric(kind, indicator.bad or indicator.good, indicator.events), {}
        case Latency():
            good, total = indicator.bucket(bound(indicator.seconds)), indicator.bucket("+Inf")
            return _ratio_metric("good", str(good), str(total)), {}
        case Freshness():
            query = f"timestamp({indicator.timestamp}) - {indicator.timestamp}"
            return {"thresholdMetric": _source(query)}, {"op": "lte", "value": indicator.seconds}
        case Queue():
            return {"thresholdMetric": _source(indicator.depth)}, {"op": "lte", "value": indicator.limit}
        case Probe():
            return {"thresholdMetric": _source(indicator.success)}, {"op": "gte", "value": 1}
        case RawRatio():
            kind = "failure" if indicator.bad else "success"
            return {"ratioMetric": {"rawType": kind, "raw": _source(indicator.bad or indicator.good)}}, {}


def _ratio_metric(kind: str, part: str, total: str) -> dict[str, Any]:
    return {"ratioMetric": {"counter": True, kind: _source(part), "total": _source(total)}}


def _source(query: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _slo(document: Document, indicators: Mapping[str, Any], defaults: Defaults) -> Slo:
    name, spec = _name(document), document.get("spec", {})
    notes = document.get("metadata", {}).get("annotations", {})
    objectives, windows = spec.get("objectives", []), spec.get("timeWindow", [])
    if len(objectives) != 1:
        raise ValueError(f"{name}: it has {len(objectives)} objectives, and one is read: write an SLO for each")
    if (
        len(windows) != 1
        or not windows[0].get("isRolling")
        or not re.fullmatch(r"\d+[dw]", windows[0].get("duration", ""))
    ):
        raise ValueError(f"{name}: timeWindow must be one rolling window of days or weeks, such as 30d")
    if spec.get("budgetingMethod") != "Occurrences":
        raise ValueError(
            f"{name}: the budgeting method {spec.get('budgetingMethod')} is not read: "
            "write Occurrences, by which events count"
        )
    length = windows[0]["duration"]
    reference = spec.get("indicatorRef")
    if reference is not None and reference not in indicators:
        raise ValueError(f"{name}: the SLI {reference} is not among the documents: add it")
    indicator = _indicator(
        name, indicators.get(str(reference)) or spec.get("indicator", {}).get("spec", {}), objectives[0], notes
    )
    target = objectives[0].get("target", objectives[0].get("targetPercent", 0) / 100)
    kind, _, workload = notes.get(f"{_OURS}workload", "").partition("/")
    rate = notes.get(f"{_OURS}quiet-rate", defaults.quiet_rate)
    return Slo(
        name=name,
        service=spec.get("service", ""),
        title=str(spec.get("description", "")).strip() or name,
        objective=float(target),
        window_days=int(length[:-1]) * (7 if length.endswith("w") else 1),
        indicator=indicator,
        owner=notes.get(f"{_OURS}owner", defaults.owner),
        page=Severity(notes.get(f"{_OURS}page", defaults.page)),
        quiet_rate=float(rate) if isinstance(indicator, Ratio | Latency) else None,
        workload=Workload(kind, workload) if workload else None,
    )


def _indicator(name: str, spec: Mapping[str, Any], objective: Mapping[str, Any], notes: Mapping[str, str]) -> Indicator:
    if ratio := spec.get("ratioMetric"):
        if "raw" in ratio:
            return _raw_ratio(name, ratio)
        if not ratio.get("counter"):
            raise ValueError(f"{name}: only a ratio of counters is read: set `counter: true` and name the counters")
        total = _query(name, ratio, "total")
        if f"{_OURS}buckets" in notes:
            return _latency(name, _query(name, ratio, "good"), notes[f"{_OURS}buckets"])
        kind = "bad" if "bad" in ratio else "good"
        part = _query(name, ratio, kind)
        return Ratio(total, bad=part) if kind == "bad" else Ratio(total, good=part)
    if "thresholdMetric" not in spec:
        raise ValueError(f"{name}: its indicator has neither a ratioMetric nor a thresholdMetric: add one of them")
    query, operator, value = _query(name, spec, "thresholdMetric"), objective.get("op"), objective.get("value")
    if operator == "gte" and value == 1 and query.startswith("probe_success"):
        return Probe(query)
    if operator != "lte" or not isinstance(value, int | float):
        raise ValueError(f"{name}: of a thresholdMetric only `op: lte` with a value is read: turn it round")
    if age := _AGE.fullmatch(query):
        return Freshness(age["gauge"], value)
    return Queue(query, value)


def _raw_ratio(name: str, ratio: Mapping[str, Any]) -> RawRatio:
    query = _query(name, ratio, "raw")
    if both := {"good", "bad", "total"} & set(ratio):
        raise ValueError(
            f"{name}: beside raw there is {', '.join(sorted(both))}: name a ratio or its counters, not both"
        )
    kind = ratio.get("rawType")
    if kind not in ("success", "failure"):
        raise ValueError(
            f"{name}: the rawType {kind} is not known: write success (good / total) or failure (bad / total)"
        )
    return RawRatio(good=query) if kind == "success" else RawRatio(bad=query)


def _latency(name: str, good: str, buckets: str) -> Latency:
    selector = parse(good)
    bounds = [each.value for each in selector.matchers if each.label == "le"]
    if not selector.metric.endswith("_bucket") or len(bounds) != 1:
        raise ValueError(f"{name}: {good} is no bucket of a histogram: name one, with its le")
    rest = tuple(each for each in selector.matchers if each.label != "le")
    histogram = selector._replace(metric=selector.metric.removesuffix("_bucket"), matchers=rest)
    return Latency(str(histogram), float(bounds[0]), tuple(float(each) for each in buckets.split(",")))


def _query(name: str, metric: Mapping[str, Any], key: str) -> str:
    source = metric.get(key, {}).get("metricSource", {})
    query = source.get("spec", {}).get("query")
    if not isinstance(query, str):
        raise ValueError(f"{name}: {key} has no metricSource.spec.query: write a Prometheus selector there")
    if str(source.get("type", "Prometheus")).lower() != "prometheus":
        raise ValueError(f"{name}: {key} is measured by {source['type']}, and only Prometheus is read")
    return query.strip()


def _name(document: Document) -> str:
    return str(document.get("metadata", {}).get("name", "a document without metadata.name"))
