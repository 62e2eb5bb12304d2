"""No alert links to a page that is not there, and no page says something else than its alert."""

import re

import pytest
import yaml

from components.observability.runbook import linked
from stacks.environment import load
from stacks.procedures import procedures
from stacks.runbooks import FOLDER, runbooks
from tests.conftest import ROOT
from tests.renderings import rendering


def test_the_pages_are_current() -> None:
    there = {page.name: page.read_text() for page in FOLDER.glob("*.md")}
    assert there == runbooks(ROOT), "renew them: python -m stacks.runbooks"


def test_every_alert_of_both_environments_links_to_a_page() -> None:
    for stack in ("staging", "prod"):
        manifests = rendering(stack)
        rules = [each.manifest for each in manifests if each.kind == "PrometheusRule"]
        alerts = [
            rule for each in rules for group in each["spec"]["groups"] for rule in group["rules"] if "alert" in rule
        ]
        (logs,) = [
            each.manifest["data"]["rules.yaml"] for each in manifests if (each.kind, each.name) == ("ConfigMap", "loki")
        ]
        alerts += [rule for group in yaml.safe_load(logs)["groups"] for rule in group["rules"]]
        assert len(alerts) > 30
        for alert in alerts:
            page = alert["annotations"]["runbook_url"].rsplit("/", 1)[1]
            assert (FOLDER / page).is_file(), f"{stack}: {alert['alert']} links to {page}, which is not there"


NO_PAGES = {
    "AccessDenied",
    "CloudNativePG",
    "ClusterRole",
    "DeadlineExceeded",
    "DiskPressure",
    "EnvoyProxy",
    "ImagePullBackOff",
    "MemoryPressure",
    "MiB",
    "NoSuchBucket",
    "OOMKilled",
    "PagerDuty",
    "PostgreSQL",
    "PrometheusRule",
    "ResourceExhausted",
    "SLOs",
}
"""What is written like the name of a page, and is a word of Kubernetes, of a program or of a provider."""


def mentions(text: str) -> set[str]:
    """Words written like the name of a page, outside code and links."""
    prose = re.sub(r"```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|^#.*?$", "", text, flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"\b(?:[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+|[A-Z]{2,}[a-z][A-Za-z]*)\b", prose))


def test_no_page_names_one_that_is_not_there() -> None:
    """A mention of a page is a link by now; what is left is misspelt, or no page."""
    pages = runbooks(ROOT)
    assert {name: mentions(text) - NO_PAGES for name, text in pages.items() if mentions(text) - NO_PAGES} == {}
    assert set[str]().union(*(mentions(text) for text in pages.values())) == NO_PAGES


def test_a_mention_becomes_a_link_and_code_stays_as_it_is() -> None:
    text = "# PodPending\nSee PodPending, `PodPending` and [it](PodPending.md).\n```\nPodPending\n```\nPodPendings"
    assert linked(text, {"PodPending"}) == text.replace("See PodPending", "See [PodPending](PodPending.md)")
    assert mentions("See PodPendign, or `PodPending`.") == {"PodPendign"}


TOPICS = {
    # REQUIREMENTS O1 -> pages that are there.
    "high error rate": ("ServiceErrorRateHigh", "GatewayErrors", "KeycloakErrors"),
    "high latency": ("ServiceVerySlow", "ServiceSlow", "GatewaySlow"),
    "resource usage": ("ResourceUsage", "PodCpuHigh", "PodMemoryHigh", "NodeCpuHigh"),
    "database errors": ("PostgresDown", "PostgresConnectionsHigh"),
    "disk space": ("VolumeFilling", "VolumeAlmostFull", "NodeDiskHigh"),
    "deployment": ("ReleaseAndRollBack", "RolloutStuck"),
    "secrets": ("RotateSecrets",),
    "disaster recovery": (
        "DisasterRecovery",
        "DatabaseLost",
        "ClusterLost",
        "BackupsLost",
        "DataDamaged",
        "KeycloakLost",
    ),
    "common incidents": ("CommonIncidents",),
    "postmortem template": ("PostmortemTemplate",),
}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_that_is_asked_for_has_its_pages_and_the_index_leads_to_them(topic: str) -> None:
    index = (FOLDER / "README.md").read_text()
    for name in TOPICS[topic]:
        assert (FOLDER / f"{name}.md").is_file()
        assert f"[{name}]({name}.md)" in index


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_a_procedure_names_its_own_environment_alone(stack: str) -> None:
    environment = load(ROOT, stack)
    other = "staging" if stack == "prod" else "prod"
    for several in procedures(environment).values():
        for each in several:
            assert len(re.findall(r"^## ", each["text"], re.MULTILINE)) >= 2, each["name"]
            assert f"shop-{other}" not in each["text"], each["name"]
            assert not re.search(rf"mainstay \w+ {other}|--stack {other}|Pulumi\.{other}", each["text"]), each["name"]


def test_what_comes_back_reads_the_archive_of_its_origin_and_writes_none() -> None:
    pages = {each["name"]: each["text"] for each in procedures(load(ROOT, "prod"))["Disaster recovery"]}
    blocks = re.findall(r"<<'END'\n(.*?)^END$", pages["DatabaseLost"], re.DOTALL | re.MULTILINE)
    for block, name in zip(blocks, ("postgres-main", "postgres-auth"), strict=True):
        store, policy, cluster = yaml.safe_load_all(block)
        assert {each["metadata"]["name"] for each in (store, policy, cluster)} == {f"{name}-recovered"}
        assert "retentionPolicy" not in store["spec"]
        assert "plugins" not in cluster["spec"]
        (origin,) = cluster["spec"]["externalClusters"]
        assert cluster["spec"]["bootstrap"]["recovery"]["source"] == origin["name"]
        assert origin["plugin"]["parameters"] == {"barmanObjectName": f"{name}-recovered", "serverName": name}
        assert policy["spec"]["podSelector"] == {"matchLabels": {"cnpg.io/cluster": f"{name}-recovered"}}
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
