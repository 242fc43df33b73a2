"""Header lines as (name, value) pairs: long lower-case names, folded lines joined (RFC 3261 section 7.3.1)."""

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"One-letter names of the IANA registry."

_REMEMBERED = 1024
_FOLD = (" ", "\t", "")
_long: dict[str, str] = {}


def long_name(name: str) -> str:
    """`name` in the form all our look-ups use.  Remembered, because a trunk always writes the same twenty; emptied when
    full, because a flood may invent any number of them."""
    known = _long.get(name)
    if known is None:
        known = name.rstrip(" \t").lower()
        known = COMPACT.get(known, known)
        if len(name) <= 64:
            if len(_long) >= _REMEMBERED:
                _long.clear()
            _long[name] = known
    return known


def read_headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """The headers of `lines`, in order.  A line without a colon is left out, with the lines that continue it."""
    found: list[tuple[str, str]] = []
    folded: dict[int, list[str]] = {}
    joined = False
    for line in lines:
        if line[:1] in _FOLD:
            if joined and line.strip():
                folded.setdefault(len(found) - 1, []).append(line.strip())
            continue
        name, colon, value = line.partition(":")
        joined = bool(colon and name)
        if joined:
            found.append((_long.get(name) or long_name(name), value.strip()))
    for at, rest in folded.items():
        name, value = found[at]
        found[at] = (name, " ".join((value, *rest)).strip())
    return tuple(found)
