"""A Kubernetes API small enough for a laptop and for CI, and the toolchain that runs it.

`toolchain.ensure` provides the programs, `cluster.start` runs them, `simulation` brings pods and the operators' custom
resources to the state a real node or operator would report. Only the containers are simulated.
"""

from collections.abc import Callable

# Takes one plain line of progress: no trailing newline, no colour. A PEP 695 alias needs Python 3.12.
Report = Callable[[str], None]


class DevclusterError(Exception):
    """One sentence for the person who must act: what is wrong, where, and what to do."""
