"""Alertmanager's configuration: what is inherited, what matchers say, whom receivers tell, what leaves the cluster."""

from typing import Any

import pytest

from policies.routing import (
    Configuration,
    InvalidConfiguration,
    configurations,
    is_loopback,
    leaves_the_cluster,
    length,
    readable,
)
from policies.series import Labels
from policies.stack import Resource, Stack
from policies.values import UNKNOWN, Undecided
from tests.policies.builders import GONE, Props, changed, workload
from tests.policies.slo.alertmanagers import SERVER, configured


def read(config: Any) -> Configuration | str:
    (found,) = configurations(Stack([SERVER, configured(config)]))
    return found


def good(route: Props | None = None, receiver: Props | None = None, everybody: Props | None = None) -> Configuration:
    found = read(
        {
            "global": everybody or {},
            "route": {"receiver": "people", **(route or {})},
            "receivers": [{"name": "people", **(receiver or {})}, {"name": "other"}],
        }
    )
    assert isinstance(found, Configuration), found
    return found


def test_children_say_what_their_parents_do_not() -> None:
    deepest = {"receiver": "", "group_interval": None, "repeat_interval": "1h"}
    below = {"receiver": "other", "group_interval": "1m", "continue": True, "routes": [deepest]}
    found = [
        (each.receiver, each.group_interval, each.repeat_interval, each.goes_on, each.silent)
        for each in good({"routes": [below]}).every()
    ]
    assert found == [
        ("people", "5m", "4h", False, False),
        ("other", "1m", "4h", True, False),
        ("other", "1m", "1h", False, False),
    ]
    for key in ("mute_time_intervals", "active_time_intervals"):
        assert [each.silent for each in good({"routes": [{key: ["x"]}]}).every()] == [False, True]


@pytest.mark.parametrize(
    ("matcher", "conditions"),
    [
        ("a=b", [("a", "=", "b")]),
        (' a != "b" ', [("a", "!=", "b")]),
        ('{a=~"x|y", b!~z}', [("a", "=~", "x|y"), ("b", "!~", "z")]),
        ('a="x,y",b=""', [("a", "=", "x,y"), ("b", "=", "")]),
        (r'a="say \"x\""', [("a", "=", 'say "x"')]),
        (r'a="x\\y"', [("a", "=", r"x\y")]),
        ("{}", []),
    ],
)
def test_what_a_matcher_says(matcher: str, conditions: list[tuple[str, str, str]]) -> None:
    _, child = good({"routes": [{"matchers": [matcher]}]}).every()
    assert list(child.conditions) == conditions


@pytest.mark.parametrize("matcher", ["{a=b", "aa=b}", "a", 'a="b', "=b", "a=b c{"])
def test_what_is_no_matcher_is_told(matcher: str) -> None:
    found = read({"route": {"receiver": "x", "routes": [{"matchers": [matcher]}]}, "receivers": [{"name": "x"}]})
    assert found == (
        'alertmanager.yaml in Secret shop/routes: route.routes[0].matchers[0] has no matcher such as severity="P0"'
    )


def test_an_inhibition_has_matchers_of_both_kinds() -> None:
    rule = {"source_matchers": ["a=b"], "target_match": {"c": "d"}, "target_match_re": {"e": "f"}, "equal": ["g"]}
    found = read({"route": {"receiver": "x"}, "receivers": [{"name": "x"}], "inhibit_rules": [rule]})
    assert isinstance(found, Configuration)
    (inhibition,) = found.inhibitions
    assert inhibition.source == (("a", "=", "b"),)
    assert inhibition.target == (("c", "=", "d"), ("e", "=~", "f"))
    assert inhibition.equal == ("g",)


TARGETS = {
    "webhook_configs": ["url", "url_file"],
    "slack_configs": ["api_url", "api_url_file"],
    "pagerduty_configs": ["routing_key", "routing_key_file", "service_key", "service_key_file"],
    "email_configs": ["to"],
    "opsgenie_configs": ["api_key", "api_key_file"],
    "msteams_configs": ["webhook_url", "webhook_url_file"],
    "discord_configs": ["webhook_url", "webhook_url_file"],
    "telegram_configs": ["chat_id"],
    "pushover_configs": ["user_key", "user_key_file"],
    "victorops_configs": ["routing_key"],
    "sns_configs": ["topic_arn", "target_arn", "phone_number"],
    "webex_configs": ["room_id"],
}


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in TARGETS.items() for key in keys])
def test_each_kind_of_integration_tells_somebody_by_a_key_of_its_own(kind: str, key: str) -> None:
    def tells(value: object) -> bool:
        return bool(good(receiver={kind: [{key: value}]}).integrations("people"))

    assert [tells(value) for value in ("x", 5, " ", None, "http://localhost")] == [True, True, False, False, False]
    assert not good(receiver={kind: [{"other": "x"}]}).integrations("people")
    assert not good(receiver={kind: [{key: "x"}]}).integrations("other")
    assert not good(receiver={kind.removesuffix("_configs"): [{key: "x"}]}).integrations("people")


def test_a_kind_that_is_not_known_tells_somebody_if_it_has_settings() -> None:
    assert good(receiver={"new_configs": [{"anything": "x"}]}).integrations("people")
    assert not good(receiver={"new_configs": [{}]}).integrations("people")


@pytest.mark.parametrize(
    ("kind", "key", "tells"),
    [
        ("slack_configs", "slack_api_url", True),
        ("slack_configs", "slack_api_url_file", True),
        ("opsgenie_configs", "opsgenie_api_key", True),
        ("opsgenie_configs", "opsgenie_api_key_file", True),
        ("opsgenie_configs", "slack_api_url", False),
        ("email_configs", "smtp_from", False),
    ],
)
def test_what_is_set_for_everybody_counts(kind: str, key: str, tells: bool) -> None:
    assert bool(good(receiver={kind: [{}]}, everybody={key: "x"}).integrations("people")) is tells


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (Labels({"a": "1"}), ["other"]),
        (Labels({"a": "2"}), ["other", "people"]),
        (Labels({"a": "3"}), ["people"]),
        (Labels({"a": None}), ["other", "other", "people"]),
    ],
)
def test_where_an_alert_ends(labels: Labels, receivers: list[str]) -> None:
    first = {"receiver": "other", "match": {"a": "1"}}
    second = {"receiver": "other", "match": {"a": "2"}, "continue": True}
    third = {"match": {"a": "2"}}
    assert [each.receiver for each in good({"routes": [first, second, third]}).ends(labels)][
        : len(receivers)
    ] == receivers


@pytest.mark.parametrize(
    ("config", "clause"),
    [
        ({"receivers": []}, "it has no route"),
        ({"route": {"receiver": "x"}}, "route names the receiver 'x', which is not there"),
        ({"route": {}}, "it has no route"),
        (
            {"route": {"receiver": "x", "match": {"a": "b"}}, "receivers": [{"name": "x"}]},
            "the first route must take every alert, and has matchers",
        ),
    ],
)
def test_what_alertmanager_would_not_start_with(config: Props, clause: str) -> None:
    assert read(config) == f"alertmanager.yaml in Secret shop/routes: {clause}"
    assert readable(Stack([SERVER, configured(config)])) == ()
    assert issubclass(InvalidConfiguration, ValueError)


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (changed(configured("["), "metadata.name", "routes"), "alertmanager.yaml in Secret shop/routes is no YAML"),
        (
            changed(configured(""), "metadata.name", "else"),
            "Secret shop/routes, which Alertmanager shop/main reads, is not in this stack",
        ),
    ],
)
def test_a_secret_that_holds_no_configuration_is_told(secret: Resource, problem: str) -> None:
    assert configurations(Stack([SERVER, secret])) == (problem,)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("metadata.name", UNKNOWN, "whether Secret routes is the one that Alertmanager shop/main names"),
        ("stringData", UNKNOWN, "of Secret shop/routes, stringData is not known"),
        ("stringData", GONE, "of Secret shop/routes, data is a secret"),
    ],
)
def test_a_secret_that_cannot_be_read_leaves_it_open(path: str, value: object, reason: str) -> None:
    secret = changed(changed(configured(""), "data", {"alertmanager.yaml": "x"}), path, value)
    with pytest.raises(Undecided, match=reason):
        configurations(Stack([SERVER, secret]))


def test_what_is_in_the_clear_is_read_whatever_else_is_in_the_secret() -> None:
    both = changed(configured({"route": {"receiver": "x"}, "receivers": [{"name": "x"}]}), "data", {"a": "b"})
    assert len(readable(Stack([SERVER, both]))) == 1
    neither = changed(both, "stringData", GONE)
    assert configurations(Stack([SERVER, changed(neither, "data", GONE)])) == (
        "alertmanager.yaml in Secret shop/routes: it has no route",
    )
    assert readable(Stack([changed(SERVER, "spec.configSecret", GONE), both])) == ()
    own = changed(both, "metadata.name", "alertmanager-main")
    assert len(readable(Stack([changed(SERVER, "spec.configSecret", GONE), own]))) == 1


def test_secrets_are_mounted_by_their_names() -> None:
    assert good().folders == {"/etc/alertmanager/secrets/contacts": "contacts"}


@pytest.mark.parametrize(
    ("address", "loops"),
    [
        *((f"http://{host}", True) for host in ("localhost", "localhost:80/x", "127.0.0.1", "[::1]", "0.0.0.0")),  # noqa: S104
        *((address, False) for address in ("http://example.com", "http://10.0.0.1", "localhost", "//127.0.0.1", "")),
    ],
)
def test_what_leads_to_the_pod_itself(address: str, loops: bool) -> None:
    assert is_loopback(address) is loops


@pytest.mark.parametrize(
    ("host", "leaves"),
    [
        *((host, True) for host in ("hooks.example.com", "example.com.", "8.8.8.8", "svc.example.com", "a.homex")),
        *((host, False) for host in ("name", "10.0.0.1", "127.0.0.1", "a.shop", "a.shop.svc.example", "a.svc.example")),
        *((f"a.{end}", False) for end in ("svc", "local", "internal", "localhost", "lan", "home", "cluster", "svc.")),
        ("", False),
    ],
)
def test_what_leaves_the_cluster(host: str, leaves: bool) -> None:
    assert leaves_the_cluster(f"https://{host}/x", Stack([workload()])) is leaves


def test_a_duration_that_is_none_has_no_end() -> None:
    assert (length("5m"), length("soon")) == (300, float("inf"))
