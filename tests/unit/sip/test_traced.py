"""Traced messages: secrets masked in place, and the capture file of them."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.pcap import pcap
from b2bua.sip.traced import Traced, masked, traced

INVITE = (
    b"INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:100@192.0.2.1>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
SECRETS = [
    (b'Authorization: Digest username="1001", response="6629fae49393a05397450978507c4ef1", uri="sip:b"', b"6629fae4"),
    (b'proxy-authorization : Digest username="1001",\r\n response = "0123456789abcdef0123456789abcdef"', b"0123456789"),
    (b"AUTHORIZATION: Basic dTpw", b"dTpw"),
    (b"Authorization: Bearer eyJhbGciOi", b"eyJhbGciOi"),
    (b'Authentication-Info: rspauth="aa11bb22", qop=auth', b"aa11bb22"),
    (b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4", b"WVNfX19z"),
    (b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA|1:4;inline:BBBBsecret", b"BBBBsecret"),
    (b"a=key-mgmt:mikey AQAFgM0XflABAAAA", b"AQAFgM0X"),
    (b"a=ice-pwd:asd88fgpdd777uzjYhagZg", b"asd88fg"),
    (b"k=clear:geheim", b"geheim"),
    (b"X-Key: tdm_abcDEF123_x", b"abcDEF123"),
    (b"Signal= 5", b"5"),
]


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_secrets_are_masked_and_nothing_moves(line: bytes, secret: bytes) -> None:
    data = b"INFO sip:b SIP/2.0\r\nCall-ID: 1\r\n" + line + b"\r\nUser-Agent: x\r\n\r\n" + line + b"\r\n"
    hidden = masked(data)
    assert secret not in hidden
    assert len(hidden) == len(data)
    assert hidden.count(b"\n") == data.count(b"\n")
    assert b"User-Agent: x" in hidden


def test_what_is_no_secret_stays_as_it_is() -> None:
    data = INVITE % b"abc" + b"v=0\r\na=fingerprint:sha-256 AA\r\na=rtpmap:8 PCMA/8000\r\n"
    assert masked(data) == data
    line = b'Authorization: Digest username="1001", realm="r", nonce="n", uri="sip:b", response="x", nc=00000001'
    assert b'username="1001", realm="r", nonce="n", uri="sip:b"' in masked(line)


def test_keys_pressed_are_masked_in_either_form() -> None:
    plain = b"INFO sip:b SIP/2.0\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n7"
    assert masked(plain).endswith(b"\r\n\r\nx")
    relay = b"INFO sip:b SIP/2.0\r\nc: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n"
    assert b"Signal=x\r\nDuration=160" in masked(relay)


@given(st.binary(max_size=400))
def test_masking_never_fails_and_never_changes_the_length(data: bytes) -> None:
    assert len(masked(data)) == len(data)
    assert len(masked(b"Authorization: Digest " + data)) == len(data) + 22


@pytest.mark.parametrize("call_id", [b"a@b", b"  spaced ", b"\xc3\xa4"])
def test_a_message_knows_its_call(call_id: bytes) -> None:
    row = (1.5, 1, 1, bytes([192, 0, 2, 1]), 5060, bytes([192, 0, 2, 9]), 5070, INVITE % call_id)
    one = traced(row)
    assert one.call_id == call_id.strip()
    assert one.start_line == "INVITE sip:100@192.0.2.1 SIP/2.0"
    assert (one.source, one.target) == (("192.0.2.1", 5060), ("192.0.2.9", 5070))
    assert one.transport == "udp"


def test_a_capture_file_is_made_of_datagrams_with_right_checksums(tmp_path: Path) -> None:
    four = Traced(1_700_000_000.25, True, "udp", ("192.0.2.1", 5060), ("192.0.2.9", 5070), b"x" * 11)
    six = Traced(1_700_000_001.5, False, "tls", ("2001:db8::1", 5061), ("2001:db8::9", 40000), b"y" * 10)
    data = pcap([four, six])
    assert struct.unpack_from("<IHHiIII", data) == (0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    seconds, micros, kept, length = struct.unpack_from("<IIII", data, 24)
    assert (seconds, micros, kept, length) == (1_700_000_000, 250_000, 39, 39)
    packet = data[40:79]
    assert total(packet[:20]) == 0xFFFF
    assert total(packet[12:20] + struct.pack("!HH", 17, 19) + packet[20:] + b"\0") == 0xFFFF
    second = data[79 + 16 :]
    assert second[0] >> 4 == 6
    assert total(second[8:40] + struct.pack("!II", 18, 17) + second[40:]) == 0xFFFF


def total(data: bytes) -> int:
    found: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while found >> 16:
        found = (found & 0xFFFF) + (found >> 16)
    return found
