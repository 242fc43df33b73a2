"""A SIP message as received, taken apart no further than asked (RFC 3261 section 7).

Linear in its input, which is capped; only `Message.of` raises, and only BadMessage.  Line breaks are what PJSIP takes
for one (CRLF, and LF or CR alone), so that both see the same headers.
"""

from b2bua.sip.header_values import Reason, Replaces, retry_after, whole_number
from routing.address import Address, BadAddress, split_list
from routing.arrival import Body
from routing.header_block import read_headers
from routing.multipart import leaf_parts

MAX_MESSAGE = 65535
"Octets; more does not fit a datagram."
MAX_HEADERS = 256
MAX_LINES = 512
"Lines of the head, with those that continue a header."

_VERSION = "SIP/2.0"
_MAX_FORWARDS = 70


class BadMessage(ValueError):
    """The octets are no SIP message."""


class Message:
    """Start line, headers and body; everything else is read when asked for."""

    __slots__ = ("_first", "body", "headers", "method", "phrase", "status", "uri")

    method: str
    "Empty for a response."
    uri: str
    "Request-URI as written; empty for a response."
    status: int
    "0 for a request."
    phrase: str
    headers: tuple[tuple[str, str], ...]
    "(long lower-case name, unfolded value), in order; octets that are no UTF-8 stand as lone surrogates."
    body: bytes
    "What Content-Length says, or what is there where that is less."

    def __init__(self, start_line: str, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        self.method, self.uri, self.status, self.phrase = _read_start_line(start_line)
        if len(headers) > MAX_HEADERS:
            raise BadMessage(f"{len(headers)} headers")
        self.headers = headers
        self._first = dict(reversed(headers))
        length = whole_number(self._first.get("content-length", ""), MAX_MESSAGE)
        self.body = body if length is None else body[:length]

    def __repr__(self) -> str:
        start = f"{self.method} {self.uri[:80]}" if self.method else f"{self.status} {self.phrase[:80]}"
        return f"<Message {start}, {len(self.headers)} headers, {len(self.body)} octets>"

    @classmethod
    def of(cls, raw: str | bytes) -> "Message":
        """Read a whole message: octets, or text made of them with surrogateescape.  Raises BadMessage."""
        try:
            data = raw.encode("utf8", "surrogateescape") if isinstance(raw, str) else raw
        except UnicodeEncodeError:
            raise BadMessage("text that stands for no octets") from None
        if len(data) > MAX_MESSAGE:
            raise BadMessage(f"{len(data)} octets")
        data = data.lstrip(b"\r\n")
        head, blank, body = data.partition(b"\r\n\r\n")
        breaks = head.count(b"\r\n")
        if blank and breaks == head.count(b"\n") == head.count(b"\r"):
            lines = head.decode("utf8", "surrogateescape").split("\r\n")
        else:
            lines, body = _uneven_lines(data)
        if len(lines) > MAX_LINES:
            raise BadMessage(f"more than {MAX_LINES} lines")
        return cls(lines[0], read_headers(lines[1:]), body)

    @property
    def is_request(self) -> bool:
        return bool(self.method)

    def header(self, name: str) -> str | None:
        """The first value of a header; `name` long and in lower case."""
        return self._first.get(name)

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order; comma lists as they stand."""
        return [value for header, value in self.headers if header == name] if name in self._first else []

    def tokens(self, name: str) -> frozenset[str]:
        """The words of a comma list such as Supported or Require, in lower case."""
        return frozenset(word.lower() for value in self.all(name) for word in split_list(value))

    def address(self, name: str) -> Address | None:
        """The first address of a header such as From or Contact; None where there is none that can be read."""
        for value in self.all(name):
            for element in split_list(value):
                try:
                    return Address.parse(element)
                except BadAddress:
                    continue
        return None

    def tag(self, name: str) -> str:
        """The tag of From or To; empty without one."""
        address = self.address(name)
        return address.parameters().get("tag", "") if address is not None else ""

    @property
    def max_forwards(self) -> int:
        """Hops left; 70 where the message does not say."""
        left = whole_number(self._first.get("max-forwards", ""), 255)
        return _MAX_FORWARDS if left is None else left

    @property
    def content_type(self) -> str:
        """Lower case, without parameters; empty without a body's type."""
        return self._first.get("content-type", "").partition(";")[0].strip().lower()

    def parts(self) -> tuple[Body, ...]:
        """The leaves of the body: one for a plain body, none without a body."""
        return leaf_parts(self._first.get("content-type", ""), self.body) if self.body else ()

    def reasons(self) -> list[Reason]:
        return Reason.parse_many(self.all("reason"))

    def replaces(self) -> Replaces | None:
        return Replaces.parse(self._first.get("replaces", ""))

    def retry_after(self) -> int | None:
        """Seconds."""
        return retry_after(self._first.get("retry-after", ""))


def _read_start_line(line: str) -> tuple[str, str, int, str]:
    """Method and URI of a request, or status and phrase of a response."""
    first, _, rest = line.partition(" ")
    if first.upper() == _VERSION:
        code, _, phrase = rest.partition(" ")
        status = whole_number(code, 699)
        if status is None or status < 100 or len(code) != 3:
            raise BadMessage("a status line without a status")
        return "", "", status, phrase
    uri, _, version = rest.rpartition(" ")
    if version.upper() != _VERSION or not uri.strip() or not first.isascii() or not first:
        raise BadMessage("neither a request nor a response of SIP/2.0")
    return first, uri.strip(), 0, ""


def _uneven_lines(data: bytes) -> tuple[list[str], bytes]:
    """Lines of the head and the octets behind it, where line breaks are mixed."""
    lines: list[str] = []
    end = 0
    for line in data.splitlines(keepends=True):
        end += len(line)
        bare = line.rstrip(b"\r\n")
        if not bare or len(lines) > MAX_LINES:
            return lines, data[end:]
        lines.append(bare.decode("utf8", "surrogateescape"))
    raise BadMessage("no empty line behind the headers")
