"""Text that any format can hold."""


def printable(text: str) -> str:
    """Control characters, which neither XML nor HTML can hold, as escapes."""
    return "".join(each if each >= " " or each in "\t\n" else repr(each)[1:-1] for each in text)
