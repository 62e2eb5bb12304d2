"""Resources, how they are named and found, and reading their values."""

from pathlib import Path

import pytest

import policies
from policies.model import Finding, Outcome, Theme, each, verdict
from policies.stack import Resource, Stack
from policies.values import SECRET, UNKNOWN, Node, Undecided
from tests.policies.builders import GONE, changed, resource


@pytest.mark.parametrize(
    ("type_token", "kind"),
    [
        ("kubernetes:apps/v1:Deployment", "apps/Deployment"),
        ("kubernetes:apps/v1beta2:Deployment", "apps/Deployment"),
        ("kubernetes:core/v1:Secret", "core/Secret"),
        ("kubernetes:postgresql.cnpg.io/v1:Cluster", "postgresql.cnpg.io/Cluster"),
        ("mainstay:index:Worker", "mainstay:index:Worker"),
        ("pulumi:pulumi:Stack", "pulumi:pulumi:Stack"),
        ("kubernetes:index", "kubernetes:index"),
        ("kubernetesx:apps/v1:Deployment", "kubernetesx:apps/v1:Deployment"),
        ("pulumi:providers:kubernetes", "pulumi:providers:kubernetes"),
    ],
)
def test_a_kind_is_group_and_kind_in_any_version(type_token: str, kind: str) -> None:
    assert Resource("urn", type_token, "x", {}).kind == kind


def test_messages_call_an_object_by_what_kubectl_calls_it() -> None:
    deployment = resource("Deployment", "api")
    assert deployment.subject == "Deployment shop/api"
    assert changed(deployment, "metadata.namespace", UNKNOWN).subject == "Deployment api"
    assert changed(deployment, "metadata.name", SECRET).subject == "Deployment api"
    assert changed(deployment, "metadata.name", GONE).subject == "Deployment api"
    assert resource("Worker", "mail").subject == "Worker mail"
    assert resource("Worker", "mail", {"metadata": {"name": "x", "namespace": "y"}}).subject == "Worker mail"


def test_a_stack_is_in_the_order_of_its_urns() -> None:
    one, two, three = (resource("Service", name) for name in "abc")
    assert Stack([three, one, two]).resources == (one, two, three)


def test_a_search_tells_the_certain_from_the_possible() -> None:
    here = resource("Service", "here")
    unnamed = changed(resource("Service", "unnamed"), "metadata.name", UNKNOWN)
    unplaced = changed(resource("Service", "here"), "metadata.namespace", SECRET)
    elsewhere = changed(resource("Service", "here"), "metadata.namespace", "elsewhere")
    other_and_unplaced = changed(resource("Service", "other"), "metadata.namespace", UNKNOWN)
    unnamed_elsewhere = changed(unnamed, "metadata.namespace", "elsewhere")
    others = [elsewhere, unnamed_elsewhere, other_and_unplaced, resource("Deployment", "here")]
    stack = Stack([here, unnamed, unplaced, *others])
    matches = stack.find("core/Service", "shop", ("metadata", "name"), "here")
    assert matches.certain == (here,)
    assert set(map(id, matches.possible)) == {id(unnamed), id(unplaced)}


def test_resources_of_a_kind_are_in_order_whatever_their_version() -> None:
    old = resource("Deployment", "b")
    new = Resource("urn:a", "kubernetes:apps/v2:Deployment", "a", {})
    assert Stack([old, resource("Service"), new]).of("apps/Deployment") == (new, old)
    assert Stack([old]).of("core/Service") == ()


def test_a_question_about_a_stack_is_answered_once_for_each_stack() -> None:
    asked: list[Stack] = []

    def question(stack: Stack) -> int:
        asked.append(stack)
        return len(stack.resources)

    one, other = Stack([resource("Service")]), Stack([])
    assert [stack.once(question) for stack in (one, one, other)] == [1, 1, 0]
    assert asked == [one, other]
    assert one.once(lambda _stack: None) is None


def test_reading_goes_on_where_nothing_is() -> None:
    node = Node({"a": {"b": "x"}, "c": 1})
    assert node.at("a", "b").text() == "x"
    assert node.at("a", "nothing", "below").known() is None
    assert node.at("c", "below").text() == ""
    assert (node.at("c").items(), node.at("a", "b").items(), node.at("c").members()) == ([], [], [])


def test_reading_a_marker_says_where_it_is_and_which() -> None:
    node = Node({"spec": {"list": [{"x": UNKNOWN}, SECRET]}})
    with pytest.raises(Undecided, match=r"^spec\.list\[0\]\.x is not known before the deployment$"):
        node.at("spec", "list").items()[0].at("x").text()
    with pytest.raises(Undecided, match=r"^spec\.list\[1\] is a secret$"):
        node.at("spec", "list").items()[1].at("deep", "down").text()


def test_checks_do_not_hide_each_other() -> None:
    def unreadable() -> list[str]:
        raise Undecided("x is a secret")

    answer = verdict([unreadable, lambda: ["one"], unreadable, list, lambda: ["two"]])
    assert (answer.faults, answer.undecided) == (("one", "two"), ("x is a secret",))


def test_each_element_is_a_check_of_its_own() -> None:
    def check(item: Node) -> list[str]:
        return [item.text()] if item.text() else []

    answer = verdict(each(Node(["a", UNKNOWN, "b"], "list"), check))
    assert (answer.faults, len(answer.undecided)) == (("a", "b"), 1)
    assert verdict(each(Node(UNKNOWN, "list"), check)).undecided == ("list is not known before the deployment",)
    assert each(Node(None), check) == []


def test_themes_are_called_as_their_folders_and_a_finding_is_exempt_only_if_it_says_so() -> None:
    folders = [path.name for path in (Path(policies.__file__).parent / "rules").iterdir() if path.name.isalpha()]
    assert sorted(Theme) == sorted(folders)
    assert Finding("urn", "Service shop/api", Outcome.FAIL, ()).exemption == ""
