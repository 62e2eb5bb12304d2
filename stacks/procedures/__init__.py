"""Runbook pages that belong to no alert: what a person does on purpose, and what no single alert names.

They name the objects and the stack of the environment they are written for, so that their commands can be pasted.
`kubectl` names no namespace in these texts: the generator adds it.
"""

from components.observability.runbook import Procedure
from stacks.environment import Environment
from stacks.procedures.backups import backup_now
from stacks.procedures.disasters import disaster_recovery
from stacks.procedures.incidents import COMMON_INCIDENTS, POSTMORTEM, RESOURCE_USAGE
from stacks.procedures.releases import release, secrets


def procedures(environment: Environment) -> dict[str, list[Procedure]]:
    """Heading in the index -> its pages."""
    return {
        "Incidents": [COMMON_INCIDENTS, RESOURCE_USAGE, POSTMORTEM],
        "Releases and secrets": [release(environment.stack), secrets(environment)],
        "Disaster recovery": [*disaster_recovery(environment), backup_now(environment)],
    }
