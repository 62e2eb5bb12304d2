"""What is known of a stack beside its resources: the day, whether it is deployed, exemptions, dated evidence."""

from dataclasses import dataclass, field
from datetime import date

from policies.evidence import Evidence
from policies.exemptions import Register
from policies.values import Undecided


@dataclass(frozen=True)
class Facts:
    """What rules may know of a run."""

    stack: str = ""
    """Name of the stack, e.g. `prod`; empty if nobody says."""
    as_of: date | None = None
    """The day as of which it is judged. None: nothing that depends on a day can be decided."""
    deployed: bool = False
    """Whether it is what stands, where all is known, and not what would be deployed."""
    register: Register = field(default_factory=Register)
    """The exemptions, and what is wrong with them."""
    evidence: tuple[Evidence, ...] | None = None
    """What happened, with dates. None: this run is not given any (previews and deployments are not)."""

    def day(self) -> date:
        """The day as of which it is judged. Raises Undecided."""
        if self.as_of is None:
            raise Undecided("the day as of which to judge is not given")
        return self.as_of

    def latest(self, kind: str, subject: str) -> Evidence | None:
        """The newest evidence of a kind about a subject, of that day or before."""
        found = [
            each
            for each in self.evidence or ()
            if each.kind == kind and each.subject == subject and each.day <= self.day()
        ]
        return max(found, key=lambda each: (each.at, each.source), default=None)
