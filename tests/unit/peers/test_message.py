"""The peers' own reader of SIP and SDP."""

import pytest

from tests.peers import sdp
from tests.peers.message import Message, destination_of, multipart, split_list, user_of

RAW = (
    b"INVITE sip:4008100001@127.0.0.1 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa\r\n"
    b'f: "A, B" <sip:1@x>;tag=abc\r\nTo: <sip:2@x;user=phone>\r\n'
    b"Diversion: <sip:1@x>,\r\n <sip:2@x>;reason=unknown\r\nDiversion: <sip:3@x>\r\n"
    b"i: call-1\r\nCSeq: 7 INVITE\r\nm: <sip:me@127.0.0.1:5070;transport=tcp>\r\nl: 2\r\n\r\nhi, and more"
)


def test_compact_folded_and_repeated_headers_are_read() -> None:
    message = Message.parse(RAW)
    assert (message.method, message.uri, message.status) == ("INVITE", "sip:4008100001@127.0.0.1", 0)
    assert (message.call_id, message.cseq, message.branch) == ("call-1", (7, "INVITE"), "z9hG4bKa")
    assert (message.from_tag, message.to_tag) == ("abc", "")
    assert message.all("diversion") == ["<sip:1@x>, <sip:2@x>;reason=unknown", "<sip:3@x>"]
    assert message.contact == "sip:me@127.0.0.1:5070;transport=tcp"
    assert message.body == b"hi"


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("sip:a@10.0.0.1", ("10.0.0.1", 5060, "udp")),
        ("sip:a@10.0.0.1:5070;transport=TCP", ("10.0.0.1", 5070, "tcp")),
        ("<sips:a@[::1]>;q=1", ("::1", 5061, "tls")),
        ("sip:[::1]:7;lr", ("::1", 7, "udp")),
    ],
)
def test_where_a_uri_leads(uri: str, wanted: tuple[str, int, str]) -> None:
    assert destination_of(uri) == wanted


def test_users_and_lists() -> None:
    assert user_of("<sip:+861391;npdi@h:5060;user=phone>") == "+861391"
    assert user_of("sip:h") == ""
    assert split_list('<sip:a;lr>, "x, y" <sip:b>,<sip:c>') == ["<sip:a;lr>", '"x, y" <sip:b>', "<sip:c>"]


def test_multipart_bodies_are_written_and_read() -> None:
    kind, body = multipart(
        ("application/sdp", b"v=0\r\n"), ("application/isup;version=itu-t92+", b"\x01\x00\r\n\r\n\xff")
    )
    message = Message(start="INVITE sip:x SIP/2.0", headers=[("Content-Type", kind)], body=body)
    assert message.parts() == [("application/sdp", b"v=0\r\n"), ("application/isup", b"\x01\x00\r\n\r\n\xff")]
    assert message.part("application/isup") == b"\x01\x00\r\n\r\n\xff"


def test_a_description_is_read_as_it_was_written() -> None:
    text = sdp.write(
        "127.0.0.1", 4000, codecs=("PCMU", "G729"), direction="sendonly", c="0.0.0.0", more_media=sdp.VIDEO
    )
    read = sdp.Sdp.parse(text)
    assert read.address == ("0.0.0.0", 4000)
    assert (read.audio.direction, read.version) == ("sendonly", "1")
    assert read.audio.codecs == {0: "PCMU", 18: "G729", 101: "TELEPHONE-EVENT"}
    assert [m.kind for m in read.media] == ["audio", "video"]


def test_an_answer_takes_the_offers_numbers_and_common_codecs() -> None:
    offer = sdp.Sdp.parse(
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\na=recvonly\r\n"
        b"m=audio 9 RTP/AVP 18 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"
    )
    answer = sdp.Sdp.parse(sdp.answer(offer, "::1", 6, version=4))
    assert answer.audio.codecs == {0: "PCMU", 96: "TELEPHONE-EVENT"}
    assert (answer.audio.direction, answer.connection, answer.version) == ("sendonly", "::1", "4")
