"""How many mistakes in the policies their tests notice: `python -m tests.bench.policy_mutation [module …]`.

Changes the predicates of every rule, and of the modules that rules are made of, in every way, one at a time, and runs
the tests that are for them. A mutant that no test notices survives and is printed; 95 % at least must be noticed.
"""

import ast
import contextlib
import importlib
import io
import os
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.machinery import SourceFileLoader
from multiprocessing import get_context
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest

from tests.policies.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
REQUIRED = 0.95
NO_PREDICATES = ("__main__", "analyzer", "controls", "pack", "reference", "results")
"""Modules of policies/ that decide nothing, or only how the engine is spoken to."""
ABOUT_EVERYTHING = {"policies.pack", "policies.stack", "policies.evaluation", "tests.policies.builders"}
"""What every rule or every test uses: through it, no test is for a module."""
WHOLE_ENVIRONMENTS = "tests.policies.declared"
"""What uses it declares whole environments, which is too slow to judge mutants."""


class Score(NamedTuple):
    """What became of the mutants of a module."""

    module: str
    total: int
    survivors: list[Mutant]


@cache
def imports() -> Mapping[str, set[str]]:
    """Module of policies/ or tests/policies/ -> those that it imports itself."""
    files = [*(ROOT / "policies").rglob("*.py"), *(ROOT / "tests" / "policies").rglob("*.py")]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}
    found: dict[str, set[str]] = {}
    for name, file in names.items():
        imported: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inside = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                imported |= {each if each in names else node.module for each in inside.values()}
        found[name] = imported & names.keys()
    return found


def tests_of(module: str) -> Iterator[str]:
    """Tests that use a module, the nearest first: those that import it, those that import what imports it …"""
    seen, waiting = {module}, deque([module])
    while waiting:
        used = waiting.popleft()
        for user in sorted(name for name, imported in imports().items() if used in imported and name not in seen):
            if user in ABOUT_EVERYTHING or WHOLE_ENVIRONMENTS in imports()[user]:
                continue
            seen.add(user)
            waiting.append(user)
            if _last(user).startswith("test_"):
                yield user


def _imported_with(module: str) -> set[str]:
    """All that is imported when a module is, itself and the packages that it and they are in included."""
    found, waiting = {module}, [module]
    while waiting:
        name = waiting.pop()
        package = name.rpartition(".")[0]
        more = (imports().get(name, set()) | {package} & imports().keys()) - found
        found |= more
        waiting += more
    return found


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def _path(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


class _Judge:
    """A plugin of pytest, which instead of collecting tests does so in a child for each mutant."""

    def __init__(self, module: str, tests: Sequence[str]) -> None:
        self.module = module
        self.path = _path(module)
        self.tests = [str(_path(test)) for test in tests]
        self.seconds = resource.RLIM_INFINITY
        self.total = 0
        self.survivors: list[Mutant] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Judges all mutants. Raises ValueError where a test fails without any."""
        tree = ast.parse(self.path.read_text())
        start = time.process_time()
        if self._noticed(tree, session):
            raise ValueError(f"{self.module}: its tests fail without a mutant: mend them first")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds = int(time.process_time() - start + used.ru_utime + used.ru_stime) * 3 + 5
        for mutant in mutants(tree):
            self.total += 1
            if not self._noticed(tree, session):
                self.survivors.append(mutant)
        return True

    def _noticed(self, tree: ast.Module, session: pytest.Session) -> bool:
        """Whether a test is red. The one that is comes first for the next mutant, which is often the same line."""
        child = os.fork()
        if not child:
            os._exit(self._red(tree, session))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code > 0:
            self.tests.insert(0, self.tests.pop(code - 1))
        return code != 0

    def _red(self, tree: ast.Module, session: pytest.Session) -> int:
        """The number of the first test that is red, from 1; 0 if none is. What never ends is killed."""
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds))
        code = compile(ast.fix_missing_locations(tree), self.path, "exec")
        judged, compiled = self.module, SourceFileLoader.get_code

        def changed(self: SourceFileLoader, fullname: str) -> CodeType | None:
            return code if fullname == judged else compiled(self, fullname)

        SourceFileLoader.get_code = changed
        for number, test in enumerate(self.tests, start=1):
            try:
                session.perform_collect([test])
                session.config.hook.pytest_runtestloop(session=session)
            except BaseException:
                return number
            if session.testsfailed:
                return number
        return 0


def score(module: str) -> Score:
    """Of one module, in a process that has imported nothing of policies/ yet."""
    tests = list(tests_of(module))
    for each in sorted(set[str]().union(*map(_imported_with, tests)) - {*tests}):
        if module not in _imported_with(each):
            importlib.import_module(each)
    judge = _Judge(module, tests)
    options = ["-n0", "-p", "no:cacheprovider", "--noconftest", "--assert=plain", "--tb=no", "--maxfail=1"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main([*options, *judge.tests], plugins=[judge])
    if code == pytest.ExitCode.INTERNAL_ERROR:
        raise RuntimeError(said.getvalue())
    return Score(module, judge.total, judge.survivors)


def scores(names: Sequence[str] = ()) -> Iterator[Score]:
    """Of all modules with predicates; of those called `names` alone, if there are any, e.g. `pods`."""
    modules = sorted(each for each in imports() if each.startswith("policies.") and _path(each).is_file())
    chosen = [each for each in modules if (_last(each) in names if names else _last(each) not in NO_PREDICATES)]
    # A process for each, one after the other.
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        for found in pool.imap(score, chosen):
            if found.total:
                yield found


def table(found: Sequence[Score]) -> list[str]:
    """As Markdown: a row for each module, and one for all."""
    total, left = sum(each.total for each in found), [survivor for each in found for survivor in each.survivors]
    rows = [_row(each) for each in [*found, Score("**all**", total, left)]]
    return ["| module | mutants | noticed | share |", "|---|---:|---:|---:|", *rows]


def _row(of: Score) -> str:
    noticed = of.total - len(of.survivors)
    return f"| {of.module} | {of.total} | {noticed} | {noticed / of.total:.1%} |"


def measured() -> dict[str, list[str]]:
    """The score of every module; what survives is printed. In a process of its own: this one may know policies/."""
    lines: list[str] = []
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return {
        "Mistakes in policies that their tests notice": [
            "The predicates of every rule, and of the modules that rules are made of, are changed in every way, one "
            f"change at a time; then the tests that are for them are run. {REQUIRED:.0%} at least must be noticed.",
            *lines[lines.index("") :],
        ]
    }


def main(names: Sequence[str]) -> int:
    """Prints the scores and the survivors. 1: the score of all is too low."""
    if unknown := {*names} - {_last(each) for each in imports() if each.startswith("policies.")}:
        sys.exit(
            f"error: policies/ has no module {', '.join(sorted(unknown))}; name them without their folder: `pods`."
        )
    found: list[Score] = []
    for each in scores(names):
        found.append(each)
        print(_row(each), flush=True)
        lines = _path(each.module).read_text().splitlines()
        for survivor in each.survivors:
            print(f"  line {survivor.line}: {survivor.change}: {lines[survivor.line - 1].strip()}", flush=True)
    print("", *table(found), sep="\n")
    return int(sum(len(each.survivors) for each in found) > (1 - REQUIRED) * sum(each.total for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
