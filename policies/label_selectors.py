"""Label selectors, matched as Kubernetes does: no selector picks nothing, an empty one everything."""

from policies.values import Marker, Node, Undecided


def matches(selector: Node, labels: Node) -> bool:
    """Whether a `LabelSelector` picks an object with these labels.

    Raises Undecided where a value that cannot be read decides; one that certainly differs decides before that.
    """
    if selector.known() is None:
        return False
    undecided: Undecided | None = None
    for requirement in (*_equalities(selector.at("matchLabels")), *selector.at("matchExpressions").items()):
        try:
            if not _holds(requirement, labels):
                return False
        except Undecided as reason:
            undecided = undecided or reason
    if undecided:
        raise undecided
    return True


def picks(pairs: Node, labels: Node) -> bool:
    """The same for a plain map of labels, as Services have it; there, an empty one picks nothing."""
    if not pairs.keys():
        return False
    return matches(Node({"matchLabels": pairs.value}, pairs.path), labels)


def _equalities(pairs: Node) -> list[Node]:
    return [
        Node({"key": key, "operator": "In", "values": [pairs.at(key).value]}, pairs.at(key).path)
        for key in pairs.keys()  # noqa: SIM118 (a Node, whose keys are read)
    ]


def _holds(requirement: Node, labels: Node) -> bool:
    key, operator = requirement.at("key").text(), requirement.at("operator").text()
    if isinstance(labels.value, Marker):
        labels.known()
    there = isinstance(labels.value, dict) and labels.value.get(key) is not None
    match operator:
        case "Exists":
            return there
        case "DoesNotExist":
            return not there
        case "In":
            return there and _among(requirement, labels.at(key))
        case "NotIn":
            return not there or not _among(requirement, labels.at(key))
        case _:
            raise Undecided(f"{requirement.path} has the operator {operator!r}, which Kubernetes does not know")


def _among(requirement: Node, label: Node) -> bool:
    wanted = label.text()
    if any(value.value == wanted for value in requirement.at("values").items()):
        return True
    for value in requirement.at("values").items():
        value.known()
    return False
