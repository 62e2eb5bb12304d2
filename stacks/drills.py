"""When each database was last restored from its backup, as the environment's dated evidence says."""

import time
from pathlib import Path

from policies import evidence
from policies.evidence import InvalidEvidence
from policies.rules.backups import restore_drill_fresh
from stacks import InvalidEnvironment


def last_drills(root: Path, stack: str) -> dict[str, int]:
    """Whose drill, e.g. `Cluster shop-prod/postgres-main` -> the last that went well, in seconds since 1970.

    Empty without evidence. Raises InvalidEnvironment where it cannot be read.
    """
    folder = evidence.folder_of(root, stack)
    try:
        found = evidence.load(folder) if folder.is_dir() else ()
    except InvalidEvidence as error:
        lines = str(error).splitlines()
        raise InvalidEnvironment("\n".join(f"evidence/{stack}: {line}" for line in lines)) from None
    good = [each for each in found if each.kind == restore_drill_fresh.EVIDENCE and each.passed]
    if to_come := [each for each in good if each.seconds > time.time()]:
        # A slip of the pen, and nobody would be told for years.
        raise InvalidEnvironment(
            "\n".join(
                f"evidence/{stack}: {each.source}: the restore of {each.subject} is at {each.at}, which is yet to "
                "come; mend its `at`."
                for each in to_come
            )
        )
    # By time: the last one stays.
    return {each.subject: each.seconds for each in good}
