"""REFER: what is read of it, and what is refused before anything is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.header_values import Replaces
from b2bua.sip.message import Message
from b2bua.sip.refer import BadRefer, Referral, UnwantedRefer, read_refer, sipfrag


def refer(*headers: str) -> Message:
    lines = [
        "REFER sip:tandem@192.0.2.1 SIP/2.0",
        "From: <sip:1001@pbx.example>;tag=a",
        "To: <sip:13800000001@PBX.example:5070>;tag=b",
        "CSeq: 7 REFER",
        *headers,
        "",
        "",
    ]
    return Message.of("\r\n".join(lines))


@pytest.mark.parametrize(
    ("header", "user", "host"),
    [
        ("Refer-To: <sip:1002@pbx.example>", "1002", "pbx.example"),
        ("r: sip:1002@PBX.example:5070;user=phone", "1002", "pbx.example"),
        ('Refer-To: "clerk 12" <sips:1002@[2001:db8::1]:5061;method=INVITE>;x=y', "1002", "2001:db8::1"),
        ("Refer-To: <tel:+8613800000001>", "+8613800000001", ""),
        ("Refer-To: <sip:%31002;npdi@pbx.example>", "1002", "pbx.example"),
    ],
)
def test_the_target_is_read(header: str, user: str, host: str) -> None:
    assert read_refer(refer(header)) == Referral(user, host, number=7, here="pbx.example")


def test_a_replaces_names_another_call() -> None:
    value = "Refer-To: <sip:x@pbx?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2%3Bearly-only&Require=replaces>"
    assert read_refer(refer(value)).replaces == Replaces("a@b", "1", "2", early_only=True)


def test_who_refers_and_what_he_wants_to_hear() -> None:
    found = read_refer(refer("Refer-To: <sip:1@h>", "Referred-By: <sip:1001@pbx>;x=1", "Refer-Sub: false"))
    assert (found.referred_by, found.notify) == ("sip:1001@pbx", False)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((), 400),
        (("Refer-To: <sip:1@h>", "Refer-To: <sip:2@h>"), 400),
        (("Refer-To: <sip:1@h>", "r: <sip:2@h>"), 400),
        (("Refer-To: <http://h/>",), 400),
        (("Refer-To: <sip:h>",), 400),
        (("Refer-To: <sip:1@h",), 400),
        (("Refer-To: <sip:1@h;method=BYE>",), 403),
        (("Refer-To: <sip:1@h?Route=%3Csip:evil%3E>",), 403),
        (("Refer-To: <sip:1@h?Require=replaces>",), 403),
        (("Refer-To: <sip:1@h?Require=x&Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>",), 403),
        (("Refer-To: <sip:1@h?Replaces=a&Replaces=b>",), 403),
        (("Refer-To: <sip:1@h?Replaces=a%3Bto-tag%3D1>",), 400),
    ],
)
def test_what_is_refused(headers: tuple[str, ...], code: int) -> None:
    with pytest.raises(BadRefer) as raised:
        read_refer(refer(*headers))
    assert raised.value.code == code
    assert isinstance(raised.value, UnwantedRefer) == (code == 403)


@given(st.text(max_size=200))
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    try:
        found = read_refer(refer(f"Refer-To: {text}", f"Referred-By: {text}"))
    except BadRefer:
        return
    assert found.user.isprintable()


def test_a_notify_says_a_status_line() -> None:
    assert sipfrag(486, "Busy Here") == b"SIP/2.0 486 Busy Here\r\n"
