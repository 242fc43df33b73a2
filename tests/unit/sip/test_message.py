"""SIP messages taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.header_values import Reason, Replaces, retry_after
from b2bua.sip.message import MAX_HEADERS, MAX_LINES, MAX_MESSAGE, BadMessage, Message
from routing.address import Address
from routing.arrival import Body

INVITE = b"INVITE sip:4711@h SIP/2.0\r\n"


def request(*lines: str, body: bytes = b"") -> Message:
    return Message.of(INVITE + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)


def test_a_request_is_read() -> None:
    message = request("To: <sip:1@h>", "Content-Type: Application/SDP;x=y", body=b"v=0\r\n")
    assert (message.method, message.uri, message.status, message.phrase) == ("INVITE", "sip:4711@h", 0, "")
    assert message.is_request
    assert message.headers == (("to", "<sip:1@h>"), ("content-type", "Application/SDP;x=y"))
    assert message.body == b"v=0\r\n"
    assert message.content_type == "application/sdp"
    assert message.parts() == (Body("application/sdp", b"v=0\r\n", "x=y"),)
    assert repr(message) == "<Message INVITE sip:4711@h, 2 headers, 5 octets>"


def test_a_response_is_read() -> None:
    message = Message.of('SIP/2.0 486 Busy Here\r\nReason: Q.850;cause=17;text="User \\"busy\\""\r\n\r\n')
    assert (message.method, message.uri, message.status, message.phrase) == ("", "", 486, "Busy Here")
    assert not message.is_request
    assert message.reasons() == [Reason("Q.850", 17, 'User "busy"')]
    assert repr(message) == "<Message 486 Busy Here, 1 headers, 0 octets>"
    assert Message.of(b"sip/2.0 200\r\n\r\n").status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"INVITE sip:4711@h SIP/2.0\r\n",
        b"INVITE sip:4711@h SIP/2.0\r\nTo: x",
        b"INVITE sip:4711@h SIP/3.0\r\n\r\n",
        b"INVITE sip:4711@h\r\n\r\n",
        b"INVITE  SIP/2.0\r\n\r\n",
        b" sip:4711@h SIP/2.0\r\n\r\n",
        "INVITÉ sip:4711@h SIP/2.0\r\n\r\n".encode(),
        b"SIP/2.0 \r\n\r\n",
        b"SIP/2.0 abc OK\r\n\r\n",
        b"SIP/2.0 99 OK\r\n\r\n",
        b"SIP/2.0 0200 OK\r\n\r\n",
        b"SIP/2.0 900 OK\r\n\r\n",
        b"SIP/2.0 \xc2\xb200 OK\r\n\r\n",
        INVITE + b"\r\n" + b"x" * MAX_MESSAGE,
        INVITE + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        INVITE + b"a: b\r\n" + b" c\r\n" * MAX_LINES + b"\r\n",
        INVITE + b"a: b\n" + b" c\n" * MAX_LINES + b"\r\n",
        "INVITE sip:4711@h SIP/2.0\r\n\r\n\ud800",
        "INVITE sip:\ud800@h SIP/2.0\r\n\r\n",
    ],
)
def test_what_is_no_sip_message_is_refused(raw: bytes | str) -> None:
    with pytest.raises(BadMessage):
        Message.of(raw)


def test_text_with_escaped_octets_is_byte_exact() -> None:
    """R1-03: a binary body and a display name that is no UTF-8 come through pjsua2's text unharmed."""
    raw = INVITE + b'From: "\xff" <sip:1@h>\r\n\r\n\x00\xff\xfe\r\n\r\n\xe4\xb8'
    text = raw.decode("utf8", "surrogateescape")
    for message in (Message.of(raw), Message.of(text)):
        assert message.body == b"\x00\xff\xfe\r\n\r\n\xe4\xb8"
        assert message.header("from") == '"\udcff" <sip:1@h>'


def test_compact_names_odd_spacing_case_and_folding_make_no_difference() -> None:
    """Match parsed names only: nothing can hide behind `X-Header :` or a compact form."""
    message = request(
        "f: <sip:1@h>", "DIVERSION \t:<sip:2@h>,", "\t <sip:3@h>", "k: timer,", " 100rel", "Supported: Path"
    )
    assert message.header("from") == "<sip:1@h>"
    assert message.all("diversion") == ["<sip:2@h>, <sip:3@h>"]
    assert message.all("supported") == ["timer, 100rel", "Path"]
    assert message.tokens("supported") == {"timer", "100rel", "path"}
    assert message.header("require") is None
    assert message.all("require") == []
    assert message.tokens("require") == frozenset()


@pytest.mark.parametrize("line", ["\n", "\r", "\r\n"])
def test_line_breaks_are_those_of_pjsip(line: str) -> None:
    """Both must see the same headers, or one of them can be deceived."""
    raw = "INVITE sip:1@h SIP/2.0\r\nA1: 1\nDiversion: <sip:2@h>\rB1: 2" + line + line + "v=0\r\n\r\nx"
    message = Message.of(raw)
    assert message.headers == (("a1", "1"), ("diversion", "<sip:2@h>"), ("b1", "2"))
    assert message.body == b"v=0\r\n\r\nx"


def test_empty_lines_in_front_are_skipped() -> None:
    assert Message.of(b"\r\n\r\n" + INVITE + b"\r\n").method == "INVITE"


@pytest.mark.parametrize(
    ("length", "body"),
    [("3", b"abc"), ("0", b""), ("99", b"abcdef"), ("-1", b"abcdef"), ("x", b"abcdef"), ("9" * 20, b"abcdef")],
)
def test_the_body_is_what_content_length_says_and_no_more_than_there_is(length: str, body: bytes) -> None:
    """R1-05: Content-Length beyond the datagram."""
    assert request(f"l: {length}", body=b"abcdef").body == body


def test_without_content_length_the_rest_is_the_body() -> None:
    message = request(body=b"abc")
    assert message.body == b"abc"
    assert message.content_type == ""
    assert request("Content-Type: a/b", "Content-Length: 0").parts() == ()


def test_addresses_are_read_when_asked_for() -> None:
    message = request("From: Al <sip:1@h>;tag=a7", "t: sip:2@h", "m: <sip:broken", "Contact: *, <sip:3@h>")
    assert message.address("from") == Address("Al", "sip:1@h", "tag=a7")
    assert (message.tag("from"), message.tag("to"), message.tag("route")) == ("a7", "", "")
    assert message.address("contact") == Address("", "*", "")
    assert message.address("route") is None
    assert request("From: <sip:broken").address("from") is None


@pytest.mark.parametrize(("value", "left"), [("0", 0), ("69", 69), ("256", 70), ("x", 70), ("", 70)])
def test_max_forwards_has_a_default(value: str, left: int) -> None:
    assert request(f"Max-Forwards: {value}").max_forwards == left
    assert request().max_forwards == 70


def test_reasons_are_read_in_order() -> None:
    """RFC 3326"""
    message = request(
        'Reason: SIP ;cause=200 ;text="Call completed, elsewhere", q.850;cause=16',
        "Reason: X.21",
        "Reason: ;cause=1, a b",
    )
    assert message.reasons() == [
        Reason("SIP", 200, "Call completed, elsewhere"),
        Reason("Q.850", 16),
        Reason("X.21", None),
    ]
    assert [str(reason) for reason in message.reasons()] == [
        'SIP;cause=200;text="Call completed, elsewhere"',
        "Q.850;cause=16",
        "X.21",
    ]
    assert str(Reason("SIP", 480, 'a"b\\c\r\nVia: x')) == 'SIP;cause=480;text="a\\"b\\\\cVia: x"'
    assert Reason.parse_many(["Q.850;cause=1000"]) == [Reason("Q.850", None)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("18000;duration=3600", 18000),
        ("5 (I am in a meeting)", 5),
        ("", None),
        ("soon", None),
        ("-1", None),
    ],
)
def test_retry_after_is_seconds(value: str, seconds: int | None) -> None:
    """RFC 3261 20.33"""
    assert retry_after(value) == seconds
    assert request(f"Retry-After: {value}").retry_after() == seconds


def test_replaces_names_a_dialog_or_nothing() -> None:
    """RFC 3891"""
    message = request("Replaces: 98732@h;from-tag=r33;to-tag=ff87;early-only")
    assert message.replaces() == Replaces("98732@h", "ff87", "r33", True)
    assert Replaces.parse("1;to-tag=a;from-tag=b") == Replaces("1", "a", "b")
    for broken in ("", "1", "1;to-tag=a", ";to-tag=a;from-tag=b"):
        assert Replaces.parse(broken) is None
    assert request().replaces() is None


LINES = st.sampled_from(
    [
        "INVITE sip:1@h SIP/2.0",
        "SIP/2.0 200 OK",
        "From: <sip:1@h>",
        "l: 3",
        "c: multipart/mixed;boundary=b",
        "--b",
        " x",
        "",
    ]
)
RAW = st.binary(max_size=300) | st.lists(LINES | st.text(max_size=20)).map(lambda lines: "\r\n".join(lines))
RAW |= st.binary(max_size=200).map(lambda tail: INVITE + tail + b"\r\n\r\n" + tail)


@given(RAW)
def test_only_its_own_error_leaves_the_reader(raw: bytes | str) -> None:
    """R1-05: never a crash."""
    try:
        message = Message.of(raw)
    except BadMessage:
        return
    assert message.is_request == (message.status == 0)
    for name, _ in message.headers:
        assert name == name.lower()
        assert message.header(name) == message.all(name)[0]
        message.address(name)
        message.tokens(name)
        message.tag(name)
    message.parts()
    message.reasons()
    message.replaces()
    message.retry_after()
    assert 0 <= message.max_forwards <= 255


@given(
    st.lists(st.tuples(st.from_regex("X-[a-z]{1,5}", fullmatch=True), st.text('abc ;,<>"', max_size=10)), max_size=5),
    st.binary(),
)
def test_what_is_written_is_read_again(headers: list[tuple[str, str]], body: bytes) -> None:
    raw = INVITE + "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n" + body
    message = Message.of(raw)
    assert message.headers == tuple((name.lower(), value.strip()) for name, value in headers)
    assert message.body == body
