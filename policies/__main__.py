"""What the engine runs (`pulumi up --policy-pack policies`): the pack, served until the engine ends."""

import signal
import sys
from pathlib import Path

# The engine ends a pack by interrupting it: no reason for a traceback, which would land among its messages.
signal.signal(signal.SIGINT, signal.SIG_DFL)
# It starts this file with policies/ itself as the directory to import from.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policies.analyzer import serve  # noqa: E402
from policies.pack import RULES  # noqa: E402

if __name__ == "__main__":
    serve(RULES)
