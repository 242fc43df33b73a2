"""Bodies in parts (RFC 2046 section 5.1, RFC 5621): the leaves of a multipart tree, whatever their `handling` says."""

from routing.address import parameters
from routing.arrival import Body
from routing.header_block import read_headers

MAX_PARTS = 16
"Leaves read of one message; further ones are left unread."
MAX_DEPTH = 4
"Multiparts inside each other; a deeper one counts as a leaf."
MAX_BOUNDARY = 200
"RFC 2046 allows 70."


def leaf_parts(content_type: str, content: bytes) -> tuple[Body, ...]:
    """The leaves of a body in order, a plain body being its own.  Never raises.

    A body cut short gives the parts that are there, the last one with what is there of it; a multipart without a usable
    boundary counts as a leaf.
    """
    leaves: list[Body] = []
    _collect(content_type, content, leaves, MAX_DEPTH)
    return tuple(leaves)


def split_parts(boundary: bytes, content: bytes, limit: int = MAX_PARTS) -> list[bytes]:
    """The parts between the delimiter lines, each with its headers, the line break before a delimiter taken off."""
    delimiter = b"--" + boundary
    parts: list[bytes] = []
    start = -1
    at = content.find(delimiter)
    while at >= 0 and len(parts) < limit:
        after = _line_end(content, at + len(delimiter)) if at == 0 or content[at - 1] == 0x0A else -1
        if after >= 0:
            if start >= 0:
                parts.append(content[start : _before_break(content, at, start)])
            closing = content.startswith(b"--", at + len(delimiter))
            start = -1 if closing else after
            if closing:
                break
        at = content.find(delimiter, at + len(delimiter))
    if start >= 0 and len(parts) < limit:
        parts.append(content[start:])
    return parts


def _collect(content_type: str, content: bytes, leaves: list[Body], depth: int) -> None:
    kind, _, tail = content_type.partition(";")
    kind = kind.strip().lower()
    if kind.startswith("multipart/") and depth > 0:
        boundary = _octets(parameters(tail).get("boundary", ""))
        if 0 < len(boundary) <= MAX_BOUNDARY:
            for part in split_parts(boundary, content, MAX_PARTS - len(leaves)):
                if len(leaves) < MAX_PARTS:
                    part_type, part_content = _part(part)
                    _collect(part_type, part_content, leaves, depth - 1)
            return
    leaves.append(Body(kind, content, tail.strip()))


def _octets(text: str) -> bytes:
    """The octets a header's text was made of; none where it stands for none."""
    try:
        return text.encode("utf8", "surrogateescape")
    except UnicodeEncodeError:
        return b""


def _part(part: bytes) -> tuple[str, bytes]:
    """Content type and content of one part; a part may begin with the empty line."""
    if part.startswith((b"\r\n", b"\n")):
        return "text/plain", part[part.index(b"\n") + 1 :]
    end, size = _head_end(part)
    if end < 0:
        end, size = len(part), 0
    lines = part[:end].decode("utf8", "surrogateescape").replace("\r\n", "\n").split("\n")
    for name, value in read_headers(lines):
        if name == "content-type":
            return value, part[end + size :]
    return "text/plain", part[end + size :]


def _head_end(part: bytes) -> tuple[int, int]:
    """Where the empty line after the part's headers begins, and how long the break is; (-1, 0) without one."""
    crlf, lf = part.find(b"\r\n\r\n"), part.find(b"\n\n")
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf, 4
    return (lf, 2) if lf >= 0 else (-1, 0)


def _line_end(content: bytes, at: int) -> int:
    """The offset after the delimiter's line that goes on at `at`, or -1 when it is a longer boundary's."""
    if content.startswith(b"--", at):
        at += 2
    end = content.find(b"\n", at)
    if end < 0:
        end = len(content)
    return min(end + 1, len(content)) if not content[at:end].strip(b" \t\r") else -1


def _before_break(content: bytes, at: int, start: int) -> int:
    """The offset of the line break that belongs to the delimiter at `at`."""
    end = at - 1
    if end > start and content[end - 1] == 0x0D:
        end -= 1
    return max(end, start)
