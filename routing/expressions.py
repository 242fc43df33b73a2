"""Regular expressions that administrators write for numbers: none of them may keep the event loop for long.  Pure."""

import re

MOST_REPEATS = 3
"Open repetitions in one expression: a number of 40 characters is matched in microseconds whatever it is."

_GROUP_REPEATED = re.compile(r"(?<!\\)\)[*+{]")
_REPEAT = re.compile(r"(?<!\\)(?:[*+]|\{[0-9]*,[0-9]*\})")
_LOOKS_BACK = re.compile(r"\\[1-9]|\(\?P=")


def takes_long(expression: str) -> str | None:
    """Why matching may take for ever, as words that follow the expression; None: it does not."""
    if _GROUP_REPEATED.search(expression):
        return "repeats a group: such patterns may take for ever"
    if len(_REPEAT.findall(expression)) > MOST_REPEATS:
        return f"has more than {MOST_REPEATS} open repetitions"
    if _LOOKS_BACK.search(expression):
        return "looks back at a group"
    return None
