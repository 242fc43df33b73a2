"""Mutations of SIP messages: what a fuzzer does to a sound one.  Pure: the same dice give the same message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

MOST = 60_000
"Octets of a mutated message at most: what fits a datagram."

NUMBERS = (
    b"0", b"-1", b"1", b"255", b"256", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967295", b"4294967296",
    b"18446744073709551616", b"9" * 40, b"0x10", b"1e9", b"",
)  # fmt: skip
TOKENS = (
    b"\0", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\t", b" ", b",", b";", b";;", b":", b"\"", b"<", b">", b"<>", b"@",
    b"%", b"%00", b"%s%n", b"\\",
    b"[", b"]", b"(", b"\xff\xfe", b"\xc0\xaf", b"sip:", b"sips:", b"tel:", b"SIP/2.0", b";tag=",
    b";branch=z9hG4bK", b"inline:", b"multipart/mixed;boundary=", b"A" * 300, b"A" * 5000, b"(" * 2000,
)  # fmt: skip
METHODS = (
    b"INVITE", b"ACK", b"BYE", b"CANCEL", b"OPTIONS", b"REGISTER", b"REFER", b"NOTIFY", b"SUBSCRIBE", b"INFO",
    b"UPDATE", b"PRACK", b"MESSAGE", b"PUBLISH", b"invite", b"X", b"SIP/2.0 200",
)  # fmt: skip
HEADERS = (
    b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", b"Route: <sip:192.0.2.1;lr>", b"Record-Route: <sip:192.0.2.1;lr>",
    b"Contact: *", b"Require: 100rel", b"Require: replaces", b"Replaces: a@b;to-tag=1;from-tag=2", b"RAck: 1 1 INVITE",
    b"Session-Expires: 1;refresher=uas", b"Min-SE: 4294967295", b"Content-Encoding: gzip", b"Event: refer",
    b"Refer-To: <sip:x@192.0.2.1>", b"Diversion: <sip:7001@x>;reason=unknown", b"History-Info: <sip:7001@x>;index=1",
    b"P-Asserted-Identity: <sip:1@x>, <tel:+1>", b"Privacy: id", b"Authorization: Digest username=\"x\"",
    b"Content-Type: multipart/mixed;boundary=x", b"Content-Type: application/ISUP;version=itu-t92+",
    b"Content-Disposition: signal;handling=required", b"Supported: 100rel,timer,replaces,path,outbound,gruu",
    b"Expires: 0", b"Timestamp: 9999999999999", b"Warning: 399 x \"y\"", b"Max-Forwards: 0",
)  # fmt: skip

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]


def mutated(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """One to five mutations of it, one after the other; `others` lend their parts."""
    for _ in range(dice.randint(1, 5)):
        message = dice.choice(MUTATIONS)(message, dice, others)
    return message[:MOST]


def _flip(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """Some bits."""
    changed = bytearray(message)
    for _ in range(dice.randint(1, 8)):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """A piece is missing."""
    a, b = _span(message, dice)
    return message[:a] + message[b:]


def _double(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """A piece is there several times."""
    a, b = _span(message, dice)
    return message[:b] + message[a:b] * dice.choice((1, 2, 10, 100)) + message[b:]


def _end(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """Cut short."""
    return message[: dice.randrange(len(message) + 1)]


def _insert(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """Something that means something, at any place."""
    at = dice.randrange(len(message) + 1)
    return message[:at] + dice.choice(TOKENS) + message[at:]


def _number(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """Another number in the place of one."""
    found = list(re.finditer(rb"[0-9]+", message))
    if not found:
        return message
    at = dice.choice(found)
    return message[: at.start()] + dice.choice(NUMBERS) + message[at.end() :]


def _line(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """A line is dropped, doubled, moved, or is another one."""
    lines = message.split(b"\r\n")
    at = dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            other = dice.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines.insert(max(1, at), dice.choice(HEADERS))
        case _:
            lines[at] = dice.choice(HEADERS)
    return b"\r\n".join(lines)


def _splice(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """The beginning of this one and the end of another."""
    other = dice.choice(others) if others else message
    return message[: dice.randrange(len(message) + 1)] + other[dice.randrange(len(other) + 1) :]


def _method(message: bytes, dice: Random, others: Sequence[bytes]) -> bytes:
    """Another method in the first line, and mostly in CSeq."""
    new = dice.choice(METHODS)
    old = message.partition(b" ")[0]
    return message.replace(old, new) if old and dice.random() < 0.8 else message.replace(old, new, 1)


def _span(message: bytes, dice: Random) -> tuple[int, int]:
    a = dice.randrange(len(message) + 1)
    return a, min(len(message), a + dice.choice((1, 2, 4, 16, 64, 256)))


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _cut, _double, _end, _insert, _insert, _number, _number, _line, _line, _line, _splice, _method
)  # fmt: skip
