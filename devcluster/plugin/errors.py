"""What can go wrong, each with a sentence for the person who ran `up`."""

from devcluster.plugin.values import Object


class Refused(Exception):
    """The operation was not carried out; the text is one complete sentence."""


class NotReady(Exception):
    """The object is in the cluster and is not ready, so it must be recorded and waited for again by the next update.

    `reasons` are complete sentences, `live` is the object as last seen.
    """

    def __init__(self, reasons: list[str], live: Object) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        self.live = live


class InitFailed(Exception):
    """`NotReady` as the engine wants it: the resource exists and failed to initialise.

    `properties` (and for a refresh `inputs`) are what the state records for it.
    """

    def __init__(self, resource_id: str, reasons: list[str], properties: Object, inputs: Object) -> None:
        super().__init__("; ".join(reasons))
        self.resource_id = resource_id
        self.reasons = reasons
        self.properties = properties
        self.inputs = inputs
