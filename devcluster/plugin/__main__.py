"""`python -m devcluster.plugin ENGINE_ADDRESS`: how the Pulumi engine starts the stand-in."""

import sys

from devcluster.plugin.server import serve

if __name__ == "__main__":
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.exit("pulumi-resource-kubernetes (stand-in) is started by the Pulumi engine, with the engine's address.")
    serve(addresses[0])
