"""SIP messages as light objects (RFC 3261 section 7): an ordered list of headers and a body, read leniently.

This is the test side's own reader, independent of the server's: nothing here is shared with the code under test.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    600: "Busy Everywhere",
    603: "Decline",
}

Headers = Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]]
"Extra headers as a test gives them: a mapping (a list value repeats the header) or pairs in order."


@dataclass(kw_only=True, eq=False)
class Message:
    """One request or response. Header names keep the spelling they had on the wire; look-ups do not care for it."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    raw: bytes = b""
    "The bytes as they went over the wire, where they did."
    time: float = 0.0
    "Monotonic seconds when it was sent or received."

    @property
    def is_request(self) -> bool:
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """Of a request its own method, of a response the method of its CSeq."""
        return self.start.split(" ", 1)[0] if self.is_request else self.cseq[1]

    @property
    def uri(self) -> str:
        """The Request-URI."""
        return self.start.split(" ")[1] if self.is_request else ""

    @property
    def status(self) -> int:
        """The status code; 0 for a request."""
        return 0 if self.is_request else int(self.start.split(" ")[1])

    @property
    def reason(self) -> str:
        return "" if self.is_request else self.start.partition(" ")[2].partition(" ")[2]

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order; comma lists are not split."""
        wanted = canonical(name)
        return [value for key, value in self.headers if canonical(key) == wanted]

    def get(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        return next(iter(self.all(name)), default)

    def has(self, name: str) -> bool:
        return bool(self.all(name))

    def tokens(self, name: str) -> set[str]:
        """The lower-cased elements of comma lists such as Supported, Require and Allow."""
        return {part.strip().lower() for value in self.all(name) for part in value.split(",") if part.strip()}

    @property
    def call_id(self) -> str:
        return self.get("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.get("CSeq", "0 ?").strip().partition(" ")
        return int(number), method.strip()

    @property
    def from_tag(self) -> str:
        return parameter(self.get("From"), "tag")

    @property
    def to_tag(self) -> str:
        return parameter(self.get("To"), "tag")

    @property
    def branch(self) -> str:
        return parameter(self.get("Via"), "branch")

    @property
    def contact(self) -> str:
        """The URI of the (first) Contact."""
        return uri_of(self.get("Contact"))

    @property
    def content_type(self) -> str:
        """Without parameters, lower case."""
        return self.get("Content-Type").partition(";")[0].strip().lower()

    def parts(self) -> list[tuple[str, bytes]]:
        """The body as (content type, content) leaves; a body that is not multipart is one leaf, no body none."""
        return list(leaves(self.get("Content-Type"), self.body))

    def part(self, content_type: str) -> bytes:
        """The first leaf of this content type, else empty."""
        return next((content for kind, content in self.parts() if kind == content_type), b"")

    @property
    def text(self) -> str:
        """The whole message as text, for assertions such as "this address must not appear"."""
        return (self.raw or bytes(self)).decode("utf-8", "replace")

    def __bytes__(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def __repr__(self) -> str:
        return f"<{self.start[:60]} cseq={self.get('CSeq')!r} call={self.call_id[:12]!r}>"

    @classmethod
    def parse(cls, raw: bytes) -> "Message":
        """Read one message. ValueError when it has no SIP start line."""
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        if "SIP/2.0" not in lines[0]:
            raise ValueError(f"not a SIP message: {lines[0][:80]!r}")
        headers: list[tuple[str, str]] = []
        for line in lines[1:]:
            if line[:1] in (" ", "\t") and headers:  # a folded line continues the header before it
                headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
            elif ":" in line:
                name, _, value = line.partition(":")
                headers.append((name.strip(), value.strip()))
        message = cls(start=lines[0], headers=headers, raw=raw)
        length = message.get("Content-Length")
        message.body = body[: int(length)] if length.isdigit() else body
        return message


def canonical(name: str) -> str:
    """Long, lower-case name of a header."""
    lower = name.lower()
    return COMPACT.get(lower, lower)


def parameter(value: str, name: str) -> str:
    """A `;name=value` parameter behind the address of a header value; empty when there is none."""
    tail = value.rpartition(">")[2] if ">" in value else value
    found = re.search(rf";\s*{re.escape(name)}\s*=\s*\"?([^;,\s\">]+)", tail, re.IGNORECASE)
    return found.group(1) if found else ""


def uri_of(value: str) -> str:
    """The URI inside a From, To, Contact, Route value."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return value.partition(";")[0].strip()


def user_of(uri: str) -> str:
    """The user part of a SIP URI."""
    rest = uri_of(uri).partition(":")[2]
    return rest.rpartition("@")[0].partition(";")[0].partition(":")[0] if "@" in rest else ""


def destination_of(uri: str) -> tuple[str, int, str]:
    """Host (no brackets), port and transport a SIP URI leads to, without any DNS."""
    inner = uri_of(uri) if "<" in uri else uri
    scheme, _, rest = inner.partition(":")
    rest = rest.partition("?")[0]
    host_port, _, parameters = rest.rpartition("@")[2].partition(";")
    secure = scheme.lower() == "sips"
    found = re.search(r"(?:^|;)transport=(\w+)", parameters, re.IGNORECASE)
    transport = found.group(1).lower() if found else ("tls" if secure else "udp")
    bracketed = re.fullmatch(r"\[([^]]+)](?::(\d+))?", host_port)
    if bracketed:
        host, port = bracketed.group(1), bracketed.group(2)
    else:
        host, _, port = host_port.partition(":")
    return host, int(port or (5061 if transport == "tls" else 5060)), transport


def split_list(value: str) -> list[str]:
    """Split a comma list of addresses (Record-Route, Contact), leaving commas in <> and quotes alone."""
    return [part.strip() for part in re.findall(r"(?:<[^>]*>|\"[^\"]*\"|[^,])+", value) if part.strip()]


def as_pairs(headers: Headers) -> list[tuple[str, str]]:
    """A test's extra headers as pairs in order."""
    if isinstance(headers, Mapping):
        return [
            (name, item) for name, value in headers.items() for item in ([value] if isinstance(value, str) else value)
        ]
    return list(headers)


def leaves(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """The leaves of a (nested) multipart body, RFC 2046 section 5.1."""
    if not body:
        return
    kind = content_type.partition(";")[0].strip().lower()
    boundary = parameter(content_type, "boundary")
    if not kind.startswith("multipart/") or not boundary:
        yield kind, body
        return
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if piece.startswith(b"--"):
            return
        head, _, content = piece.partition(b"\r\n\r\n")
        inner = Message(start="", headers=[])
        for line in head.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                inner.headers.append((name.strip(), value.strip()))
        yield from leaves(inner.get("Content-Type", "text/plain"), content)


def multipart(*parts: tuple[str, bytes] | tuple[str, bytes, str], boundary: str = "tandem-parts") -> tuple[str, bytes]:
    """Content type and body of a multipart/mixed of (content type, content[, disposition]) parts."""
    body = b""
    for kind, content, *disposition in parts:
        head = f"--{boundary}\r\nContent-Type: {kind}\r\n"
        if disposition:
            head += f"Content-Disposition: {disposition[0]}\r\n"
        body += head.encode() + b"\r\n" + content + b"\r\n"
    return f"multipart/mixed;boundary={boundary}", body + f"--{boundary}--\r\n".encode()
