"""SIP addresses as values: name-addr, addr-spec, SIP and tel URIs (RFC 3261 sections 20.10 and 25.1, RFC 3966).

Every function here is linear in its input; only `Address.parse` and `Uri.parse` raise, and only BadAddress.
"""

import re
from dataclasses import dataclass

MAX_ADDRESS = 4096
"Characters of one address with its parameters; more is nobody's phone number."
MAX_ELEMENTS = 128
"Elements of one list, and parameters of one address."
_MAX_MARKS = 1024

_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})++")
_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_SCHEMES = frozenset({"sip", "sips", "tel"})
_ANONYMOUS_USERS = frozenset({"anonymous", "restricted", "unavailable", "unknown", "private"})

# Possessive quantifiers: a quote or bracket that never closes costs one pass, then counts as an ordinary character.
_MARKS = {
    separator: (
        re.compile(rf'{_QUOTED.pattern}|<[^<>]*+>|["{separator}]', re.DOTALL),
        re.compile(rf"<[^<>]*+>|{separator}"),
    )
    for separator in ",;"
}


class BadAddress(ValueError):
    """The text is no SIP address; `at` is the offset where reading stopped.

    The message leaves the text out: it goes into logs and records, and a number in it may be a private one.
    """

    def __init__(self, text: str, at: int, why: str) -> None:
        super().__init__(f"{why} at {at}")
        self.text = text
        self.at = at


def split_list(text: str, separator: str = ",") -> list[str]:
    """The elements of a comma (or semicolon) list, separators inside quotes and brackets left alone, empty ones out.

    Elements past MAX_ELEMENTS are left out: nobody writes so many, except to keep us busy.
    """
    if separator not in text:
        text = text.strip()
        return [text] if text else []
    marks, unquoted = _MARKS[separator]
    found: list[str] = []
    start = at = 0
    for _ in range(_MAX_MARKS):
        mark = marks.search(text, at)
        if mark is None:
            found.append(text[start:].strip())
            break
        at = mark.end()
        if mark[0] == separator:
            found.append(text[start : mark.start()].strip())
            start = at
        elif mark[0] == '"':
            marks = unquoted  # this quote never closes, so none after it does
    return [element for element in found if element][:MAX_ELEMENTS]


def parameters(text: str) -> dict[str, str]:
    """`;name=value;flag` to a dictionary: names in lower case, values unquoted, the first of a repeated name wins."""
    found: dict[str, str] = {}
    for part in split_list(text, ";") if '"' in text else text.split(";", MAX_ELEMENTS)[:MAX_ELEMENTS]:
        name, _, value = part.partition("=")
        name = name.strip().lower()
        if name and name not in found:
            found[name] = unquote(value.strip())
    return found


def unquote(text: str) -> str:
    """The inside of a quoted-string; text without quotes as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inside = text[1:-1]
    return _BACKSLASH.sub(r"\1", inside) if "\\" in inside else inside


def percent_decode(text: str) -> str:
    """`%XX` to characters (UTF-8; other bytes stay as lone surrogates), broken escapes left as they are."""
    if "%" not in text:
        return text
    return _ESCAPES.sub(lambda m: bytes.fromhex(m[0].replace("%", "")).decode("utf8", "surrogateescape"), text)


def printable(text: str, limit: int = 128) -> str:
    """`text` fit for JSON, databases and screens: cut at `limit`, bytes that are no UTF-8 and controls replaced."""
    text = text[:limit]
    if text.isprintable():
        return text
    text = text.encode("utf8", "surrogatepass").decode("utf8", "replace")[:limit]
    return "".join("\ufffd" if char < " " or "\x7f" <= char < "\xa0" else char for char in text)


def anonymous(user: str, host: str = "") -> bool:
    """Whether an address says that its owner is withheld (RFC 3323 section 4.1)."""
    return user.lower() in _ANONYMOUS_USERS or host.lower() == "anonymous.invalid"


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP, SIPS or tel URI, read as far as a call needs it."""

    scheme: str
    "`sip`, `sips` or `tel`."
    user: str
    "Percent-decoded, without a password; the parameters of a telephone-subscriber (`;npdi`) are still there."
    host: str
    "With the port; empty for tel."
    tail: str
    "The parameters as written, after the first semicolon."
    headers: str
    "What follows the question mark, still escaped."

    @classmethod
    def parse(cls, text: str) -> "Uri":
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower()
        if not colon or scheme not in _SCHEMES:
            raise BadAddress(text, 0, "no SIP or tel URI")
        if scheme == "tel":
            number, _, tail = rest.partition(";")
            tail, _, headers = tail.partition("?")
            if not number:
                raise BadAddress(text, len(text), "no number")
            return cls(scheme, percent_decode(number), "", tail, headers)
        userinfo, at, hostpart = rest.partition("@")
        if not at:
            userinfo, hostpart = "", rest
        hostpart, _, headers = hostpart.partition("?")
        host, _, tail = hostpart.partition(";")
        if not host:
            raise BadAddress(text, len(text), "no host")
        return cls(scheme, percent_decode(userinfo.partition(":")[0]), host.strip(), tail, headers)

    @property
    def anonymous(self) -> bool:
        return anonymous(self.user, self.host)

    def parameters(self) -> dict[str, str]:
        return parameters(self.tail)

    def header(self, name: str) -> str:
        """An escaped header (`?Reason=SIP%3Bcause%3D302`), decoded; empty when it is not there."""
        for part in self.headers.split("&", MAX_ELEMENTS) if self.headers else ():
            key, _, value = part.partition("=")
            if percent_decode(key).strip().lower() == name:
                return percent_decode(value)
        return ""


@dataclass(frozen=True, slots=True)
class Address:
    """`"Display" <uri>;parameters`, or a bare URI, whose parameters then belong to the header."""

    display: str
    uri: str
    tail: str
    "The header's parameters as written, after the first semicolon."

    @classmethod
    def parse(cls, text: str) -> "Address":
        if len(text) > MAX_ADDRESS:
            raise BadAddress(text, MAX_ADDRESS, "longer than an address may be")
        text = text.strip()
        after_display = 0
        display = ""
        if text.startswith('"'):
            quoted = _QUOTED.match(text)
            if quoted is None:
                raise BadAddress(text, len(text), "quote without end")
            display = unquote(quoted[0])
            after_display = quoted.end()
        opened = text.find("<", after_display)
        if opened < 0:
            if after_display:
                raise BadAddress(text, after_display, "no URI")
            uri, _, tail = text.partition(";")
            if not uri:
                raise BadAddress(text, 0, "no URI")
            return cls("", uri.rstrip(), tail)
        if not after_display:
            display = text[:opened].rstrip()
        closed = text.find(">", opened)
        if closed < 0:
            raise BadAddress(text, len(text), "bracket without end")
        uri, tail = text[opened + 1 : closed].strip(), text[closed + 1 :].lstrip()
        if not uri or "<" in uri:
            raise BadAddress(text, opened, "no URI in brackets")
        if tail and tail[0] != ";":
            raise BadAddress(text, closed + 1, "text after the bracket")
        return cls(display, uri, tail[1:])

    def parsed_uri(self) -> Uri:
        """The URI's pieces; raises BadAddress."""
        return Uri.parse(self.uri)

    def parameters(self) -> dict[str, str]:
        return parameters(self.tail)
