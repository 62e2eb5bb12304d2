"""The labels of what an expression yields: which are there, which may be, which cannot."""

from collections.abc import Mapping

import pytest

from policies.promql import parse
from policies.series import ANY, Labels, is_scalar, labels, union


def known(*possible: str, **values: str | None) -> Labels:
    return Labels(values, frozenset(possible))


A = known(job="a", pod=None)
B = known("zone", job="b")


class Recordings:
    """What rules record: `a` and `b` as above; `c` is made elsewhere but its label `job`; anything else elsewhere."""

    made: Mapping[str, Labels] = {"a": A, "b": B, "c": ANY.also({"job": "c"}), "one": known(), "pods": known(pod=None)}

    def labels_of(self, name: str, wanted: Mapping[str, str]) -> Labels | None:
        return self.made.get(name)


def of(expr: str) -> Labels | None:
    return labels(parse(expr), Recordings())


def without(*gone: str, **values: str | None) -> Labels:
    """Of a series that is made elsewhere."""
    return Labels(values, open=True, gone=frozenset(gone))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("a", A),
        ("-(a)", A),
        ("rate(a[5m])", A),
        ("max_over_time(a[1h:])", A),
        ("elsewhere", ANY),
        ('a{job="a"}', A),
        ('a{job="b"}', None),
        ('a{job!="a"}', None),
        ('a{job=~"a|b"}', A),
        ('a{pod="x"}', known(job="a", pod="x")),
        ('a{other="x"}', None),
        ('a{other=""}', A),
        ('b{zone!=""}', known(job="b", zone=None)),
        ('b{zone!="x"}', B),
        ('b{zone=~".+"}', known(job="b", zone=None)),
        ('elsewhere{job="x",pod=~".+",zone!="z"}', without(job="x", pod=None)),
        ('elsewhere{job=""}', without("job")),
        ("1", known()),
        # Aggregations.
        ("sum(a)", known()),
        ("sum by (job) (a)", known(job="a")),
        ("sum by (job, zone, other) (b)", known("zone", job="b")),
        ("sum by (job) (elsewhere)", known("job")),
        ("sum without (job) (a)", known(pod=None)),
        ("sum without (job) (elsewhere)", without("job")),
        ("sum by (job) (sum without (job) (elsewhere))", known()),
        *((f"{name}(1, a)", A) for name in ("topk", "bottomk", "limitk", "limit_ratio")),
        ('count_values("value", a)', known(value=None)),
        ('sum by (job) (a{job="b"})', None),
        # Functions.
        ('absent(x{job="j",pod=~"p",zone=""})', known(job="j")),
        ('absent_over_time(x{job="j"}[5m])', known(job="j")),
        ("absent(a + b)", known()),
        ("absent(sum(a))", known()),
        ("vector(1)", known()),
        ("scalar(a)", known()),
        ("time()", known()),
        ("abs(a)", A),
        ('abs(a{job="b"})', None),
        ("histogram_quantile(0.5, elsewhere)", without("le")),
        ("round(a)", A),
        ('histogram_quantile(0.5, a{job="b"})', None),
        ('label_join(a{job="b"}, "more", ",", "pod")', None),
        ('label_replace(a, "job", "x", "pod", ".*")', known(job=None, pod=None)),
        ('label_replace(a, "more", "x", "pod", ".*")', known("more", job="a", pod=None)),
        ('label_join(a, "more", ",", "pod")', known("more", job="a", pod=None)),
        # Two sides.
        ("a or a", A),
        ("a or b", known("pod", "zone", job=None)),
        ('a or b{job="x"}', A),
        ('a{job="x"} or b', B),
        ('a{job="x"} or a{job="y"}', None),
        ("a or elsewhere", Labels({}, frozenset({"job", "pod"}), True)),
        ("a unless b", A),
        ('a unless b{job="x"}', A),
        ('a{job="x"} unless b', None),
        ('a + b{job="x"}', None),
        ('a{job="x"} + b', None),
        ("a + 1", A),
        ("1 + a", A),
        ("1 + 1", known()),
        ("a > bool 1", A),
        ("a > scalar(b)", A),
        ("a > bool a", A),
        ("a > bool b", None),
        ("one + pods", None),
        ("pods + one", None),
        ("a and a", A),
        ("a and b", None),
        ("a + b", None),
        ("a and on () b", A),
        ("a and on (job) b", None),
        ("a and ignoring (job, pod, zone) b", A),
        ("a and on (pod) c", A),
        ("a + on (pod) c", known(pod=None)),
        ("a + ignoring (job, zone) one", None),
        ("a + ignoring (job, pod) one", known()),
        ("a + ignoring (job) a", known(pod=None)),
        ("a + a", A),
        ("a * on () group_left () b", A),
        ("a * on () group_left (zone) b", known("zone", job="a", pod=None)),
        ("a * on () group_left (job) b", known(job="b", pod=None)),
        ("a * on () group_left (other) b", A),
        ("b * on () group_right (pod) a", known(job="a")),
        ("b * on () group_right (zone) a", known("zone", job="a", pod=None)),
        ("a * on (job) group_left () b", None),
    ],
)
def test_what_labels_an_expression_yields(expr: str, expected: Labels | None) -> None:
    assert of(expr) == expected


@pytest.mark.parametrize(
    ("series", "label", "may"),
    [
        (A, "job", True),
        (A, "zone", False),
        (B, "zone", True),
        (ANY, "job", True),
        (without("job"), "job", False),
        (without("job"), "pod", True),
    ],
)
def test_which_labels_it_may_have(series: Labels, label: str, may: bool) -> None:
    assert series.may_have(label) is may


@pytest.mark.parametrize(
    ("series", "condition", "holds"),
    [
        (A, ("job", "=", "a"), True),
        (A, ("job", "=", "b"), False),
        (A, ("pod", "=", "x"), None),
        (A, ("zone", "=", ""), True),
        (A, ("zone", "=", "x"), False),
        (B, ("zone", "=", ""), None),
        (ANY, ("zone", "=", ""), None),
        (without("zone"), ("zone", "!=", ""), False),
    ],
)
def test_whether_a_condition_holds(series: Labels, condition: tuple[str, str, str], holds: bool | None) -> None:
    assert series.passes(*condition) is holds


def test_labels_are_set_and_taken_away() -> None:
    assert A.also({"job": "", "zone": "z"}) == known(pod=None, zone="z")
    assert B.also({"zone": None}) == known(job="b", zone=None)
    assert without("job").also({"job": "x"}) == without(job="x")
    assert ANY.also({"job": ""}) == without("job")
    assert A.without(["job"]).gone == frozenset()
    assert without("job").without(["pod"]) == without("job", "pod")
    assert B.without(["zone"]) == known(job="b")
    assert ANY.only(["job"]) == known("job")
    assert A.only(["pod", "zone"]) == known(pod=None)


def test_one_series_or_another() -> None:
    assert A.or_else(known(job="a", pod="x")) == known(job="a", pod=None)
    assert without("job", "pod").or_else(without("job")) == without("job")
    assert without("job").or_else(known(job="a")) == Labels({}, frozenset({"job"}), True)
    assert without("job").or_else(known(pod="a")) == Labels({}, frozenset({"pod"}), True, frozenset({"job"}))
    assert known(pod="a").or_else(without("job")) == Labels({}, frozenset({"pod"}), True, frozenset({"job"}))
    assert known(job="a").or_else(without("job")) == Labels({}, frozenset({"job"}), True)
    assert known("x").or_else(known("y")) == known("x", "y")
    assert union([A, A]) == A
    assert union([A, B]) == known("pod", "zone", job=None)
    assert union([]) is None


@pytest.mark.parametrize(
    ("left", "right", "may"),
    [
        (known(job="a"), known(job="a"), True),
        (known(job="a"), known(job="b"), False),
        (known(job="a"), known(job=None), True),
        (known(job=None), known(job="b"), True),
        (known(), known(job="b"), False),
        (known("job"), known(job="b"), True),
        (known(job="a"), known(), False),
        (known(job="a"), known("job"), True),
        (known(job=None), known(), False),
        (known("job"), known(), True),
        (ANY, known(job="b"), True),
        (known(job="a"), ANY, True),
    ],
)
def test_whether_two_series_may_agree_in_a_label(left: Labels, right: Labels, may: bool) -> None:
    assert left.meets(right, ["job"]) is may


@pytest.mark.parametrize(
    ("expr", "scalar"),
    [
        *((expr, True) for expr in ("1", "-(1)", "1 + 1", "scalar(a)", "time() + 1", '"x"')),
        *((expr, False) for expr in ("a", "-a", "(a)", "1 + a", "a + 1", "sum(a)", "a[5m]", "a[5m:]", "vector(1)")),
    ],
)
def test_what_is_a_number(expr: str, scalar: bool) -> None:
    assert is_scalar(parse(expr)) is scalar
