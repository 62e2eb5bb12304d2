"""What protects a branch on GitHub: rulesets of its repository or organization, and classic branch protection.

All that apply to a branch hold together. Ids are not looked at: those of people and apps are numbers that only GitHub
can tell, and at preview they are not known.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from policies.stack import Resource, Stack
from policies.values import Node, Undecided

ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
_POLICY = "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy"
_RULESET = "github:index/repositoryRuleset:RepositoryRuleset"
_RULESET_OF_ALL = "github:index/organizationRuleset:OrganizationRuleset"
_CLASSIC = "github:index/branchProtection:BranchProtection"
_CLASSIC_V3 = "github:index/branchProtectionV3:BranchProtectionV3"
_REPOSITORY = "github:index/repository:Repository"
_DEFAULT = "github:index/branchDefault:BranchDefault"

USUAL_DEFAULTS = ("main", "master")
"""What the default branch is called where no BranchDefault or Repository of the stack says so."""

Question = Callable[[], bool]


@dataclass(frozen=True)
class Branch:
    """A branch from which an environment is deployed, or a pattern of such branches."""

    repository: str
    names: tuple[str, ...]
    """What it may be called: more than one only for a default branch whose name nothing tells."""

    def __str__(self) -> str:
        return f"branch {' or '.join(self.names)} of {self.repository}"


def any_holds(questions: Iterable[Question]) -> bool:
    """Whether one of them is certainly true. Raises Undecided where none is, and one cannot be answered."""
    undecided: Undecided | None = None
    for question in questions:
        try:
            if question():
                return True
        except Undecided as reason:
            undecided = undecided or reason
    if undecided:
        raise undecided
    return False


def all_hold(*questions: Question) -> bool:
    """Whether all are true. One that is certainly false decides; then Undecided is raised for one that is unknown."""
    return not any_holds(partial(_not, question) for question in questions)


def certainly(question: Question) -> bool:
    """Whether it is true, as far as one can tell."""
    try:
        return question()
    except Undecided:
        return False


def _not(question: Question) -> bool:
    return not question()


def deployment_policies(environment: Resource, stack: Stack) -> list[Resource]:
    """What says which branches and tags may deploy to an environment. Raises Undecided."""
    wanted = [environment.root.at(key).text() for key in ("repository", "environment")]
    return [
        policy
        for policy in stack.of(_POLICY)
        if [policy.root.at(key).text() for key in ("repository", "environment")] == wanted
    ]


def branches(environment: Resource, stack: Stack) -> list[Branch]:
    """The branches from which an environment is deployed; the default branch where none is named. Raises Undecided."""
    repository = environment.root.at("repository").text()
    patterns = [policy.root.at("branchPattern").text() for policy in deployment_policies(environment, stack)]
    return [Branch(repository, (pattern,)) for pattern in patterns if pattern] or [
        Branch(repository, _defaults(repository, stack))
    ]


def _defaults(repository: str, stack: Stack) -> tuple[str, ...]:
    for kind, name, branch in ((_DEFAULT, "repository", "branch"), (_REPOSITORY, "name", "defaultBranch")):
        for resource in stack.of(kind):
            if resource.root.at(name).text() == repository and resource.root.at(branch).text():
                return (resource.root.at(branch).text(),)
    return USUAL_DEFAULTS


@dataclass(frozen=True)
class Protection:
    """A ruleset or a classic protection. Its questions raise Undecided."""

    resource: Resource
    stack: Stack

    @property
    def _root(self) -> Node:
        return self.resource.root

    @property
    def _is_ruleset(self) -> bool:
        return self.resource.kind in (_RULESET, _RULESET_OF_ALL)

    def holds_for(self, branch: Branch) -> bool:
        """Whether it applies to a branch and is enforced."""
        return all_hold(self.is_enforced, partial(self.covers, branch))

    def is_enforced(self) -> bool:
        """Not so a ruleset that only evaluates or is switched off."""
        return not self._is_ruleset or self._root.at("enforcement").text() == "active"

    def covers(self, branch: Branch) -> bool:
        """Whether it is meant for a branch."""
        return all_hold(partial(self._is_of, branch.repository), partial(self._names, branch))

    def _is_of(self, repository: str) -> bool:
        if self.resource.kind == _RULESET_OF_ALL:
            names = self._root.at("conditions", "repositoryName")
            if names.known() is None:
                raise Undecided(f"for which repositories {self.resource.subject} is cannot be read")
            return _is_picked(names, lambda pattern: pattern == "~ALL" or _globs(pattern, repository))
        key = "repositoryId" if self.resource.kind == _CLASSIC else "repository"
        return _is_same(self._root.at(key), self, repository)

    def _names(self, branch: Branch) -> bool:
        if not self._is_ruleset:
            pattern = self._root.at("branch" if self.resource.kind == _CLASSIC_V3 else "pattern").text()
            return any(_globs(pattern, name) for name in branch.names)
        if self._root.at("target").text() != "branch":
            return False
        defaults = _defaults(branch.repository, self.stack)

        def picks(pattern: str) -> bool:
            if pattern == "~DEFAULT_BRANCH":
                return any(name in defaults for name in branch.names)
            return pattern == "~ALL" or any(_globs(pattern, f"refs/heads/{name}") for name in branch.names)

        return _is_picked(self._root.at("conditions", "refName"), picks)

    def demands_approval(self) -> bool:
        """Whether somebody else must approve a change."""
        if self._is_ruleset:
            return (self._root.at("rules", "pullRequest", "requiredApprovingReviewCount").number() or 0) >= 1
        reviews = self._block("requiredPullRequestReviews")
        if reviews.known() is None:
            return False
        count = reviews.at("requiredApprovingReviewCount").number()
        # The provider asks for one where no number is given.
        return count is None or count >= 1

    def blocks_force_pushes(self) -> bool:
        """Whether its history stays."""
        if self._is_ruleset:
            return self._root.at("rules", "nonFastForward").known() is True
        return self._root.at("allowsForcePushes").known() in (None, False)

    def blocks_deletion(self) -> bool:
        """Whether it cannot be deleted."""
        if self._is_ruleset:
            return self._root.at("rules", "deletion").known() is True
        return self._root.at("allowsDeletions").known() in (None, False)

    def demands_checks(self) -> bool:
        """Whether at least one check must pass."""
        if self._is_ruleset:
            checks = self._root.at("rules", "requiredStatusChecks", "requiredChecks")
            return any_holds(partial(_is_named, check.at("context")) for check in checks.items())
        block = self._block("requiredStatusChecks")
        return any_holds(partial(_is_named, check) for key in ("contexts", "checks") for check in block.at(key).items())

    def is_strict(self) -> bool:
        """Whether checks must pass on the branch as it is now."""
        if self._is_ruleset:
            return self._root.at("rules", "requiredStatusChecks", "strictRequiredStatusChecksPolicy").known() is True
        return self._block("requiredStatusChecks").at("strict").known() is True

    def ways_round(self) -> list[str]:
        """The properties by which somebody may pass it by; at preview it may not be known who."""
        if self._is_ruleset:
            return ["bypassActors"] if self._root.at("bypassActors").items() else []
        found = [] if self._root.at("enforceAdmins").known() is True else ["enforceAdmins"]
        reviews = self._block("requiredPullRequestReviews")
        lists = [reviews.at("pullRequestBypassers"), self._root.at("forcePushBypassers")]
        lists += reviews.at("bypassPullRequestAllowances").members()
        return found + [each.path for each in lists if each.items()]

    def _block(self, name: str) -> Node:
        """A block of a classic protection: alone, or the only one in a list."""
        node = self._root.at(name)
        return (node.items() or [Node(None, node.path)])[0] if isinstance(node.value, list) else node


def protections(stack: Stack) -> list[Protection]:
    """All there are."""
    kinds = (_RULESET, _RULESET_OF_ALL, _CLASSIC, _CLASSIC_V3)
    return [Protection(resource, stack) for kind in kinds for resource in stack.of(kind)]


def is_protected(branch: Branch, stack: Stack) -> bool:
    """Whether anything that is enforced applies to a branch. Raises Undecided."""
    return any_holds(partial(each.holds_for, branch) for each in stack.once(protections))


def _is_named(node: Node) -> bool:
    return bool(node.text())


def _is_picked(condition: Node, picks: Callable[[str], bool]) -> bool:
    """Whether a condition includes what `picks` is about, and does not exclude it."""

    def question(pattern: Node) -> Question:
        return lambda: picks(pattern.text())

    def one_of(key: str) -> bool:
        return any_holds(map(question, condition.at(key).items()))

    return all_hold(partial(one_of, "includes"), lambda: not one_of("excludes"))


def _is_same(node: Node, protection: Protection, repository: str) -> bool:
    """Whether a name or a node id is that of a repository."""
    names, by_id = protection.stack.once(_repositories)
    value = by_id.get(node.value, node.value) if isinstance(node.value, str) else node.value
    if value in names:
        return value == repository
    # Some id. Where everything else is about one repository, so is this.
    if names == {repository}:
        return True
    raise Undecided(f"for which repository {protection.resource.subject} is cannot be read")


def _repositories(stack: Stack) -> tuple[set[str], dict[str, str]]:
    """Names of all repositories the stack is about, and names by node id."""
    names: set[str] = set()
    by_id: dict[str, str] = {}
    for resource in stack.resources:
        if resource.type.startswith("github:"):
            name = resource.root.at("name" if resource.kind == _REPOSITORY else "repository").value
            if isinstance(name, str) and name:
                names.add(name)
                node_id = resource.root.at("nodeId").value
                if resource.kind == _REPOSITORY and isinstance(node_id, str):
                    by_id[node_id] = name
    return names, by_id


def _globs(pattern: str, text: str) -> bool:
    """As GitHub matches: `*` and `?` stop at a slash, `**` does not."""
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    regex = "".join(_WILDCARDS.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(regex, text) is not None


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
