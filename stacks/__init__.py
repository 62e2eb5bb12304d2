"""Which components an environment has, with what values. No resource is built here."""


class InvalidEnvironment(Exception):
    """The environment cannot be used; the message says, a sentence a line, which key of which file is wrong."""
