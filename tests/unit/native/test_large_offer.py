"""Offers as large as real phones and browsers make them: read to their end, answered, and heard."""

from __future__ import annotations

import base64

from tests.unit.native.stack import Stack
from tests.unit.native.talker import Talker, join

UNKNOWN = (
    *("SILK/24000", "SILK/16000", "SILK/8000", "G726-40/8000", "G726-32/8000", "G726-24/8000", "G726-16/8000"),
    *("AMR/8000", "AMR-WB/16000", "EVS/16000", "BV16/8000", "G7221/32000"),
)
KNOWN = ("PCMU/8000", "PCMA/8000", "G722/8000", "G729/8000", "opus/48000/2", "speex/8000", "GSM/8000")
NAMED = {
    **dict(enumerate(UNKNOWN, start=102)),
    **dict(zip((0, 8, 9, 18, 120, 121, 3), KNOWN, strict=True)),
    101: "telephone-event/8000",
}
"20 formats, payload type -> rtpmap: those that are spoken here behind those that are not."
SUITES = {
    "AEAD_AES_256_GCM": 44,
    "AES_256_CM_HMAC_SHA1_80": 46,
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
}
"Octets of key and salt together."
CANDIDATES = tuple(
    f"a=candidate:{n} {part} UDP {2130706431 - n} 192.0.2.{n} {40000 + n} typ {kind}"
    for n in range(1, 5)
    for part in (1, 2)
    for kind in ("host" if n < 3 else "srflx raddr 192.0.2.1 rport 40001",)
)
OTHER_LINES = (
    "m=video 0 RTP/AVP 96 97 98 99",
    *(
        f"a=rtpmap:{kind} {name}/90000"
        for kind, name in zip(range(96, 100), ("H264", "VP8", "VP9", "H265"), strict=True)
    ),
    *(f"a=rtcp-fb:{kind} {what}" for kind in range(96, 100) for what in ("nack", "nack pli", "ccm fir", "goog-remb")),
    "m=image 0 udptl t38",
    "a=T38FaxVersion:0",
    "m=text 0 RTP/AVP 98 99",
    "a=rtpmap:98 t140/1000",
    "a=rtpmap:99 red/1000",
)


def lines(*, keys: bool) -> str:
    """What stands below the audio line, and the lines after it; the keys come last of what is of sound."""
    crypto = [
        f"a=crypto:{n} {suite} inline:{base64.b64encode(bytes(range(size))).decode()}"
        for n, (suite, size) in enumerate(SUITES.items(), 1)
        if keys
    ]
    sound = [
        *(f"a=rtpmap:{kind} {name}" for kind, name in NAMED.items() if kind != 101),
        *(f"a=fmtp:{kind} mode=1;annexb=no" for kind in (18, 102, 109, 110, 111, 120)),
        "a=fmtp:101 0-16",
        *("a=ptime:20", "a=maxptime:60", "a=rtcp-mux", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv"),
        *CANDIDATES,
        *crypto,
        "a=sendrecv",
    ]
    return "".join(f"{line}\r\n" for line in [*sound, *OTHER_LINES])


FORMATS = " ".join(str(kind) for kind in NAMED)


def test_a_large_offer_is_read_to_its_end(stack: Stack) -> None:
    """Four lines of media, 20 codecs, ICE candidates: the codec in its midst is found, and sound goes both ways."""
    with Talker(stack, formats=FORMATS, lines=lines(keys=False)) as large, Talker(stack) as small:
        assert join(large, small) == 0
        large.send(b"l" * 160, kind=0)
        assert small.hear(b"l" * 160)
        small.send(b"s" * 160)
        assert [packet.payload_type for packet in large.hear(b"s" * 160)] == [0]


def test_keys_at_the_end_of_a_large_offer_are_taken(stack: Stack) -> None:
    """The suites stand behind all codecs and candidates: what is answered is encrypted, not in clear."""
    with Talker(stack, formats=FORMATS, lines=lines(keys=True)) as large:
        assert large.secured
        large.again(lines=lines(keys=True))
        assert large.secured
