"""No alert links to a page that is not there, and no page says something else than its alert."""

from stacks.environment import load
from stacks.render import render
from stacks.runbooks import FOLDER, runbooks
from tests.conftest import ROOT


def test_the_pages_are_current() -> None:
    there = {page.name: page.read_text() for page in FOLDER.glob("*.md")}
    assert there == runbooks(ROOT), "renew them: python -m stacks.runbooks"


def test_every_alert_of_both_environments_links_to_a_page() -> None:
    for stack in ("staging", "prod"):
        rules = [each.manifest for each in render(load(ROOT, stack)) if each.kind == "PrometheusRule"]
        alerts = [
            rule for each in rules for group in each["spec"]["groups"] for rule in group["rules"] if "alert" in rule
        ]
        assert len(alerts) > 30
        for alert in alerts:
            page = alert["annotations"]["runbook_url"].rsplit("/", 1)[1]
            assert (FOLDER / page).is_file(), f"{stack}: {alert['alert']} links to {page}, which is not there"
