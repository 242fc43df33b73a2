"""Makes initial address messages and SIP-I bodies (ITU-T Q.763, Q.1912.5), written after the tables, not our reader."""

SUBSCRIBER, UNKNOWN, NATIONAL, INTERNATIONAL = 1, 2, 3, 4
"Nature of address."
ALLOWED, RESTRICTED, NOT_AVAILABLE, NETWORK = 0, 1, 2, 3
"Address presentation restricted indicator."
CALLING, REDIRECTING, REDIRECTION_INFORMATION, ORIGINAL_CALLED = 0x0A, 0x0B, 0x13, 0x28
"Optional parameter codes."

ISUP_TYPE = "application/ISUP;version=itu-t92+;base=itu-t92+"


def signals(digits: str, *, filler: int = 0) -> bytes:
    """Address signals: two in an octet, the first in the low nibble; `digits` may hold a to f too."""
    nibbles = [int(digit, 16) for digit in digits]
    if len(nibbles) % 2:
        nibbles.append(filler)
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


def number(digits: str, *, nature: int = NATIONAL, presentation: int = ALLOWED, filler: int = 0) -> bytes:
    """The content of a calling party, redirecting or original called number (ISDN numbering plan)."""
    return bytes([(len(digits) % 2) << 7 | nature, 1 << 4 | presentation << 2]) + signals(digits, filler=filler)


def called_number(digits: str, *, nature: int = NATIONAL) -> bytes:
    """The content of a called party number; an ST signal is part of `digits` as `f`."""
    return bytes([(len(digits) % 2) << 7 | nature, 1 << 4]) + signals(digits)


def redirection(*, indicator: int = 3, original_reason: int = 6, counter: int = 1, reason: int = 6) -> bytes:
    """The content of redirection information; reason 6 is mobile subscriber not reachable, 1 busy, 2 no reply."""
    return bytes([original_reason << 4 | indicator, reason << 4 | counter])


def iam(called: bytes, *optional: tuple[int, bytes], end: bool = True) -> bytes:
    """An IAM from its message type on: fixed part, the called party number, then the optional parameters in order."""
    fixed = bytes([0x01, 0x00, 0x20, 0x01, 0x0A, 0x03])  # national network, ISDN access, ordinary subscriber, 3.1 kHz
    tail = b"".join(bytes([code, len(content)]) + content for code, content in optional)
    if not optional:
        return fixed + bytes([2, 0, len(called)]) + called
    pointers = bytes([2, 1 + 1 + len(called)])
    return fixed + pointers + bytes([len(called)]) + called + tail + (b"\x00" if end else b"")


def diverted_iam(
    called: str, original: str | None = None, redirecting: str | None = None, *, nature: int = NATIONAL
) -> bytes:
    """The usual one: a call to `called` that was meant for `original` and sent on by `redirecting`."""
    optional = [(CALLING, number("13800000000", presentation=ALLOWED))]
    if redirecting is not None:
        optional.append((REDIRECTING, number(redirecting, nature=nature)))
    if original is not None:
        optional.append((REDIRECTION_INFORMATION, redirection()))
        optional.append((ORIGINAL_CALLED, number(original, nature=nature)))
    return iam(called_number(called), *optional)


def sip_i_body(
    sdp: bytes, isup: bytes, *, boundary: str = "unique-boundary-1", handling: str = "required"
) -> tuple[str, bytes]:
    """Content type and body of a SIP-I INVITE: SDP and the ISUP message as parts of a multipart/mixed."""
    line = f"--{boundary}".encode()
    head = f"Content-Type: {ISUP_TYPE}\r\nContent-Disposition: signal;handling={handling}\r\n\r\n".encode()
    parts = [b"Content-Type: application/sdp\r\n\r\n" + sdp, head + isup]
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return f"multipart/mixed;boundary={boundary}", body
