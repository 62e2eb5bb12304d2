"""The runbook pages: of all alerts, written from the alerts' own definitions, and of the procedures.

`python -m stacks.runbooks` renews docs/runbooks/; a test fails while a page is out of date or missing.
"""

from pathlib import Path

from components.observability.observability import all_alerts
from components.observability.runbook import pages
from stacks.environment import load
from stacks.objectives import slos
from stacks.procedures import procedures
from stacks.settings_alerting import levels
from stacks.settings_observability import observability_args
from stacks.watching import alerts, targets

FOLDER = Path(__file__).parent.parent / "docs" / "runbooks"


def runbooks(root: Path, stack: str = "prod") -> dict[str, str]:
    """File name -> content of every page of the stack. Raises InvalidEnvironment."""
    environment = load(root, stack)
    watch = environment.platform.observability
    if watch is None:
        return {}
    unknown = dict.fromkeys(watch.secrets, "")
    args = observability_args(
        watch,
        environment.platform.namespace.name,
        stack,
        targets(environment.platform),
        alerts(environment.platform),
        unknown,
        slos(environment.platform),
    )
    return pages(all_alerts(args), args["namespace"], levels(watch.alertmanager), procedures(environment))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = runbooks(FOLDER.parent.parent)
    for page in FOLDER.glob("*.md"):
        if page.name not in written:
            page.unlink()
    for name, content in written.items():
        (FOLDER / name).write_text(content)
